"""Files that a configuration names and that are odd in a way that openssl(1)
does not make by itself."""

import re
import shlex
import subprocess

import pytest

from harness import server as srv
from harness import upstreams
from harness.client import attempt
from harness.home import FILES, Home
from harness.odd_certs import (der, make_cert, make_crl, make_key, openssl,
                               pem_of, sign_crl)

TABLES = ["tls", "app.upstream"]
VERSIONS = ["1.2", "1.3"]


@pytest.fixture
def home(pki, tmp_path):
    return Home(pki, tmp_path)


# --- blocks ------------------------------------------------------------------

@pytest.mark.spec("SRV-73", "SRV-77")
@pytest.mark.parametrize("table", TABLES)
def test_a_key_in_the_form_of_its_algorithm(home, table):
    path = home.file(f"{table}.private_key")
    key = make_key(path, "RSA", "rsa_keygen_bits:2048")
    make_cert(home.file(f"{table}.certificate"), key, home.issuer)
    path.write_bytes(openssl("pkey", "-in", key, "-traditional"))
    assert path.read_bytes().startswith(b"-----BEGIN RSA PRIVATE KEY")
    home.is_fine()
    parameters = home.dir / "dsa"
    parameters.write_bytes(openssl("dsaparam", "2048"))
    path.write_bytes(openssl("genpkey", "-paramfile", parameters))
    path.write_bytes(openssl("pkey", "-in", path, "-traditional"))
    assert path.read_bytes().startswith(b"-----BEGIN DSA PRIVATE KEY")
    message = home.one_error(f"{table}.private_key")
    assert "a key of the type DSA, which cannot sign" in message, message


@pytest.mark.spec("SRV-73", "SRV-119")
@pytest.mark.parametrize("table", TABLES)
def test_two_private_keys(home, table):
    path = home.file(f"{table}.private_key")
    one = path.read_bytes()
    path.write_bytes(one + openssl("genpkey", "-algorithm", "ED25519"))
    message = home.one_error(f"{table}.private_key")
    line = one.count(b"\n") + 1
    assert f"has another private key on line {line};" in message, message


@pytest.mark.spec("SRV-123")
@pytest.mark.parametrize("key", FILES)
def test_a_block_with_a_long_name(home, key):
    name = b"N" * 64 + b"M" * 200
    home.file(key).write_bytes(b"-----BEGIN %b-----\nYWJj\n-----END %b-----\n"
                               % (name, name))
    message = home.one_error(key)
    assert f"has '{'N' * 64}' on line 1" in message, message


@pytest.mark.spec("SRV-123")
@pytest.mark.parametrize("key", FILES)
def test_der_that_no_command_mends(home, key):
    private_key = home.pki.of("server")[1]
    for what, whole in {
            "certificate request": openssl(
                "req", "-new", "-key", private_key, "-subj", "/CN=x",
                "-outform", "DER"),
            "public key": openssl("pkey", "-in", private_key, "-pubout",
                                  "-outform", "DER")}.items():
        home.file(key).write_bytes(whole)
        message = home.one_error(key)
        assert f"is a {what} in DER; accepted: " in message, message


@pytest.mark.spec("SRV-123")
def test_a_command_whose_path_is_too_long_to_quote(home):
    """It is cut, and is a word for the shell all the same."""
    directory = home.dir
    while len(str(directory).encode()) < 3000:
        directory = directory / ("'" * 250)
    directory.mkdir(parents=True)
    whole = openssl("x509", "-in", home.pki.ca, "-outform", "DER")
    home.names["tls.client_ca"] = str(directory / "ca.der")
    (directory / "ca.der").write_bytes(whole)
    message = home.one_error("tls.client_ca")
    command = re.search(r": (openssl x509 .+); accepted: ", message)[1]
    words = shlex.split(command)
    assert words[:-1] == ["openssl", "x509", "-inform", "DER", "-out",
                          "new.pem", "-in"], words[:-1]
    assert home.names["tls.client_ca"].startswith(words[-1])
    assert len(words[-1]) > 1000


@pytest.mark.spec("SRV-122", "SRV-73")
@pytest.mark.parametrize("table", TABLES)
def test_one_file_for_both_with_one_of_them(home, table):
    """Of certificate and key, what is missing is said at its key."""
    one = f"{table}.certificate", f"{table}.private_key"
    contents = {key: home.file(key).read_bytes() for key in one}
    for key in one:
        home.names[key] = "both.pem"
    for there, missing in (one, one[::-1]):
        home.file(there).write_bytes(contents[there])
        message = home.one_error(missing)
        assert f"has no {FILES[missing][1]};" in message, message


# --- times that are none ------------------------------------------------------

def with_other_time(pem, old, new):
    """A certificate one of whose times is replaced, its signature broken."""
    whole = openssl("x509", "-in", pem, "-outform", "DER")
    assert old in whole
    return pem_of("CERTIFICATE", whole.replace(old, new, 1))


