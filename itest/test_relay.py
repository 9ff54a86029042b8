"""Bytes and ends of stream through the proxy, in both directions."""

import hashlib
import random
import threading

import pytest

from harness import server as srv
from harness import upstreams
from harness.client import VERSIONS as CLIENTS
from harness.client import connect
from harness.peer import CHUNK
from harness.pieces import Trickle
from harness.ports import free_port
from harness.wait import SLOW, holds_for, wait_for

MIB = 1 << 20
VERSIONS = ["1.2", "1.3"]


@pytest.fixture(scope="module")
def noise():
    """64 MiB in which no two places look alike."""
    return random.Random(2).randbytes(64 * MIB)


@pytest.fixture(params=["tcp", "tls"])
def manual(request, pki, upstream):
    """An upstream that the test drives, and its table."""
    if request.param == "tcp":
        up = upstream()
        return up, {"url": up.url}
    context = upstreams.server_context(pki.of_upstream("loopback"))
    up = upstream(context=context)
    return up, {"url": up.url, "ca": pki.upstream_ca}


class Compare:
    """Takes the echoed parts and compares each at once."""

    def __init__(self, expected):
        self.expected = memoryview(expected)
        self.at = 0

    def __call__(self, part):
        end = self.at + len(part)
        assert part == self.expected[self.at:end], \
            f"bytes differ between {self.at} and {end}"
        self.at = end
        return end >= len(self.expected)


@pytest.mark.spec("FLW-1", "FLW-8", "SES-7", "SRV-16", "LOG-3")
@pytest.mark.parametrize("secure", [False, True], ids=["tcp", "tls"])
def test_echo_of_64_mib_both_ways_at_once(lb, pki, upstream, noise, secure):
    context = upstreams.server_context(
        pki.of_upstream("loopback")) if secure else None
    up = upstream(upstreams.echo, context=context)
    table = {"url": up.url, **({"ca": pki.upstream_ca} if secure else {})}
    server = lb.proxy(table)
    data = noise[:16 * MIB] if secure else noise
    with server.connect() as peer:
        compare = Compare(data)
        peer.exchange(data, compare, timeout=60 * SLOW)
        assert compare.at == len(data)
        peer.expect_end("clean")
        peer.shutdown_tcp()
        line = server.wait_event("session", reason="done")
    assert (line["bytes_up"], line["bytes_down"]) == (len(data), len(data))


@pytest.mark.workers
@pytest.mark.spec("FLW-1", "SRV-23", "APP-2")
def test_many_sessions_at_once(lb, upstream, noise):
    up = upstream(upstreams.echo)
    server = lb.proxy(up)
    context = server.context("alice", "1.3")
    errors = []

    def one(number):
        try:
            data = noise[number * 1000:number * 1000 + 100_000 + number]
            with connect(server.address(), context) as peer:
                compare = Compare(data)
                peer.exchange(data, compare, timeout=30 * SLOW)
                peer.expect_end("clean")
        except Exception as error:  # told to the test's own thread
            errors.append(error)

    threads = [threading.Thread(target=one, args=(i,)) for i in range(48)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60 * SLOW)
    assert not errors, errors[:3]
    server.wait_event("session", count=48, reason="done")
    assert up.accepted == 48


@pytest.mark.spec("FLW-1")
def test_tiny_and_odd_pieces_keep_their_order(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo))
    rng = random.Random(3)
    with server.connect() as peer:
        for size in [1, 2, 3, 16383, 16384, 16385, 65535, 65536, 65537]:
            data = rng.randbytes(size)
            peer.send(data)
            assert peer.recv_exactly(size) == data


@pytest.fixture
def trickle():
    """A maker of connections on which bytes come in small pieces."""
    made = []

    def make(*args):
        made.append(Trickle(*args))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.mark.spec("SRV-9", "SRV-14", "SRV-16", "FLW-1")
