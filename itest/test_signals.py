"""The end of the server, and the signals that do not end it."""

import signal
import time

import pytest

from harness import upstreams
from harness.client import begin, connect, tcp_connect
from harness.peer import Peer
from harness.wait import SLOW, wait_for


def talk(peer, word=b"hello"):
    peer.send(word)
    assert peer.recv_exactly(len(word)) == word


def refuses(address):
    try:
        tcp_connect(address).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        return False
    return False


@pytest.mark.workers
@pytest.mark.spec("SRV-136")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_server_stops_at_once(lb, upstream, number):
    server = lb.proxy(upstream(upstreams.echo))
    with server.connect() as peer:
        talk(peer)
        peer.finish()
        peer.expect_end("clean")
    server.wait_event("session")
    begun = time.monotonic()
    server.signal(number)
    server.wait_exit(0)
    assert time.monotonic() - begun < 2 * SLOW
    events = [line["event"] for line in server.log]
    assert events[0] == "ready"
    assert events[-2:] == ["drain", "stopped"]


@pytest.mark.spec("SRV-24", "SRV-136")
def test_a_drain_lets_a_running_session_finish(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo), timeouts={"drain": "20s"})
    with server.connect() as peer:
        talk(peer)
        server.signal(signal.SIGTERM)
        server.wait_event("drain")
        wait_for(lambda: refuses(server.address()), "listeners are closed")
        for word in (b"going", b"on" * 50_000):
            talk(peer, word)
        assert server.process.poll() is None
        peer.finish()
        peer.expect_end("clean")
    server.wait_exit(0)
    assert server.wait_event("session")["reason"] == "done"
    assert server.log[-1]["event"] == "stopped"


@pytest.mark.workers
@pytest.mark.spec("SRV-24", "SES-13", "SRV-136")
def test_the_drain_has_an_end_that_is_no_clean_one(lb, upstream):
    up = upstream()
    server = lb.proxy(up, timeouts={"drain": f"{int(300 * SLOW)}ms"})
    with server.connect() as peer:
        far = up.accept()
        far.send(b"half an ans")
        assert peer.recv_exactly(11) == b"half an ans"
        begun = time.monotonic()
        server.stop(0)
        assert 0.29 * SLOW <= time.monotonic() - begun < 3 * SLOW
        peer.expect_end("reset")
        far.expect_end("reset")
    assert server.wait_event("session")["reason"] == "drain_timeout"
    assert server.log[-1]["event"] == "stopped"


@pytest.mark.workers
@pytest.mark.spec("SRV-24", "SES-13", "SRV-23", "SRV-53")
def test_a_drain_ends_the_sessions_of_every_worker(lb, upstream):
    workers = 4
    up = upstream()
    server = lb.proxy(up, server={"workers": workers},
                      timeouts={"drain": f"{int(300 * SLOW)}ms"})
    pairs = [(server.connect(), up.accept()) for _ in range(workers)]
    begun = time.monotonic()
    server.stop(0)
    assert 0.29 * SLOW <= time.monotonic() - begun < 3 * SLOW
    for pair in pairs:
        for peer in pair:
            peer.expect_end("reset")
            peer.close()
    lines = server.events("session", reason="drain_timeout")
    assert sorted(line["worker"] for line in lines) == list(range(workers))
    assert [line["event"] for line in server.log[-2:]] == [
        "session", "stopped"]


@pytest.mark.workers
@pytest.mark.spec("SRV-24", "SRV-23", "SRV-53")
def test_a_drain_waits_for_every_worker(lb, upstream):
    workers = 4
    server = lb.proxy(upstream(upstreams.echo), server={"workers": workers},
                      timeouts={"drain": "1h"})
    peers = [server.connect() for _ in range(workers)]
    for peer in peers:
        talk(peer)
    server.signal(signal.SIGTERM)
    wait_for(lambda: refuses(server.address()), "listeners are closed")
    for number, peer in enumerate(peers, 1):
        assert server.process.poll() is None
        talk(peer, b"still here")
        peer.finish()
        peer.expect_end("clean")
        peer.close()
        server.wait_event("session", count=number, reason="done")
    server.wait_exit(0)
    lines = server.events("session")
    assert sorted(line["worker"] for line in lines) == list(range(workers))


