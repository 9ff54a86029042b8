"""TLS sessions that are resumed, and what they may not do."""

import ssl
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import server as srv
from harness import upstreams
from harness.certs import SERIALS, certs_gen, signed_with_subject
from harness.client import (attempt, begin, client_context, connect,
                            tcp_connect)
from harness.peer import Ended
from harness.wait import BOUND, wait_for

VERSIONS = ["1.2", "1.3"]


def visit(address, context, session=None, name="localhost"):
    """One short session; returns what it can be resumed with."""
    with connect(address, context, session=session, name=name) as peer:
        peer.send(b"hello")
        assert peer.recv_exactly(5) == b"hello"
        kept, reused = peer.tls.session, peer.tls.session_reused
        peer.finish()
        peer.expect_end("clean")
    return kept, reused


@pytest.fixture
def two_apps(lb, upstream):
    """Alice may use both, bob only the first."""
    ups = [upstream(upstreams.echo), upstream(upstreams.echo)]
    apps = [srv.app("first", [ups[0]]), srv.app("second", [ups[1]])]
    clients = [
        srv.client("alice", [SERIALS["alice"]], ["first", "second"]),
        srv.client("bob", [SERIALS["bob"]], ["first"])]
    server = lb.start(apps, clients)
    server.ups = ups
    return server


@pytest.mark.spec("SRV-12", "LOG-3")
@pytest.mark.parametrize("version", VERSIONS)
def test_a_session_is_resumed_with_its_identity(two_apps, version):
    context = two_apps.context("alice", version)
    session, reused = visit(two_apps.address("first"), context)
    assert not reused
    assert two_apps.wait_event("session")["resumed"] is False
    _, reused = visit(two_apps.address("first"), context, session)
    assert reused
    line = two_apps.wait_event("session", count=2)
    assert line["resumed"] is True
    assert (line["client"], line["serial"]) == ("alice", SERIALS["alice"])
    assert version in line["tls"]


@pytest.mark.spec("SRV-84", "SRV-12")
@pytest.mark.parametrize("how", ["truncate", "reset"])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_session_that_ended_uncleanly_is_resumed(two_apps, version, how):
    """The end is a reset for the other side all the same."""
    context = two_apps.context("alice", version)
    address = two_apps.address("first")
    with connect(address, context) as peer:
        peer.send(b"hello")
        assert peer.recv_exactly(5) == b"hello"
        session = peer.tls.session
        getattr(peer, how)()
        reason = two_apps.wait_event("session")["reason"]
    assert reason == {"truncate": "client_truncated",
                      "reset": "client_reset"}[how]
    _, reused = visit(address, context, session)
    assert reused


@pytest.mark.workers
@pytest.mark.spec("SRV-12", "SRV-23")
@pytest.mark.parametrize("version", VERSIONS)
def test_it_is_resumed_on_any_worker(two_apps, version):
    context = two_apps.context("alice", version)
    session, _ = visit(two_apps.address("first"), context)
    for _ in range(6):
        session, reused = visit(two_apps.address("first"), context, session)
        assert reused


@pytest.mark.spec("SRV-11", "SRV-98")
@pytest.mark.parametrize("name", ["localhost", None], ids=["sni", "no-sni"])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_resumed_session_is_authorized_anew(two_apps, version, name):
    context = two_apps.context("bob", version)
    context.check_hostname = name is not None
    session, _ = visit(two_apps.address("first"), context, name=name)
    _, peer = attempt(two_apps.address("second"), context, session=session,
                      name=name)
    assert peer.ending == "alert", peer.describe()
    # The alert of a full handshake would be another one.
    assert "ACCESS_DENIED" in peer.alert, peer.alert
    line = two_apps.wait_event("reject")
    assert line["reason"] == "not_allowed"
    assert (line["app"], line["client"]) == ("second", "bob")
    assert two_apps.ups[1].accepted == 0
    with two_apps.connect("bob", name="first") as again:
        again.send(b"x")
        assert again.recv_exactly(1) == b"x"


@pytest.mark.spec("SRV-12")
@pytest.mark.parametrize("version", VERSIONS)
def test_resuming_for_another_app_where_it_may(two_apps, version):
    context = two_apps.context("alice", version)
    session, _ = visit(two_apps.address("first"), context)
    _, reused = visit(two_apps.address("second"), context, session)
    assert reused
    line = two_apps.wait_event("session", app="second")
    assert (line["client"], line["resumed"]) == ("alice", True)