@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("version", VERSIONS)
def test_tls_in_pieces(lb, pki, upstream, trickle, version, size):
    """Handshakes, data and ends, with the client and with the upstream."""
    context = upstreams.server_context(pki.of_upstream("loopback"))
    context.minimum_version = context.maximum_version = CLIENTS[version]
    up = upstream(upstreams.echo, context=context)
    far = trickle((up.host, up.port), size)
    server = lb.proxy({"url": f"tls://127.0.0.1:{far.address[1]}",
                       "ca": pki.upstream_ca})
    near = trickle(server.address(), size)
    data = random.Random(size).randbytes(5000)
    with connect(near.address, server.context(version=version)) as peer:
        peer.send(data)
        assert peer.recv_exactly(len(data)) == data
        peer.finish()
        peer.expect_end("clean")
    assert server.wait_event("session")["reason"] == "done"
    for one in (near, far):
        assert one.pieces > 2 * len(data) // size


@pytest.mark.spec("SES-7", "FLW-4", "FLW-5", "SRV-16")
@pytest.mark.parametrize("version", VERSIONS)
def test_client_ends_first_and_reads_on(lb, manual, version):
    up, table = manual
    server = lb.proxy(table)
    with server.connect(version=version) as peer:
        far = up.accept()
        peer.send(b"all I have")
        peer.finish(fin=False)
        assert far.read_to_end() == b"all I have"
        assert far.ending == "clean"
        if hasattr(far, "tls"):
            assert far.wait_tcp_end() == "fin"
        far.send(b"the answer, " * 9000)
        assert peer.recv_exactly(12 * 9000) == b"the answer, " * 9000
        assert not server.events("session")
        far.finish()
        peer.expect_end("clean")
        assert peer.wait_tcp_end() == "fin"
        line = server.wait_event("session")
    assert line["reason"] == "done"
    assert (line["bytes_up"], line["bytes_down"]) == (10, 12 * 9000)


@pytest.mark.spec("SES-7", "FLW-4", "FLW-5", "SRV-16")
@pytest.mark.parametrize("version", VERSIONS)
def test_upstream_ends_first_and_reads_on(lb, manual, version):
    up, table = manual
    server = lb.proxy(table)
    with server.connect(version=version) as peer:
        far = up.accept()
        far.send(b"bye")
        far.finish()
        assert peer.recv_exactly(3) == b"bye"
        peer.expect_end("clean")
        peer.send(b"still here, " * 9000)
        assert far.recv_exactly(12 * 9000) == b"still here, " * 9000
        assert not server.events("session")
        peer.finish()
        far.expect_end("clean")
        line = server.wait_event("session")
    assert line["reason"] == "done"
    assert (line["bytes_up"], line["bytes_down"]) == (12 * 9000, 3)


@pytest.mark.spec("SES-8", "SRV-17")
@pytest.mark.parametrize("how", ["reset", "truncate", "close"])
def test_unclean_end_of_a_client_resets_the_upstream(lb, manual, how):
    up, table = manual
    server = lb.proxy(table)
    peer = server.connect()
    far = up.accept()
    peer.send(b"half a mess")
    assert far.recv_exactly(11) == b"half a mess"
    getattr(peer, how)()
    far.expect_end("reset")
    line = server.wait_event("session")
    peer.close()
    # Closed while there is something to read, it is a reset.
    assert line["reason"] in {
        "reset": ["client_reset"],
        "truncate": ["client_truncated"],
        "close": ["client_reset", "client_truncated"]}[how]
    assert line["bytes_up"] == 11


@pytest.mark.spec("SES-8", "SRV-17")
def test_reset_of_an_upstream_resets_the_client(lb, manual):
    up, table = manual
    server = lb.proxy(table)
    with server.connect() as peer:
        far = up.accept()
        far.send(b"half an ans")
        assert peer.recv_exactly(11) == b"half an ans"
        far.reset()
        peer.expect_end("reset")
    assert server.wait_event("session")["reason"] == "upstream_reset"


@pytest.mark.spec("SES-8", "SRV-17")
def test_truncated_tls_upstream_resets_the_client(lb, pki, upstream):
    up = upstream(
        context=upstreams.server_context(pki.of_upstream("loopback")))
    server = lb.proxy({"url": up.url, "ca": pki.upstream_ca})
    with server.connect() as peer:
        far = up.accept()
        far.send(b"half an ans")
        assert peer.recv_exactly(11) == b"half an ans"
        far.truncate()
        peer.expect_end("reset")
    assert server.wait_event("session")["reason"] == "upstream_truncated"


