"""Resets, truncation and what was sent before them, on every side."""

import array
import fcntl
import ssl
import termios

import pytest

from harness import server as srv
from harness import upstreams
from harness.client import VERSIONS as CLIENTS
from harness.client import begin, connect
from harness.ports import free_port
from harness.wait import SLOW, wait_for

VERSIONS = ["1.2", "1.3"]
LIMIT = 64 << 20
TRIES = 20


@pytest.fixture(params=["tcp", "tls-1.2", "tls-1.3"])
def manual(request, pki, upstream):
    """An upstream that the test drives, and its table."""
    if request.param == "tcp":
        up = upstream(receive_buffer=8192)
        return up, {"url": up.url}
    context = upstreams.server_context(pki.of_upstream("loopback"))
    version = CLIENTS[request.param.removeprefix("tls-")]
    context.minimum_version = context.maximum_version = version
    up = upstream(context=context, receive_buffer=8192)
    return up, {"url": up.url, "ca": pki.upstream_ca}


def unsent(peer):
    """Bytes that the other side's TCP has not got yet."""
    count = array.array("i", [0])
    fcntl.ioctl(peer.sock, termios.TIOCOUTQ, count)
    return count[0]


def waiting(peer):
    """Bytes that have arrived and were not read."""
    count = array.array("i", [0])
    fcntl.ioctl(peer.sock, termios.FIONREAD, count)
    return count[0]


def all_arrived(peer):
    wait_for(lambda: unsent(peer) == 0, "all that was sent has arrived")


def only_one_at_a_time(lb, table, **sections):
    return lb.proxy(table, limits={"concurrent": 1}, **sections)


def has_left(server, up, reason, version):
    """The session is over, and its place is free again."""
    line = server.wait_event("session")
    assert line["reason"] == reason, line
    with server.connect(version=version) as peer:
        far = up.accept()
        peer.send(b"next")
        assert far.recv_exactly(4) == b"next"


# Resets are seen on a side of which nothing else is wanted.

@pytest.mark.spec("SRV-81", "SES-8")
@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_resets_after_its_end(lb, manual, version):
    up, table = manual
    server = only_one_at_a_time(lb, table)
    peer = server.connect(version=version)
    far = up.accept()
    peer.finish(fin=False)
    far.expect_end("clean")
    peer.reset()
    has_left(server, up, "client_reset", version)


@pytest.mark.spec("SRV-81", "SES-8")
@pytest.mark.parametrize("version", VERSIONS)
def test_an_upstream_resets_after_its_end(lb, manual, version):
    up, table = manual
    server = only_one_at_a_time(lb, table)
    with server.connect(version=version) as peer:
        far = up.accept()
        far.finish()
        peer.expect_end("clean")
        far.reset()
        has_left(server, up, "upstream_reset", version)


@pytest.mark.spec("SRV-81", "SES-8", "SES-25", "SES-42")
@pytest.mark.parametrize("who", ["client", "upstream"])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_reset_while_both_sides_are_stuck(lb, manual, version, who):
    up, table = manual
    server = only_one_at_a_time(lb, table)
    with server.connect(version=version, receive_buffer=8192) as peer:
        far = up.accept()
        peer.send_until_blocked(bytes(65536), LIMIT, 0.2 * SLOW)
        far.send_until_blocked(bytes(65536), LIMIT, 0.2 * SLOW)
        (peer if who == "client" else far).reset()
        has_left(server, up, f"{who}_reset", version)


@pytest.mark.spec("SRV-81", "SES-26")
@pytest.mark.parametrize("says", [b"", b"hello"], ids=["silent", "speaking"])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_resets_during_a_dial(lb, version, says):
    with upstreams.FullBacklog() as full:
        server = lb.proxy(full.url, timeouts={"connect": "1m"})
        peer = server.connect(version=version)
        peer.send(says)
        peer.reset()
        assert server.wait_event("session")["reason"] == "client_reset"


@pytest.mark.spec("SRV-108")
def test_a_side_whose_ends_have_passed_does_not_make_it_spin(lb, upstream):
    """All ends are there, but not all bytes are passed on."""
    up = upstream(receive_buffer=8192)
    server = lb.proxy(up)
    with server.connect() as peer:
        far = up.accept()
        peer.send_until_blocked(bytes(65536), LIMIT, 0.1 * SLOW)
        far.finish()
        peer.expect_end("clean")
        assert srv.cpu_share(server, 0.3) < 0.2
        far.reset()
    assert server.wait_event("session")["reason"] == "upstream_reset"


