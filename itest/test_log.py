"""The log: one JSON object a line, whatever a peer sends or a reader does."""

import datetime
import fcntl
import re
import signal

import pytest

from harness import control, log_lines
from harness import server as srv
from harness import upstreams
from harness.certs import SERIALS, signed_with_subject
from harness.client import attempt, client_context, connect, tcp_connect
from harness.peer import Peer
from harness.wait import wait_for

SESSION = {"ts", "level", "event", "app", "client", "serial", "peer",
           "upstream", "tls", "resumed", "bytes_up", "bytes_down",
           "duration_ms", "reason"}


def one_session(server, who="alice", data=b"hello"):
    with server.connect(who) as peer:
        local = peer.local
        peer.send(data)
        assert peer.recv_exactly(len(data)) == data
        peer.finish()
        peer.expect_end("clean")
    return local


@pytest.mark.spec("LOG-1", "LOG-3", "FLW-8")
def test_a_session_line_has_its_fields(lb, upstream):
    up = upstream(upstreams.echo)
    server = lb.proxy(up)
    local = one_session(server, data=b"x" * 1234)
    line = server.wait_event("session")
    assert set(line) >= SESSION, SESSION - set(line)
    assert (line["level"], line["app"]) == ("info", "echo")
    assert (line["client"], line["serial"]) == ("alice", SERIALS["alice"])
    assert line["peer"] == local
    assert up.address in line["upstream"]
    assert (line["bytes_up"], line["bytes_down"]) == (1234, 1234)
    assert line["resumed"] is False
    assert isinstance(line["duration_ms"], int)
    assert 0 <= line["duration_ms"] < 60_000
    assert "1.3" in line["tls"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
                        line["ts"]), line["ts"]
    age = (datetime.datetime.now(datetime.timezone.utc)
           - datetime.datetime.fromisoformat(line["ts"]))
    assert abs(age.total_seconds()) < 60


@pytest.mark.spec("LOG-4")
def test_a_reject_line_has_its_fields(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo), clients=[
        srv.client("alice", [SERIALS["alice"]], ["echo"])])
    attempt(server.address(), server.context("bob"))
    line = server.wait_event("reject")
    assert {"ts", "level", "event", "app", "peer", "reason"} <= set(line)
    assert line["reason"] == "unknown_client"
    assert line["serial"] == SERIALS["bob"]
    assert "client" not in line


@pytest.mark.spec("LOG-25")
@pytest.mark.parametrize("level", ["info", "debug"])
def test_every_event_has_its_fields(lb, upstream, level):
    """And no others, at the level that it should be of."""
    up, sick = upstream(upstreams.echo), upstream()
    server = lb.start(
        srv.app("echo", [up, sick], health={
            "interval": "50ms", "timeout": "1s", "rise": 1, "fall": 1}),
        log={"level": level}, server=control.section())
    assert control.ask(server, "/kill?client=bob", "POST").status == 200
    sick.stop()
    server.wait_event("upstream_down")
    one_session(server)
    attempt(server.address(), server.context("expired"))
    attempt(server.address(), server.context("unlisted"))
    for _ in range(12):
        with Peer(tcp_connect(server.address())) as peer:
            peer.send(b"no TLS")
            peer.recv()
    wait_for(lambda: any("suppressed" in line
                         for line in server.events("reject")), "a sum")
    sick.start()
    server.wait_event("upstream_up")
    up.stop()
    sick.stop()
    server.wait_event("upstream_down", count=3)
    server.connect().close()
    server.wait_event("session", reason="no_upstream")
    server.reload()
    server.reload("nonsense", ok=False)
    server.stop()
    server.check_log()
    assert set(map(log_lines.event_of, server.log)) == set(log_lines.EVENTS)
    if level == "debug":
        assert server.events("reject", reason="expired")[0]["detail"]


def has_fields(line, level, *fields):
    """No others but those of every line."""
    assert set(line) == {"ts", "level", "event", *fields}
    assert line["level"] == level


@pytest.mark.spec("LOG-19")
def test_a_ready_line_has_its_fields(lb, upstream):
    server = lb.proxy(upstream(), server={"workers": 3})
    line = server.wait_event("ready")
    has_fields(line, "info", "workers", "event_loop", "provider", "listen")
    host, port = server.address()[:2]
    assert (line["workers"], line["listen"]) == (3, [f"{host}:{port}"])
    assert line["event_loop"] in ("epoll", "select")


@pytest.mark.spec("LOG-20")
def test_a_sum_has_its_fields(lb, upstream):
    server = lb.proxy(upstream())
    for _ in range(14):
        with Peer(tcp_connect(server.address())) as peer:
            peer.send(b"no TLS")
            peer.recv()
    server.stop()
    sums = [line for line in server.events("reject") if "suppressed" in line]
    assert sums
    for line in sums:
        has_fields(line, "info", "peer", "reason", "suppressed")
        assert (line["peer"], line["reason"]) == ("127.0.0.1/32",
                                                  "handshake_failed")


