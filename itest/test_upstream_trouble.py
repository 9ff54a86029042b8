"""What is the upstream's fault, what is ours, and what the log says of it."""

import contextlib
import re
import socket
import struct

import pytest

from harness import network
from harness import upstreams
from harness.client import VERSIONS
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


@pytest.mark.spec("SRV-90", "SES-28", "SRV-97", "LOG-8", "SRV-109", "SRV-110",
                  "SRV-113", "SRV-118", "SES-46")
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


@pytest.mark.spec("SRV-90", "SES-28", "SRV-109", "SRV-110")
def test_no_port_left_to_one_upstream_leads_to_the_next(lb, own_network,
                                                        upstream):
    first, second = (upstream(upstreams.name_server(name)) for name in "ab")
    server = lb.proxy(first, second, health=ONCE)
    first.wait_accepted(1)
    with no_port_left_to(first):
        for _ in range(4):
            assert ask(server) == "b"
    assert server.wait_event(
        "error", level="error")["message"] == "cannot dial"
    assert not server.events("session", reason="internal")
    assert not server.events("upstream_down")


@pytest.mark.spec("SRV-91")
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


# Why an upstream is down, and what a check finds out.

def tls_upstream(pki, upstream, name="loopback", version=None, **options):
    client_ca = options.pop("client_ca", None)
    context = upstreams.server_context(pki.of_upstream(name), client_ca)
    if version:
        context.minimum_version = VERSIONS[version]
        context.maximum_version = VERSIONS[version]
    return upstream(context=context, **options)


def table(pki, up, **keys):
    return {"url": f"tls://{up.address}", "ca": pki.upstream_ca, **keys}


@pytest.fixture
def faulty(pki, upstream):
    """An upstream with a fault, by name: its table."""
    with contextlib.ExitStack() as stack:
        def make(fault):
            if fault == "refused":
                up = upstream()
                up.stop()
                return up.url
            if fault == "silent":
                return stack.enter_context(upstreams.FullBacklog()).url
            if fault == "hanging":
                return table(pki, upstream())
            if fault == "reset":
                return table(pki, upstream(upstreams.resetting))
            if fault == "ended":
                return table(pki, upstream(upstreams.source(b"")))
            if fault == "plain":
                return table(pki, upstream(upstreams.name_server("220 x\r\n")))
            if fault == "name":
                return table(pki, tls_upstream(pki, upstream, "db"),
                             server_name="other.internal")
            if fault == "address":
                return table(pki, tls_upstream(pki, upstream, "db"))
            if fault == "expired":
                return table(pki, tls_upstream(pki, upstream, "outdated"))
            if fault == "ca":
                return table(pki, tls_upstream(pki, upstream),
                             ca=pki.other_ca)
            if fault.startswith("outdated"):
                pem, key = pki.of_upstream("outdated-proxy")
                return table(pki, tls_upstream(
                    pki, upstream, version=fault[-3:],
                    client_ca=pki.upstream_ca),
                    certificate=pem, private_key=key)
            assert fault.startswith("alert"), fault
            return table(pki, tls_upstream(
                pki, upstream, version=fault[-3:],
                client_ca=pki.upstream_ca))
        yield make


CAUSES = [
    ("refused", "Connection refused"),
    ("silent", "timed out"),
    ("hanging", "timed out in the TLS handshake"),
    ("reset", "reset"),
    ("ended", "closed"),
    ("plain", "wrong version number"),
    ("name", "hostname mismatch"),
    ("address", "IP address mismatch"),
    ("expired", "certificate has expired"),
    ("ca", "unable to get local issuer certificate"),
    ("alert 1.2", "alert handshake failure"),
    ("outdated 1.2", "alert certificate expired"),
]
# Of these a session hears when its dial is done.
LATE = [
    ("alert 1.3", "alert certificate required"),
    ("outdated 1.3", "alert certificate expired"),
]


@pytest.mark.spec("SRV-97", "SRV-28", "SRV-27", "SRV-14")
@pytest.mark.parametrize("fault,cause", [*CAUSES, *LATE])
def test_an_upstream_that_goes_down_has_a_cause(lb, faulty, fault, cause):
    server = lb.proxy(faulty(fault), health=QUICK)
    line = server.wait_event("upstream_down")
    assert re.search(cause, line["cause"]), line
    assert not server.events("upstream_up")


@pytest.mark.spec("SRV-118")
@pytest.mark.parametrize("fault,cause", CAUSES)
def test_a_session_without_an_upstream_has_a_cause(lb, faulty, fault, cause):
    server = lb.proxy(faulty(fault), timeouts={"connect": "300ms"})
    with server.connect() as peer:
        peer.expect_end("clean")
    line = session(server)
    assert line["reason"] == "no_upstream"
    assert re.search(cause, line["cause"]), line


