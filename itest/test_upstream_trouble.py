"""What is the upstream's fault, what is ours, and what the log says of it."""

import contextlib
import socket
import struct

import pytest

from harness import network
from harness import upstreams
from harness.ports import free_port
from harness.wait import BOUND, wait_for

QUICK = {"interval": "100ms", "timeout": "500ms", "rise": 2, "fall": 2}
ONCE = {"interval": "1h", "timeout": "1s", "rise": 1, "fall": 1}
PORT = 45678
RESET = struct.pack("ii", 1, 0)


@pytest.fixture
def own_network():
    with network.own_network():
        yield


def one_port_left():
    network.set_outgoing_ports(PORT, PORT)


@contextlib.contextmanager
def no_port_left_to(up):
    """One port is left, and a connection to this upstream has it."""
    one_port_left()
    family = socket.AF_INET6 if ":" in up.host else socket.AF_INET
    with socket.socket(family) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        sock.connect((up.host, up.port))
        yield


def ask(server, **options):
    """What a session gets: an upstream's name, or nothing and an end."""
    with server.connect(source=own_port(), **options) as peer:
        data = peer.recv(timeout=BOUND)
        return data.decode() if data else peer.ending


def own_port():
    """For a client's end: not one of those that the server may need."""
    return "127.0.0.1", free_port()


def session(server, count=1):
    return server.wait_event("session", count=count)


@pytest.mark.spec("SRV-90", "SES-28", "SRV-97", "LOG-8")
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_no_port_left_is_not_the_upstream_s_fault(lb, own_network, upstream,
                                                  host):
    up = upstream(upstreams.name_server("a"), host=host)
    with no_port_left_to(up):
        server = lb.proxy(up, health={**ONCE, "interval": "20ms"})
        line = server.wait_event("error", level="error")
        assert line["message"] in ("cannot check", "cannot dial")
        assert line["cause"] == "Cannot assign requested address"
        assert ask(server) == "reset"
        assert session(server)["reason"] == "internal"
        assert session(server)["cause"] == line["cause"]
    network.set_outgoing_ports(PORT, PORT + 100)
    wait_for(lambda: ask(server) == "a", "it goes on")
    assert not server.events("upstream_down")


@pytest.mark.spec("SRV-90", "SES-28")
def test_no_port_left_to_one_upstream_leads_to_the_next(lb, own_network,
                                                        upstream):
    first, second = (upstream(upstreams.name_server(name)) for name in "ab")
    server = lb.proxy(first, second, health=ONCE)
    first.wait_accepted(1)
    with no_port_left_to(first):
        for _ in range(4):
            assert ask(server) == "b"
    assert server.wait_event("error")["message"] == "cannot dial"
    assert {line["reason"] for line in server.events("session")} <= {
        "done", "client_reset"}
    assert not server.events("upstream_down")


@pytest.mark.spec("SRV-91", "SRV-97")
@pytest.mark.parametrize("url", ["tcp://127.0.0.1", "tcp://[::1]",
                                 "tcp://0.0.0.0", "tls://127.0.0.1"])
def test_a_connection_to_itself_is_none(lb, pki, own_network, url):
    table = {"url": f"{url}:{PORT}"}
    if url.startswith("tls"):
        table["ca"] = pki.upstream_ca
    one_port_left()
    server = lb.proxy(table)
    with server.connect(source=own_port()) as peer:
        peer.send(b"mine")
        peer.expect_end("clean")
    assert session(server)["reason"] == "no_upstream"
    assert session(server)["cause"] == "connected to itself"
    # The port is not kept from who wants to listen there.
    host = url.split("//")[1].strip("[]")
    upstreams.Upstream(host=host, port=PORT).stop()


@pytest.mark.spec("SRV-91", "SRV-97", "SRV-28")
def test_a_check_that_connects_to_itself_fails(lb, own_network):
    one_port_left()
    server = lb.proxy(f"tcp://127.0.0.1:{PORT}", health=QUICK)
    line = server.wait_event("upstream_down")
    assert line["cause"] == "connected to itself"
    assert not server.events("upstream_up")
