"""Every wait of a session has an end."""

import ssl
import time

import pytest

from harness import upstreams
from harness.client import begin, tcp_connect
from harness.peer import Peer
from harness.wait import SLOW, wait_for


def ms(value):
    return f"{int(value * 1000 * SLOW)}ms"


@pytest.mark.spec("SES-9", "SES-14", "LOG-4", "SRV-46")
@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01\x02\x00\x01"],
                         ids=["silent", "half-a-hello"])
def test_handshake_timeout(lb, upstream, sent):
    up = upstream(upstreams.echo)
    server = lb.proxy(up, timeouts={"handshake": ms(0.3)})
    begun = time.monotonic()
    with Peer(tcp_connect(server.address())) as peer:
        peer.send(sent)
        peer.recv()
        took = time.monotonic() - begun
        assert peer.ending
    assert 0.29 * SLOW <= took < 1.5 * SLOW
    line = server.wait_event("reject")
    assert line["reason"] == "handshake_timeout"
    assert "client" not in line
    assert up.accepted == 0


@pytest.mark.spec("SES-9")
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_client_that_stops_inside_the_handshake(lb, upstream, version):
    up = upstream(upstreams.echo)
    server = lb.proxy(up, timeouts={"handshake": ms(0.3)})
    with begin(server.address(), server.context("alice", version)) as peer:
        with pytest.raises(ssl.SSLWantReadError):
            peer.tls.do_handshake()
        raw = Peer(peer.sock)
        peer._take_out()
        raw.send(bytes(peer._wire))
        answer = raw.read_to_end()
        assert answer[:1] == b"\x16", "no ServerHello"
        assert raw.ending in ("clean", "reset")
    server.wait_event("reject", reason="handshake_timeout")
    assert up.accepted == 0


@pytest.mark.spec("SES-9")
def test_a_trickle_does_not_prolong_the_handshake(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo),
                      timeouts={"handshake": ms(0.4)})
    begun = time.monotonic()
    hello = b"\x16\x03\x01\x02\x00" + b"\x01\x00\x01\xfc" + bytes(500)
    with Peer(tcp_connect(server.address())) as peer:
        for byte in hello:
            peer.send(bytes([byte]))
            try:
                peer.recv(timeout=0.05)
                break
            except TimeoutError:
                pass
        assert peer.ending
        assert time.monotonic() - begun < 1.5 * SLOW
    server.wait_event("reject", reason="handshake_timeout")


@pytest.mark.spec("SES-9")
def test_the_handshake_timeout_ends_with_the_handshake(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo),
                      timeouts={"handshake": ms(0.3)})
    with server.connect() as peer:
        peer.send(b"x")
        peer.recv_exactly(1)
        with Peer(tcp_connect(server.address())) as silent:
            silent.recv()
        server.wait_event("reject", reason="handshake_timeout")
        peer.send(b"y")
        assert peer.recv_exactly(1) == b"y"


@pytest.mark.spec("SES-10", "SES-5", "SES-14")
def test_connect_timeout_goes_to_the_next(lb, upstream):
    with upstreams.FullBacklog() as full:
        server = lb.proxy(full.url, upstream(upstreams.name_server("b")),
                          timeouts={"connect": ms(0.3)})
        begun = time.monotonic()
        with server.connect() as peer:
            assert peer.recv_exactly(1) == b"b"
            took = time.monotonic() - begun
            assert 0.29 * SLOW <= took < 1.5 * SLOW


@pytest.mark.spec("SES-10", "SES-5")
def test_each_dial_has_the_whole_connect_time(lb):
    with upstreams.FullBacklog() as one, upstreams.FullBacklog() as two:
        server = lb.proxy(one.url, two.url, timeouts={"connect": ms(0.25)})
        begun = time.monotonic()
        with server.connect() as peer:
            peer.expect_end("clean")
            took = time.monotonic() - begun
            peer.finish()
        assert 0.49 * SLOW <= took < 2 * SLOW
    line = server.wait_event("session")
    assert line["reason"] == "no_upstream"