@pytest.mark.spec("SRV-3", "SRV-126")
@pytest.mark.parametrize("which", ["notBefore", "notAfter"])
def test_a_client_ca_whose_time_is_none(home, which):
    path = home.file("tls.client_ca")
    times = dict(
        line.split("=", 1) for line in openssl(
            "x509", "-in", path, "-noout", "-dates", "-dateopt",
            "iso_8601").decode().splitlines())
    digits = re.sub(r"[-: ]", "", times[which]).encode()
    old = digits if digits < b"1950" or digits >= b"2050" else digits[2:]
    # The thirteenth month.
    at = len(old) - 11
    path.write_bytes(with_other_time(path, old, old[:at] + b"13"
                                     + old[at + 2:]))
    found = home.errors()
    assert "client_ca" in [key for key, _ in found], found
    message = dict(found)["client_ca"]
    assert "line 1 with times that cannot be read" in message, message


@pytest.mark.spec("SRV-75")
@pytest.mark.parametrize("times", [
    {"begin": b"251301000000Z"}, {"end": b"20991301000000Z"}],
    ids=["begin", "end"])
def test_a_list_whose_time_is_none(home, times):
    home.file("tls.crl").write_bytes(sign_crl(home.pki.ca_dir))
    home.is_fine()
    home.file("tls.crl").write_bytes(sign_crl(home.pki.ca_dir, **times))
    message = home.one_error("tls.crl")
    assert "has times on line 1 that cannot be read" in message, message


@pytest.mark.spec("SRV-75", "SRV-128")
@pytest.mark.parametrize("version", VERSIONS)
def test_a_list_without_an_end(lb, home, upstream, version):
    """It never goes out of date, and there is no warning of that."""
    path = home.file("tls.crl")
    path.write_bytes(sign_crl(home.pki.ca_dir, [(b"\x0a\x11\xce", [])],
                              begin=b"700101000000Z", end=None))
    home.is_fine()
    server = lb.proxy(upstream(upstreams.echo), tls={"crl": path})
    attempt(server.address(), server.context("alice", version))
    assert server.wait_event("reject")["reason"] == "revoked"
    with server.connect("bob", version=version) as peer:
        peer.send(b"x")
        assert peer.recv_exactly(1) == b"x"


# --- extensions and entries of lists ------------------------------------------

def extension(oid, value, critical=True):
    """An extension in DER; the object identifier is its octets in hex."""
    return der(0x30, der(0x06, bytes.fromhex(oid)),
               b"\x01\x01\xff" if critical else b"", der(0x04, value))


CRL_NUMBER = extension("551d14", b"\x02\x01\x07")
REASON = extension("551d15", b"\x0a\x01\x04")
INVALIDITY = extension("551d18", der(0x18, b"20250101000000Z"))
KEY_ID = extension("551d23", der(0x30, der(0x80, b"x")))
UNKNOWN = extension("2a0304", b"\x05\x00")


@pytest.mark.spec("SRV-75")
def test_critical_extensions_that_are_known(home):
    home.file("tls.crl").write_bytes(sign_crl(
        home.pki.ca_dir, [(b"\x0b", [REASON, INVALIDITY])],
        extensions=[CRL_NUMBER, KEY_ID]))
    home.is_fine()


@pytest.mark.spec("SRV-75")
@pytest.mark.parametrize("place", ["first", "last"])
def test_an_entry_with_an_unknown_critical_extension(home, place):
    entries = [(b"\x0b", [REASON]), (b"\x0c", [REASON, UNKNOWN])]
    home.file("tls.crl").write_bytes(sign_crl(
        home.pki.ca_dir, entries if place == "last" else entries[::-1]))
    message = home.one_error("tls.crl")
    assert "critical extension of an entry that is unknown" in message


@pytest.mark.spec("SRV-75")
def test_an_entry_with_another_unknown_extension(home):
    home.file("tls.crl").write_bytes(sign_crl(
        home.pki.ca_dir,
        [(b"\x0b", [extension("2a0304", b"\x05\x00", critical=False)])]))
    home.is_fine()


@pytest.mark.spec("SRV-127", "SER-3")
@pytest.mark.parametrize("version", VERSIONS)
def test_a_list_with_serials_that_are_none(lb, pki, upstream, tmp_path,
                                           version):
    """Nobody has them; the others on the list are revoked all the same."""
    path = tmp_path / "odd.crl"
    path.write_bytes(sign_crl(pki.ca_dir, [
        (b"\x7f" * 25, []), (b"\x0a\x11\xce", []), (b"\xff\x01", [])]))
    server = lb.proxy(upstream(upstreams.echo), tls={"crl": path})
    attempt(server.address(), server.context("alice", version))
    assert server.wait_event("reject")["reason"] == "revoked"
    with server.connect("bob", version=version) as peer:
        peer.send(b"x")
        assert peer.recv_exactly(1) == b"x"


