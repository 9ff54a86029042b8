"""Clients that are known by a URI or DNS name of their certificate."""

import pytest

from harness import server as srv
from harness import upstreams
from harness.certs import certs_gen
from harness.client import attempt, client_context, connect
from harness.odd_certs import make_cert, make_key

VERSIONS = ["1.2", "1.3"]
URI = "spiffe://corp/alice"
CLIENT = "extendedKeyUsage=clientAuth\nsubjectAltName="


class Issuer:
    """Certificates of the CA that the server trusts, with any names."""

    def __init__(self, pki, directory):
        self.pki, self.directory = pki, directory
        self.made = 0

    def context(self, names, version=None, serial=None):
        """names as openssl has them: "URI:...,DNS:..."."""
        self.made += 1
        key = make_key(self.directory / f"{self.made}.key")
        cert = make_cert(self.directory / f"{self.made}.pem", key,
                         (self.pki.ca, self.pki.ca_dir / "ca.key"),
                         CLIENT + names if names else "",
                         serial=serial, subject="alice")
        return client_context(self.pki.ca, (cert, key), version)


@pytest.fixture
def issuer(pki, tmp_path):
    return Issuer(pki, tmp_path)


def client(name, apps=("echo",), **keys):
    return {"id": name, **keys, "apps": list(apps)}


@pytest.fixture
def gate(lb, upstream):
    """Two apps; everybody may use the first one."""
    ups = [upstream(upstreams.echo), upstream(upstreams.echo)]
    apps = [srv.app("echo", ups[:1], limits={"concurrent": 1}),
            srv.app("other", ups[1:])]
    clients = [
        client("alice", ["echo", "other"], uris=[URI], serials=["A1:1C:E0"]),
        client("bob", dns=["Bob.corp.example"]),
        client("carol", serials=["CA:20"], dns=["carol"])]
    server = lb.start(apps, clients)
    server.ups = ups
    return server


def visit(server, context, app="echo", session=None):
    """A session that says hello; returns what can be resumed."""
    with connect(server.address(app), context, session=session) as peer:
        peer.send(b"hello")
        assert peer.recv_exactly(5) == b"hello"
        session = peer.tls.session
        peer.finish()
        return session, peer.tls.session_reused


def refused(server, context, reason, app="echo", session=None):
    """The reject line of one who is not let in."""
    before = len(server.events("reject"))
    _, peer = attempt(server.address(app), context, session=session)
    assert peer.ending == "alert", peer.describe()
    line = server.wait_event("reject", count=before + 1)
    assert line["reason"] == reason, line
    return line, peer


@pytest.mark.spec("SRV-180", "LOG-3", "ACL-10")
@pytest.mark.parametrize("names, who, name", [
    ("URI:" + URI, "alice", URI),
    (f"email:a@b,IP:::1,DNS:x.example,URI:{URI}", "alice", URI),
    ("DNS:bob.CORP.example", "bob", "bob.CORP.example"),
    ("DNS:x,DNS:Bob.corp.example,URI:a:b", "bob", "Bob.corp.example"),
], ids=["uri", "uri-among-others", "dns", "dns-among-others"])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_name_identifies(gate, issuer, names, who, name, version):
    visit(gate, issuer.context(names, version, "0x1234"))
    line = gate.wait_event("session")
    assert (line["client"], line["serial"]) == (who, "12:34"), line
    assert line["name"] == name


@pytest.mark.spec("SRV-10", "LOG-3", "SES-50")
def test_a_listed_serial_comes_first(gate, issuer):
    """The serial is enough, with the client's other names beside it."""
    visit(gate, issuer.context("URI:" + URI, serial="0xA11CE0"))
    line = gate.wait_event("session")
    assert (line["client"], line["serial"]) == ("alice", "A1:1C:E0")
    assert "name" not in line


@pytest.mark.spec("SRV-180", "LIM-1", "LIM-2", "APP-3")
def test_a_renewed_certificate_keeps_its_limits(gate, issuer):
    contexts = [issuer.context("URI:" + URI) for _ in range(3)]
    with connect(gate.address("echo"), contexts[0]) as peer:
        peer.send(b"x")
        assert peer.recv_exactly(1) == b"x"
        with connect(gate.address("echo"), contexts[1]) as other:
            assert other.recv() == b"", other.describe()
        line = gate.wait_event("reject")
        assert line["reason"] == "concurrent_limit"
        assert (line["client"], line["name"]) == ("alice", URI)
    gate.wait_event("session")
    visit(gate, contexts[2])
    serials = {line["serial"] for line in [
        gate.wait_event("session", count=2), *gate.events("reject"),
        *gate.events("session")]}
    assert len(serials) == 3


