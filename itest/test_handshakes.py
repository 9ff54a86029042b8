"""Handshakes in progress: their places, and who loses one to whom."""

import collections
import resource
import socket
import ssl
import threading
import time

import pytest

from harness import server as srv
from harness import upstreams
from harness.client import begin, client_context, connect
from harness.peer import Peer, TlsPeer
from harness.wait import BOUND, SLOW, wait_for

FLOOD = 3500


def talk(peer, word=b"hello"):
    peer.send(word)
    assert peer.recv_exactly(len(word)) == word


def connect_from(source, address):
    """A connection from an address of the loopback network."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.settimeout(BOUND)
    sock.bind((source, 0))
    sock.connect(address)
    return sock


def silent_from(source, address):
    """The same, but nobody waits for it, as it may be over before it began."""
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setblocking(False)
    sock.bind((source, 0))
    sock.connect_ex(address)
    return sock


def is_over(sock):
    """Whether the server has ended a silent connection."""
    try:
        return sock.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def half_of_a_hello(peer):
    """The handshake begins and can go on later."""
    with pytest.raises(ssl.SSLWantReadError):
        peer.tls.do_handshake()
    peer._take_out()
    half = len(peer._wire) // 2
    peer.sock.sendall(bytes(peer._wire[:half]))
    del peer._wire[:half]


def source_of(line):
    return line["peer"].rsplit(":", 1)[0]


class Flood:
    """Connections that say nothing, opened by a thread and then held."""

    def __init__(self, address, sources, count):
        self.address = address
        self.sources = sources
        self.count = count
        self.socks = []
        self._stop = False
        self._thread = threading.Thread(target=self._open, daemon=True)

    def _open(self):
        for number in range(self.count):
            if self._stop:
                return
            source = self.sources[number % len(self.sources)]
            self.socks.append(silent_from(source, self.address))

    def is_complete(self):
        return not self._thread.is_alive()

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop = True
        self._thread.join()
        for sock in self.socks:
            sock.close()


@pytest.fixture
def many_files():
    """As many descriptors as this process may have, for a flood."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    if 0 <= before[1] < FLOOD + 1000:
        pytest.fail("this test needs more descriptors: ulimit -Hn 8192")
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def addresses(first, count):
    return [f"127.0.{1 + (first + n) // 250}.{1 + (first + n) % 250}"
            for n in range(count)]


@pytest.mark.workers
@pytest.mark.spec("SRV-41")
@pytest.mark.parametrize("sources", [1, 200])
def test_a_flood_of_silence_keeps_nobody_out(lb, upstream, many_files,
                                             sources):
    # With select there are fewer places than addresses.
    server = lb.proxy(upstream(upstreams.echo),
                      timeouts={"handshake": "30s"})
    context = server.context("alice")
    took = []

    def served():
        begun = time.monotonic()
        with connect(server.address(), context) as peer:
            talk(peer)
            peer.finish()
            peer.expect_end("clean")
        took.append(time.monotonic() - begun)

    with Flood(server.address(), addresses(0, sources), FLOOD) as flood:
        while not flood.is_complete():
            served()
        for _ in range(5):
            served()
        assert len(flood.socks) == FLOOD
    assert max(took) < 1.0 * SLOW, sorted(took)[-5:]


@pytest.mark.workers
@pytest.mark.spec("SRV-40", "SES-45", "SRC-3", "LOG-4")
@pytest.mark.parametrize("workers", [1, 4])
def test_the_oldest_of_the_address_with_the_most_is_evicted(lb, upstream,
                                                            workers):
    server = lb.proxy(upstream(upstreams.echo),
                      server={"max_handshakes": 4, "workers": workers},
                      timeouts={"handshake": "30s"})
    before = server.open_files()
    held = []
    for number, source in enumerate(["127.0.0.3", "127.0.0.2", "127.0.0.2",
                                     "127.0.0.2"], 1):
        held.append(Peer(connect_from(source, server.address())))
        wait_for(lambda: server.open_files() == before + number,
                 "it is accepted")
    other, *most = held
    for number, newcomer in enumerate(["127.0.0.4", "127.0.0.2",
                                       "127.0.0.2"], 1):
        held.append(Peer(connect_from(newcomer, server.address())))
        line = server.wait_event("reject", count=number)
        assert line["reason"] == "handshake_evicted"
        victim = next((peer for peer in most if line["peer"]
                       == "%s:%d" % peer.sock.getsockname()), None)
        # Several workers may have begun with them in another order.
        assert victim is most[0] or (workers > 1 and victim), line
        most.remove(victim)
        assert victim.recv() == b"" and victim.ending == "reset"
        wait_for(lambda: server.open_files() == before + 4, "it is closed")
    with pytest.raises(TimeoutError):
        other.recv(timeout=0.1)
    for peer in held:
        peer.close()
    wait_for(lambda: server.open_files() == before, "all are closed")
    with server.connect() as peer:
        talk(peer)