# --- who issued what -----------------------------------------------------------

@pytest.mark.spec("SRV-74")
def test_a_chain_whose_issuer_has_only_the_name(home):
    """The name of the issuer, but another key than the one that signed."""
    extensions = "basicConstraints=CA:TRUE\nsubjectKeyIdentifier=none"
    keys = [make_key(home.dir / f"{name}.key") for name in ("one", "other")]
    real, other = (make_cert(home.dir / f"{key.stem}.pem", key,
                             subject="the issuer", extensions=extensions)
                   for key in keys)
    leaf = make_cert(home.dir / "leaf.pem", home.file("tls.private_key"),
                     (real, keys[0]),
                     extensions="authorityKeyIdentifier=none")
    path = home.file("tls.certificate")
    path.write_bytes(leaf.read_bytes() + real.read_bytes())
    home.is_fine()
    path.write_bytes(leaf.read_bytes() + other.read_bytes())
    message = home.one_error("tls.certificate")
    assert "did not issue the one before it: certificate signature failure" \
        in message, message


@pytest.mark.spec("SRV-9")
@pytest.mark.parametrize("version", VERSIONS)
def test_the_ca_itself_is_no_client(lb, pki, upstream, version):
    """Whoever has its key can make any client; but it issued none here."""
    server = lb.proxy(upstream(upstreams.echo))
    context = server.context(None, version)
    context.load_cert_chain(pki.ca, pki.ca_dir / "ca.key")
    attempt(server.address(), context)
    line = server.wait_event("reject")
    assert line["reason"] in ("untrusted", "wrong_usage"), line


@pytest.mark.spec("SRV-9", "SRV-152")
@pytest.mark.parametrize("version", VERSIONS)
def test_a_ca_that_may_be_a_client_is_none(lb, upstream, tmp_path, version):
    """Nothing but the issuer is missing."""
    key = make_key(tmp_path / "own.key")
    ca = make_cert(tmp_path / "own.pem", key, serial="0x0A11CE",
                   extensions="basicConstraints=critical,CA:TRUE\n"
                   "keyUsage=digitalSignature,keyCertSign,cRLSign\n"
                   "extendedKeyUsage=clientAuth")
    server = lb.proxy(upstream(upstreams.echo),
                      tls={"client_ca": ca, "crl": None})
    context = server.context(None, version)
    context.load_cert_chain(ca, key)
    attempt(server.address(), context)
    assert server.wait_event("reject")["reason"] == "untrusted"


# --- ciphers and OpenSSL's own configuration -----------------------------------

@pytest.mark.spec("SRV-129", "SRV-76")
@pytest.mark.parametrize("algorithm", ["RSA", "RSA-PSS"])
def test_ciphers_for_a_key_of_rsa(home, algorithm):
    key = make_key(home.file("tls.private_key"), algorithm,
                   "rsa_keygen_bits:2048")
    make_cert(home.file("tls.certificate"), key, home.issuer)
    home.tls["ciphers"] = "ECDHE-RSA-AES128-GCM-SHA256"
    home.is_fine()
    home.tls["ciphers"] = "ECDHE-ECDSA-AES128-GCM-SHA256"
    message = home.one_error("tls.ciphers")
    assert message.endswith("some with RSA"), message
    # Such a key encrypts nothing, if it can only sign.
    home.tls["ciphers"] = "AES128-GCM-SHA256"
    if algorithm == "RSA":
        home.is_fine()
    else:
        assert "leaves no cipher for the key" in home.one_error("tls.ciphers")


def with_level(home, level):
    """--check with a security level that the system sets."""
    config = home.dir / "openssl.cnf"
    config.write_text(
        "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\n"
        f"CipherString = DEFAULT:@SECLEVEL={level}\n", encoding="ascii")
    path = home.write()
    done = subprocess.run(
        ["env", f"OPENSSL_CONF={config}", srv.LBPROXYD, "-c", path,
         "--check"], capture_output=True, text=True, timeout=30, check=False)
    return done.returncode, done.stderr


@pytest.mark.spec("SRV-125", "SRV-76")
def test_the_security_level_is_the_system_s(home):
    key = make_key(home.dir / "weak.key", "RSA", "rsa_keygen_bits:512")
    make_cert(home.file("app.upstream.ca"), key,
              extensions="basicConstraints=critical,CA:TRUE\n"
              "keyUsage=keyCertSign")
    assert "512 bits, which is too weak" in home.one_error("app.upstream.ca")
    assert with_level(home, 0) == (0, "")
    # A cipher of an anonymous server has no place even then.
    home.tls["ciphers"] = "AECDH-AES128-SHA"
    status, said = with_level(home, 0)
    assert status == 2 and "'AECDH-AES128-SHA' has no cipher that" in said
    del home.tls["ciphers"]
    # No key of these files is good enough.
    status, said = with_level(home, 5)
    assert status == 2 and "too weak" in said, said