@pytest.mark.spec("SES-8", "SRV-17")
def test_reset_after_a_clean_end_is_still_a_reset(lb, manual):
    up, table = manual
    server = lb.proxy(table)
    with server.connect() as peer:
        far = up.accept()
        peer.finish(fin=False)
        far.expect_end("clean")
        far.send(b"partly")
        assert peer.recv_exactly(6) == b"partly"
        far.reset()
        peer.expect_end("reset")
    assert server.wait_event("session")["reason"] == "upstream_reset"


@pytest.mark.spec("SES-8", "SRV-17")
def test_resetting_upstream_at_the_first_byte(lb, upstream):
    server = lb.proxy(upstream(upstreams.resetting))
    for _ in range(5):
        with server.connect() as peer:
            peer.send(b"x")
            peer.expect_end("reset")
    server.wait_event("session", count=5, reason="upstream_reset")


@pytest.mark.spec("FLW-1", "SES-7")
def test_source_and_sink(lb, upstream, noise):
    data = noise[:4 * MIB]
    server = lb.start([
        srv.app("source", [upstream(upstreams.source(data))]),
        srv.app("sink", [upstream(upstreams.sink)])])
    with server.connect(name="source") as peer:
        assert peer.read_to_end() == data
        assert peer.ending == "clean"
        peer.finish()
    with server.connect(name="sink") as peer:
        peer.send(data)
        peer.finish()
        assert peer.read_to_end() == hashlib.sha256(data).digest()
        assert peer.ending == "clean"
    server.wait_event("session", count=2, reason="done")


LIMIT = 256 * MIB


def rss_bound(server, before):
    """A sanitizer build keeps freed memory, so only plain ones are held."""
    assert srv.sanitized() or server.rss() - before < 2 * MIB


@pytest.mark.spec("SRV-18", "FLW-2", "FLW-3")
def test_an_upstream_that_does_not_read_stops_the_client(lb, upstream):
    up = upstream(receive_buffer=8192)
    server = lb.proxy(up)
    with server.connect() as peer:
        far = up.accept()
        peer.send(b"x")
        far.recv_exactly(1)
        before = server.rss()
        taken = peer.send_until_blocked(bytes(65536), LIMIT, 0.2 * SLOW)
        assert taken < 64 * MIB, "the sender was never stopped"
        rss_bound(server, before)
        assert srv.cpu_share(server, 0.1) < 0.5, "the server spins"
        far.send(b"other way")
        assert peer.recv_exactly(9) == b"other way"
        reader = threading.Thread(target=far.recv_exactly,
                                  args=(taken, 30 * SLOW))
        reader.start()
        peer.send(b"", timeout=30 * SLOW)
        reader.join(30 * SLOW)
        assert not reader.is_alive()
        peer.send(b"last")
        assert far.recv_exactly(4) == b"last"


@pytest.mark.spec("SRV-18", "FLW-2", "FLW-3")
def test_a_client_that_does_not_read_stops_the_upstream(lb, upstream):
    up = upstream()
    server = lb.proxy(up)
    with server.connect(receive_buffer=8192) as peer:
        far = up.accept()
        far.send(b"x")
        peer.recv_exactly(1)
        before = server.rss()
        taken = far.send_until_blocked(bytes(65536), LIMIT, 0.2 * SLOW)
        assert taken < 64 * MIB, "the sender was never stopped"
        rss_bound(server, before)
        assert srv.cpu_share(server, 0.1) < 0.5, "the server spins"
        peer.send(b"other way")
        assert far.recv_exactly(9) == b"other way"
        reader = threading.Thread(target=peer.recv_exactly,
                                  args=(taken, 30 * SLOW))
        reader.start()
        far.send(b"", timeout=30 * SLOW)
        reader.join(30 * SLOW)
        assert not reader.is_alive()


