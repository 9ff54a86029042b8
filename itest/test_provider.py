"""Which of OpenSSL's algorithms the server offers it, and that those are
enough for all that is accepted."""

import os
import ssl
import subprocess

import pytest

from harness import server as srv
from harness import upstreams
from harness.client import attempt, client_context, connect
from harness.odd_certs import make_cert, make_crl, make_key, openssl

OFF = "LBPROXY_DEFAULT_PROVIDER"
OURS = "lbproxy" if ssl.OPENSSL_VERSION_INFO < (3, 2) else "openssl"
KEYS = {
    "rsa-2048": ("RSA", "rsa_keygen_bits:2048"),
    "rsa-4096": ("RSA", "rsa_keygen_bits:4096"),
    "rsa-pss": ("RSA-PSS", "rsa_keygen_bits:2048"),
    "p-256": ("EC", "ec_paramgen_curve:P-256"),
    "p-384": ("EC", "ec_paramgen_curve:P-384"),
    "p-521": ("EC", "ec_paramgen_curve:P-521"),
    "ed25519": ("ED25519",),
    "ed448": ("ED448",),
}
# Only certificates' issuers have such ones.
CA_KEYS = {**KEYS, "dsa": None}
CA = ("basicConstraints=critical,CA:TRUE\n"
      "keyUsage=critical,keyCertSign,cRLSign\n")


@pytest.fixture(autouse=True)
def no_setting(monkeypatch):
    monkeypatch.delenv(OFF, raising=False)
    monkeypatch.delenv("OPENSSL_CONF", raising=False)


def provider_of(server):
    return server.wait_event("ready")["provider"]


def openssl_cnf(directory, monkeypatch, text):
    path = directory / "openssl.cnf"
    path.write_text(text, encoding="ascii")
    monkeypatch.setenv("OPENSSL_CONF", str(path))


@pytest.mark.spec("SRV-330", "SRV-332")
def test_where_it_is_cheaper_the_provider_is_ours(lb, upstream):
    assert provider_of(lb.proxy(upstream())) == OURS


@pytest.mark.spec("SRV-331", "SRV-332")
@pytest.mark.parametrize("value,provider", [("1", "openssl"), ("", OURS)])
def test_the_environment_turns_it_off(lb, upstream, monkeypatch, value,
                                      provider):
    monkeypatch.setenv(OFF, value)
    assert provider_of(lb.proxy(upstream())) == provider


@pytest.mark.spec("SRV-331")
@pytest.mark.parametrize("names", [["default"], ["default", "legacy"]])
def test_what_openssl_cnf_activates_is_used(lb, pki, upstream, tmp_path,
                                            monkeypatch, names):
    openssl_cnf(tmp_path, monkeypatch,
                "openssl_conf=i\n[i]\nproviders=p\n[p]\n"
                + "".join(f"{name}=a\n" for name in names)
                + "[a]\nactivate=1\n")
    server = lb.proxy(upstream(upstreams.echo))
    assert provider_of(server) == "openssl"
    with connect(server.address(),
                 client_context(pki.ca, pki.of("alice"))) as peer:
        peer.send(b"x")
        assert peer.recv_exactly(1) == b"x"


@pytest.mark.spec("SRV-331")
def test_what_else_it_says_holds(lb, pki, upstream, tmp_path, monkeypatch):
    openssl_cnf(tmp_path, monkeypatch,
                "openssl_conf=i\n[i]\nssl_conf=s\n[s]\nsystem_default=d\n"
                "[d]\nMaxProtocol=TLSv1.2\n")
    server = lb.proxy(upstream(upstreams.echo))
    assert provider_of(server) == OURS
    monkeypatch.delenv("OPENSSL_CONF")
    with connect(server.address(),
                 client_context(pki.ca, pki.of("alice"))) as peer:
        assert peer.tls.version() == "TLSv1.2"


def verdicts(path, monkeypatch):
    """What --check says with our provider and with OpenSSL's."""
    said = []
    for value in ("", "1"):
        monkeypatch.setenv(OFF, value)
        done = srv.run("-c", path, "--check")
        said.append((done.returncode, done.stderr))
    return said


