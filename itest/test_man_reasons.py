"""The table of lbproxyd(8): what a client sees of each reason."""

import re
import shutil
import signal

import pytest

from harness import server as srv
from harness import upstreams
from harness.certs import ROOT, SERIALS, certs_gen
from harness.client import attempt, begin, client_context, connect, tcp_connect
from harness.odd_certs import make_cert, make_key
from harness.peer import Peer
from harness.wait import SLOW

MANUAL = ROOT / "cmd/lbproxyd/lbproxyd.8"
REASONS = ROOT / "lib/reason.h"
VERSIONS = ["1.2", "1.3"]
BRIEF = f"{int(300 * SLOW)}ms"


def table():
    """What the manual says of each reason."""
    return dict(re.findall(r"^\.It Cm (\w+) Ta (.+)$",
                           MANUAL.read_text(encoding="utf-8"), re.M))


def sight(reason, version, resumed=False):
    """The part of the manual's text that holds for such a client."""
    usual, *others = table()[reason].split("; ")
    rest = dict(part.split(": ") for part in others)
    return (resumed and rest.get("resumed")) or rest.get(
        f"TLS {version}", usual)


def seen(peer):
    """What a client saw, in the words of the manual."""
    # OpenSSL has names for most alerts, and words for the others.
    words = (peer.alert or "").lower().replace(" ", "_")
    if alert := re.search(r"alert_([a-z_]+)", words):
        return alert[1].rstrip("_")
    return {"clean": "close_notify"}.get(peer.ending, peer.ending)


@pytest.mark.spec("SRV-310")
def test_the_table_has_every_reason():
    names = re.findall(r'X\(LBP_REASON_\w+,\s*"(\w+)"\)', REASONS.read_text())
    assert names[0] == "none"
    assert sorted(table()) == sorted(names[1:])


@pytest.fixture
def gate(lb, upstream):
    """Some listed clients, two that carry names of two, and an app for bob
    alone."""
    apps = [srv.app("echo", [upstream(upstreams.echo)], alpn=["h2"]),
            srv.app("bobs", [upstream(upstreams.echo)])]
    names = ("alice", "bob", "expired", "future", "revoked", "usage")
    clients = [srv.client(name, [SERIALS[name]],
                          ["bobs", "echo"] if name == "bob" else ["echo"])
               for name in names]
    clients.append({"id": "two", "dns": ["alice.two"], "apps": ["echo"]})
    clients.append({"id": "three", "dns": ["alice.three"], "apps": ["echo"]})
    return lb.start(apps, clients)


def odd(pki, directory, names):
    key = make_key(directory / "odd.key")
    cert = make_cert(directory / "odd.pem", key,
                     (pki.ca, pki.ca_dir / "ca.key"),
                     f"extendedKeyUsage=clientAuth\nsubjectAltName={names}")
    return cert, key


WHO = {"no_certificate": None, "untrusted": "stranger", "expired": "expired",
       "not_yet_valid": "future", "revoked": "revoked",
       "wrong_usage": "usage", "unknown_client": "unlisted",
       "not_allowed": "alice", "no_protocol": "alice"}


@pytest.mark.spec("SRV-310")
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("reason", WHO)
def test_alerts_in_a_full_handshake(gate, reason, version):
    context = gate.context(WHO[reason], version)
    if reason == "no_protocol":
        context.set_alpn_protocols(["h3"])
    app = "bobs" if reason == "not_allowed" else "echo"
    _, peer = attempt(gate.address(app), context)
    assert seen(peer) == sight(reason, version)
    assert gate.wait_event("reject")["reason"] == reason


@pytest.mark.spec("SRV-310")
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("reason, names", [
    ("bad_certificate", "URI:spiffe://a/b,URI:x:y"),
    ("ambiguous", "DNS:alice.two,DNS:alice.three")])
def test_alerts_about_names(gate, pki, tmp_path, reason, names, version):
    cert = odd(pki, tmp_path, names)
    _, peer = attempt(gate.address("echo"),
                      client_context(pki.ca, cert, version))
    assert seen(peer) == sight(reason, version)
    assert gate.wait_event("reject")["reason"] == reason


def outdated_list(pki, directory):
    old = directory / "old"
    shutil.copytree(pki.ca_dir, old)
    certs_gen("crl", old, "--next-update", "-5m")
    return str(old / "ca.crl")


@pytest.mark.spec("SRV-310")
@pytest.mark.parametrize("version", VERSIONS)
def test_the_alert_of_an_outdated_list(lb, pki, upstream, tmp_path, version):
    server = lb.proxy(upstream(upstreams.echo),
                      tls={"crl": outdated_list(pki, tmp_path)})
    _, peer = attempt(server.address(), server.context("alice", version))
    assert seen(peer) == sight("crl_expired", version)
    assert server.wait_event("reject")["reason"] == "crl_expired"


