"""Whole lines on every kind of standard error. [LOG-9], [LOG-10]."""

import contextlib
import json
import os
import pty
import resource
import select
import signal
import socket
import subprocess
import threading

import pytest

from harness import server as srv
from harness import upstreams
from harness.client import connect
from harness.ports import free_port
from harness.wait import BOUND, wait_for


@pytest.fixture
def serve(pki, poller, tmp_path, upstream):
    """A maker of servers with one app, whose standard error is given."""
    started = []

    def start(stderr, workers=2, inherit=None):
        tree = srv.config(pki, [srv.app("echo", [upstream(upstreams.echo)])],
                          poller=poller, server={"workers": workers})
        path = srv.write_config(tmp_path, tree, f"{len(started)}.toml")
        server = srv.Lbproxyd(pki, path, tree, read_log=False,
                              inherit=inherit, stderr=stderr)
        started.append(server)
        wait_for(lambda: listening(server), "the server listens")
        return server

    yield start
    for server in started:
        server.end()


def listening(server):
    try:
        server.connect().close()
    except (OSError, AssertionError):
        return False
    return True


def stop(server):
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(BOUND) == 0


def sessions(server, count):
    """That many sessions, by four clients at once."""
    context = server.context("alice", "1.3")
    failures = []

    def some():
        for _ in range(count // 4):
            try:
                with connect(server.address(), context) as peer:
                    peer.send(b"hello")
                    assert peer.recv_exactly(5) == b"hello"
                    peer.finish()
                    peer.expect_end("clean")
            except (AssertionError, OSError) as error:
                failures.append(error)

    threads = [threading.Thread(target=some) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures


def lines_of(data):
    """Each is one object, of an event of its own."""
    assert data.endswith(b"\n"), data[-200:]
    lines = [json.loads(line) for line in data.splitlines()]
    for line in lines:
        assert list(line)[:3] == ["ts", "level", "event"], line
    return lines


def count(lines):
    """Of sessions that were logged and lines that were not."""
    return (sum(line["event"] == "session" for line in lines)
            + sum(line.get("dropped", 0) for line in lines))


@pytest.mark.workers
@pytest.mark.spec("LOG-9", "LOG-7", "LOG-15")
@pytest.mark.parametrize("append", [0, os.O_APPEND], ids=["plain", "append"])
def test_a_full_file_has_whole_lines(serve, tmp_path, append):
    """A limit of its size stands for a full disk: a write is cut there."""
    path = tmp_path / "log"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | append, 0o600)
    soft = (3000, resource.RLIM_INFINITY)
    server = serve(fd, inherit=lambda: resource.setrlimit(
        resource.RLIMIT_FSIZE, soft))
    os.close(fd)
    sessions(server, 40)
    full = path.read_bytes()
    assert len(full) <= 3000
    assert len(lines_of(full)) < 40
    for limit in (3100, 3300, 9000):
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE,
                         (limit, resource.RLIM_INFINITY))
        sessions(server, 8)
        lines_of(path.read_bytes())
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE,
                     (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    sessions(server, 4)
    stop(server)
    lines = lines_of(path.read_bytes())
    assert lines[-1]["event"] == "stopped"
    assert any("dropped" in line for line in lines)
    assert count(lines) >= 40 + 3 * 8 + 4


@pytest.mark.spec("LOG-9", "LOG-16")
def test_a_line_is_not_glued_to_what_somebody_left(serve, tmp_path):
    path = tmp_path / "log"
    for begin in (b"", b"left by another\n", b'{"ts":"2026-01-01T0'):
        path.write_bytes(begin)
        with open(path, "ab") as file:
            stop(serve(file))
        data = path.read_bytes()
        assert data.startswith(begin)
        rest = data[len(begin):]
        if begin and not begin.endswith(b"\n"):
            assert rest.startswith(b"\n")
            rest = rest[1:]
        assert lines_of(rest)[0]["event"] == "ready"


@pytest.mark.spec("LOG-9", "LOG-7")
@pytest.mark.parametrize("path", ["/dev/full", "/dev/null"])
def test_a_device_that_takes_nothing(serve, path):
    fd = os.open(path, os.O_WRONLY)
    server = serve(fd)
    os.close(fd)
    sessions(server, 8)
    stop(server)


class Reader:
    """Reads a descriptor, once it is told to, until it ends."""

    def __init__(self, fd):
        self.fd = fd
        self.data = b""
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        # A terminal ends with an error.
        with contextlib.suppress(OSError):
            while part := os.read(self.fd, 1000):
                self.data += part


def tcp_pair():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        client = socket.create_connection(listener.getsockname())
        return client, listener.accept()[0]


def end_beside_a_slow_reader(serve, count):
    """Stops a server whose log has no room; whether it waited, the log."""
    near, far = tcp_pair()
    near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4608)
    server = serve(near.fileno(), workers=1)
    near.close()
    sessions(server, count)
    server.process.send_signal(signal.SIGTERM)
    try:
        server.process.wait(0.3)
        waited = False
    except subprocess.TimeoutExpired:
        waited = True
    data = b""
    while part := far.recv(4096):
        data += part
    assert server.process.wait(BOUND) == 0
    far.close()
    return waited, data


