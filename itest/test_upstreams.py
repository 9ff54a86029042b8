"""Upstreams with a bound on their connections, backups, and unix sockets."""

import copy
import hashlib
import os
import socket
import tempfile
import threading
from pathlib import Path

import pytest

from harness import server as srv
from harness import upstreams
from harness.wait import SLOW, holds_for

NAMES = "abc"
NEVER_DOWN = {"interval": "1h", "timeout": "1s", "rise": 1, "fall": 1000}


@pytest.fixture
def three(upstream):
    return [upstream(upstreams.name_server(name)) for name in NAMES]


class Sessions:
    """Open sessions, by the name that their upstream says."""

    def __init__(self, server):
        self.server = server
        self.peers = []
        self.ended = 0

    def open(self, count=1):
        names = ""
        for _ in range(count):
            peer = self.server.connect()
            names += peer.recv_exactly(1).decode()
            self.peers.append((names[-1], peer))
        return names

    def expect_none(self):
        with self.server.connect() as peer:
            peer.expect_end("clean")
        self.ended += 1
        line = self.server.wait_event("session", count=self.ended)
        assert line["reason"] == "no_upstream", line
        assert "upstream" not in line, line
        return line

    def close(self, name):
        found = next(pair for pair in self.peers if pair[0] == name)
        self.peers.remove(found)
        found[1].finish()
        found[1].expect_end("clean")
        found[1].close()
        self.ended += 1
        self.server.wait_event("session", count=self.ended)

    def end(self):
        for _, peer in self.peers:
            peer.close()


@pytest.fixture
def sessions_of():
    made = []

    def make(server):
        made.append(Sessions(server))
        return made[-1]

    yield make
    for sessions in made:
        sessions.end()


@pytest.mark.workers
@pytest.mark.spec("BAL-10", "CFG-66")
def test_an_upstream_takes_no_more_than_its_bound(lb, three, sessions_of):
    sessions = sessions_of(lb.proxy(
        {"url": three[0].url, "max_connections": 1},
        {"url": three[1].url, "max_connections": 2},
        health=NEVER_DOWN))
    assert sorted(sessions.open(3)) == list("abb")
    line = sessions.expect_none()
    assert line["cause"] == "no upstream is eligible", line
    sessions.close("a")
    assert sessions.open() == "a"
    sessions.close("b")
    assert sessions.open() == "b"
    sessions.expect_none()


@pytest.mark.spec("BAL-11", "CFG-66")
def test_a_backup_serves_when_nothing_else_does(lb, three, sessions_of):
    sessions = sessions_of(lb.proxy(
        {"url": three[0].url, "backup": True},
        {"url": three[1].url, "max_connections": 2},
        {"url": three[2].url, "max_connections": 1},
        health=NEVER_DOWN))
    assert sorted(sessions.open(3)) == list("bbc")
    assert sessions.open(2) == "aa"
    sessions.close("c")
    # Now the dial of c fails, so all but the backup have been tried.
    three[2].stop()
    assert sessions.open(1) == "a"
    three[2].start()
    assert sessions.open(2) == "ca"


@pytest.mark.spec("BAL-11", "APP-7", "SRV-28")
def test_a_backup_serves_while_all_others_are_down(lb, three, sessions_of):
    server = lb.proxy(
        three[0], {"url": three[1].url, "backup": True},
        health={"interval": "100ms", "timeout": "1s", "rise": 1, "fall": 1})
    sessions = sessions_of(server)
    assert sessions.open() == "a"
    three[0].stop()
    server.wait_event("upstream_down", upstream=three[0].url)
    assert sessions.open(2) == "bb"
    three[0].start()
    server.wait_event("upstream_up", upstream=three[0].url)
    assert sessions.open(2) == "aa"


@pytest.mark.spec("BAL-12")
def test_a_reload_brings_a_bound_and_a_backup(lb, three, sessions_of):
    server = lb.proxy(three[0], three[1], health=NEVER_DOWN)
    sessions = sessions_of(server)
    assert sorted(sessions.open(4)) == list("aabb")
    tree = copy.deepcopy(server.tree)
    tree["app"][0]["upstream"] = [
        {"url": three[0].url, "max_connections": 2},
        {"url": three[1].url, "backup": True}]
    server.reload(tree)
    assert sessions.open(2) == "bb"
    sessions.close("a")
    assert sessions.open(2) == "ab"