# What becomes of alice, whose certificate has the DNS name "alice".
CHANGES = {
    "unknown_client": [],
    "not_allowed": [srv.client("alice", [SERIALS["alice"]], ["other"])],
    "ambiguous": [srv.client("alice", [SERIALS["alice"]], ["echo"]),
                  {"id": "other", "dns": ["alice"], "apps": ["echo"]}],
}


@pytest.mark.spec("SRV-310")
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("reason", [*CHANGES, "crl_expired"])
def test_alerts_when_a_session_is_resumed(lb, pki, upstream, tmp_path, reason,
                                          version):
    apps = [srv.app(name, [upstream(upstreams.echo)])
            for name in ("echo", "other")]
    server = lb.start(apps)
    context = server.context("alice", version)
    with connect(server.address("echo"), context) as peer:
        peer.send(b"x")
        assert peer.recv_exactly(1) == b"x"
        session = peer.tls.session
        peer.finish()
        peer.expect_end("clean")
    tree = dict(server.tree)
    if reason in CHANGES:
        bob = srv.client("bob", [SERIALS["bob"]], ["echo"])
        tree["client"] = [*CHANGES[reason], bob]
    else:
        tree["tls"] = {**tree["tls"], "crl": outdated_list(pki, tmp_path)}
    server.reload(tree)
    _, peer = attempt(server.address("echo"), context, session=session)
    assert seen(peer) == sight(reason, version, resumed=True)
    assert server.wait_event("reject")["reason"] == reason


@pytest.mark.spec("SRV-310")
@pytest.mark.parametrize("reason", ["concurrent_limit", "rate_limit",
                                    "max_connections", "no_upstream"])
def test_what_is_refused_after_the_handshake(lb, upstream, reason):
    limits = {"concurrent_limit": {"concurrent": 1},
              "rate_limit": {"connections": 1, "window": "1h"}}
    up = "tcp://127.0.0.1:9" if reason == "no_upstream" else upstream(
        upstreams.echo)
    server = lb.proxy(up, limits=limits.get(reason), server={
        "max_connections": 1 if reason == "max_connections" else 9})
    first = server.connect()
    if reason == "max_connections":
        first.close()
        server.wait_event("session")
        # Two handshakes in progress, and one place.
        one, two = (begin(server.address(), server.context())
                    for _ in range(2))
        assert one.handshake() and two.handshake()
        one.send(b"x")
        two.send(b"x")
        peer = one if one.recv() == b"" else two
        peer.recv()
    else:
        peer = first
        if reason != "no_upstream":
            first.send(b"x")
            assert first.recv() == b"x"
            peer = server.connect()
        assert peer.recv() == b""
    assert seen(peer) == sight(reason, "1.3")
    event = "session" if reason == "no_upstream" else "reject"
    server.wait_event(event, reason=reason)


@pytest.mark.spec("SRV-310")
def test_a_handshake_that_takes_too_long(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo), timeouts={"handshake": BRIEF})
    with Peer(tcp_connect(server.address())) as peer:
        peer.recv()
        assert seen(peer) == sight("handshake_timeout", "1.3")
    server.wait_event("reject", reason="handshake_timeout")


@pytest.mark.spec("SRV-310")
def test_what_is_no_proxy_header(lb, upstream):
    server = lb.start(srv.app("echo", [upstream(upstreams.echo)],
                              accept_proxy=["127.0.0.1"]))
    with Peer(tcp_connect(server.address())) as peer:
        peer.send(b"hello")
        peer.recv()
        # Below TLS an end is an end.
        assert peer.ending == "clean"
        assert sight("bad_proxy_header", "1.3").startswith("end of the")
    server.wait_event("reject", reason="bad_proxy_header")


@pytest.mark.spec("SRV-310")
@pytest.mark.parametrize("reason", ["idle_timeout", "lifetime",
                                    "drain_timeout", "shutdown",
                                    "upstream_reset", "done"])
def test_how_sessions_end(lb, upstream, reason):
    keys = {"idle_timeout": "idle", "lifetime": "lifetime",
            "drain_timeout": "drain"}
    up = upstream()
    server = lb.proxy(up, timeouts={"drain": "1h"} if reason not in keys else {
        keys[reason]: BRIEF})
    with server.connect() as peer:
        far = up.accept()
        far.send(b"x")
        assert peer.recv_exactly(1) == b"x"
        if reason in ("drain_timeout", "shutdown"):
            server.signal(signal.SIGTERM)
            server.wait_event("drain")
        if reason == "shutdown":
            server.signal(signal.SIGTERM)
        if reason == "upstream_reset":
            far.reset()
        if reason == "done":
            far.finish()
        peer.recv()
        assert seen(peer) == sight(reason, "1.3").split(",")[0]
        if reason == "done":
            peer.finish()
    assert server.wait_event("session")["reason"] == reason