def all_ciphers():
    done = subprocess.run(
        ["openssl", "ciphers", "-v", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"],
        check=True, capture_output=True, text=True, timeout=60)
    return [line.split()[0] for line in done.stdout.splitlines()
            if not line.startswith("TLS_")]


@pytest.mark.long(15)
@pytest.mark.spec("SRV-330")
@pytest.mark.parametrize("key", ["rsa-2048", "p-256"])
def test_the_same_ciphers_are_known(pki, tmp_path, monkeypatch, key):
    private = make_key(tmp_path / "server.key", *KEYS[key])
    certificate = make_cert(tmp_path / "server.pem", private)
    # make itest has all of them, make check every third.
    every = 1 if os.environ.get("ITEST_POLLERS", "both") == "both" else 3
    for name in all_ciphers()[::every]:
        path = srv.write_config(tmp_path, srv.config(
            pki, [srv.app("echo", ["tcp://127.0.0.1:1"])],
            tls={"certificate": certificate, "private_key": private,
                 "ciphers": name}))
        ours, theirs = verdicts(path, monkeypatch)
        assert ours == theirs, name


GROUPS = ["X25519", "X448", "P-256", "P-384", "P-521", "secp256k1",
          "brainpoolP256r1", "brainpoolP384r1", "brainpoolP512r1",
          "sect283k1", "ffdhe2048", "ffdhe8192"]


@pytest.mark.spec("SRV-330")
@pytest.mark.parametrize("group", GROUPS)
def test_the_same_groups_are_known(pki, tmp_path, monkeypatch, group):
    path = srv.write_config(tmp_path, srv.config(
        pki, [srv.app("echo", ["tcp://127.0.0.1:1"])],
        tls={"groups": group}))
    ours, theirs = verdicts(path, monkeypatch)
    assert ours == theirs


@pytest.mark.spec("SRV-330")
@pytest.mark.parametrize("group,version", [
    ("X448", "1.3"), ("P-521", "1.2"), ("P-521", "1.3"),
    ("brainpoolP256r1", "1.2"), ("ffdhe2048", "1.3")])
def test_keys_are_agreed_on_in_other_groups(lb, pki, upstream, group,
                                            version):
    server = lb.proxy(upstream(upstreams.echo), tls={"groups": group})
    host, port = server.address()[:2]
    pem, key = pki.of("alice")
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"{host}:{port}", "-cert", pem,
         "-key", key, "-CAfile", pki.ca,
         "-groups", f"{group}:P-256",
         f"-tls{version.replace('.', '_')}"],
        input="", capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 and "Verify return code: 0" in done.stdout


def key_of(path, kind):
    if kind in KEYS:
        return make_key(path, *KEYS[kind])
    parameters = path.with_suffix(".parameters")
    parameters.write_bytes(openssl("dsaparam", "2048"))
    path.write_bytes(openssl("genpkey", "-paramfile", parameters))
    return path


class Home:
    """A CA with a key of one kind, and what it has issued."""

    def __init__(self, directory, kind, leaf_kind):
        self.dir = directory
        self.key = key_of(directory / "ca.key", kind)
        self.ca = make_cert(directory / "ca.pem", self.key, extensions=CA,
                            subject="the CA")
        # To make one takes long; they all have the same.
        self.leaf_key = key_of(directory / "leaf.key", leaf_kind)

    def issue(self, name, extensions, serial):
        pem = make_cert(self.dir / f"{name}.pem", self.leaf_key,
                        (self.ca, self.key), extensions, subject=name,
                        serial=serial)
        return pem, self.leaf_key


def alone(cert, version):
    """A client that does not know its CA, and so does not send it along."""
    context = client_context(cert[0], cert, version)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@pytest.mark.long(10)
@pytest.mark.spec("SRV-330")
@pytest.mark.parametrize("kind", CA_KEYS)
def test_keys_of_all_kinds_everywhere(lb, upstream, tmp_path, kind):
    """Of CA, list, server, clients and upstream."""
    home = Home(tmp_path, kind, kind if kind in KEYS else "p-256")
    names = "subjectAltName=IP:127.0.0.1,DNS:localhost\n"
    server_pem, server_key = home.issue("server", names, "0x01")
    good, bad = (home.issue(name, "extendedKeyUsage=clientAuth\n", serial)
                 for name, serial in (("good", "0x0dd0"), ("bad", "0x0dd1")))
    lists = make_crl(tmp_path / "ca.crl", (home.ca, home.key), ["0D:D1"],
                     extensions="2.5.29.20=ASN1:INTEGER:1")
    up = upstream(upstreams.echo,
                  upstreams.server_context((server_pem, server_key)))
    server = lb.start(
        srv.app("echo", [{"url": f"tls://127.0.0.1:{up.port}",
                          "ca": home.ca}]),
        clients=[srv.client("odd", ["0D:D0", "0D:D1"], ["echo"])],
        tls={"certificate": server_pem, "private_key": server_key,
             "client_ca": home.ca, "crl": lists})
    assert provider_of(server) == OURS
    for number, version in enumerate(["1.2", "1.3"], 1):
        with connect(server.address(), alone(good, version)) as peer:
            peer.send(b"x")
            assert peer.recv_exactly(1) == b"x"
        attempt(server.address(), alone(bad, version))
        reject = server.wait_event("reject", count=number)
        assert reject["reason"] == "revoked"
