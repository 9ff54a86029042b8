"""Lines about strangers: bounded, summed up, and never in clients' way."""

import threading

import pytest

from harness import server as srv
from harness import upstreams
from harness.client import attempt, connect, tcp_connect
from harness.peer import Peer
from harness.ports import free_port
from harness.wait import SLOW, wait_for


def knock(address, source=None):
    """A stranger that says something that is no TLS."""
    sock = tcp_connect(address, source=source and (source, 0))
    with Peer(sock) as peer:
        peer.send(b"GET / HTTP/1.0\r\n\r\n")
        peer.recv()


def flood(address, count, source=None):
    threads = [threading.Thread(
        target=lambda: [knock(address, source) for _ in range(count // 4)])
        for _ in range(4)]
    for thread in threads:
        thread.start()
    return threads


def suppressed(server, **fields):
    return server.rejected(**fields) - len(lines(server, **fields))


def lines(server, **fields):
    return [line for line in server.events("reject", **fields)
            if "suppressed" not in line]


@pytest.mark.workers
@pytest.mark.spec("LOG-11", "LOG-17")
def test_a_flood_is_summed_up(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo))
    total = 300
    for thread in flood(server.address(), total):
        thread.join()

    def told():
        return len(lines(server)) + suppressed(server) >= total

    wait_for(told, "every attempt is told of", 10 * SLOW)
    attempt(server.address(), server.context(None))
    server.wait_event("reject", reason="no_certificate")
    server.stop()
    assert len(lines(server, reason="handshake_failed")) \
        + suppressed(server, reason="handshake_failed") == total
    first, last = server.log[0]["ts"], server.log[-1]["ts"]
    seconds = 2 + (60 + float(last[17:23]) - float(first[17:23])) % 60
    assert len(lines(server, reason="handshake_failed")) <= 10 * seconds
    sums = [line for line in server.events("reject") if "suppressed" in line]
    assert len(sums) <= seconds
    for line in sums:
        assert line["peer"] == "127.0.0.1/32"
        assert set(line) == {"ts", "level", "event", "peer", "reason",
                             "suppressed"}


@pytest.mark.spec("LOG-18", "SUP-4")
def test_nothing_is_lost_at_the_end(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo))
    total = 60
    before = server.open_files()
    for thread in flood(server.address(), total):
        thread.join()
    wait_for(lambda: server.open_files() <= before, "all have ended")
    server.stop()
    assert len(lines(server)) + suppressed(server) == total
    assert server.log[-1]["event"] == "stopped"


@pytest.mark.spec("LOG-17", "SUP-2", "SRC-1")
def test_sources_and_reasons_are_counted_apart(lb, upstream):
    port = free_port()
    server = lb.proxy(upstream(upstreams.echo),
                      listen=[f"127.0.0.1:{port}", f"[::1]:{port}"])
    v4, v6 = server.address(index=0), server.address(index=1)
    for address, source in ((v4, None), (v4, "127.0.0.9"), (v6, None)):
        for _ in range(14):
            knock(address, source)
    for _ in range(4):
        attempt(v4, server.context(None))
    server.stop()
    sums = {}
    for line in server.events("reject"):
        if "suppressed" in line:
            sums.setdefault(line["peer"], 0)
            sums[line["peer"]] += line["suppressed"]
        else:
            host = line["peer"].rsplit(":", 1)[0].strip("[]")
            key = f"{host}/32" if "." in host else "::/64"
            if line["reason"] == "handshake_failed":
                sums.setdefault(key, 0)
                sums[key] += 1
    assert sums == {"127.0.0.1/32": 14, "127.0.0.9/32": 14, "::/64": 14}
    assert len(lines(server, reason="no_certificate")) == 4


@pytest.mark.spec("LOG-11")
def test_clients_are_never_summed_up(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo),
                      limits={"connections": 1, "window": "1h"})
    context = server.context("alice", "1.3")
    for _ in range(25):
        with connect(server.address(), context) as peer:
            peer.finish()
            peer.recv()
    server.wait_event("reject", count=24, reason="rate_limit")
    server.stop()
    assert not suppressed(server)
    assert len(lines(server, reason="rate_limit")) == 24


@pytest.mark.workers
@pytest.mark.spec("LOG-12", "LOG-18")
def test_clients_have_room_while_nobody_reads(lb, upstream):
    """Strangers fill half of a pipe at most; lines of clients have the rest.
    """
    server = lb.proxy(upstream(upstreams.echo), read_log=False)
    wait_for(lambda: listening(server), "the server listens")
    fd = server.process.stderr.fileno()
    srv.fcntl.fcntl(fd, srv.F_SETPIPE_SZ, 32768)
    sources = [f"127.0.1.{n}" for n in range(1, 41)]
    threads = [threading.Thread(
        target=lambda part: [knock(server.address(), source)
                             for source in part for _ in range(4)],
        args=(sources[n::4],)) for n in range(4)]
    for thread in threads:
        thread.start()
    context = server.context("alice", "1.3")
    count = 15
    for _ in range(count):
        with connect(server.address(), context) as peer:
            peer.send(b"hello")
            assert peer.recv_exactly(5) == b"hello"
            peer.finish()
            peer.expect_end("clean")
    for thread in threads:
        thread.join()
    server.read_log()
    server.wait_event("session", count=count)
    server.stop()
    server.check_log()
    dropped = sum(line.get("dropped", 0) for line in server.events("error"))
    assert dropped > 0, "there was no need for room"
    assert len(server.events("session")) == count
    # One more is the connection that found the server listening.
    assert len(lines(server)) + suppressed(server) + dropped == 161


def listening(server):
    try:
        tcp_connect(server.address()).close()
    except OSError:
        return False
    return True