@pytest.mark.spec("SES-2", "ACL-7")
@pytest.mark.parametrize("names, serial", [
    (f"URI:{URI},DNS:bob.corp.example", None),
    ("DNS:bob.corp.example", "0xA11CE0"),
    ("DNS:carol,DNS:x,DNS:bob.corp.example", None),
], ids=["uri-and-dns", "serial-and-dns", "two-dns"])
@pytest.mark.parametrize("version", VERSIONS)
def test_names_of_two_clients_are_ambiguous(gate, issuer, names, serial,
                                            version):
    line, peer = refused(gate, issuer.context(names, version, serial),
                         "ambiguous")
    assert "BAD_CERTIFICATE" in peer.alert
    assert "client" not in line and "name" not in line
    assert gate.ups[0].accepted == 0


@pytest.mark.spec("SRV-180", "SES-2", "ACL-12")
@pytest.mark.parametrize("names", [
    "", "DNS:*.corp.example", "DNS:*", "DNS:carol.",
    "URI:SPIFFE://corp/alice", f"URI:{URI}/", "email:carol@carol",
    "DNS:" + URI, "dirName:d\n[d]\nCN=carol",
], ids=["cn", "wildcard", "star", "dot", "case", "longer", "email",
        "uri-as-dns", "dirname"])
def test_what_else_a_certificate_says_is_nobody(gate, issuer, names):
    """The common name of each is alice."""
    line, peer = refused(gate, issuer.context(names), "unknown_client")
    assert "BAD_CERTIFICATE" in peer.alert
    assert "client" not in line and "serial" in line
    assert gate.ups[0].accepted == 0


@pytest.mark.spec("SRV-180")
def test_a_name_does_not_end_at_a_nul(gate, issuer):
    for tag, name in ((0x82, b"carol\0.evil"), (0x86, b"%s\0x" %
                                                URI.encode())):
        names = bytes([0x30, len(name) + 2, tag, len(name)]) + name
        refused(gate, issuer.context("DER:" + names.hex(":")),
                "unknown_client")


@pytest.mark.spec("SRV-181")
@pytest.mark.parametrize("names", [
    f"URI:{URI},URI:spiffe://corp/bob", f"URI:{URI},URI:{URI}",
    f"URI:https://corp/,URI:{URI}", f"URI:{URI},URI:x:y",
    "URI:Spiffe://corp/x,URI:x:y"],
    ids=["two", "twice", "after", "before", "case"])
@pytest.mark.parametrize("serial", [None, "0xA11CE0"])
def test_a_spiffe_uri_is_alone(gate, issuer, names, serial):
    refused(gate, issuer.context(names, serial=serial), "bad_certificate")
    assert gate.ups[0].accepted == 0


@pytest.mark.spec("SRV-182")
def test_a_certificate_has_at_most_128_names(gate, issuer):
    names = ["DNS:bob.corp.example", *(f"DNS:n{i}" for i in range(127))]
    visit(gate, issuer.context(",".join(names)))
    # What nobody could list is not counted.
    visit(gate, issuer.context(",".join([*names, "DNS:*.x", "IP:::1"])))
    refused(gate, issuer.context(",".join([*names, "DNS:x"])),
            "bad_certificate")


@pytest.mark.spec("SRV-183", "SRV-12", "LOG-3")
@pytest.mark.parametrize("version", VERSIONS)
def test_a_resumed_session_has_its_names(gate, issuer, version):
    context = issuer.context("URI:" + URI, version)
    session, _ = visit(gate, context)
    gate.wait_event("session")
    _, reused = visit(gate, context, "other", session)
    assert reused
    line = gate.wait_event("session", app="other")
    assert (line["client"], line["name"]) == ("alice", URI)
    assert line["resumed"] is True


@pytest.mark.spec("SRV-183", "SRV-98")
@pytest.mark.parametrize("version", VERSIONS)
def test_a_resumed_session_is_judged_by_its_name(gate, issuer, version):
    context = issuer.context("DNS:bob.corp.example", version)
    session, _ = visit(gate, context)
    line, peer = refused(gate, context, "not_allowed", "other", session)
    assert "ACCESS_DENIED" in peer.alert
    assert (line["client"], line["name"]) == ("bob", "bob.corp.example")


@pytest.mark.spec("SRV-135")
def test_no_warning_of_a_client_that_has_a_name(lb, upstream, pki, tmp_path):
    apps = [srv.app("echo", [upstream(upstreams.echo)])]
    tree = srv.config(pki, apps, [
        client("named", serials=["DE:AD"], uris=[URI]),
        client("nameless", serials=["DE:AD:00:01"]),
        client("dns-only", dns=["x"])])
    done = srv.run("--check", "-c", srv.write_config(tmp_path, tree))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.spec("CRT-6", "SRV-180")
def test_certs_gen_makes_such_certificates(gate, pki, tmp_path):
    """In a CA of its own directory, which is the same CA."""
    certs_gen("client", pki.ca_dir, "by-uri", "--san", "URI:" + URI)
    cert, key = pki.of("by-uri")
    try:
        visit(gate, client_context(pki.ca, (cert, key)))
    finally:
        cert.unlink()
        key.unlink()
    assert gate.wait_event("session")["name"] == URI
