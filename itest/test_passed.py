"""Listeners that a service manager passes and keeps."""

import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import threading

import pytest

from harness import server as srv
from harness import upstreams
from harness.client import connect, tcp_connect
from harness.manager import Manager
from harness.ports import free_port
from harness.wait import BOUND, wait_for

BACKLOG = 28  # in struct tcp_info, of a listener
CLOSED = "a descriptor that was passed is closed"


@pytest.fixture
def manager():
    one = Manager()
    yield one
    one.stop()


@pytest.fixture
def opened():
    """A maker of sockets that end with the test."""
    made = []

    def make(address="127.0.0.1", port=None, listens=True, kind=None,
             v6_only=1):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        one = socket.socket(family, kind or socket.SOCK_STREAM)
        made.append(one)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6_only)
        one.bind((address, port or free_port()))
        if listens:
            one.listen(5)
        return one

    yield make
    for one in made:
        one.close()


def at(sock):
    host, port = sock.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def inode(fd):
    return os.fstat(fd).st_ino


def inodes(server):
    """Those of the sockets that it has open."""
    links = pathlib.Path(f"/proc/{server.process.pid}/fd").iterdir()
    found = (re.match(r"socket:\[(\d+)\]", os.readlink(link))
             for link in links)
    return {int(match[1]) for match in found if match}


def talk(address, server):
    with connect(address, server.context()) as peer:
        peer.send(b"hello")
        assert peer.recv_exactly(5) == b"hello"
        peer.finish()
        peer.expect_end("clean")


def serve(lb, up, listen, inherit, **options):
    return lb.proxy(up, listen=listen, inherit=inherit, **options)


@pytest.mark.spec("ACT-1", "SRV-146")
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_listener_is_taken_with_its_queue(lb, upstream, manager, opened,
                                            host):
    sock = opened(host, v6_only=0)
    sock.setblocking(True)
    early = tcp_connect(sock.getsockname()[:2])
    other = f"127.0.0.1:{free_port()}"
    server = serve(lb, upstream(upstreams.echo), [other, at(sock)],
                   manager.passing([("web.socket", sock.fileno())]))
    assert inode(sock.fileno()) in inodes(server)
    assert server.events("ready")[0]["listen"] == [other, at(sock)]
    # It has been in the queue since before the start.
    early.close()
    server.wait_event("reject", reason="handshake_failed")
    talk(sock.getsockname()[:2], server)
    talk(server.address(), server)
    assert not os.get_blocking(sock.fileno())
    with open("/proc/sys/net/core/somaxconn", encoding="ascii") as file:
        most = int(file.read())
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
    assert struct.unpack_from("I", info, BACKLOG)[0] == min(4096, most)
    assert not server.events("error")


KINDS = {
    "udp": "it is no TCP socket",
    "pipe": "it is no TCP socket",
    "file": "it is no TCP socket",
    "closed": "it is no TCP socket",
    "unix": "it is no TCP socket",
    "deaf": "it does not listen",
    "both": "it is for both families, not for IPv6 alone",
    "other": "no app listens at its address",
    "twice": "there is another one for its address",
}


def wrong(kind, opened, directory, wanted):
    """An object with a descriptor that is not to be taken."""
    if kind == "udp":
        return opened(kind=socket.SOCK_DGRAM, listens=False)
    if kind == "pipe":
        return open(os.pipe()[0], "rb")
    if kind == "file":
        return open("/dev/null", "rb")
    if kind == "unix":
        one = socket.socket(socket.AF_UNIX)
        one.bind(str(directory / "socket"))
        one.listen()
        return one
    if kind == "deaf":
        return opened(listens=False)
    if kind == "both":
        return opened("::", v6_only=0)
    return wanted.dup() if kind == "twice" else opened()


@pytest.mark.spec("ACT-2")
@pytest.mark.parametrize("kind", KINDS)
def test_what_does_not_fit_is_closed(lb, upstream, manager, opened, tmp_path,
                                     kind):
    sock = opened()
    extra = wrong(kind, opened, tmp_path, sock)
    passing = manager.passing([("web", sock.fileno()),
                               ("odd\"one", extra.fileno())])

    def inherit():
        passing()
        if kind == "closed":
            os.close(4)
    server = serve(lb, upstream(upstreams.echo), [at(sock)], inherit)
    line = server.wait_event("error", message=CLOSED, level="warn")
    assert line["cause"] == f'{KINDS[kind]} (descriptor 4, "odd"one")'
    assert len(server.events("error")) == 1
    if kind not in ("closed", "file", "pipe", "twice"):
        assert inode(extra.fileno()) not in inodes(server)
    talk(server.address(), server)
    extra.close()