@pytest.mark.spec("SRV-12")
def test_an_old_server_s_session_is_a_full_handshake(lb, upstream):
    up = upstream(upstreams.echo)
    one, two = lb.proxy(up), lb.proxy(up)
    for version in VERSIONS:
        context = one.context("alice", version)
        session, _ = visit(one.address(), context)
        _, reused = visit(two.address(), context, session)
        assert not reused
    two.wait_event("session", count=2, resumed=False)


@pytest.mark.spec("SRV-12", "LIM-1")
def test_limits_hold_for_resumed_sessions(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo), limits={"concurrent": 1})
    context = server.context("alice", "1.2")
    session, _ = visit(server.address(), context)
    server.wait_event("session")
    with server.connect() as holder:
        holder.send(b"x")
        holder.recv_exactly(1)
        with connect(server.address(), context, session=session) as peer:
            assert peer.tls.session_reused
            peer.expect_end("clean")
    server.wait_event("reject", reason="concurrent_limit")


STRANGERS = [None, "stranger", "unlisted", "expired", "revoked"]


@pytest.mark.spec("SRV-68", "SRV-12", "SRV-11")
@pytest.mark.parametrize("who", STRANGERS)
def test_no_client_certificate_no_ticket_to_keep(two_apps, who):
    _, peer = attempt(two_apps.address("first"),
                      two_apps.context(who, "1.3"))
    assert peer.ending == "alert", peer.describe()
    session = peer.tls.session
    assert session is None or not session.has_ticket
    assert two_apps.ups[0].accepted == 0


def with_session_id(hello, session_id):
    """A client's first flight of TLS 1.2, with another session id: OpenSSL
    itself offers none that has seen an alert."""
    body = bytearray(hello[9:])
    at = 2 + 32
    body[at:at + 1 + body[at]] = bytes([len(session_id)]) + session_id
    message = b"\x01" + len(body).to_bytes(3, "big") + bytes(body)
    return hello[:3] + len(message).to_bytes(2, "big") + message


def hello_of(peer):
    with pytest.raises(ssl.SSLWantReadError):
        peer.tls.do_handshake()
    peer._take_out()
    return bytes(peer._wire)


def answer_to(address, hello):
    """The session id of a TLS 1.2 server's first flight, and whether it
    has a certificate, as in a full handshake only."""
    with tcp_connect(address) as sock:
        sock.sendall(hello)
        flight = bytearray()
        while len(flight) < 5 or len(flight) < 5 + int.from_bytes(
                flight[3:5], "big"):
            part = sock.recv(65536)
            assert part, "the server ended instead of an answer"
            flight += part
        assert flight[0] == 22 and flight[5] == 2, "no ServerHello"
        at = 5 + 4 + 2 + 32
        session_id = bytes(flight[at + 1:at + 1 + flight[at]])
        rest = 5 + 4 + int.from_bytes(flight[6:9], "big")
        while len(flight) < rest + 6:
            part = sock.recv(65536)
            assert part, "the server ended instead of its first flight"
            flight += part
        # The next message is in this record, or a record of its own.
        kind = flight[rest] if len(flight) > rest and rest < 5 + \
            int.from_bytes(flight[3:5], "big") else flight[rest + 5]
        return session_id, kind == 11


@pytest.mark.spec("SRV-68", "SRV-12", "SRV-11")
@pytest.mark.parametrize("who", STRANGERS + ["alice"])
def test_no_client_certificate_no_session_to_keep(two_apps, who):
    """The id that the server gave before it judged is worth nothing; that
    of alice, who was let in, is."""
    address = two_apps.address("first")
    context = two_apps.context(who, "1.2")
    _, given = spied_attempt(address, context)
    assert len(given) == 32
    if who == "alice":
        two_apps.wait_event("session")
    else:
        two_apps.wait_event("reject")
    peer = begin(address, two_apps.context(who, "1.2"))
    hello = with_session_id(hello_of(peer), given)
    peer.close()
    again, is_full = answer_to(address, hello)
    assert is_full == (who != "alice")
    assert (again == given) == (who == "alice")
    assert two_apps.ups[0].accepted == (who == "alice")