@pytest.mark.workers
@pytest.mark.spec("SRV-137")
@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_at_once(lb, upstream, second):
    up = upstream()
    server = lb.proxy(up, timeouts={"drain": "1h"})
    with server.connect() as peer:
        far = up.accept()
        server.signal(signal.SIGTERM)
        server.wait_event("drain")
        begun = time.monotonic()
        server.signal(second)
        server.wait_exit(1)
        assert time.monotonic() - begun < 2 * SLOW
        peer.expect_end("reset")
        far.expect_end("reset")
    assert server.wait_event("session")["reason"] == "shutdown"


@pytest.mark.spec("SRV-24", "SES-9", "SRV-138")
def test_a_drain_ends_handshakes_in_their_time(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo),
                      timeouts={"handshake": f"{int(400 * SLOW)}ms"})
    before = server.open_files()
    with Peer(tcp_connect(server.address())) as peer:
        wait_for(lambda: server.open_files() > before, "it is accepted")
        begun = time.monotonic()
        server.stop(0)
        assert time.monotonic() - begun < 3 * SLOW
        peer.recv()
        assert peer.ending


@pytest.mark.spec("SRV-138")
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_handshake_that_a_drain_finds_may_be_admitted(lb, upstream,
                                                        version):
    server = lb.proxy(upstream(upstreams.echo))
    before = server.open_files()
    with begin(server.address(), server.context("alice", version)) as peer:
        wait_for(lambda: server.open_files() > before, "it is accepted")
        server.signal(signal.SIGTERM)
        server.wait_event("drain")
        wait_for(lambda: refuses(server.address()), "listeners are closed")
        assert peer.handshake(), peer.describe()
        talk(peer)
        peer.finish()
        peer.expect_end("clean")
    server.wait_exit(0)
    assert server.wait_event("session")["reason"] == "done"


@pytest.mark.spec("SRV-139")
def test_a_drain_resets_what_was_not_accepted(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo), server={"max_connections": 1})
    with server.connect() as peer:
        talk(peer)
        with Peer(tcp_connect(server.address())) as waiting:
            server.signal(signal.SIGTERM)
            server.wait_event("drain")
            waiting.expect_end("reset")
            talk(peer)
        peer.finish()
        peer.expect_end("clean")
    server.wait_exit(0)
    assert not server.events("reject")


@pytest.mark.spec("SRV-26")
def test_sigpipe_is_ignored(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo))
    server.signal(signal.SIGPIPE)
    context = server.context("alice", "1.3")
    for _ in range(20):
        peer = connect(server.address(), context)
        peer.send(b"x" * 200_000)
        peer.reset()
    server.wait_event("session", count=20)
    with server.connect() as peer:
        talk(peer)


@pytest.mark.spec("SRV-140")
def test_a_drain_does_not_wait_for_checks(lb):
    with upstreams.FullBacklog() as full:
        server = lb.proxy(full.url, health={
            "interval": "100ms", "timeout": "1m", "rise": 1, "fall": 1})
        begun = time.monotonic()
        server.stop(0)
        assert time.monotonic() - begun < 3 * SLOW


def in_time_wait(port):
    """Whether the kernel keeps a connection of this port that it closed
    first."""
    with open("/proc/net/tcp", encoding="ascii") as file:
        rows = [line.split() for line in file][1:]
    return any(row[1].endswith(f":{port:04X}") and row[3] == "06"
               for row in rows)


@pytest.mark.spec("SRV-148")
@pytest.mark.parametrize("first", ["client", "server"])
def test_the_port_is_free_after_the_end(lb, upstream, first):
    """Who ends a connection first keeps its addresses for a minute."""
    up = upstream()
    server = lb.proxy(up)
    with server.connect() as peer:
        far = up.accept()
        ends = [(peer, far), (far, peer)]
        for one, other in ends if first == "client" else ends[::-1]:
            one.finish()
            other.expect_end("clean")
            if other is peer:
                assert peer.wait_tcp_end() == "fin"
        wait_for(lambda: server.events("session"), "the session's end")
    port = server.address()[1]
    if first == "server":
        wait_for(lambda: in_time_wait(port), "the server closed first")
    server.stop()
    assert in_time_wait(port) == (first == "server")
    again = lb.proxy(up, listen=server.tree["app"][0]["listen"])
    with again.connect() as peer:
        far = up.accept()
        peer.send(b"hello")
        assert far.recv_exactly(5) == b"hello"