@pytest.mark.spec("ACT-3", "SRV-5")
@pytest.mark.parametrize("pid", ["1", "", "x", "-1"])
def test_what_is_for_another_process_is_left(lb, manager, opened, pid):
    """It cannot listen where somebody else does."""
    sock = opened()
    server = lb.start(
        srv.app("echo", ["tcp://127.0.0.1:9"], [at(sock)]), ready=False,
        inherit=manager.passing([("web", sock.fileno())], pid=pid or " "))
    server.wait_exit(1)
    assert server.events("error", message="cannot listen")
    assert not server.events("error", message=CLOSED)


@pytest.mark.spec("SRV-5", "ACT-1")
def test_a_start_that_fails_late_ends_cleanly(lb, manager, opened):
    """A listener that was passed is let go of once."""
    sock, taken = opened(), opened()
    server = lb.start(
        srv.app("echo", ["tcp://127.0.0.1:9"], [at(sock)]), ready=False,
        inherit=manager.passing([("web", sock.fileno())]),
        server={"admin": at(taken)})
    server.wait_exit(1)
    assert server.events("error", message="cannot listen", listen=at(taken))


SHOW_ENVIRONMENT = """\
#include <stdio.h>
#include <stdlib.h>

extern char **environ;

__attribute__((destructor)) static void show(void)
{
	FILE *out = fopen(getenv("SHOW_ENVIRONMENT"), "w");

	for (char **one = environ; out && *one; one++)
		fprintf(out, "%s\\n", *one);
}
"""


@pytest.mark.spec("ACT-3")
@pytest.mark.parametrize("pid", [None, 1])
def test_the_environment_keeps_nothing_of_it(lb, upstream, manager, tmp_path,
                                             pid):
    source, library = tmp_path / "show.c", tmp_path / "show.so"
    source.write_text(SHOW_ENVIRONMENT)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source],
                   check=True)
    passing = manager.passing(pid=pid)

    def inherit():
        passing()
        os.environ.update(LD_PRELOAD=str(library),
                          SHOW_ENVIRONMENT=str(tmp_path / "shown"))
    server = serve(lb, upstream(upstreams.echo), None, inherit)
    server.stop()
    shown = (tmp_path / "shown").read_text()
    assert "NOTIFY_SOCKET=" in shown
    assert "LISTEN_" not in shown


def names(manager):
    return [name for name, _ in manager.store]


def stored_name(address):
    return address.replace(":", "_")


@pytest.mark.spec("ACT-4")
def test_listeners_are_stored_and_removed(lb, upstream, manager, opened):
    lent = opened()
    first, second, third = (f"127.0.0.1:{free_port()}" for _ in range(3))
    server = serve(lb, upstream(upstreams.echo),
                   [first, "[::1]:" + second.split(":")[1], at(lent)],
                   manager.passing([("web", lent.fileno())]))
    manager.wait_states("READY")
    six = f"[__1]_{second.split(':')[1]}"
    assert names(manager) == [stored_name(first), six]
    assert {inode(fd) for _, fd in manager.store} < inodes(server)
    keys = [sorted(message.fields) for message in manager.messages]
    assert keys[:2] == [["FDNAME", "FDPOLL", "FDSTORE"]] * 2
    assert set(manager.said("FDPOLL")) == {"0"}

    tree = {**server.tree, "app": [dict(server.tree["app"][0])]}
    tree["app"][0]["listen"] = [first, third]
    server.reload(tree)
    manager.wait_states("READY", "RELOADING", "READY")
    assert names(manager) == [stored_name(first), stored_name(third)]
    assert manager.said("FDNAME").count(stored_name(first)) == 1
    # A socket unit keeps its own.
    assert stored_name(at(lent)) not in manager.said("FDNAME")
    server.stop()
    assert names(manager) == [stored_name(first), stored_name(third)]