@pytest.fixture
def at_path():
    """A maker of upstreams at paths short enough for a socket."""
    made = []
    with tempfile.TemporaryDirectory(prefix="lb") as directory:
        def make(name, handler):
            made.append(upstreams.UnixUpstream(Path(directory, name), handler))
            return made[-1]

        yield make
        for one in made:
            one.stop()


@pytest.mark.workers
@pytest.mark.spec("CFG-67", "SRV-195")
def test_a_unix_upstream(lb, at_path):
    up = at_path("s p", upstreams.sink)
    server = lb.proxy(up)
    data = os.urandom(1 << 20)
    with server.connect() as peer:
        peer.send(data)
        peer.finish()
        assert peer.recv_exactly(32) == hashlib.sha256(data).digest()
        peer.expect_end("clean")
    line = server.wait_event("session", reason="done")
    assert line["upstream"] == up.url, line
    assert line["bytes_up"] == len(data), line


@pytest.mark.spec("SRV-172", "SRV-195")
def test_a_unix_upstream_that_does_not_read_is_not_gone(lb, at_path):
    """There is no TCP that could be asked whether somebody is there."""
    reads = threading.Event()

    def late(peer):
        reads.wait(60)
        upstreams.sink(peer)

    server = lb.proxy(at_path("s", late), timeouts={"keepalive": "1s"})
    data = bytes(1 << 20)
    with server.connect() as peer:
        sent = peer.send_until_blocked(data, len(data), 0.2 * SLOW)
        holds_for(lambda: not server.events("session"), "it is served", 2.5)
        reads.set()
        peer.send(data[sent:])
        peer.finish()
        assert peer.recv_exactly(32) == hashlib.sha256(data).digest()
    server.wait_event("session", reason="done")


@pytest.mark.spec("SRV-2", "SRV-195")
def test_nothing_is_to_be_resolved_of_a_path(lb, at_path):
    server = lb.proxy(at_path("s", upstreams.echo))
    done = srv.run("-c", server.path, "--check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.spec("SRV-195", "SRV-28")
def test_a_unix_upstream_is_checked(lb, at_path, upstream):
    one, other = at_path("one", upstreams.name_server("u")), upstream(
        upstreams.name_server("t"))
    server = lb.proxy(one, {"url": other.url, "backup": True}, health={
        "interval": "100ms", "timeout": "1s", "rise": 1, "fall": 1})
    with server.connect() as peer:
        assert peer.recv_exactly(1) == b"u"
    one.stop()
    down = server.wait_event("upstream_down", upstream=one.url)
    assert down["cause"] == "No such file or directory", down
    with server.connect() as peer:
        assert peer.recv_exactly(1) == b"t"
    one.start()
    server.wait_event("upstream_up", upstream=one.url)
    with server.connect() as peer:
        assert peer.recv_exactly(1) == b"u"


@pytest.mark.spec("SRV-195", "SES-5")
def test_a_path_without_a_socket_counts_against_it(lb, at_path, tmp_path):
    (tmp_path / "file").write_text("no socket")
    ok = at_path("ok", upstreams.name_server("u"))
    server = lb.proxy(f"unix:{tmp_path}/file", f"unix:{tmp_path}/none",
                      f"unix:{tmp_path}/file/none", ok)
    for _ in range(4):
        with server.connect() as peer:
            assert peer.recv_exactly(1) == b"u"


def fill(path):
    """Connects until the backlog has no room."""
    fillers = []
    while True:
        sock = socket.socket(socket.AF_UNIX)
        sock.setblocking(False)
        fillers.append(sock)
        try:
            sock.connect(str(path))
        except BlockingIOError:
            return fillers
        assert len(fillers) < 64, "the backlog does not fill"


@pytest.mark.spec("SRV-195")
def test_a_full_backlog_counts_against_the_upstream(lb, at_path):
    other = at_path("other", upstreams.name_server("o"))
    full = other.path.with_name("full")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(full))
        listener.listen(0)
        fillers = fill(full)
        server = lb.proxy(f"unix:{full}", other)
        for _ in range(2):
            with server.connect() as peer:
                assert peer.recv_exactly(1) == b"o"
        for sock in fillers:
            sock.close()


@pytest.mark.spec("SRV-196")
def test_a_reset_is_the_end_to_a_unix_upstream(lb, at_path):
    up = at_path("s", None)
    server = lb.proxy(up)
    with server.connect() as peer:
        peer.send(b"cut sh")
        inside = up.accept()
        assert inside.recv_exactly(6) == b"cut sh"
        peer.reset()
        inside.expect_end("clean")
    server.wait_event("session", reason="client_reset")
