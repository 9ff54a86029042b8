"""PROXY headers of balancers in front: who they are believed from, and what
of them."""

import copy
import time

import pytest

from harness import client, proxy, server as srv, upstreams
from harness.proxy import ProxyUpstream
from harness.wait import SLOW, wait_for

SOURCE, SOURCE6 = ("192.0.2.7", 1234), ("2001:db8::7", 1234)
OWN, OWN6 = ("198.51.100.1", 443), ("2001:db8::1", 443)
SHOWN, SHOWN6 = "192.0.2.7:1234", "[2001:db8::7]:1234"
PATIENT = {"handshake": "30s"}


def start(lb, up, networks=("127.0.0.0/8",), listen=None, **sections):
    keys = sections.pop("keys", {})
    return lb.start(srv.app("echo", [up.url], listen,
                            accept_proxy=list(networks), **keys), **sections)


def begin(server, header=b"", who="alice", **options):
    """A client whose bytes a header precedes; before its handshake."""
    peer = client.begin(server.address(), server.context(who), **options)
    if header:
        peer.sock.setblocking(True)
        peer.sock.sendall(header)
        peer.sock.setblocking(False)
    return peer


def exchange(peer):
    assert peer.handshake(), peer.describe()
    peer.send(b"hello")
    assert peer.recv_exactly(5) == b"hello"
    peer.finish()
    peer.expect_end("clean")


def ended(peer):
    """The server ends, or breaks off, and has sent nothing."""
    peer.sock.setblocking(True)
    try:
        assert peer.sock.recv(1) == b"", "a byte in return"
    except ConnectionResetError:
        pass


GOOD = {
    "v1": (proxy.line(SOURCE, OWN), SHOWN),
    "v1-6": (proxy.line(SOURCE6, OWN6, "TCP6"), SHOWN6),
    "v1-mapped": (proxy.line(("::ffff:192.0.2.7", 1234), OWN6, "TCP6"),
                  SHOWN),
    "v2": (proxy.header(SOURCE, OWN), SHOWN),
    "v2-6": (proxy.header(SOURCE6, OWN6), SHOWN6),
    "v2-sum": (proxy.header(SOURCE, OWN, checksum=True,
                            values=proxy.value(proxy.NOOP, b"x" * 9)), SHOWN),
    "v2-longest": (proxy.header(SOURCE, OWN, values=proxy.value(
        proxy.NOOP, b"x" * (1024 - 16 - 12 - 3))), SHOWN),
    "unknown": (b"PROXY UNKNOWN\r\n", None),
    "local": (proxy.header(command=proxy.LOCAL), None),
    "unspec": (proxy.header(), None),
    "udp": (proxy.header(SOURCE, OWN, family=0x12), None),
    "unix": (proxy.header(family=0x31, values=b"/" * 216), None),
}
BAD = {
    "nothing-of-it": b"GET / HTTP/1.0\r\n\r\n",
    "case": b"proxy TCP4 192.0.2.7 198.51.100.1 1234 443\r\n",
    "tcp5": proxy.line(SOURCE, OWN, "TCP5"),
    "spaces": b"PROXY TCP4 192.0.2.7  198.51.100.1 1234 443\r\n",
    "zeros": b"PROXY TCP4 192.0.2.07 198.51.100.1 1234 443\r\n",
    "port": b"PROXY TCP4 192.0.2.7 198.51.100.1 1234 65536\r\n",
    "long-line": b"PROXY UNKNOWN " + b"x" * 100,
    "sum": proxy.header(SOURCE, OWN, checksum=True)[:-1] + b"?",
    "too-long": proxy.header(SOURCE, OWN, values=proxy.value(
        proxy.NOOP, b"x" * (1024 - 16 - 12 - 2))),
    "huge": proxy.SIGNATURE + b"\x21\x11\xff\xff" + b"x" * 70_000,
    "version": proxy.SIGNATURE + b"\x31\x11\x00\x0c" + b"x" * 12,
    "command": proxy.SIGNATURE + b"\x22\x11\x00\x0c" + b"x" * 12,
    "family": proxy.SIGNATURE + b"\x21\x14\x00\x0c" + b"x" * 12,
    "short": proxy.SIGNATURE + b"\x21\x11\x00\x0b" + b"x" * 11,
    "value": proxy.header(SOURCE, OWN, values=b"\1\0\5h2"),
}