DELAY = 0.7 * SLOW


def delayed(lb, *ups, drain=10):
    return lb.proxy(*ups, timeouts={
        "drain_delay": f"{int(DELAY * 1000)}ms",
        "drain": f"{int(drain * SLOW * 1000)}ms"})


@pytest.mark.workers
@pytest.mark.spec("SRV-176", "SRV-24", "CFG-64")
def test_connections_are_served_until_the_delay_is_over(lb, upstream):
    server = delayed(lb, upstream(upstreams.echo))
    begun = time.monotonic()
    server.signal(signal.SIGTERM)
    assert server.wait_event("drain")["connections"] == 0
    served = 0
    while not refuses(server.address()):
        if time.monotonic() - begun < DELAY / 2:
            with server.connect() as peer:
                talk(peer)
                peer.finish()
                peer.expect_end("clean")
            served += 1
    assert time.monotonic() - begun >= DELAY
    assert served > 0
    server.wait_exit(0)
    assert len(server.events("session", reason="done")) == served
    assert server.log[-1]["event"] == "stopped"
    assert server.log[-1]["cut"] == 0
    assert len(server.events("drain")) == 1


@pytest.mark.spec("SRV-176", "SRV-136", "SRV-177")
def test_the_drain_s_time_counts_from_the_closing(lb, upstream):
    up = upstream()
    server = delayed(lb, up, drain=0.5)
    with server.connect() as peer, server.connect("bob") as other:
        far = [up.accept(), up.accept()]
        begun = time.monotonic()
        server.stop(0)
        took = time.monotonic() - begun
        for end in (peer, other, *far):
            end.expect_end("reset")
    assert DELAY + 0.49 * SLOW <= took < DELAY + 4 * SLOW
    assert len(server.events("session", reason="drain_timeout")) == 2
    assert server.log[-1]["cut"] == 2


@pytest.mark.workers
@pytest.mark.spec("SRV-137", "SRV-176", "SRV-177")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_does_not_wait_for_the_delay(lb, upstream, number):
    up = upstream()
    server = lb.proxy(up, timeouts={"drain_delay": "1h", "drain": "1h"})
    with server.connect() as peer:
        far = up.accept()
        server.signal(signal.SIGTERM)
        server.wait_event("drain")
        with server.connect("bob") as late:
            late_far = up.accept()
            late.send(b"x")
            late_far.recv_exactly(1)
            begun = time.monotonic()
            server.signal(number)
            server.wait_exit(1)
            assert time.monotonic() - begun < 2 * SLOW
            for end in (peer, far, late, late_far):
                end.expect_end("reset")
    assert len(server.events("session", reason="shutdown")) == 2
    assert server.log[-1]["event"] == "stopped"
    assert server.log[-1]["cut"] == 2


@pytest.mark.spec("SRV-176", "RLD-14")
def test_a_drain_that_is_delayed_has_begun(lb, upstream):
    """SIGHUP changes nothing by then."""
    server = delayed(lb, upstream(upstreams.echo))
    server.signal(signal.SIGTERM)
    server.wait_event("drain")
    server.signal(signal.SIGHUP)
    server.wait_exit(0)
    assert not server.events("reload")


@pytest.mark.spec("SRV-177")
def test_who_is_refused_or_in_its_handshake_is_not_cut(lb, upstream):
    up = upstream()
    server = lb.proxy(up, limits={"concurrent": 1},
                      timeouts={"drain": f"{int(300 * SLOW)}ms"})
    with server.connect() as peer, tcp_connect(server.address()):
        up.accept()
        with begin(server.address(), server.context()) as refused:
            assert refused.handshake()
            server.wait_event("reject", reason="concurrent_limit")
            server.stop(0)
        peer.expect_end("reset")
    assert server.log[-1]["cut"] == 1
