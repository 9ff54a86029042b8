"""The TLS 1.3 ticket goes with the first bytes down, and never alone: what
lies unread in a client's socket when it closes is a reset, which drops what
the client has sent."""

import pytest

from harness import upstreams
from harness.client import connect
from harness.wait import BOUND, wait_for

VERSIONS = ["1.2", "1.3"]
TRIES = 20


def write_and_close(server, context, data, notify=True):
    """A client that never reads after its handshake."""
    peer = connect(server.address(), context)
    peer.send(data)
    if notify:
        peer.finish(fin=False)
    peer.close()


@pytest.mark.spec("SRV-71", "SRV-16")
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("size", [1, 100_000])
def test_a_client_that_only_writes_loses_nothing(lb, upstream, version, size):
    up = upstream()
    server = lb.proxy(up)
    context = server.context("alice", version)
    for _ in range(TRIES):
        write_and_close(server, context, b"u" * size)
        peer = up.accept()
        assert len(peer.read_to_end()) == size
        assert peer.ending == "clean", peer.describe()
        peer.close()
    server.wait_event("session", count=TRIES, reason="done", bytes_up=size)


@pytest.mark.spec("SRV-71", "SRV-16")
@pytest.mark.parametrize("version", VERSIONS)
def test_nor_does_one_whose_upstream_is_slow(lb, upstream, version):
    up = upstream(receive_buffer=4096)
    server = lb.proxy(up)
    context = server.context("alice", version)
    size = 300_000
    for _ in range(TRIES):
        write_and_close(server, context, b"u" * size)
        peer = up.accept()
        assert len(peer.read_to_end()) == size
        assert peer.ending == "clean", peer.describe()
        peer.close()


@pytest.mark.spec("SRV-71")
def test_nothing_is_sent_before_the_upstream_sends(lb, upstream):
    """Neither after the handshake nor when the client has ended: the first
    thing after it is a byte of the upstream's, or its end."""
    up = upstream()
    server = lb.proxy(up)
    with server.connect(version="1.3") as peer:
        peer.send(b"hello")
        behind = up.accept()
        assert behind.recv_exactly(5) == b"hello"
        peer.sock.settimeout(0)
        with pytest.raises(BlockingIOError):
            peer.sock.recv(1)
        peer.finish()
        behind.expect_end("clean")
        with pytest.raises(BlockingIOError):
            peer.sock.recv(1)
        behind.send(b"x")
        assert peer.recv_exactly(1) == b"x"
        assert peer.tls.session.has_ticket
        behind.finish()
        peer.expect_end("clean")


@pytest.mark.spec("SRV-71")
def test_an_end_alone_has_no_ticket(lb, upstream):
    up = upstream()
    server = lb.proxy(up)
    with server.connect(version="1.3") as peer:
        behind = up.accept()
        behind.finish()
        peer.expect_end("clean")
        session = peer.tls.session
        assert session is None or not session.has_ticket
        peer.send(b"more")
        assert behind.recv_exactly(4) == b"more"
        peer.finish()
        behind.expect_end("clean")


@pytest.mark.spec("SRV-71", "SRV-13")
@pytest.mark.parametrize("version", VERSIONS)
def test_a_refused_client_has_none_either(lb, upstream, version):
    server = lb.proxy(upstream(upstreams.echo), limits={"concurrent": 1})
    with server.connect() as holder:
        holder.send(b"x")
        holder.recv_exactly(1)
        with server.connect(version=version) as peer:
            peer.expect_end("clean")
            if version == "1.3":
                session = peer.tls.session
                assert session is None or not session.has_ticket
    wait_for(lambda: server.events("reject"), "the reject line", BOUND)