@pytest.mark.spec("SRV-18", "SES-6")
def test_a_stalled_session_harms_no_other(lb, upstream):
    stalled, fine = upstream(receive_buffer=8192), upstream(upstreams.echo)
    server = lb.start([srv.app("stalled", [stalled]),
                       srv.app("fine", [fine])], server={"workers": 1})
    with server.connect(name="stalled") as slow:
        stalled.accept()
        slow.send_until_blocked(bytes(65536), LIMIT, 0.1 * SLOW)
        for _ in range(3):
            with server.connect(name="fine") as peer:
                peer.send(b"quick")
                assert peer.recv_exactly(5) == b"quick"


@pytest.mark.spec("SRV-19", "FLW-6")
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_idle_sessions_hold_no_rings(lb, upstream, version):
    """Neither rings nor TLS buffers: after a burst a session is as small as
    one that carried a byte."""
    server = lb.proxy(upstream(upstreams.echo), server={"workers": 1})
    context = server.context("alice", version)
    burst = bytes(200_000)
    peers = []

    def grown(sessions, data):
        before = server.rss()
        for _ in range(sessions):
            peers.append(connect(server.address(), context))
            peers[-1].exchange(data, Count(len(data)), finish=False)
        return (server.rss() - before) / sessions

    try:
        grown(20, burst)
        idle = grown(80, b"x")
        after = grown(80, burst)
        assert srv.sanitized() or (idle < 60_000 and after < idle + 8_000), \
            f"{idle:.0f} bytes each without, {after:.0f} after a burst"
    finally:
        for peer in peers:
            peer.close()


@pytest.mark.spec("SRV-19")
def test_a_ticket_leaves_no_buffer(lb, upstream):
    """A session of TLS 1.3, with its ticket, is about as small as one of 1.2,
    which has none."""
    server = lb.proxy(upstream(upstreams.echo), server={"workers": 1})
    peers = []

    def grown(version, sessions):
        before = server.rss()
        for _ in range(sessions):
            peers.append(connect(server.address(),
                                 server.context("alice", version)))
            peers[-1].send(b"x")
            peers[-1].recv_exactly(1)
        return (server.rss() - before) / sessions

    try:
        grown("1.3", 20)
        without, with_ticket = grown("1.2", 80), grown("1.3", 80)
        assert srv.sanitized() or with_ticket < without + 3_000
    finally:
        for peer in peers:
            peer.close()


class Count:
    def __init__(self, expected):
        self.left = expected

    def __call__(self, part):
        self.left -= len(part)
        return self.left <= 0


@pytest.mark.spec("SES-12")
def test_a_session_ends_although_its_client_never_answers(lb, upstream):
    """After the clean end of both, a client that keeps TCP open is left."""
    up = upstream()
    server = lb.proxy(up)
    before = server.open_files()
    with server.connect() as peer:
        far = up.accept()
        peer.finish(fin=False)
        far.expect_end("clean")
        far.finish()
        peer.expect_end("clean")
        wait_for(lambda: server.open_files() <= before,
                 "the descriptors of the session", 4 * SLOW)
        assert server.wait_event("session")["reason"] == "done"


@pytest.mark.spec("FLW-1", "FLW-4")
def test_data_right_before_the_end_arrives(lb, manual):
    up, table = manual
    server = lb.proxy(table)
    for size in (1, 65536, 300_000):
        with server.connect() as peer:
            far = up.accept()
            far.send(b"z" * size)
            far.finish()
            assert len(peer.read_to_end()) == size
            assert peer.ending == "clean"
            peer.finish()
            far.expect_end("clean")


@pytest.mark.spec("SRV-29")
def test_ipv6_and_names(lb, upstream):
    six = upstream(upstreams.echo, host="::1")
    four = upstream(upstreams.echo)
    port = free_port("::1")
    server = lb.start([
        srv.app("six", [six], listen=[f"[::1]:{port}"]),
        srv.app("name", [f"tcp://localhost:{four.port}"]),
    ])
    for name in ("six", "name"):
        with server.connect(name=name) as peer:
            peer.send(b"hello")
            assert peer.recv_exactly(5) == b"hello"
            peer.finish()
            peer.expect_end("clean")
    line = server.wait_event("session", app="six")
    assert line["peer"].startswith("[::1]:"), line
    assert f"[::1]:{six.port}" in line["upstream"], line