@pytest.mark.spec("PRX-30", "PRX-32")
@pytest.mark.parametrize("name", GOOD)
def test_the_source_of_a_header_is_the_peer(lb, upstream, name):
    header, shown = GOOD[name]
    server = start(lb, upstream(upstreams.echo))
    with begin(server, header) as peer:
        exchange(peer)
        own = peer.local
    line = server.wait_event("session", reason="done")
    assert line["peer"] == (shown or own)


@pytest.mark.spec("PRX-31")
@pytest.mark.parametrize("name", BAD)
def test_what_is_no_header_ends_it(lb, upstream, name):
    up = upstream(upstreams.echo)
    server = start(lb, up)
    with begin(server) as peer:
        own = peer.local
        peer.sock.setblocking(True)
        try:
            peer.sock.sendall(BAD[name])
        except (BrokenPipeError, ConnectionResetError):
            pass
        ended(peer)
    line = server.wait_event("reject", reason="bad_proxy_header")
    assert line["peer"] == own
    assert "PROXY" in line["detail"]
    assert up.accepted == 0


@pytest.mark.spec("PRX-31")
def test_tls_at_once_is_no_header(lb, upstream):
    server = start(lb, upstream(upstreams.echo))
    with begin(server) as peer:
        assert not peer.handshake()
    server.wait_event("reject", reason="bad_proxy_header")


@pytest.mark.spec("PRX-31")
@pytest.mark.parametrize("part", [b"", b"PROXY TCP4 192.0.2.7",
                                  proxy.header(SOURCE, OWN)[:20]])
@pytest.mark.parametrize("end", ["fin", "reset"])
def test_a_balancer_that_leaves(lb, upstream, part, end):
    """A balancer's own check, too: that is nobody's fault."""
    server = start(lb, upstream(upstreams.echo))
    peer = begin(server, part)
    if end == "fin":
        peer.shutdown_tcp()
    else:
        peer.reset()
    line = server.wait_event("reject")
    assert line["reason"] == "handshake_failed"
    assert "PROXY" in line["detail"]
    peer.close()


@pytest.mark.spec("PRX-30")
def test_from_others_no_header_is_looked_for(lb, upstream):
    up = upstream(upstreams.echo)
    server = start(lb, up, ["127.0.0.2", "10.0.0.0/8", "::/0"])
    with begin(server) as peer:
        exchange(peer)
    with begin(server, proxy.line(SOURCE, OWN)) as peer:
        assert not peer.handshake()
    line = server.wait_event("reject", reason="handshake_failed")
    assert line["peer"].startswith("127.0.0.1:")
    with begin(server, proxy.line(SOURCE, OWN),
               source=("127.0.0.2", 0)) as peer:
        exchange(peer)
    server.wait_event("session", peer=SHOWN)


@pytest.mark.spec("PRX-30")
def test_over_ipv6(lb, upstream):
    server = start(lb, upstream(upstreams.echo), ["::/0"],
                   ["[::1]:%d" % srv.free_port("::1")])
    with begin(server, proxy.header(SOURCE, OWN)) as peer:
        exchange(peer)
    server.wait_event("session", peer=SHOWN)


@pytest.mark.spec("PRX-34")
@pytest.mark.parametrize("header", [proxy.line(SOURCE, OWN),
                                    proxy.header(SOURCE, OWN)])
