"""The files that a configuration names: each block of them is used, or is an
error at its key that says what it is."""

import os
import re
import shlex
import subprocess

import pytest

from harness import server as srv
from harness import upstreams
from harness.certs import certs_gen
from harness.client import attempt
from harness.home import FILES, Home
from harness.odd_certs import make_cert, make_crl, make_key, openssl


@pytest.fixture
def home(pki, tmp_path):
    return Home(pki, tmp_path)


def other_pem(home, kind):
    """A block of another kind than the file of some key should have."""
    key = home.pki.of("server")[1]
    return {
        "certificate": lambda: home.pki.of("alice")[0].read_bytes(),
        "private key": lambda: openssl("genpkey", "-algorithm", "ED25519"),
        "revocation list": lambda: home.pki.crl.read_bytes(),
        "public key": lambda: openssl("pkey", "-in", key, "-pubout"),
        "request": lambda: openssl("req", "-new", "-key", key, "-subj",
                                   "/CN=x"),
        "trust": lambda: openssl("x509", "-in", home.pki.ca, "-addtrust",
                                 "clientAuth", "-trustout"),
        "PKCS#7": lambda: openssl("crl2pkcs7", "-nocrl", "-certfile",
                                  home.pki.ca),
        "'NONSENSE'": lambda: b"-----BEGIN NONSENSE-----\nYWJj\n"
                              b"-----END NONSENSE-----\n",
    }[kind]()


# --- blocks ---------------------------------------------------------------

@pytest.mark.spec("SRV-73", "SRV-3", "SRV-119", "SRV-123")
@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("key,kind", [
    (key, kind) for key, (_, accepted) in FILES.items() for kind in (
        "certificate", "private key", "revocation list", "public key",
        "request", "trust", "PKCS#7", "'NONSENSE'") if kind != accepted])
def test_a_block_of_another_kind(home, key, kind, first):
    path = home.file(key)
    pieces = [path.read_bytes(), other_pem(home, kind)]
    line = 1 if first else pieces[0].count(b"\n") + 1
    path.write_bytes(b"".join(reversed(pieces) if first else pieces))
    message = home.one_error(key)
    assert kind in message and f"on line {line}" in message, message