@pytest.mark.spec("SES-10")
def test_connect_timeout_includes_the_upstream_s_handshake(lb, pki,
                                                           upstream):
    up = upstream()
    server = lb.proxy({"url": f"tls://{up.address}", "ca": pki.upstream_ca},
                      timeouts={"connect": ms(0.3)})
    begun = time.monotonic()
    with server.connect() as peer:
        far = up.accept()
        peer.expect_end("clean")
        assert time.monotonic() - begun < 1.5 * SLOW
        peer.finish()
        far.read_to_end()
    assert server.wait_event("session")["reason"] == "no_upstream"


@pytest.mark.parametrize("how,reason", [("reset", "client_reset"),
                                        ("truncate", "client_truncated")])
@pytest.mark.spec("SRV-32", "SES-6", "SES-8")
def test_a_client_that_leaves_during_the_dial(lb, how, reason):
    """Long before the dial would fail, and its place is free again."""
    with upstreams.FullBacklog() as full:
        server = lb.proxy(full.url, timeouts={"connect": "1h"},
                          limits={"concurrent": 1})
        for number in (1, 2):
            peer = server.connect()
            getattr(peer, how)()
            line = server.wait_event("session", count=number)
            assert line["reason"] == reason


@pytest.mark.spec("SES-11", "SES-14")
def test_idle_timeout_resets_both(lb, upstream):
    up = upstream()
    server = lb.proxy(up, timeouts={"idle": ms(0.3)})
    with server.connect() as peer:
        far = up.accept()
        peer.send(b"x")
        far.recv_exactly(1)
        begun = time.monotonic()
        far.expect_end("reset")
        peer.expect_end("reset")
        took = time.monotonic() - begun
    assert 0.2 * SLOW <= took < 1.5 * SLOW
    assert server.wait_event("session")["reason"] == "idle_timeout"


@pytest.mark.spec("SES-11")
@pytest.mark.parametrize("way", ["up", "down"])
def test_a_byte_either_way_keeps_a_session(lb, upstream, way):
    up = upstream()
    server = lb.proxy(up, timeouts={"idle": ms(0.4)})
    with server.connect() as peer:
        far = up.accept()
        sender, reader = (peer, far) if way == "up" else (far, peer)
        begun = time.monotonic()
        while time.monotonic() - begun < 1.0 * SLOW:
            sender.send(b"x")
            reader.recv_exactly(1)
            # The other end waits for silence, which is not an idle time.
            with pytest.raises(TimeoutError):
                sender.recv(timeout=0.1)
        assert not server.events("session")
        reader.expect_end("reset")
    assert server.wait_event("session")["reason"] == "idle_timeout"


@pytest.mark.spec("SES-11", "SES-14")
def test_a_half_closed_idle_session_ends_too(lb, upstream):
    up = upstream()
    server = lb.proxy(up, timeouts={"idle": ms(0.3)})
    with server.connect() as peer:
        far = up.accept()
        peer.finish(fin=False)
        far.expect_end("clean")
        peer.expect_end("reset")
    assert server.wait_event("session")["reason"] == "idle_timeout"


@pytest.mark.spec("SES-11", "SRV-18")
def test_a_stalled_reader_is_idle(lb, upstream):
    up = upstream(receive_buffer=8192)
    server = lb.proxy(up, timeouts={"idle": ms(0.4)})
    with server.connect() as peer:
        up.accept()
        peer.send_until_blocked(bytes(65536), 64 << 20, 0.15 * SLOW)
        line = server.wait_event("session")
        assert line["reason"] == "idle_timeout"
        assert peer.recv() == b""
        assert peer.ending == "reset"


@pytest.mark.spec("SES-12", "SES-4")
def test_closing_ends_after_two_seconds(lb, upstream):
    """A refused client that neither reads nor ends is let go."""
    server = lb.proxy(upstream(upstreams.echo), limits={"concurrent": 1})
    with server.connect() as first:
        first.send(b"x")
        first.recv_exactly(1)
        before = server.open_files()
        with begin(server.address(), server.context()) as peer:
            assert peer.handshake()
            begun = time.monotonic()
            wait_for(lambda: server.open_files() > before, "its descriptor")
            wait_for(lambda: server.open_files() <= before,
                     "it is let go", 5 * SLOW)
            assert time.monotonic() - begun > 1.5
        server.wait_event("reject", reason="concurrent_limit")
