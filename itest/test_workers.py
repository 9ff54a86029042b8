"""How the threads of the server share connections and orders."""

import collections
import os
import signal

import pytest

from harness import server as srv
from harness import upstreams
from harness.client import begin, connect, tcp_connect
from harness.peer import Peer
from harness.wait import SLOW, wait_for


def talk(peer, word=b"hello"):
    peer.send(word)
    assert peer.recv_exactly(len(word)) == word


def close_all(server, peers):
    for peer in peers:
        peer.close()
    server.wait_event("session", count=len(peers), timeout=20 * SLOW)


def count_by_worker(lines):
    return collections.Counter(line["worker"] for line in lines)


def wake_ups(server):
    """How often each thread has gone to sleep, by its number."""
    counts = {}
    for task in os.listdir(f"/proc/{server.process.pid}/task"):
        path = f"/proc/{server.process.pid}/task/{task}/status"
        with open(path, encoding="ascii") as file:
            counts[task] = int(next(
                line for line in file
                if line.startswith("voluntary_ctxt")).split()[1])
    return counts


@pytest.mark.workers
@pytest.mark.spec("SRV-53", "LOG-5")
def test_long_sessions_are_spread(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo), server={"workers": 4})
    context = server.context("alice", "1.3")
    peers = []
    for _ in range(120):
        peers.append(connect(server.address(), context))
        talk(peers[-1])
    close_all(server, peers)
    counts = count_by_worker(server.events("session"))
    assert counts == {number: 30 for number in range(4)}


@pytest.mark.workers
@pytest.mark.spec("SRV-53")
def test_new_sessions_go_where_others_ended(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo), server={"workers": 3})
    context = server.context("alice", "1.3")
    peers = [connect(server.address(), context) for _ in range(30)]
    for peer in peers:
        talk(peer)
    close_all(server, peers[:8])
    late = [connect(server.address(), context) for _ in range(8)]
    for peer in late:
        talk(peer)
    close_all(server, peers + late)
    counts = count_by_worker(server.events("session")[8:])
    # One may come while the end of another one is only in the log.
    assert len(counts) == 3 and min(counts.values()) >= 9, counts


@pytest.mark.workers
@pytest.mark.spec("SRV-53")
def test_sessions_beside_a_long_one(lb, upstream):
    """One after another, they stay on one worker, and not on the busy one."""
    server = lb.proxy(upstream(upstreams.echo), server={"workers": 2})
    with server.connect() as long:
        talk(long)
        for number in range(1, 5):
            with server.connect() as peer:
                talk(peer)
                peer.finish()
                peer.expect_end("clean")
            server.wait_event("session", count=number)
    server.wait_event("session", count=5)
    *short, last = [line["worker"] for line in server.events("session")]
    assert short == [1 - last] * 4


@pytest.mark.workers
@pytest.mark.spec("SRV-52")
def test_a_free_place_wakes_no_crowd(lb, upstream):
    """Eight workers; whoever has nothing to do with it sleeps on."""
    listen = [f"127.0.0.1:{srv.free_port()}" for _ in range(8)]
    server = lb.proxy(upstream(upstreams.echo), listen=listen,
                      server={"max_connections": 2, "workers": 8})
    context = server.context("alice", "1.3")
    peers = [connect(server.address(), context) for _ in range(2)]
    for peer in peers:
        talk(peer)
    late = begin(server.address(index=7), context)
    with pytest.raises(TimeoutError):
        late.handshake(timeout=0.1)
    before = wake_ups(server)
    peers[0].close()
    assert late.handshake()
    talk(late)
    after = wake_ups(server)
    woken = [task for task in after if after[task] > before[task]]
    # The worker of the session that ended, who accepts, who serves; and an
    # alarm may have rung somewhere.
    assert len(woken) <= 4, (before, after)
    for peer in [peers[1], late]:
        peer.close()


@pytest.mark.workers
@pytest.mark.spec("SRV-51", "SRV-25")
def test_a_flood_of_signals_hides_no_sigterm(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo), read_log=False)
    # Nobody reads the log: what is written about each must not block.
    wait_for(lambda: not refuses(server.address()), "listeners are open")
    for _ in range(100_000):
        server.signal(signal.SIGHUP)
    server.read_log()
    with server.connect() as peer:
        talk(peer)
        for _ in range(20_000):
            server.signal(signal.SIGHUP)
        server.signal(signal.SIGTERM)
        for _ in range(20_000):
            server.signal(signal.SIGHUP)
        wait_for(lambda: refuses(server.address()), "listeners are closed")
        talk(peer)
        server.signal(signal.SIGINT)
        server.wait_exit(1)
        peer.expect_end("reset")


def refuses(address):
    try:
        tcp_connect(address).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        return False
    return False


@pytest.mark.workers
@pytest.mark.spec("SRV-51", "SRV-54")
def test_two_signals_at_once_end_at_once(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo), server={"workers": 4},
                      timeouts={"drain": "1h"})
    with server.connect() as peer:
        talk(peer)
        server.signal(signal.SIGTERM)
        server.signal(signal.SIGINT)
        server.wait_exit(1)
        peer.expect_end("reset")
    assert [line["event"] for line in server.log[-3:]] == [
        "drain", "session", "stopped"]


@pytest.mark.workers
@pytest.mark.spec("SRV-54")
def test_a_drain_amid_arrivals_loses_nobody(lb, upstream):
    """Whoever was accepted gets a line in the log, before `stopped`."""
    server = lb.proxy(upstream(upstreams.echo), server={"workers": 4},
                      timeouts={"drain": f"{int(300 * SLOW)}ms"})
    peers = []
    with server.connect() as peer:
        talk(peer)
        before = server.open_files()
        for number in range(150):
            if number == 100:
                wait_for(lambda: server.open_files() > before,
                         "some of them are accepted")
                server.signal(signal.SIGTERM)
            try:
                peers.append(Peer(tcp_connect(server.address())))
            except (ConnectionRefusedError, ConnectionResetError):
                break
        server.wait_exit(0)
        peer.expect_end("reset")
    ended = server.rejected()
    assert 0 < ended <= len(peers)
    assert server.log[-1]["event"] == "stopped"
    assert server.wait_event("session")["reason"] == "drain_timeout"
    for one in peers:
        one.recv()
        assert one.ending
        one.close()