@pytest.mark.spec("SRV-97", "SRV-28", "SRV-118")
def test_an_upstream_that_comes_up_has_a_cause(lb, upstream):
    up = upstream()
    server = lb.proxy(up, health=QUICK)
    up.stop()
    server.wait_event("upstream_down")
    with server.connect() as peer:
        peer.expect_end("clean")
    assert session(server)["cause"] == "no upstream is eligible"
    up.start()
    assert server.wait_event("upstream_up")["cause"]


@pytest.mark.spec("SRV-117")
def test_a_check_sees_a_reset_that_follows_the_connect(lb, upstream):
    server = lb.proxy(upstream(lambda peer: peer.reset()), health=QUICK)
    assert "reset" in server.wait_event("upstream_down")["cause"]


@pytest.mark.spec("SRV-96", "SRV-117")
@pytest.mark.parametrize("handler", [None, upstreams.name_server("a"),
                                     upstreams.source(b"")])
@pytest.mark.parametrize("tls", [False, True])
def test_a_check_is_content_with_silence_bytes_and_ends(lb, pki, upstream,
                                                        handler, tls):
    context = tls and upstreams.server_context(pki.of_upstream("loopback"))
    up = upstream(handler, context=context or None)
    one = table(pki, up) if tls else up
    server = lb.proxy(one, health={**QUICK, "fall": 1})
    up.wait_accepted(4)
    assert not server.events("upstream_down")


@pytest.mark.spec("SRV-96", "SRV-14", "SRV-117")
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_check_with_the_certificate_that_is_wanted(lb, pki, upstream,
                                                     version):
    up = tls_upstream(pki, upstream, version=version,
                      client_ca=pki.upstream_ca)
    pem, key = pki.of_upstream("proxy")
    server = lb.proxy(table(pki, up, certificate=pem, private_key=key),
                      health={**QUICK, "fall": 1})
    wait_for(lambda: len(up.peers) >= 4, "four checks")
    assert not server.events("upstream_down")


# An upstream that breaks off before its first byte. [SES-29]

def served(server, count):
    """How many of so many clients an upstream answers."""
    answers = []
    for number in range(1, count + 1):
        with server.connect() as peer:
            peer.send(b"hello")
            answers.append(peer.recv(timeout=BOUND))
        server.wait_event("session", count=number)
    return sum(bool(answer) for answer in answers)


@pytest.mark.spec("SES-29", "HLT-2", "HLT-3", "SRV-97", "SES-47")
@pytest.mark.parametrize("tls", [None, "1.2", "1.3"])
def test_an_upstream_that_resets_at_once_is_left_out(lb, pki, upstream, tls):
    def bad(peer):
        peer.reset()

    good = upstream(upstreams.echo)
    one = (table(pki, tls_upstream(pki, upstream, handler=bad, version=tls))
           if tls else upstream(bad))
    server = lb.proxy(one, good, health={**ONCE, "fall": 3})
    # The check of the start may be one of the three failures.
    assert served(server, 20) >= 17
    line = server.wait_event("upstream_down")
    assert str(good.port) not in line["upstream"]
    assert line["cause"]
    assert len(server.events("upstream_down")) == 1


@pytest.mark.spec("SES-29", "HLT-2", "SES-47")
@pytest.mark.parametrize("fault,cause", LATE)
def test_a_refused_certificate_is_found_out_by_sessions(lb, faulty, upstream,
                                                        fault, cause):
    """TLS 1.3: the alert comes when the dial is done."""
    good = upstream(upstreams.echo)
    server = lb.proxy(faulty(fault), good, health={
        **ONCE, "fall": 3, "timeout": "1ms"})
    assert served(server, 20) >= 17
    line = server.wait_event("upstream_down")
    assert line["upstream"].startswith("tls://")
    assert cause in line["cause"], line


@pytest.mark.spec("SES-29", "HLT-3")
def test_a_reset_after_the_first_byte_is_no_failure(lb, upstream):
    def answers(peer):
        peer.send(b"x")
        peer.recv(timeout=BOUND)
        peer.reset()

    server = lb.proxy(upstream(answers), health={**ONCE, "fall": 2})
    for _ in range(5):
        with server.connect() as peer:
            assert peer.recv_exactly(1) == b"x"
            peer.send(b"y")
            peer.expect_end("reset")
    server.wait_event("session", count=5)
    assert not server.events("upstream_down")


@pytest.mark.spec("SES-29", "SES-8", "SES-48")
def test_what_was_reset_early_is_not_dialed_again(lb, upstream):
    def bad(peer):
        peer.recv(timeout=BOUND)
        peer.reset()

    first, second = upstream(bad), upstream(bad)
    server = lb.proxy(first, second)
    with server.connect() as peer:
        peer.send(b"once")
        peer.expect_end("reset")
    assert session(server)["reason"] == "upstream_reset"
    assert first.accepted + second.accepted == 1