def test_byte_by_byte(lb, upstream, header):
    server = start(lb, upstream(upstreams.echo), timeouts=PATIENT)
    peer = begin(server)
    for at in range(len(header)):
        peer.sock.send(header[at:at + 1])
        # Not a wait for something: the next byte is to come by itself.
        time.sleep(0.002)
    with peer:
        exchange(peer)
    server.wait_event("session", peer=SHOWN)


@pytest.mark.spec("PRX-34", "SES-30")
def test_a_pause_in_the_middle(lb, upstream):
    """After so many pieces the server looks by itself, at nothing new."""
    server = start(lb, upstream(upstreams.echo), timeouts=PATIENT)
    header = proxy.line(SOURCE, OWN)
    peer = begin(server)
    for at in range(36):
        peer.sock.send(header[at:at + 1])
        time.sleep(0.002)
    # Not a wait for something: it looks, and nothing comes.
    time.sleep(0.2)
    peer.sock.send(header[36:])
    with peer:
        exchange(peer)
    server.wait_event("session", peer=SHOWN)


@pytest.mark.spec("PRX-34")
@pytest.mark.parametrize("part", [b"", b"P", b"PROXY UNKNOWN", b"\r\n\r\n",
                                  proxy.header(SOURCE, OWN)[:-1]])
def test_a_header_has_the_handshake_s_time(lb, upstream, part):
    server = start(lb, upstream(upstreams.echo),
                   timeouts={"handshake": "300ms"})
    begun = time.monotonic()
    with begin(server, part) as peer:
        ended(peer)
    assert 0.29 < time.monotonic() - begun < 2 * SLOW
    line = server.wait_event("reject", reason="handshake_timeout")
    assert line["peer"].startswith("127.0.0.1:")


@pytest.mark.spec("PRX-34")
def test_the_header_s_time_is_the_handshake_s(lb, upstream):
    """A header at the last moment leaves no more for the handshake."""
    server = start(lb, upstream(upstreams.echo),
                   timeouts={"handshake": "600ms"})
    begun = time.monotonic()
    with begin(server, b"PROXY ") as peer:
        time.sleep(0.3)
        peer.sock.send(b"TCP4 192.0.2.7 198.51.100.1 1234 443\r\n")
        ended(peer)
    assert 0.59 < time.monotonic() - begun < 2 * SLOW
    server.wait_event("reject", reason="handshake_timeout", peer=SHOWN)


@pytest.mark.spec("PRX-34")
def test_headers_that_never_come_cost_little(lb, upstream):
    """One byte at a time from many: most of the time the server sleeps."""
    server = start(lb, upstream(upstreams.echo), timeouts=PATIENT)
    peers = [begin(server, b"PROXY UNKNOWN ") for _ in range(20)]
    before, began = server.cpu_seconds(), time.monotonic()
    for _ in range(90):
        for peer in peers:
            peer.sock.send(b"x")
        time.sleep(0.005)
    share = (server.cpu_seconds() - before) / (time.monotonic() - began)
    assert share < 0.3 * SLOW, share
    for peer in peers:
        peer.close()


def silent(server, source, count):
    """Clients of one source that have sent a header and nothing else."""
    header = proxy.line((source, 1234), OWN)
    return [begin(server, header) for _ in range(count)]


def until_gone(peers):
    """How many of them have been ended."""
    return sum(not peer.silent() for peer in peers)


@pytest.mark.spec("PRX-32")
def test_the_shares_are_those_of_the_sources(lb, upstream):
    """All come from one balancer; the flood's source loses its own places."""
    server = start(lb, upstream(upstreams.echo), timeouts=PATIENT,
                   server={"max_handshakes": 8})
    honest = silent(server, "192.0.2.1", 1)
    flood = []
    # Each must be known as a source of its own before the next one.
    for _ in range(12):
        flood += silent(server, "192.0.2.66", 1)
        time.sleep(0.02 * SLOW)
    wait_for(lambda: until_gone(flood) >= 5, "evicted ones of the flood")
    server.wait_event("reject", reason="handshake_evicted",
                      peer="192.0.2.66:1234")
    assert not server.events("reject", peer="192.0.2.1:1234")
    with honest[0] as peer:
        exchange(peer)
    server.wait_event("session", peer="192.0.2.1:1234")
    for peer in flood:
        peer.close()


