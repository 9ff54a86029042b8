"""Peers that vanish without a word give their places back, and those that
only do not read keep theirs."""

import threading
import time

import pytest

from harness.vanish import come_back, vanish
from harness.wait import SLOW, holds_for, wait_for

# In whole seconds: the kernel counts so.
KEEPALIVE = 3
# The kernel's timers do not depend on how slow the server is.
SOON = 5 + 2 * SLOW


def timers(port):
    """The kernel's timers of established sockets with this local or remote
    port: (which, seconds); 2 is that of keepalive, 0 none."""
    found = []
    with open("/proc/net/tcp", encoding="ascii") as file:
        for line in list(file)[1:]:
            fields = line.split()
            ports = [int(fields[i].split(":")[1], 16) for i in (1, 2)]
            if fields[3] == "01" and port in ports:
                which, left = fields[5].split(":")
                found.append((int(which, 16), int(left, 16) / 100))
    return found


def exchange(peer, far):
    peer.send(b"x")
    far.recv_exactly(1)
    far.send(b"y")
    peer.recv_exactly(1)


@pytest.mark.spec("SRV-171", "CFG-62")
@pytest.mark.parametrize("who", ["client", "upstream"])
@pytest.mark.parametrize("when", ["idle", "waited-for"])
def test_a_vanished_peer_gives_its_place_back(lb, upstream, who, when):
    up = upstream()
    server = lb.proxy(up, timeouts={"keepalive": f"{KEEPALIVE}s"},
                      limits={"concurrent": 1})
    with server.connect() as peer:
        far = up.accept()
        exchange(peer, far)
        gone, other = (peer, far) if who == "client" else (far, peer)
        begun = time.monotonic()
        vanish(gone)
        if when == "waited-for":
            other.send(b"is anybody there?")
        other.expect_end("reset", timeout=KEEPALIVE + SOON)
        took = time.monotonic() - begun
        assert KEEPALIVE - 0.5 <= took
        line = server.wait_event("session")
        assert line["reason"] == f"{who}_reset"
        with server.connect() as next_one:
            exchange(next_one, up.accept())
        come_back(gone)


@pytest.mark.spec("SRV-172", "SRV-18")
@pytest.mark.parametrize("who", ["client", "upstream"])
@pytest.mark.parametrize("size", [300_000, 64 << 20],
                         ids=["in-the-kernel", "blocked"])
def test_who_does_not_read_is_not_gone(lb, upstream, who, size):
    """For three times as long as a vanished one would be waited for."""
    up = upstream(receive_buffer=8192)
    server = lb.proxy(up, timeouts={"keepalive": "1s"})
    with server.connect(receive_buffer=8192) as peer:
        far = up.accept()
        exchange(peer, far)
        sender, reader = (far, peer) if who == "client" else (peer, far)
        sent = sender.send_until_blocked(bytes(65536), size, 0.2 * SLOW)
        assert sent > 0
        holds_for(lambda: not server.events("session"), "it is served", 4)
        # What is still with the sender goes out while the other one reads.
        rest = threading.Thread(target=sender.send, args=(b"z",))
        rest.start()
        assert reader.recv_exactly(sent + 1)[-1:] == b"z"
        rest.join()
        exchange(peer, far)
    assert not server.events("session", reason=f"{who}_reset")


@pytest.mark.spec("SRV-171", "SRV-172")
def test_who_reads_again_and_vanishes_then_is_gone(lb, upstream):
    """The kernel's time is on again once all has been acknowledged."""
    up = upstream(receive_buffer=8192)
    server = lb.proxy(up, timeouts={"keepalive": "1s"})
    with server.connect() as peer:
        far = up.accept()
        sent = peer.send_until_blocked(bytes(65536), 300_000, 0.2 * SLOW)
        holds_for(lambda: not server.events("session"), "it is served", 2)
        got = 0
        while got < sent:
            got += len(far.recv())
        exchange(peer, far)
        vanish(far)
        peer.send(b"is anybody there?")
        peer.expect_end("reset", timeout=1 + SOON)
        assert server.wait_event("session")["reason"] == "upstream_reset"
        come_back(far)


@pytest.mark.spec("SRV-171", "SRV-345")
def test_both_sides_are_asked_once_a_session_has_lasted(lb, upstream):
    up = upstream()
    server = lb.proxy(up, timeouts={"keepalive": "9s"})
    with server.connect() as peer:
        far = up.accept()
        begun = time.monotonic()
        exchange(peer, far)
        own = [server.address()[1], up.port]
        # One of both sockets of each connection: the server's.
        wait_for(lambda: all(sorted(which for which, _ in timers(port)) ==
                             [0, 2] for port in own), "a probe is due",
                 3 + SOON)
        assert time.monotonic() - begun > 2.8
        for port in own:
            left = max(left for which, left in timers(port) if which == 2)
            assert 1 < left <= 4


@pytest.mark.spec("SRV-171", "CFG-62")
def test_nobody_is_asked_with_keepalive_off(lb, upstream):
    up = upstream()
    server = lb.proxy(up, timeouts={"keepalive": "off"})
    with server.connect() as peer:
        far = up.accept()
        exchange(peer, far)
        for port in (server.address()[1], up.port):
            wait_for(lambda: timers(port) == [(0, 0)] * 2,
                     "no timer is set on either side")