@pytest.mark.spec("LOG-14")
def test_the_end_waits_for_a_slow_reader(serve):
    """If a part of a line is there when it stops, and no room for the rest.
    Where the kernel cuts is not ours to say, so it may take a few tries."""
    for count in range(80, 100):
        waited, data = end_beside_a_slow_reader(serve, count)
        if waited:
            break
    assert waited
    assert len(lines_of(data)) < count


@pytest.mark.workers
@pytest.mark.spec("LOG-9", "LOG-7", "LOG-13", "LOG-14")
@pytest.mark.parametrize("kind", ["unix", "tcp", "pipe", "terminal"])
def test_a_stalled_reader_gets_whole_lines(serve, kind):
    """Sessions do not wait for it, with four workers that all log."""
    if kind == "terminal":
        far, near = pty.openpty()
    elif kind == "pipe":
        far, near = os.pipe()
    else:
        pair = tcp_pair() if kind == "tcp" else socket.socketpair()
        pair[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4608)
        near, far = pair[0].detach(), pair[1].detach()
    server = serve(near, workers=4)
    os.close(near)
    if kind == "pipe":
        # By now the server has asked for as much room as it wants.
        srv.fcntl.fcntl(far, srv.F_SETPIPE_SZ, 4096)
    reader = Reader(far)
    total = 80
    sessions(server, total)
    while len(reader.data) < 60_000:
        # It goes on now and then, so that some lines find room for a part.
        select.select([far], [], [], BOUND)
        reader.data += os.read(far, 700)
        sessions(server, 4)
        total += 4
        if total >= 240:
            break
    reader.thread.start()
    wait_for(lambda: not select.select([far], [], [], 0.05)[0],
             "all is read")
    sessions(server, 4)
    stop(server)
    reader.thread.join(BOUND)
    os.close(far)
    lines = lines_of(reader.data.replace(b"\r\n", b"\n"))
    # The smallest pipe holds one line until it is read.
    assert lines[-1]["event"] == "stopped" or kind == "pipe"
    assert any("dropped" in line for line in lines)
    assert count(lines) >= total + 4


@pytest.mark.spec("LOG-10", "SRV-6", "LOG-6")
@pytest.mark.parametrize("listeners", [1, 170, 300])
def test_a_ready_line_with_many_listeners(lb, upstream, listeners):
    port = free_port()
    listen = [f"127.0.{1 + n // 250}.{1 + n % 250}:{port}"
              for n in range(listeners)]
    server = lb.proxy(upstream(upstreams.echo), listen=listen,
                      server={"max_connections": 30, "max_handshakes": 30})
    line = json.loads(server.raw[0])
    assert line["event"] == "ready"
    assert line["listen"] == listen[:len(line["listen"])]
    omitted = line.get("listen_omitted", 0)
    assert len(line["listen"]) + omitted == listeners
    assert (omitted > 0) == (listeners == 300)
    assert omitted == 0 or len(server.raw[0]) > 4096 - 128
    assert len(server.raw[0]) <= 4096