@pytest.mark.spec("PRX-33")
def test_nobody_loses_a_place_for_a_header(lb, upstream):
    """As many as there are places: each header only moves one of them."""
    server = start(lb, upstream(upstreams.echo), timeouts=PATIENT,
                   server={"max_handshakes": 6})
    peers = [begin(server) for _ in range(6)]
    for number, peer in enumerate(peers):
        peer.sock.send(proxy.line((f"192.0.2.{number}", 1234), OWN))
    for peer in peers:
        with peer:
            exchange(peer)
    server.wait_event("session", count=6)
    assert not server.events("reject")


@pytest.mark.spec("PRX-32")
def test_lines_about_strangers_are_counted_by_source(lb, upstream):
    server = start(lb, upstream(upstreams.echo))
    for number in range(15):
        with begin(server, proxy.line((f"192.0.2.{number}", 9), OWN),
                   who=None) as peer:
            if peer.handshake():
                peer.recv()
    server.wait_event("reject", count=15, reason="no_certificate")
    assert {line["peer"] for line in server.events("reject")} == {
        f"192.0.2.{number}:9" for number in range(15)}


@pytest.mark.spec("PRX-21")
@pytest.mark.parametrize("source,own", [(SOURCE, OWN), (SOURCE6, OWN6)])
def test_a_header_is_passed_on(lb, source, own):
    up = ProxyUpstream(upstreams.echo)
    server = start(lb, up, keys={"proxy_protocol": True})
    with begin(server, proxy.header(source, own)) as peer:
        exchange(peer)
    shown = "[%s]:%d" if ":" in source[0] else "%s:%d"
    assert up.headers[0].source == shown % source
    assert up.headers[0].destination == shown % own
    up.stop()
    assert not up.bad


@pytest.mark.spec("PRX-30", "PRX-20")
def test_one_server_in_front_of_another(lb, pki, upstream):
    """What is written is read: the second one has it from the first."""
    up = upstream(upstreams.echo)
    second = start(lb, up)
    first = lb.start(srv.app(
        "echo", [f"tcp://127.0.0.1:{second.address()[1]}"],
        proxy_protocol=True))
    # A client's TLS for the second, within what the first one carries.
    outer = first.connect()
    inner = client.TlsPeer(outer.sock, second.context(), name="localhost")
    hello = None
    try:
        inner.tls.do_handshake()
    except client.ssl.SSLWantReadError:
        hello = inner._out.read()
    outer.send(hello)
    assert outer.recv(5)[0] == 0x16, "no ServerHello"
    own = outer.local
    outer.reset()
    line = second.wait_event("reject", reason="handshake_failed")
    assert line["peer"] == own


@pytest.mark.spec("PRX-30", "RLD-1")
def test_a_reload_changes_who_is_believed(lb, upstream):
    server = start(lb, upstream(upstreams.echo))
    waiting = begin(server)
    # Connections are accepted in their order.
    with begin(server, b"PROXY UNKNOWN\r\n") as peer:
        exchange(peer)
    tree = copy.deepcopy(server.tree)
    tree["app"][0]["accept_proxy"] = ["10.0.0.0/8"]
    server.reload(tree)
    with begin(server) as peer:
        exchange(peer)
    # It was accepted before: its header comes first all the same.
    waiting.sock.send(proxy.line(SOURCE, OWN))
    with waiting:
        exchange(waiting)
    server.wait_event("session", peer=SHOWN)
    tree["app"][0]["accept_proxy"] = ["127.0.0.1"]
    server.reload(copy.deepcopy(tree))
    with begin(server, proxy.line(SOURCE6, OWN6, "TCP6")) as peer:
        exchange(peer)
    server.wait_event("session", peer=SHOWN6)