@pytest.mark.spec("ACT-6")
def test_a_lent_listener_that_no_app_has_any_more_is_let_go(
        lb, upstream, manager, opened):
    """The socket unit keeps it open: who connects waits for nobody here."""
    lent = opened()
    first = f"127.0.0.1:{free_port()}"
    server = serve(lb, upstream(upstreams.echo), [first, at(lent)],
                   manager.passing([("web", lent.fileno())]))
    tree = {**server.tree, "app": [dict(server.tree["app"][0])]}
    tree["app"][0]["listen"] = [first]
    server.reload(tree)
    manager.wait_states("READY", "RELOADING", "READY")
    assert inode(lent.fileno()) not in inodes(server)
    with tcp_connect(lent.getsockname()[:2]):
        # A connection from elsewhere has the server look around.
        talk(server.address(), server)
        assert srv.cpu_share(server, 0.3) < 0.25, "the server spins"
    tree["app"][0]["listen"] = [first, f"127.0.0.1:{free_port()}"]
    server.reload(tree)
    talk(server.address(), server)


@pytest.mark.spec("ACT-4", "ACT-2")
def test_what_the_store_has_for_nobody_is_removed(lb, upstream, manager):
    up = upstream(upstreams.echo)
    server = serve(lb, up, [f"127.0.0.1:{free_port()}" for _ in range(2)],
                   manager.passing())
    manager.wait_states("READY")
    server.stop()
    kept, gone = server.tree["app"][0]["listen"]
    again = serve(lb, up, [kept], manager.passing())
    line = again.wait_event("error", message=CLOSED)
    assert line["listen"] == gone
    wait_for(lambda: names(manager) == [stored_name(kept)], "it is removed")
    # What came from there is not stored once more.
    assert manager.said("FDNAME").count(stored_name(kept)) == 1


class Load:
    """Clients, each of which connects, talks and ends, until told to stop."""

    def __init__(self, server, count=4):
        self.address, self.context = server.address(), server.context()
        self.done, self.failures = 0, []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run)
                         for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def _run(self):
        while not self._stop.is_set():
            try:
                with connect(self.address, self.context,
                             timeout=4 * BOUND) as peer:
                    peer.send(b"hello")
                    assert peer.recv_exactly(5, 4 * BOUND) == b"hello"
                    peer.finish()
                    peer.expect_end("clean")
                self.done += 1
            except (OSError, AssertionError) as error:
                self.failures.append(error)

    def wait_more(self, count=20):
        begun = self.done
        wait_for(lambda: self.done >= begun + count, "more connections",
                 4 * BOUND)

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join()


@pytest.mark.workers
@pytest.mark.spec("ACT-5", "ACT-1", "SRV-139")
def test_an_upgrade_under_load_refuses_nobody(lb, upstream, manager):
    up = upstream(upstreams.echo)
    listen = [f"127.0.0.1:{free_port()}"]
    server = serve(lb, up, listen, manager.passing())
    load = Load(server)
    try:
        for _ in range(3):
            load.wait_more()
            server.signal(signal.SIGTERM)
            server.wait_event("drain")
            # In the accept queue, with nobody to accept it.
            server.wait_exit(0)
            with tcp_connect(server.address()) as waiting:
                server = serve(lb, up, listen, manager.passing())
                waiting.close()
            load.wait_more()
    finally:
        load.stop()
    assert load.failures == []
    assert names(manager) == [stored_name(listen[0])]


@pytest.mark.spec("ACT-5")
def test_who_waits_while_a_server_is_killed_is_served(lb, upstream, manager,
                                                      pki, tmp_path):
    """By another one."""
    up = upstream(upstreams.echo)
    apps = [srv.app("echo", [up])]
    tree = srv.config(pki, apps)
    path = srv.write_config(tmp_path, tree)
    killed = srv.Lbproxyd(pki, path, tree, inherit=manager.passing())
    killed.wait_ready()
    manager.wait_states("READY")
    killed.process.kill()
    killed.process.wait()
    killed.end()
    with tcp_connect(killed.address()) as waiting:
        server = serve(lb, up, apps[0]["listen"], manager.passing())
        waiting.close()
        server.wait_event("reject", reason="handshake_failed")
    talk(server.address(), server)