# What a side sent before it broke off is delivered.

@pytest.mark.spec("SES-25", "SRV-82")
@pytest.mark.parametrize("version", VERSIONS)
def test_an_early_answer_arrives_whole(lb, manual, version):
    """The upstream answers and closes; the upload lies unread."""
    up, table = manual
    server = lb.proxy(table)
    answer = b"413, too large. " * 1024
    for _ in range(TRIES):
        with server.connect(version=version) as peer:
            far = up.accept()
            peer.send(bytes(200_000), timeout=30 * SLOW)
            far.send(answer)
            wait_for(lambda: waiting(far) > 0, "more of the upload")
            far.close()
            # More of the upload meets a closed socket.
            peer.send_until_blocked(bytes(65536), 1 << 20, 0.05)
            assert peer.read_to_end() == answer
            assert peer.ending == "reset", peer.describe()
    server.wait_event("session", count=TRIES, reason="upstream_reset")


@pytest.mark.spec("SES-25", "SRV-82")
@pytest.mark.parametrize("version", VERSIONS)
def test_a_slow_client_gets_all_before_the_reset(lb, manual, version):
    up, table = manual
    server = lb.proxy(table)
    answer = bytes(range(256)) * 1200
    with server.connect(version=version, receive_buffer=8192) as peer:
        far = up.accept()
        far.send(answer)
        all_arrived(far)
        far.reset()
        assert peer.read_to_end(timeout=20 * SLOW) == answer
        assert peer.ending == "reset", peer.describe()
    line = server.wait_event("session", reason="upstream_reset")
    assert line["bytes_down"] == len(answer)


@pytest.mark.spec("SES-25", "SRV-82")
@pytest.mark.parametrize("how", ["reset", "truncate"])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_slow_upstream_gets_all_before_the_reset(lb, manual, version, how):
    up, table = manual
    server = lb.proxy(table)
    data = bytes(range(256)) * 1200
    with server.connect(version=version) as peer:
        far = up.accept()
        peer.send(data)
        all_arrived(peer)
        getattr(peer, how)()
        assert far.read_to_end(timeout=20 * SLOW) == data
        assert far.ending == "reset", far.describe()
        line = server.wait_event("session")
    assert line["bytes_up"] == len(data)
    assert line["reason"] == ("client_reset" if how == "reset"
                              else "client_truncated")


# Truncation is not a reset.

@pytest.mark.spec("SES-8", "SRV-83", "SRV-84")
@pytest.mark.parametrize("version", VERSIONS)
def test_a_truncated_client_gets_a_reset_and_no_alert(lb, manual, version):
    up, table = manual
    server = lb.proxy(table)
    with server.connect(version=version) as peer:
        far = up.accept()
        peer.truncate()
        peer.expect_end("reset")
        far.expect_end("reset")
    assert server.wait_event("session")["reason"] == "client_truncated"


@pytest.mark.spec("SES-8", "SRV-83", "SRV-84")
@pytest.mark.parametrize("version", VERSIONS)
def test_a_truncated_upstream_gets_a_reset_and_no_alert(
        lb, pki, upstream, version):
    context = upstreams.server_context(pki.of_upstream("loopback"))
    context.minimum_version = context.maximum_version = CLIENTS[version]
    up = upstream(context=context)
    server = lb.proxy({"url": up.url, "ca": pki.upstream_ca})
    with server.connect() as peer:
        far = up.accept()
        far.truncate()
        far.expect_end("reset")
        peer.expect_end("reset")
    assert server.wait_event("session")["reason"] == "upstream_truncated"


@pytest.mark.spec("SES-26", "SRV-17")
@pytest.mark.parametrize("how", ["truncate", "reset"])
@pytest.mark.parametrize("version", VERSIONS)
def test_an_upstream_never_sees_a_clean_end_of_it(lb, manual, version, how):
    """Whatever the dial came to by the time that the client leaves."""
    up, table = manual
    server = lb.proxy(table)
    for count in range(1, TRIES + 1):
        with server.connect(version=version) as peer:
            getattr(peer, how)()
            server.wait_event("session", count=count)
    for far in up.peers:
        far.read_to_end()
        assert far.ending == "reset", far.describe()