@pytest.mark.workers
@pytest.mark.spec("SRV-40", "SRC-4")
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_who_is_below_its_share_is_never_evicted(lb, upstream, version):
    server = lb.proxy(upstream(upstreams.echo),
                      server={"max_handshakes": 8},
                      timeouts={"handshake": "30s"})
    slow = begin(server.address(), server.context("alice", version))
    half_of_a_hello(slow)
    with Flood(server.address(), ["127.0.0.2", "127.0.0.3"], 300) as flood:
        wait_for(flood.is_complete, "the flood", 10 * SLOW)
        server.wait_event("reject", reason="handshake_evicted")
        assert slow.handshake(), slow.describe()
        talk(slow)
    evicted = server.events("reject", reason="handshake_evicted")
    assert "127.0.0.1" not in map(source_of, evicted)
    slow.close()


@pytest.mark.workers
@pytest.mark.spec("SRV-40", "SRV-42", "SES-45")
def test_a_flood_takes_no_more_descriptors_than_it_may(lb, upstream):
    workers = 3
    server = lb.proxy(upstream(upstreams.echo),
                      server={"max_handshakes": 20, "workers": workers},
                      timeouts={"handshake": "30s"})
    before = server.open_files()
    most = 0
    with Flood(server.address(), addresses(0, 7), 600) as flood:
        while not flood.is_complete():
            most = max(most, server.open_files())
        # The worker with the fewest gets the next, whoever is evicted.
        wait_for(lambda: server.open_files() == before + 20, "its places")
    assert most <= before + 20 + 8 * workers
    wait_for(lambda: server.open_files() == before, "all are closed")
    assert not server.events("error", level="error")


@pytest.mark.spec("SES-45", "SRV-40", "SES-12")
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_who_was_refused_has_its_place_until_it_is_closed(lb, upstream,
                                                          version):
    """It neither reads nor ends; its line is written when it is refused."""
    server = lb.proxy(upstream(upstreams.echo), server={"max_handshakes": 3},
                      timeouts={"handshake": "30s"})
    before = server.open_files()
    context = server.context("unlisted", version)
    refused = []
    for number in range(1, 4):
        peer = TlsPeer(connect_from("127.0.0.2", server.address()), context)
        peer.handshake()
        server.wait_event("reject", count=number, reason="unknown_client")
        refused.append(peer)
    assert server.open_files() == before + 3
    silent = [Peer(connect_from("127.0.0.3", server.address()))
              for _ in range(2)]
    wait_for(lambda: server.open_files() == before + 3, "two of them end")
    with server.connect() as peer:
        talk(peer)
    # Nothing more is said of those that were refused already.
    reasons = collections.Counter(line["reason"]
                                  for line in server.events("reject"))
    assert reasons["unknown_client"] == 3
    assert reasons["handshake_evicted"] <= 1
    for peer in [*refused, *silent]:
        peer.close()
    wait_for(lambda: server.open_files() == before, "all are closed")


@pytest.mark.spec("SRV-40", "SRC-1")
def test_both_families_share_the_places(lb, upstream):
    up = upstream(upstreams.echo)
    server = lb.start([srv.app("four", [up]),
                       srv.app("six", [up], [f"[::1]:{srv.free_port()}"])],
                      server={"max_handshakes": 4})
    six = server.address("six")
    before = server.open_files()
    flood = [silent_from("::1", six) for _ in range(40)]
    wait_for(lambda: is_over(flood[0]), "the oldest is evicted")
    assert server.open_files() <= before + 4 + 8 * 2
    context = client_context(server.pki.ca, server.pki.of("alice"))
    slow = begin(server.address("four"), context)
    half_of_a_hello(slow)
    flood += [silent_from("::1", six) for _ in range(40)]
    wait_for(lambda: is_over(flood[40]), "the oldest of those is evicted")
    assert slow.handshake(), slow.describe()
    talk(slow)
    for line in server.events("reject", reason="handshake_evicted"):
        assert line["peer"].startswith(("[::1]:", "::/64")), line
    for peer in [slow, *flood]:
        peer.close()