def upstream_goes_and_comes(lb, upstream):
    """The lines of the upstream's end and its return, and the upstream."""
    up = upstream()
    server = lb.proxy(up, health={"interval": "50ms", "timeout": "1s",
                                  "rise": 1, "fall": 1})
    up.stop()
    down = server.wait_event("upstream_down")
    up.start()
    return down, server.wait_event("upstream_up"), up


@pytest.mark.spec("LOG-21")
def test_an_upstream_down_line_has_its_fields(lb, upstream):
    line, _, up = upstream_goes_and_comes(lb, upstream)
    has_fields(line, "warn", "app", "upstream", "cause")
    assert line["app"] == "echo"
    assert up.address in line["upstream"]


@pytest.mark.spec("LOG-22")
def test_an_upstream_up_line_has_its_fields(lb, upstream):
    _, line, up = upstream_goes_and_comes(lb, upstream)
    has_fields(line, "info", "app", "upstream", "cause")
    assert line["app"] == "echo"
    assert up.address in line["upstream"]


@pytest.mark.spec("LOG-23")
@pytest.mark.parametrize("open_sessions", [0, 2])
def test_a_drain_line_counts_sessions(lb, upstream, open_sessions):
    up = upstream()
    server = lb.proxy(up, timeouts={"drain": "1h"})
    pairs = [(server.connect(), up.accept()) for _ in range(open_sessions)]
    with Peer(tcp_connect(server.address())):
        server.signal(signal.SIGTERM)
        line = server.wait_event("drain")
    has_fields(line, "info", "connections")
    assert line["connections"] == open_sessions
    for pair in pairs:
        for peer in pair:
            peer.close()


@pytest.mark.spec("LOG-24")
def test_the_last_line_is_stopped(lb, upstream):
    server = lb.proxy(upstream())
    server.stop()
    assert server.log[-1]["event"] == "stopped"
    has_fields(server.log[-1], "info", "cut")


@pytest.mark.spec("LOG-26")
@pytest.mark.parametrize("level", ["info", "debug"])
def test_more_is_told_at_level_debug(lb, upstream, level):
    server = lb.proxy(upstream(upstreams.echo), log={"level": level},
                      server={"workers": 2})
    one_session(server)
    attempt(server.address(), server.context("expired"))
    attempt(server.address(), server.context("unlisted"))
    lines = [server.wait_event("session"),
             server.wait_event("reject", reason="expired"),
             server.wait_event("reject", reason="unknown_client")]
    if level == "info":
        assert not any({"worker", "detail"} & set(line) for line in lines)
        return
    assert {line["worker"] for line in lines} <= {0, 1}
    assert "detail" not in lines[0]
    assert lines[1]["detail"] == "certificate has expired"


@pytest.mark.spec("LOG-5")
@pytest.mark.parametrize("level,expected", [
    ("error", set()),
    ("warn", {"upstream_down"}),
    ("info", {"ready", "session", "reject", "upstream_down", "drain",
              "stopped"}),
    ("debug", {"ready", "session", "reject", "upstream_down", "drain",
               "stopped"}),
])
def test_levels(lb, upstream, level, expected):
    up, gone = upstream(upstreams.echo), upstream(upstreams.echo)
    gone.stop()
    server = lb.start(
        srv.app("echo", [up, gone], health={
            "interval": "50ms", "timeout": "1s", "rise": 1, "fall": 1}),
        ready=False, log={"level": level})
    wait_for(lambda: listening(server), "the server listens")
    one_session(server)
    attempt(server.address(), server.context(None))
    attempt(server.address(), server.context("expired"))
    seen = up.accepted
    up.wait_accepted(seen + 3)
    server.stop()
    assert {line["event"] for line in server.log} == expected
    rejects = server.events("reject")
    if level == "info":
        assert "detail" not in rejects[0]
    if level == "debug":
        details = [line["detail"] for line in rejects]
        assert "did not return a certificate" in details[0]
        assert details[1] == "certificate has expired"


def listening(server):
    try:
        server.connect().close()
    except (OSError, AssertionError):
        return False
    return True


HOSTILE = [
    'x","event":"session","client":"root","y":"',
    "line\nbreak", "\\\"", "tab\tcr\rnul", "ünïcode ☃", "</script>",
    "a" * 60,
]


@pytest.mark.spec("LOG-6")
@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_a_subject_forges_nothing(lb, upstream, pki, tmp_path, number):
    subject = HOSTILE[number].replace("\\", "\\\\").replace("/", "\\/")
    server = lb.proxy(upstream(upstreams.echo))
    cert = signed_with_subject(pki, tmp_path, subject, f"0x660{number}")
    context = client_context(pki.ca, cert)
    _, peer = attempt(server.address(), context)
    assert peer.ending == "alert"
    line = server.wait_event("reject")
    assert line["reason"] == "unknown_client"
    assert line["serial"] == f"66:0{number}"
    server.check_log()
    assert not server.events("session")
    assert [entry["event"] for entry in server.log] == ["ready", "reject"]