@pytest.mark.spec("SRV-15")
def test_a_name_with_two_addresses_is_tried_in_turn(lb, upstream):
    """Where localhost is ::1 as well, nobody listens there."""
    four = upstream(upstreams.name_server("4"))
    server = lb.proxy(f"tcp://localhost:{four.port}")
    with server.connect() as peer:
        assert peer.recv_exactly(1) == b"4"


@pytest.mark.spec("SRV-29")
def test_a_wildcard_of_ipv6_is_ipv6_only(lb, upstream):
    up = upstream(upstreams.echo)
    port = free_port()
    server = lb.start(srv.app("echo", [up], listen=[f"[::]:{port}",
                                                    f"0.0.0.0:{port}"]))
    for host in ("::1", "127.0.0.1"):
        peer = connect((host, port), server.context())
        with peer:
            peer.send(b"x")
            assert peer.recv_exactly(1) == b"x"


@pytest.mark.spec("APP-1", "SRV-6", "LOG-3")
def test_several_apps_and_listeners(lb, upstream):
    ups = [upstream(upstreams.name_server(name)) for name in "AB"]
    apps = [srv.app(name, [up], listen=[
        f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"])
        for name, up in zip("AB", ups)]
    server = lb.start(apps)
    for name in "AB":
        for index in (0, 1):
            with server.connect(name=name, index=index) as peer:
                assert peer.recv_exactly(1) == name.encode()
                peer.finish()
                peer.expect_end("clean")
    server.wait_event("session", count=2, app="A", client="alice")
    server.wait_event("session", count=2, app="B", client="alice")
    listening = str(server.events("ready")[0])
    for table in apps:
        for address in table["listen"]:
            assert address in listening


@pytest.mark.spec("SES-14", "SRV-18")
def test_an_idle_server_does_not_spin(lb, upstream):
    up = upstream(upstreams.echo)
    server = lb.proxy(up)
    peers = [server.connect() for _ in range(4)]
    up.wait_accepted(4)
    peers[0].finish(fin=False)
    peers[0].expect_end("clean")
    assert srv.cpu_share(server, 0.3) < 0.2
    holds_for(lambda: server.process.poll() is None, "it runs", 0.01)
    for peer in peers:
        peer.close()


@pytest.mark.spec("SES-1", "SES-7", "FLW-1", "FLW-4")
@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_may_send_and_end_before_the_dial(lb, upstream, noise,
                                                   version):
    """As `openssl s_client < file` does; the first dial takes its time."""
    data = noise[:300_000]
    with upstreams.FullBacklog() as full:
        server = lb.proxy(full.url, upstream(upstreams.echo),
                          timeouts={"connect": "300ms"})
        with server.connect(version=version) as peer:
            compare = Compare(data)
            peer.exchange(data, compare, timeout=20 * SLOW)
            assert compare.at == len(data)
            peer.expect_end("clean")
    assert server.wait_event("session")["reason"] == "done"


@pytest.mark.spec("SES-7", "FLW-4", "SRV-18")
def test_a_slow_reader_gets_all_before_the_end(lb, upstream, noise):
    data = noise[:6 * MIB]
    server = lb.proxy(upstream(upstreams.source(data)))
    with server.connect(receive_buffer=8192) as peer:
        got = bytearray()
        while part := peer.recv(size=CHUNK, timeout=20 * SLOW):
            got += part
        assert peer.ending == "clean"
        assert got == data


@pytest.mark.workers
@pytest.mark.spec("SRV-20", "SRV-22", "SRV-23", "POL-2")
def test_as_many_clients_as_max_connections_says(lb, upstream):
    up = upstream(upstreams.echo)
    server = lb.proxy(up, server={"max_connections": 400})
    context = server.context("alice", "1.3")
    peers = []
    try:
        for number in range(400):
            peers.append(connect(server.address(), context))
            peers[-1].send(b"%4d" % number)
        for number, peer in enumerate(peers):
            assert peer.recv_exactly(4) == b"%4d" % number
        assert up.accepted == 400
        assert not server.events("reject")
    finally:
        for peer in peers:
            peer.close()
    server.wait_event("session", count=400)