SECOND = {
    "bad-base64": lambda two: two.replace(b"\nM", b"\n*", 1),
    "no-end": lambda two: two[:two.index(b"-----END")],
    "cut": lambda two: two[:len(two) // 2],
    "begin-only": lambda two: two[:two.index(b"\n") + 1],
    "short-dashes": lambda two: two.replace(b"-----BEGIN", b"----BEGIN"),
    "indented": lambda two: b" " + two,
    "other-end": lambda two: two.replace(b"-----END ", b"-----END OLD "),
    "end-only": lambda two: two[two.index(b"-----END"):],
    "lost-character": lambda two: two.replace(b"A", b"", 1),
    "lost-line": lambda two: b"\n".join(
        line for i, line in enumerate(two.split(b"\n")) if i != 2),
    "nul": lambda two: b"\0" + two,
    "empty": lambda two: two[:two.index(b"\n") + 1]
    + two[two.index(b"-----END"):],
    "trailing-der": lambda two: lengthen(two),
}


def lengthen(pem):
    """The same block with one more byte in it."""
    label = re.match(rb"-----BEGIN (.+)-----\n", pem)[1]
    body = re.search(rb"-----\n(.+?)-----END", pem, re.S)[1]
    der = openssl("base64", "-d", data=body) + b"\0"
    return (b"-----BEGIN " + label + b"-----\n"
            + openssl("base64", data=der)
            + b"-----END " + label + b"-----\n")


@pytest.mark.spec("SRV-119", "SRV-120")
@pytest.mark.parametrize("damage", SECOND)
@pytest.mark.parametrize("key", FILES)
def test_damage_after_the_first_block(home, key, damage):
    """What was read up to the damage is not all that the file has."""
    path = home.file(key)
    good = path.read_bytes()
    extra = {"certificate": home.pki.other_ca.read_bytes,
             "private key": lambda: openssl("genpkey", "-algorithm", "RSA"),
             "revocation list": home.pki.crl.read_bytes}[FILES[key][1]]()
    path.write_bytes(good + SECOND[damage](extra))
    message = " ".join(text for where, text in home.errors()
                       if where == key.rsplit(".", 1)[1])
    assert "line" in message, message


@pytest.mark.spec("SRV-121")
@pytest.mark.parametrize("key", FILES)
def test_what_may_stand_around_blocks(home, key):
    path = home.file(key)
    plain = path.read_bytes()
    for text in (plain.replace(b"\n", b"\r\n"), plain.rstrip(b"\n"),
                 b"\xef\xbb\xbf" + plain,
                 b"Certificate:\n    Data: 1\n-- a title --\n\n" + plain
                 + b"\ntrailing text\n",
                 plain.replace(b"\n", b" \t\n"),
                 plain.replace(b"-----\n", b"-----\n\n", 1)):
        path.write_bytes(text)
        home.is_fine()


@pytest.mark.spec("SRV-72", "SRV-120")
@pytest.mark.parametrize("kind", ["directory", "pipe", "device", "endless",
                                  "read-error", "large", "empty", "blank", "gone", "utf-16"])
@pytest.mark.parametrize("key", FILES)
def test_what_is_no_file_with_blocks(home, key, kind):
    path = home.file(key)
    text = path.read_text()
    path.unlink()
    if kind == "directory":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        home.names[key] = "/dev/null"
    elif kind == "endless":
        home.names[key] = "/dev/zero"
    elif kind == "read-error":
        home.names[key] = "/proc/self/mem"
    elif kind == "large":
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
            file.truncate(64 * 1024 * 1024 + 1)
    elif kind != "gone":
        path.write_bytes({"empty": b"", "blank": b"\n \n",
                          "utf-16": text.encode("utf-16")}[kind])
    message = home.one_error(key)
    said = {"directory": "directory", "pipe": "pipe", "device": "regular",
            "endless": "regular", "read-error": "Input/output error",
            "large": "64 MiB", "empty": "is empty",
            "blank": "no PEM", "gone": "No such file", "utf-16": "NUL"}
    assert said[kind] in message, message


@pytest.mark.spec("SRV-72")
def test_a_file_of_the_largest_size(home):
    with open(home.file("tls.client_ca"), "ab") as file:
        file.write(b"\n" * (64 * 1024 * 1024 - 1 - file.tell()))
    home.is_fine()


# --- other forms, and the commands that mend them --------------------------

def as_der(key):
    """The file's block in DER, and whether a command can mend it."""
    program = {"certificate": "x509", "private key": "pkey",
               "revocation list": "crl"}[FILES[key][1]]

    def make(home):
        return openssl(program, "-in", home.file(key), "-outform", "DER")
    return make


@pytest.mark.spec("SRV-123")
@pytest.mark.parametrize("name", ["a.file", "it's $HOME.file"])
@pytest.mark.parametrize("key", FILES)
def test_der_and_the_command_that_mends_it(home, key, name):
    der = as_der(key)(home)
    home.names[key] = name
    home.file(key).write_bytes(der)
    message = home.one_error(key)
    assert FILES[key][1] in message and "DER" in message, message
    run_command(home, message)
    home.names[key] = "new.pem"
    home.is_fine()


def run_command(home, message):
    """What the message advises does what it should."""
    command = re.search(r": ((?:openssl|ssh-keygen) .+); accepted: ",
                        message)[1]
    subprocess.run([*shlex.split(command), *(
        ["-passin", "pass:secret"] if "secret" in str(home.names) else [])],
        cwd=home.dir, check=True, capture_output=True, timeout=30)


def encrypted(home, form):
    key = home.pki.of("server")[1]
    options = {"pkcs8": ["pkcs8", "-topk8", "-passout", "pass:secret"],
               "der": ["pkcs8", "-topk8", "-passout", "pass:secret",
                       "-outform", "DER"],
               "traditional": ["ec", "-aes128", "-passout", "pass:secret"]}
    return openssl(*options[form], "-in", key)


@pytest.mark.spec("SRV-124")
@pytest.mark.parametrize("form", ["pkcs8", "traditional", "der"])
@pytest.mark.parametrize("key", ["tls.private_key",
                                 "app.upstream.private_key"])
def test_an_encrypted_key(home, key, form):
    home.names[key] = "secret.key"
    home.file(key).write_bytes(encrypted(home, form))
    message = home.one_error(key)
    assert "encrypted private key" in message, message
    run_command(home, message)
    new = home.dir / ("new.pem" if form == "der" else "new.key")
    assert b"\n-----END PRIVATE KEY" in new.read_bytes()


@pytest.mark.spec("SRV-123")
def test_a_key_of_openssh(home, need):
    need("ssh-keygen", "openssh-client")
    home.file("tls.private_key").unlink()
    subprocess.run(["ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f",
                    home.file("tls.private_key")], check=True, timeout=30)
    assert "OpenSSH" in home.one_error("tls.private_key")


@pytest.mark.spec("SRV-123")
@pytest.mark.parametrize("key", FILES)
def test_bundles(home, key):
    """PKCS#12 and PKCS#7 in place of PEM."""
    certificate, private_key = home.pki.of("server")
    home.file(key).write_bytes(openssl(
        "pkcs12", "-export", "-in", certificate, "-inkey", private_key,
        "-passout", "pass:secret"))
    message = home.one_error(key)
    assert "PKCS#12" in message and "openssl pkcs12" in message, message
    home.file(key).write_bytes(openssl(
        "crl2pkcs7", "-nocrl", "-certfile", certificate, "-outform", "DER"))
    message = home.one_error(key)
    assert "PKCS#7" in message and "openssl pkcs7" in message, message


@pytest.mark.spec("SRV-73")
def test_parameters_before_the_key(home):
    key = openssl("ecparam", "-genkey", "-name", "prime256v1")
    assert key.startswith(b"-----BEGIN EC PARAMETERS")
    for table in ("tls", "app.upstream"):
        path = home.file(f"{table}.private_key")
        path.write_bytes(key)
        make_cert(home.file(f"{table}.certificate"), path)
    home.is_fine()
    home.file("tls.private_key").write_bytes(
        key[:key.index(b"-----BEGIN EC PRIVATE")])
    assert "no private key" in home.one_error("tls.private_key")


def put_both_in_one_file(home, names):
    """A certificate and its key; what the file has."""
    both = b"".join(home.file(name).read_bytes() for name in names)
    (home.dir / "both.pem").write_bytes(both)
    for name in names:
        home.names[name] = "both.pem"
    home.is_fine()
    return both


@pytest.mark.spec("SRV-122")
@pytest.mark.parametrize("table", ["tls", "app.upstream"])
def test_certificate_and_key_in_one_file(home, table):
    names = [f"{table}.certificate", f"{table}.private_key"]
    put_both_in_one_file(home, names)
    os.symlink("both.pem", home.dir / "link.pem")
    home.names[names[1]] = "./link.pem"
    home.is_fine()


@pytest.mark.spec("SRV-119")
@pytest.mark.parametrize("table", ["tls", "app.upstream"])
def test_what_one_file_has_too_much(home, table):
    names = [f"{table}.certificate", f"{table}.private_key"]
    both = put_both_in_one_file(home, names)
    # What is in it and is used by neither is an error at both.
    (home.dir / "both.pem").write_bytes(both + home.pki.crl.read_bytes())
    assert [key for key, _ in home.errors()] == ["certificate", "private_key"]
    # A key beside the certificate that no key names is not used.
    (home.dir / "both.pem").write_bytes(both)
    home.names[names[1]] = FILES[names[1]][0]
    assert "private key" in home.one_error(names[0])


# --- chains, CAs and keys --------------------------------------------------

def make_chain(home, digest="sha256", middle_key=("EC",)):
    """leaf, middle and root, in PEM, and the leaf's key is server.key."""
    root_key = make_key(home.dir / "root.key")
    root = make_cert(home.dir / "root.pem", root_key, subject="root",
                     extensions="basicConstraints=critical,CA:TRUE")
    middle_key = make_key(home.dir / "middle.key", *middle_key)
    middle = make_cert(home.dir / "middle.pem", middle_key,
                       (root, root_key), subject="middle", digest=digest,
                       extensions="basicConstraints=critical,CA:TRUE")
    leaf = make_cert(home.dir / "leaf.pem", home.file("tls.private_key"),
                     (middle, middle_key), subject="localhost")
    return [path.read_bytes() for path in (leaf, middle, root)]


@pytest.mark.spec("SRV-74")
def test_the_order_of_a_chain(home):
    leaf, middle, root = make_chain(home)
    path = home.file("tls.certificate")
    for good in ([leaf], [leaf, middle], [leaf, middle, root]):
        path.write_bytes(b"".join(good))
        home.is_fine()
    other = home.pki.other_ca.read_bytes()
    lines = leaf.count(b"\n")
    for bad, line in (([leaf, root], lines), ([leaf, root, middle], lines),
                      ([leaf, leaf], lines), ([leaf, other], lines),
                      ([leaf, middle, middle], 2 * lines),
                      ([leaf, middle, root, root], 3 * lines)):
        path.write_bytes(b"".join(bad))
        message = home.one_error("tls.certificate")
        found = int(re.search(r"(?:has a certificate|again) on line (\d+)",
                              message)[1])
        assert line - 3 <= found <= line + 4, (line, message)
    path.write_bytes(middle + leaf)
    assert "did not issue" in home.one_error("tls.certificate")


@pytest.mark.spec("SRV-125")
@pytest.mark.parametrize("weak", ["leaf-sha1", "leaf-rsa1024", "middle-sha1",
                                  "middle-rsa1024"])
def test_a_chain_that_is_too_weak(home, weak):
    path = home.file("tls.certificate")
    if weak == "leaf-sha1":
        make_cert(path, home.file("tls.private_key"), home.issuer,
                  digest="sha1")
    elif weak == "leaf-rsa1024":
        make_key(home.file("tls.private_key"), "RSA", "rsa_keygen_bits:1024")
        make_cert(path, home.file("tls.private_key"), home.issuer)
    elif weak == "middle-sha1":
        path.write_bytes(b"".join(make_chain(home, digest="sha1")))
    else:
        path.write_bytes(b"".join(make_chain(
            home, middle_key=("RSA", "rsa_keygen_bits:1024"))))
    message = home.one_error("tls.certificate")
    assert ("too weak" if "sha1" in weak else "too small") in message, message


@pytest.mark.spec("SRV-125")
@pytest.mark.parametrize("key", ["tls.client_ca", "app.upstream.ca"])
def test_a_ca_that_is_too_weak(home, key):
    ca_key = make_key(home.dir / "weak.key", "RSA", "rsa_keygen_bits:1024")
    make_cert(home.file(key), ca_key,
              extensions="basicConstraints=critical,CA:TRUE")
    home.names["tls.crl"] = None
    message = home.one_error(key)
    assert "1024 bits" in message and "too weak" in message, message


@pytest.mark.spec("SRV-126")
@pytest.mark.parametrize("extensions,said", [
    ("basicConstraints=critical,CA:FALSE", "not a CA's"),
    ("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,cRLSign",
     "not a CA's"),
    ("basicConstraints=critical,CA:TRUE\n1.2.3.4=critical,ASN1:NULL",
     "critical extension"),
    ("basicConstraints=critical,DER:0102", "cannot be read")])
def test_a_client_ca_that_is_none(home, extensions, said):
    ca_key = make_key(home.dir / "odd.key")
    make_cert(home.file("tls.client_ca"), ca_key, extensions=extensions)
    home.names["tls.crl"] = None
    assert said in home.one_error("tls.client_ca")


@pytest.mark.spec("SRV-74", "SRV-77")
@pytest.mark.parametrize("key", ["tls.certificate", "tls.client_ca",
                                 "app.upstream.ca",
                                 "app.upstream.certificate"])
def test_a_public_key_of_an_unknown_kind(home, key):
    """P-256 with a number that is no curve's in place of its own."""
    der = openssl("x509", "-in", home.file(key), "-outform", "DER")
    p256 = bytes.fromhex("2A8648CE3D030107")
    assert p256 in der
    home.file(key).write_bytes(
        b"-----BEGIN CERTIFICATE-----\n"
        + openssl("base64", data=der.replace(p256, p256[:-1] + b"\x7f"))
        + b"-----END CERTIFICATE-----\n")
    if key == "tls.client_ca":
        home.names["tls.crl"] = None
    assert "cannot be read" in home.one_error(key)


@pytest.mark.spec("SRV-73", "SRV-74")
def test_many_upstream_cas(home):
    ours = home.file("app.upstream.ca").read_bytes()
    home.file("app.upstream.ca").write_bytes(
        home.pki.other_ca.read_bytes() + ours + ours
        + home.pki.of_upstream("db")[0].read_bytes())
    home.is_fine()


KEYS = {
    "secp256k1": (("EC", "ec_paramgen_curve:secp256k1"), "secp256k1"),
    "brainpool": (("EC", "ec_paramgen_curve:brainpoolP256r1"), "brainpool"),
    "explicit": (("EC", "ec_paramgen_curve:P-256",
                  "ec_param_enc:explicit"), "parameters"),
    "x25519": (("X25519",), "X25519"),
    "x448": (("X448",), "X448"),
    "dsa": (("DSA",), "DSA"),
}
GOOD_KEYS = {
    "p256": ("EC", "ec_paramgen_curve:P-256"),
    "p384": ("EC", "ec_paramgen_curve:P-384"),
    "p521": ("EC", "ec_paramgen_curve:P-521"),
    "ed25519": ("ED25519",), "ed448": ("ED448",),
    "rsa": ("RSA", "rsa_keygen_bits:2048"),
    "rsa-pss": ("RSA-PSS", "rsa_keygen_bits:2048"),
}


def odd_key(path, name):
    if name == "dsa":
        parameters = path.with_suffix(".dsa")
        parameters.write_bytes(openssl("dsaparam", "2048"))
        path.write_bytes(openssl("genpkey", "-paramfile", parameters))
        return path
    return make_key(path, *KEYS[name][0])


@pytest.mark.spec("SRV-77")
@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("table", ["tls", "app.upstream"])
def test_a_key_that_tls_cannot_use(home, table, name):
    key = odd_key(home.file(f"{table}.private_key"), name)
    make_cert(home.file(f"{table}.certificate"), key, home.issuer)
    found = home.errors()
    assert [where for where, _ in found] == ["certificate", "private_key"]
    for _, message in found:
        assert KEYS[name][1] in message and "P-384" in message \
            or "certificate" in message, message
        assert KEYS[name][1] in message, message


@pytest.mark.spec("SRV-77")
@pytest.mark.parametrize("name", GOOD_KEYS)
@pytest.mark.parametrize("table", ["tls", "app.upstream"])
def test_a_key_that_tls_can_use(home, table, name):
    key = make_key(home.file(f"{table}.private_key"), *GOOD_KEYS[name])
    make_cert(home.file(f"{table}.certificate"), key, home.issuer)
    home.is_fine()


# --- revocation lists -------------------------------------------------------

LISTS = {
    "delta": (dict(extensions="2.5.29.27=critical,ASN1:INTEGER:1"), "delta"),
    "point": (dict(extensions="issuingDistributionPoint=critical,@p\n"
                              "[p]\nfullname=URI:http://x/a.crl"),
              "only some"),
    "reasons": (dict(extensions="issuingDistributionPoint=critical,@p\n[p]\n"
                                "onlysomereasons=keyCompromise"),
                "only some"),
    "users": (dict(extensions="issuingDistributionPoint=critical,@p\n[p]\n"
                              "onlyuser=TRUE"), "only some"),
    "cas": (dict(extensions="issuingDistributionPoint=critical,@p\n[p]\n"
                            "onlyCA=TRUE"), "only some"),
    "indirect": (dict(extensions="issuingDistributionPoint=critical,@p\n[p]\n"
                                 "indirectCRL=TRUE"), "only some"),
    "not-critical": (dict(extensions="issuingDistributionPoint=@p\n[p]\n"
                                     "onlyuser=TRUE"), "only some"),
    "unknown": (dict(extensions="1.2.3.4=critical,ASN1:NULL"), "critical"),
    "removal": (dict(serials=["0A:11:CE"], reason="removeFromCRL"),
                "only delta"),
}


@pytest.mark.spec("SRV-75")
@pytest.mark.parametrize("place", ["alone", "second"])
@pytest.mark.parametrize("kind", [*LISTS, "other-ca"])
def test_a_list_that_does_not_judge_all(home, kind, place):
    path = home.file("tls.crl")
    good = path.read_bytes()
    if kind == "other-ca":
        bad, said = (home.pki.other_dir / "ca.crl").read_bytes(), "not issued"
    else:
        options, said = LISTS[kind]
        bad = make_crl(path, home.issuer, **options).read_bytes()
    path.write_bytes(bad if place == "alone" else good + bad)
    message = home.one_error("tls.crl")
    line = 1 if place == "alone" else good.count(b"\n") + 1
    assert said in message and f"line {line} " in message, message


@pytest.mark.spec("SRV-106")
def test_a_ca_that_may_not_sign_lists(home):
    remake(home, "tls.client_ca", 90, "keyUsage=critical,keyCertSign\n"
           "basicConstraints=critical,CA:TRUE")
    assert "cRLSign" in home.one_error("tls.crl")


@pytest.mark.spec("SRV-75")
def test_extensions_that_are_known(home):
    make_crl(home.file("tls.crl"), home.issuer, ["0B"],
             extensions="authorityKeyIdentifier=keyid\n1.2.3.4=ASN1:NULL\n"
                        "2.5.29.20=ASN1:INTEGER:7")
    home.is_fine()


@pytest.fixture
def lists(pki, tmp_path):
    """A file of several lists: each has somebody, in days of life."""
    def make(*contents):
        issuer = (pki.ca, pki.ca_dir / "ca.key")
        path = tmp_path / "lists.crl"
        path.write_bytes(b"".join(
            make_crl(tmp_path / "one.crl", issuer, serials,
                     life=life).read_bytes()
            for serials, life in contents))
        return path
    return make


def refused(server, who, version):
    attempt(server.address(), server.context(who, version))


ALICE, BOB = "0A:11:CE", "B0:B0"
LIFE, OLD = ("-1", "+30"), ("-20", "-10")


@pytest.mark.spec("SRV-127")
@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("contents", [
    [([ALICE], LIFE), ([BOB], LIFE)], [([BOB], LIFE), ([ALICE], LIFE)],
    [([ALICE], OLD), ([BOB], LIFE)], [([BOB], LIFE), ([ALICE], OLD)],
    [([], LIFE), ([ALICE, BOB], ("-2", "+40")), ([], ("0", "+50"))]],
    ids=["two", "swapped", "old-first", "old-last", "three"])
def test_each_list_of_a_file_counts(lb, upstream, lists, contents, version):
    server = lb.proxy(upstream(upstreams.echo),
                      tls={"crl": lists(*contents)})
    for who in ("alice", "bob"):
        refused(server, who, version)
        line = server.wait_event("reject", count=1 if who == "alice" else 2)
        assert line["reason"] == "revoked", line
    with server.connect("carol", version=version) as peer:
        peer.send(b"x")
        assert peer.recv_exactly(1) == b"x"


@pytest.mark.spec("SRV-128")
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_lists_that_are_all_out_of_date(lb, upstream, lists, version):
    server = lb.proxy(upstream(upstreams.echo),
                      tls={"crl": lists(([], OLD), ([], ("-9", "-8")))})
    refused(server, "carol", version)
    assert server.wait_event("reject")["reason"] == "crl_expired"


# --- names of ciphers -------------------------------------------------------

GOOD = "ECDHE-ECDSA-AES128-GCM-SHA256"
CIPHERS_BAD = {
    "unknown-last": (f"{GOOD}:NO-SUCH", "NO-SUCH"),
    "unknown-first": (f"NO-SUCH:{GOOD}", "NO-SUCH"),
    "unknown-between": (f"{GOOD}:ECDHE-ECDSA-AES256-GCM-SHA38:HIGH",
                        "ECDHE-ECDSA-AES256-GCM-SHA38"),
    "comma": (f"{GOOD},NO-SUCH", "NO-SUCH"),
    "space": (f"{GOOD} NO-SUCH", "NO-SUCH"),
    "lower-case": (f"{GOOD}:{GOOD.lower()}", GOOD.lower()),
    "sum": (f"{GOOD}:ECDHE+NO-SUCH", "ECDHE+NO-SUCH"),
    "excluded": (f"{GOOD}:!aNUL", "!aNUL"),
    "removed": (f"HIGH:-NO-SUCH:{GOOD}", "-NO-SUCH"),
    "moved": (f"HIGH:+NO-SUCH:{GOOD}", "+NO-SUCH"),
    "suite": (f"{GOOD}:TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"),
    "level": (f"{GOOD}:@SECLEVEL=0", "@SECLEVEL=0"),
    "level-glued": ("DEFAULT@SECLEVEL=0", "DEFAULT@SECLEVEL=0"),
    "word": (f"{GOOD}:@STRENGHT", "@STRENGHT"),
    "null": (f"{GOOD}:eNULL", "eNULL"),
    "anonymous": (f"{GOOD}:aNULL", "aNULL"),
    "shared-key": (f"{GOOD}:PSK-AES128-GCM-SHA256", "PSK-AES128-GCM-SHA256"),
    "finite-field": (f"{GOOD}:DHE-RSA-AES128-GCM-SHA256",
                     "DHE-RSA-AES128-GCM-SHA256"),
    "long": (f"{GOOD}:{'A' * 400}", "A" * 100),
    "all-excluded": ("HIGH:!ALL", "leaves no cipher"),
    "other-key": ("ECDHE-RSA-AES128-GCM-SHA256", "ECDSA"),
    "nothing": (":", "leaves no cipher"),
}


@pytest.mark.spec("SRV-131")
@pytest.mark.parametrize("name", CIPHERS_BAD)
def test_ciphers_that_do_nothing(home, name):
    home.tls["ciphers"], said = CIPHERS_BAD[name]
    message = home.one_error("tls.ciphers")
    assert said in message, message


@pytest.mark.spec("SRV-76")
@pytest.mark.parametrize("ciphers", [
    GOOD, f"{GOOD}:ECDHE-RSA-AES128-GCM-SHA256", "ECDHE+AESGCM:ECDHE+CHACHA20",
    "HIGH:!aNULL:!MD5", "DEFAULT:!RC4:!3DES:!EXPORT:!LOW:!PSK:!SRP:!DSS",
    f"{GOOD}, ECDHE-ECDSA-CHACHA20-POLY1305", f"{GOOD}:", "ALL:@STRENGTH",
    "HIGH:-SHA1:+AES128"])
def test_ciphers_that_are_accepted(home, ciphers):
    home.tls["ciphers"] = ciphers
    home.is_fine()


@pytest.mark.spec("SRV-129")
def test_ciphers_for_another_key_than_the_certificate_s(home):
    home.tls["ciphers"] = "ECDHE-RSA-AES128-GCM-SHA256"
    home.one_error("tls.ciphers")
    home.tls["min_version"] = "1.3"
    home.is_fine()
    del home.tls["min_version"]
    key = make_key(home.file("tls.private_key"), "RSA")
    make_cert(home.file("tls.certificate"), key, home.issuer)
    home.is_fine()
    home.tls["ciphers"] = GOOD
    home.one_error("tls.ciphers")


@pytest.mark.spec("SRV-130")
@pytest.mark.parametrize("suites,said", [
    ("TLS_AES_128_GCM_SHA256:TLS_NOTHING", "TLS_NOTHING"),
    ("TLS_NOTHING:TLS_AES_128_GCM_SHA256", "TLS_NOTHING"),
    (f"TLS_AES_128_GCM_SHA256:{GOOD}", GOOD),
    ("TLS_AES_128_GCM_SHA256:tls_aes_256_gcm_sha384",
     "tls_aes_256_gcm_sha384"),
    ("TLS_AES_128_GCM_SHA256 TLS_AES_256_GCM_SHA384", "SHA256 TLS"),
    (":", "no cipher suite")])
def test_suites_that_are_unknown(home, suites, said):
    home.tls["ciphersuites"] = suites
    message = home.one_error("tls.ciphersuites")
    assert said in message, message


# --- why a certificate is untrusted ----------------------------------------

@pytest.mark.spec("SRV-78")
@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("kind", ["serial", "key"])
@pytest.mark.parametrize("others", [False, True])
def test_an_authority_key_identifier_of_another_certificate(
        lb, upstream, pki, tmp_path, kind, version, others):
    """A CA that was renewed, and a leaf that names its old certificate."""
    ca_key = pki.ca_dir / "ca.key" if kind == "serial" else make_key(
        tmp_path / "old.key")
    old = make_cert(tmp_path / "old.pem", ca_key, subject="test clients CA",
                    serial="0x77", extensions="basicConstraints=CA:TRUE\n"
                    "subjectKeyIdentifier=hash")
    key = make_key(tmp_path / "leaf.key")
    leaf = make_cert(
        tmp_path / "leaf.pem", key, (old, ca_key), serial="0x0A11CE",
        extensions="extendedKeyUsage=clientAuth\nauthorityKeyIdentifier="
        + ("issuer:always" if kind == "serial" else "keyid:always"))
    tls = {"client_ca": [{"id": "ours", "file": pki.ca},
                         {"id": "other", "file": pki.other_ca}],
           "crl": None} if others else {}
    server = lb.proxy(upstream(upstreams.echo), tls=tls)
    context = server.context(None, version)
    context.load_cert_chain(leaf, key)
    attempt(server.address(), context)
    line = server.wait_event("reject")
    assert line["reason"] == "untrusted", line
    assert "authority key identifier" in line["detail"], line
    assert kind in line["detail"], line


@pytest.mark.spec("SRV-78", "SRV-97")
@pytest.mark.parametrize("kind", ["serial", "key"])
def test_the_same_of_an_upstream(lb, upstream, pki, tmp_path, kind):
    subject = "test upstreams CA"
    ca_key = pki.upstream_dir / "ca.key"
    if kind == "key":
        ca_key = make_key(tmp_path / "old.key")
    old = make_cert(tmp_path / "old.pem", ca_key, subject=subject,
                    serial="0x77", extensions="basicConstraints=CA:TRUE\n"
                    "subjectKeyIdentifier=hash")
    key = make_key(tmp_path / "leaf.key")
    leaf = make_cert(
        tmp_path / "leaf.pem", key, (old, ca_key),
        extensions="subjectAltName=IP:127.0.0.1\nauthorityKeyIdentifier="
        + ("issuer:always" if kind == "serial" else "keyid:always"))
    up = upstream(upstreams.echo,
                  context=upstreams.server_context((leaf, key), None))
    # Among several CAs the one that is meant is found.
    cas = tmp_path / "cas.pem"
    cas.write_bytes(b"".join(
        make_cert(tmp_path / f"ca{n}.pem", make_key(tmp_path / f"ca{n}.key"),
                  subject=f"CA {n}" * (n + 1),
                  extensions="basicConstraints=CA:TRUE").read_bytes()
        for n in range(8)) + pki.upstream_ca.read_bytes())
    server = lb.proxy({"url": up.url, "ca": cas})
    with server.connect() as peer:
        peer.expect_end("clean")
        peer.finish()
    line = server.wait_event("session")
    assert line["reason"] == "no_upstream", line
    assert "authority key identifier" in line["cause"], line
    assert kind in line["cause"], line


# --- what will hurt later ---------------------------------------------------

def remake(home, key, days, extensions=""):
    """A file's certificate again, for so many days from now."""
    path = home.file(key)
    if key == "tls.crl":
        make_crl(path, home.issuer, life=days)
    elif key.endswith("certificate"):
        make_cert(path, home.file(key.replace("certificate", "private_key")),
                  home.issuer, days=days, extensions=extensions)
    else:
        ca_key = make_key(home.dir / "ca.key")
        make_cert(path, ca_key, days=days, extensions=extensions or
                  "basicConstraints=critical,CA:TRUE")
        if key == "tls.client_ca":
            make_crl(home.file("tls.crl"), (path, ca_key))


def one_warning(home, key):
    found = home.warnings()
    assert [where for where, _ in found] == [key.rsplit(".", 1)[1]], found
    return found[0][1]


CERTIFICATES = ["tls.certificate", "tls.client_ca", "app.upstream.ca",
                "app.upstream.certificate"]


@pytest.mark.spec("SRV-79", "SRV-80", "SRV-2", "SRV-132")
@pytest.mark.parametrize("key", CERTIFICATES)
def test_a_certificate_that_ends_soon(home, key):
    remake(home, key, 15)
    home.is_fine()
    remake(home, key, 13)
    message = one_warning(home, key)
    assert message.startswith(f"{key}: '{home.names[key]}'"), message
    assert "within 14 days" in message and "line 1" in message, message


@pytest.mark.spec("SRV-79", "SRV-80", "SRV-132")
@pytest.mark.parametrize("key", CERTIFICATES)
@pytest.mark.parametrize("kind", ["expired", "future"])
def test_a_certificate_that_is_not_valid_now(home, key, kind, tmp_path):
    ends = {"expired": ("20200101000000Z", "20210101000000Z"),
            "future": ("20900101000000Z", "20910101000000Z")}[kind]
    options = ["--not-before", ends[0], "--not-after", ends[1]]
    made = tmp_path / "made"
    certs_gen("ca", made, *(options if key.endswith("ca") else []))
    if key.endswith("ca"):
        home.names[key] = made / "ca.pem"
        if key == "tls.client_ca":
            home.names["tls.crl"] = made / "ca.crl"
    else:
        certs_gen("server" if key.startswith("tls") else "client", made,
                  "x", *options)
        home.names[key] = made / "x.pem"
        home.names[key.replace("certificate", "private_key")] = \
            made / "x.key"
    message = one_warning(home, key)
    assert {"expired": "expired at 2021-01-01T00:00:00Z",
            "future": "is not valid before 2090-01-01T00:00:00Z"
            }[kind] in message, message


@pytest.mark.spec("SRV-79")
def test_each_certificate_of_a_chain_is_looked_at(home):
    root_key = make_key(home.dir / "root.key")
    root = make_cert(home.dir / "root.pem", root_key, subject="root", days=5,
                     extensions="basicConstraints=critical,CA:TRUE")
    leaf = make_cert(home.dir / "leaf.pem", home.file("tls.private_key"),
                     (root, root_key))
    home.file("tls.certificate").write_bytes(
        leaf.read_bytes() + root.read_bytes())
    line = leaf.read_bytes().count(b"\n") + 1
    assert f"line {line} " in one_warning(home, "tls.certificate")


@pytest.mark.spec("SRV-132")
@pytest.mark.parametrize("life,said", [
    (("-70", "+30"), None), (("-79", "+21"), None),
    (("-81", "+19"), "past four fifths"), (("-3", "-1"), "out of date since"),
    (("+1", "+3"), "not valid before")])
def test_the_life_of_a_list(home, life, said):
    remake(home, "tls.crl", life)
    if said is None:
        home.is_fine()
    else:
        assert said in one_warning(home, "tls.crl")


@pytest.mark.spec("SRV-132")
def test_the_list_and_the_ca_that_end_last_count(home):
    path = home.file("tls.crl")
    good = path.read_bytes()
    old = make_crl(path, home.issuer, life=OLD).read_bytes()
    for text in (good + old, old + good):
        path.write_bytes(text)
        home.is_fine()
    path.write_bytes(good)
    ca = home.file("app.upstream.ca")
    fine = ca.read_bytes()
    remake(home, "app.upstream.ca", 5)
    ending = ca.read_bytes()
    for text in (fine + ending, ending + fine):
        ca.write_bytes(text)
        home.is_fine()


@pytest.mark.spec("SRV-133")
@pytest.mark.parametrize("key,extensions,said", [
    ("tls.certificate", "extendedKeyUsage=clientAuth", "serverAuth"),
    ("tls.certificate", "keyUsage=critical,keyEncipherment",
     "digitalSignature"),
    ("app.upstream.certificate", "extendedKeyUsage=serverAuth", "clientAuth"),
    ("app.upstream.certificate", "keyUsage=critical,keyAgreement",
     "digitalSignature"),
    ("app.upstream.ca", "basicConstraints=critical,CA:TRUE\n"
     "keyUsage=critical,cRLSign", "keyCertSign")])
def test_a_usage_that_does_not_fit(home, key, extensions, said):
    remake(home, key, 90, extensions)
    assert said in one_warning(home, key)


@pytest.mark.spec("SRV-133")
@pytest.mark.parametrize("key", ["tls.certificate",
                                 "app.upstream.certificate"])
def test_usages_that_fit(home, key):
    for extensions in ("", "extendedKeyUsage=anyExtendedKeyUsage",
                       "extendedKeyUsage=clientAuth,serverAuth\n"
                       "keyUsage=digitalSignature"):
        remake(home, key, 90, extensions)
        home.is_fine()


@pytest.mark.spec("SRV-80", "SRV-134")
def test_limits_that_take_no_effect(home):
    tree = srv.config(home.pki, [srv.app(
        "echo", ["tcp://127.0.0.1:7001"],
        limits={"concurrent": 500, "window": "1m"})], clients=[
            srv.client("a", ["01"], ["echo"]),
            srv.client("b", ["02"], ["echo"],
                       echo={"window": "2s", "concurrent": 401})])
    path = srv.write_config(home.dir, tree)
    done = srv.run("-c", path, "--check")
    assert done.returncode == 0
    found = [re.match(rf"{re.escape(str(path))}:\d+:\d+: warning: (\S+) ",
                      line)[1] for line in srv.messages(done.stderr)]
    assert found == ["app.limits.concurrent", "app.limits.window",
                     "client.limits.echo.window",
                     "client.limits.echo.concurrent"], done.stderr


@pytest.mark.spec("SRV-135")
def test_a_client_whose_serials_are_all_revoked(home):
    make_crl(home.file("tls.crl"), home.issuer, [ALICE, BOB])
    clients = [srv.client("one", [ALICE], ["echo"]),
               srv.client("none", ["CA:20"], ["echo"]),
               srv.client("half", ["01", BOB], ["echo"])]
    found = home.warnings(clients)
    assert [key for key, _ in found] == ["id"], found
    assert "'one'" in found[0][1] and "revoked" in found[0][1], found


@pytest.mark.spec("SRV-80")
def test_warnings_are_in_the_order_of_their_places(home):
    remake(home, "app.upstream.certificate", 3)
    remake(home, "tls.crl", ("-90", "+1"))
    remake(home, "tls.certificate", 3, "extendedKeyUsage=clientAuth")
    assert [key for key, _ in home.warnings()] == [
        "certificate", "certificate", "crl", "certificate"]


@pytest.mark.spec("SRV-80", "LOG-8")
def test_the_server_logs_warnings_at_start(lb, upstream, pki, tmp_path):
    crl = make_crl(tmp_path / "old.crl", (pki.ca, pki.ca_dir / "ca.key"),
                   life=("-90", "+1"))
    server = lb.proxy(upstream(upstreams.echo), tls={"crl": crl})
    line = server.wait_event("error")
    assert line["level"] == "warn"
    assert "past four fifths" in line["message"]
    path = lb.directory / "lbproxy-0.toml"
    assert line["file"] == str(path)
    text = path.read_text().splitlines()[line["line"] - 1]
    assert text.startswith("crl = ") and line["column"] == 7
    with server.connect("carol") as peer:
        peer.send(b"x")
        assert peer.recv_exactly(1) == b"x"
    assert len(server.events("error")) == 1