@pytest.mark.spec("LOG-6")
def test_a_listed_client_with_a_hostile_subject(lb, upstream, pki, tmp_path):
    cert = signed_with_subject(pki, tmp_path, 'a","client":"root',
                               "0x6666")
    server = lb.proxy(upstream(upstreams.echo), clients=[
        srv.client("mallory", ["66:66"], ["echo"])])
    with connect(server.address(), client_context(pki.ca, cert)) as peer:
        peer.send(b"x")
        peer.recv_exactly(1)
        peer.finish()
        peer.expect_end("clean")
    line = server.wait_event("session")
    assert line["client"] == "mallory"
    server.check_log()


def raw_hello(name):
    """A ClientHello whose server name holds any bytes."""
    def part(size, data):
        return len(data).to_bytes(size, "big") + data
    sni = part(2, b"\x00" + part(2, name))
    groups = part(2, b"\x00\x17\x00\x1d")
    schemes = part(2, b"\x04\x03\x08\x04")
    versions = part(1, b"\x03\x03")
    extensions = b"".join(kind + part(2, body) for kind, body in (
        (b"\x00\x00", sni), (b"\x00\x0a", groups), (b"\x00\x0d", schemes),
        (b"\x00\x2b", versions)))
    body = (b"\x03\x03" + bytes(32) + part(1, b"")
            + part(2, b"\xc0\x2b\xc0\x2f") + part(1, b"\x00")
            + part(2, extensions))
    return b"\x16\x03\x01" + part(2, b"\x01" + part(3, body))


@pytest.mark.spec("LOG-6", "SES-3")
@pytest.mark.parametrize("name", [
    b'a","event":"session","b":"', b"a\nb", b"\xff\xfe\x80", b"\x00abc",
    b"n" * 3000], ids=["quote", "newline", "not-utf8", "nul", "long"])
def test_a_server_name_forges_nothing(lb, upstream, name):
    server = lb.proxy(upstream(upstreams.echo))
    with Peer(tcp_connect(server.address())) as peer:
        peer.send(raw_hello(name))
        peer.recv()
    line = server.wait_event("reject")
    assert line["reason"] == "handshake_failed"
    server.check_log()
    assert [entry["event"] for entry in server.log] == ["ready", "reject"]


@pytest.mark.workers
@pytest.mark.spec("LOG-7", "LOG-8")
def test_a_stalled_reader_stops_nobody(lb, upstream):
    up = upstream(upstreams.echo)
    server = lb.proxy(up, read_log=False)
    wait_for(lambda: listening(server), "the server listens")
    # By now the server has asked for as much room as it wants.
    fcntl.fcntl(server.process.stderr.fileno(), srv.F_SETPIPE_SZ, 4096)
    context = server.context("alice", "1.2")
    count = 120
    session = None
    for _ in range(count):
        with connect(server.address(), context, session=session) as peer:
            peer.send(b"hello")
            assert peer.recv_exactly(5) == b"hello"
            session = session or peer.tls.session
            peer.finish()
            peer.expect_end("clean")
    server.read_log()
    wait_for(lambda: server.log, "the log goes on")

    def dropped_is_told():
        one_session(server)
        return [line for line in server.events("error") if "dropped" in line]

    dropped = wait_for(dropped_is_told, "the count of dropped lines")
    assert dropped[0]["message"] == "log lines were dropped"
    assert isinstance(dropped[0]["dropped"], int)
    assert 0 < dropped[0]["dropped"] <= count + 2
    server.check_log()
    logged = len(server.events("session"))
    assert logged + dropped[0]["dropped"] >= count
    server.stop()


@pytest.mark.spec("LOG-7")
def test_a_log_reader_that_is_gone_stops_nobody(pki, poller, tmp_path,
                                                upstream):
    tree = srv.config(pki, [srv.app("echo", [upstream(upstreams.echo)])],
                      poller=poller)
    path = srv.write_config(tmp_path, tree)
    server = srv.Lbproxyd(pki, path, tree, read_log=False)
    try:
        wait_for(lambda: listening(server), "the server listens")
        server.process.stderr.close()
        for _ in range(10):
            one_session(server)
        server.process.terminate()
        assert server.process.wait(10) == 0
    finally:
        if server.process.poll() is None:
            server.process.kill()
        server.process.wait()
        server.process.stdout.close()


@pytest.mark.spec("LOG-5", "LOG-6")
def test_detail_is_bounded(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo))
    with Peer(tcp_connect(server.address())) as peer:
        peer.send(b"GET /" + b"a" * 10_000)
        peer.recv()
    line = server.wait_event("reject")
    assert line["reason"] == "handshake_failed"
    assert line["detail"]
    server.check_log()