def spied_attempt(address, context):
    """One attempt; and the id of its session, as the server said it."""
    with begin(address, context) as peer:
        seen = bytearray()
        arrived = peer._arrived
        peer._arrived = lambda data: (seen.extend(data), arrived(data))
        if peer.handshake():
            peer.finish()
        peer.recv()
        at = 5 + 4 + 2 + 32
        return peer, bytes(seen[at + 1:at + 1 + seen[at]])


def brief_server(lb, up, directory, whose, life):
    """A server, and the certificate of a client, which run out."""
    brief = ["--not-after", f"+{life}s"]
    certs_gen("ca", directory, *(brief if whose == "ca" else []))
    certs_gen("client", directory, "brief", "--serial", "B1",
              *(brief if whose == "client" else []))
    server = lb.proxy(
        up, clients=[srv.client("brief", ["B1"], ["echo"])],
        tls={"client_ca": directory / "ca.pem", "crl": None})
    return server, (directory / "brief.pem", directory / "brief.key")


@pytest.mark.spec("SRV-98", "SRV-99")
@pytest.mark.parametrize("whose", ["client", "ca"])
def test_a_session_outlives_no_certificate(lb, pki, upstream, tmp_path, whose):
    """A certificate that has run out does not live on in the cache."""
    # On a busy machine a short life may be over before it is used.
    for life in (2, 4, 8, 16, 32):
        begun = time.monotonic()
        up = upstream(upstreams.echo)
        server, cert = brief_server(lb, up, tmp_path / f"{life}", whose, life)
        contexts = [client_context(pki.ca, cert, v) for v in VERSIONS]
        try:
            kept = [(c, visit(server.address(), c)[0]) for c in contexts]
            break
        except (AssertionError, OSError, Ended):
            if time.monotonic() - begun < life - 1 or life == 32:
                raise
    wait_for(lambda: time.monotonic() - begun > life + 1.1,
             "the certificate runs out", life + 5)
    for number, (context, session) in enumerate(kept, 1):
        _, peer = attempt(server.address(), context, session=session)
        assert peer.ending == "alert", peer.describe()
        assert "CERTIFICATE_EXPIRED" in peer.alert, peer.alert
        server.wait_event("reject", count=number, reason="expired")
    assert up.accepted == len(VERSIONS)


@pytest.mark.spec("SRV-68")
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("limits", [
    {"concurrent": 1}, {"connections": 1, "window": "1h"}])
def test_what_was_refused_is_not_resumed(lb, upstream, version, limits):
    up = upstream(upstreams.echo)
    server = lb.start(
        [srv.app("tight", [up], limits=limits), srv.app("wide", [up])])
    context = server.context("alice", version)
    with server.connect(name="tight") as holder:
        holder.send(b"x")
        holder.recv_exactly(1)
        with connect(server.address("tight"), context) as peer:
            peer.expect_end("clean")
            session = peer.tls.session
    assert server.wait_event("reject")["reason"].endswith("_limit")
    _, reused = visit(server.address("wide"), context, session)
    assert not reused
    server.wait_event("session", app="wide", resumed=False)


@pytest.mark.spec("SRV-70")
def test_a_ticket_says_what_is_left_of_its_hour(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo))
    context = server.context("alice", "1.3")
    begun = time.monotonic()
    session, _ = visit(server.address(), context)
    assert session.ticket_lifetime_hint == 3600
    wait_for(lambda: time.monotonic() - begun > 1.5, "1.5 s", 5)
    session, reused = visit(server.address(), context, session)
    assert reused and session.ticket_lifetime_hint < 3600


@pytest.mark.spec("SRV-68", "SRV-71")
def test_without_a_byte_down_there_is_nothing_to_resume(lb, upstream):
    up = upstream()
    server = lb.proxy(up)
    context = server.context("alice", "1.3")
    with connect(server.address(), context) as peer:
        peer.send(b"x")
        behind = up.accept()
        behind.recv_exactly(1)
        session = peer.tls.session
        assert session is None or not session.has_ticket