@pytest.mark.spec("SES-26")
@pytest.mark.parametrize("version", VERSIONS)
def test_a_truncated_client_is_not_dialed_for(lb, version):
    with upstreams.FullBacklog() as full:
        server = lb.proxy(full.url, timeouts={"connect": "1m"})
        with server.connect(version=version) as peer:
            peer.truncate()
            line = server.wait_event("session")
    assert line["reason"] == "client_truncated"


@pytest.mark.spec("SES-2")
@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_that_breaks_off_its_handshake_gets_no_alert(
        lb, upstream, version):
    server = lb.proxy(upstream())
    with begin(server.address(), server.context(version=version)) as peer:
        with pytest.raises(ssl.SSLWantReadError):
            peer.tls.do_handshake()
        peer.sock.send(peer._out.read())
        peer.truncate()
        line = server.wait_event("reject")
    assert line["reason"] == "handshake_failed"
    assert "closed" in line["detail"], line


# Where an application takes it for an end.

def takes_unclean_ends(lb, *tables, sections=None):
    return lb.start(srv.app("echo", tables, unclean_end="end"),
                    **(sections or {}))


@pytest.mark.spec("SRV-85")
@pytest.mark.parametrize("version", VERSIONS)
def test_an_unclean_end_of_a_client_may_be_an_end(lb, manual, version):
    up, table = manual
    server = takes_unclean_ends(lb, table)
    with server.connect(version=version) as peer:
        far = up.accept()
        peer.send(b"question")
        peer.truncate()
        assert far.read_to_end() == b"question"
        assert far.ending == "clean"
        far.send(b"answer")
        far.finish()
        assert peer.read_to_end() == b"answer"
        assert peer.ending == "clean"
    assert server.wait_event("session")["reason"] == "done"


@pytest.mark.spec("SRV-85")
@pytest.mark.parametrize("version", VERSIONS)
def test_an_unclean_end_of_an_upstream_may_be_an_end(
        lb, pki, upstream, version):
    context = upstreams.server_context(pki.of_upstream("loopback"))
    context.minimum_version = context.maximum_version = CLIENTS[version]
    up = upstream(context=context)
    server = takes_unclean_ends(lb, {"url": up.url, "ca": pki.upstream_ca})
    with server.connect(version=version) as peer:
        far = up.accept()
        far.send(b"answer")
        far.truncate()
        assert peer.read_to_end() == b"answer"
        assert peer.ending == "clean"
        peer.send(b"more")
        peer.finish()
        assert far.read_to_end() == b"more"
        assert far.ending == "clean"
    assert server.wait_event("session")["reason"] == "done"


@pytest.mark.spec("SRV-85")
@pytest.mark.parametrize("version", VERSIONS)
def test_then_a_client_may_end_before_the_dial(lb, upstream, version):
    """It has said nothing, and waits for what the upstream says."""
    up = upstream(upstreams.source(b"the time of day"))
    with upstreams.FullBacklog() as full:
        server = takes_unclean_ends(
            lb, full.url, up, sections={"timeouts": {"connect": "300ms"}})
        with server.connect(version=version) as peer:
            peer.truncate()
            assert peer.read_to_end() == b"the time of day"
            assert peer.ending == "clean"
    assert server.wait_event("session")["reason"] == "done"


@pytest.mark.spec("SRV-85", "SES-8")
@pytest.mark.parametrize("version", VERSIONS)
def test_a_reset_is_never_an_end(lb, manual, version):
    up, table = manual
    server = takes_unclean_ends(lb, table)
    peer = server.connect(version=version)
    far = up.accept()
    peer.send(b"half")
    assert far.recv_exactly(4) == b"half"
    peer.reset()
    far.expect_end("reset")
    assert server.wait_event("session")["reason"] == "client_reset"


@pytest.mark.spec("SRV-81", "SES-8")
def test_ipv6(lb, upstream):
    up = upstream(host="::1")
    server = lb.start(srv.app("echo", [up], limits={"concurrent": 1},
                              listen=[f"[::1]:{free_port('::1')}"]))
    for count, who in enumerate(["client", "upstream"], 1):
        peer = connect(server.address(), server.context())
        far = up.accept()
        peer.finish(fin=False)
        far.expect_end("clean")
        (peer if who == "client" else far).reset()
        line = server.wait_event("session", count=count)
        assert line["reason"] == f"{who}_reset"
        peer.close()