@pytest.mark.spec("SRV-150")
def test_tls_1_2_has_ids_and_no_tickets(two_apps):
    session, _ = visit(two_apps.address("first"),
                       two_apps.context("alice", "1.2"))
    assert session.id and not session.has_ticket


@pytest.mark.spec("SRV-145")
def test_a_ticket_allows_no_early_data(two_apps, pki, tmp_path):
    host, port = two_apps.address("first")
    pem, key = pki.of("alice")
    options = ["openssl", "s_client", "-connect", f"{host}:{port}", "-cert",
               pem, "-key", key, "-CAfile", pki.ca, "-tls1_3"]
    kept = tmp_path / "session.pem"
    with subprocess.Popen([*options, "-sess_out", kept],
                          stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as client:
        client.stdin.write(b"hello\n")
        client.stdin.flush()
        wait_for(lambda: kept.exists() and kept.stat().st_size, "the ticket")
        client.stdin.close()
    two_apps.wait_event("session")
    said = subprocess.run(
        ["openssl", "sess_id", "-in", kept, "-noout", "-text"],
        capture_output=True, timeout=BOUND, check=True).stdout
    assert b"Max Early Data: 0\n" in said, said
    # It is as good as any other, and carries none.
    early = tmp_path / "early"
    early.write_bytes(b"early")
    done = subprocess.run(
        [*options, "-sess_in", kept, "-early_data", early], input=b"",
        capture_output=True, timeout=BOUND * 2, check=False)
    assert b"Early data was not sent" in done.stdout, done.stdout
    assert b"Reused, TLSv1.3" in done.stdout, done.stdout
    assert two_apps.wait_event("session", count=2)["bytes_up"] == 0


class Clients:
    """Short sessions of TLS 1.2 of a client, several at a time."""

    def __init__(self, server, who):
        self.address = server.address()
        self.context = server.context(who, "1.2")

    def visit(self, session=None):
        """(what it can be resumed with, whether it was)."""
        with tcp_connect(self.address) as sock, self.context.wrap_socket(
                sock, server_hostname="localhost", session=session) as tls:
            assert tls.recv(1) == b""
            return tls.session, tls.session_reused

    def visit_often(self, count):
        with ThreadPoolExecutor(4) as pool:
            for done in [pool.submit(self.visit) for _ in range(count)]:
                done.result()

    def is_kept(self, session):
        return self.visit(session)[1]


@pytest.mark.once
@pytest.mark.long(15)
@pytest.mark.spec("SRV-69")
def test_how_many_sessions_are_kept(pki, tmp_path):
    """With TLS 1.2 a session that is resumed is not kept anew."""
    closed = f"tcp://127.0.0.1:{srv.free_port()}"
    tree = srv.config(pki, [srv.app("echo", [closed])],
                      log={"level": "error"})
    server = srv.Lbproxyd(pki, srv.write_config(tmp_path, tree), tree)
    try:
        wait_for(lambda: listens(server.address()), "the server listens")
        alice, bob = Clients(server, "alice"), Clients(server, "bob")
        bobs, _ = bob.visit()
        first, _ = alice.visit()
        second, _ = alice.visit()
        alice.visit_often(4096 - 3)
        assert bob.is_kept(bobs)
        assert alice.is_kept(first)
        # One more; the oldest of who has the most has to go.
        alice.visit()
        assert bob.is_kept(bobs)
        assert alice.is_kept(second)
        # This one is a full handshake, and takes the second one's place.
        assert not alice.is_kept(first)
        assert not alice.is_kept(second)
        assert bob.is_kept(bobs)
        server.stop()
    finally:
        server.end()


def listens(address):
    try:
        tcp_connect(address).close()
    except ConnectionRefusedError:
        return False
    return True


@pytest.mark.spec("SRV-69")
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("size,kept", [(3000, True), (5000, False)])
def test_sessions_with_long_certificates_are_not_kept(
        lb, pki, upstream, tmp_path, version, size, kept):
    pair = signed_with_subject(pki, tmp_path, "long", "0x0A11CE",
                               f"1.2.3.4=ASN1:UTF8:{'x' * size}")
    server = lb.proxy(upstream(upstreams.echo))
    context = client_context(pki.ca, pair, version)
    session, _ = visit(server.address(), context)
    _, reused = visit(server.address(), context, session)
    assert reused is kept
