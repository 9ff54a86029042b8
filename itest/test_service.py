"""What the server tells a service manager."""

import contextlib
import ctypes
import os
import resource
import signal
import socket
import time

import pytest

from harness import server as srv
from harness import upstreams
from harness.client import tcp_connect
from harness.manager import Manager
from harness.wait import SLOW, holds_for, wait_for

# The shorter, the more a busy machine looks like a thread that hangs.
WATCHDOG_S = 2 * SLOW


@pytest.fixture(params=["path", "abstract"])
def any_manager(request):
    one = Manager(abstract=request.param == "abstract")
    yield one
    one.stop()


@pytest.fixture
def manager():
    one = Manager()
    yield one
    one.stop()


def started_by(manager, **more):
    """For inherit: makes the child one that the manager started."""
    return lambda: os.environ.update(manager.environment(**more))


def watched_by(manager, pid=None):
    def inherit():
        os.environ.update(manager.environment(
            WATCHDOG_USEC=str(int(WATCHDOG_S * 1e6)),
            WATCHDOG_PID=str(pid or os.getpid())))
    return inherit


@pytest.mark.spec("SVC-1")
def test_ready_is_told_when_it_serves(lb, upstream, any_manager):
    apps = [srv.app(name, [upstream(upstreams.echo)]) for name in "ab"]
    server = lb.start(apps, inherit=started_by(any_manager), ready=False)
    any_manager.wait_states("READY")
    for name in "ab":
        tcp_connect(server.address(name)).close()
    threads = os.listdir(f"/proc/{server.process.pid}/task")
    # The main one, the acceptor and two workers.
    assert len(threads) >= 4


@pytest.mark.spec("SVC-1", "SRV-5")
def test_ready_is_not_told_when_it_cannot_listen(lb, upstream, manager):
    first = lb.proxy(upstream(upstreams.echo))
    listen = first.tree["app"][0]["listen"]
    second = lb.start(srv.app("echo", ["tcp://127.0.0.1:9"], listen),
                      inherit=started_by(manager), ready=False)
    second.wait_exit(1)
    assert manager.states() == []


@pytest.mark.spec("SVC-1")
@pytest.mark.parametrize("name", ["notify", "@", "vsock:2:1", "/nowhere/x"])
def test_it_serves_if_nobody_takes_it(lb, upstream, name):
    server = lb.proxy(
        upstream(upstreams.echo),
        inherit=lambda: os.environ.update(NOTIFY_SOCKET=name))
    server.wait_event("error", message="cannot tell the service manager",
                      level="warn")
    server.reload()
    with server.connect() as peer:
        peer.send(b"hello")
        assert peer.recv_exactly(5) == b"hello"
    assert len(server.events("error")) == 1


@pytest.mark.spec("SVC-2", "SVC-4")
def test_reloads_are_told_from_begin_to_end(lb, upstream, manager):
    server = lb.proxy(upstream(upstreams.echo), inherit=started_by(manager))
    manager.wait_states("READY")
    good = server.path.read_text(encoding="utf-8")
    rest = "apps: 1, sessions: 0 of 400, generation:"
    manager.wait_said("STATUS", f"{rest} 1")
    for text, ok, status in [
            (good, True, f"{rest} 2, last reload: done"),
            ("nonsense", False,
             f"{rest} 2, last reload: refused, as the log says"),
            (good, True, f"{rest} 3, last reload: done")]:
        before = len(manager.states())
        begun = time.monotonic_ns() // 1000
        server.reload(text, ok)
        manager.wait_states(*["READY", "RELOADING"] * (before // 2 + 1),
                            "READY")
        said = int(manager.said("MONOTONIC_USEC")[-1])
        assert begun <= said <= time.monotonic_ns() // 1000
        manager.wait_said("STATUS", status)
    together = [set(message.fields) for message in manager.messages]
    assert {"RELOADING", "MONOTONIC_USEC"} in together


@pytest.mark.spec("SVC-2")
def test_a_reload_for_new_content_is_told_too(lb, upstream, manager, pki):
    server = lb.proxy(upstream(upstreams.echo), server={"watch": "20ms"},
                      inherit=started_by(manager))
    crl = server.tree["tls"]["crl"]
    with open(crl, "ab") as file:
        file.write(b"\n")
    server.wait_event("reload", cause="watch")
    manager.wait_states("READY", "RELOADING", "READY")


@pytest.mark.spec("SVC-3", "SVC-4")
def test_a_drain_is_told_with_the_time_that_it_may_take(lb, upstream,
                                                       manager):
    server = lb.proxy(upstream(upstreams.echo), inherit=started_by(manager),
                      timeouts={"drain": "90s", "drain_delay": "1ms"})
    with server.connect() as peer:
        peer.send(b"hello")
        assert peer.recv_exactly(5) == b"hello"
        server.signal(signal.SIGTERM)
        manager.wait_states("READY", "STOPPING")
        last = manager.messages[-1].fields
        assert last["STATUS"].startswith("draining; sessions: 1, for at most ")
        assert last["EXTEND_TIMEOUT_USEC"] == "95001000"
        server.signal(signal.SIGHUP)
        peer.finish()
        peer.expect_end("clean")
    server.wait_exit(0)
    assert manager.states() == ["READY", "STOPPING"]


@pytest.mark.long(10)
@pytest.mark.spec("SVC-4")
def test_the_status_follows_the_sessions(lb, upstream, manager):
    server = lb.proxy(upstream(upstreams.echo), inherit=started_by(manager))
    with server.connect() as peer:
        peer.send(b"hello")
        assert peer.recv_exactly(5) == b"hello"
        wait_for(lambda: "sessions: 1 of 400" in manager.said("STATUS")[-1],
                 "one session", 5 + 3 * SLOW)
    before = len(manager.messages)
    wait_for(lambda: "sessions: 0 of 400" in manager.said("STATUS")[-1],
             "no session", 5 + 3 * SLOW)
    assert len(manager.messages) == before + 1
    assert manager.states() == ["READY"]


PTRACE_SEIZE, PTRACE_DETACH, PTRACE_INTERRUPT = 0x4206, 17, 0x4207
WALL = 0x40000000


def waits(thread):
    """Whether it sleeps in a system call, as /proc has it."""
    with open(f"/proc/{thread}/syscall", encoding="ascii") as file:
        return file.read().split()[0].isdigit()


@contextlib.contextmanager
def hung(thread):
    """Stops one thread of another process, and lets it go on. When it waits:
    it must not have a lock that others need."""
    wait_for(lambda: waits(thread), "a thread that waits")
    ptrace = ctypes.CDLL(None, use_errno=True).ptrace
    ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p,
                       ctypes.c_void_p]
    assert ptrace(PTRACE_SEIZE, thread, None, None) == 0, ctypes.get_errno()
    assert ptrace(PTRACE_INTERRUPT, thread, None, None) == 0
    os.waitpid(thread, WALL)
    try:
        yield
    finally:
        assert ptrace(PTRACE_DETACH, thread, None, None) == 0


def threads_of(server):
    """Its threads by name: two workers and the acceptor are started last, after
    what a sanitizer may have."""
    tasks = sorted(map(int, os.listdir(f"/proc/{server.process.pid}/task")))
    return dict(zip(["worker 0", "worker 1", "acceptor"], tasks[-3:]))


def signs(manager):
    return len(manager.said("WATCHDOG"))


@pytest.mark.long(20)
@pytest.mark.workers
@pytest.mark.spec("SVC-5")
def test_signs_of_life_come_twice_in_their_time(lb, upstream, manager):
    server = lb.proxy(upstream(upstreams.echo), inherit=watched_by(manager),
                      timeouts={"drain": "1h"})
    begun = time.monotonic()
    wait_for(lambda: signs(manager) >= 4, "four signs", 4 * WATCHDOG_S)
    # The first one comes at once.
    assert 1.4 * WATCHDOG_S < time.monotonic() - begun < 3 * WATCHDOG_S
    with server.connect() as peer:
        peer.send(b"hello")
        assert peer.recv_exactly(5) == b"hello"
        server.signal(signal.SIGTERM)
        server.wait_event("drain")
        before = signs(manager)
        wait_for(lambda: signs(manager) >= before + 3, "signs in a drain",
                 4 * WATCHDOG_S)
        assert not server.events("error")


@pytest.mark.spec("SVC-5")
def test_signs_of_life_are_not_for_another_process(lb, upstream, manager):
    lb.proxy(upstream(upstreams.echo), inherit=watched_by(manager, pid=1))
    manager.wait_states("READY")
    holds_for(lambda: signs(manager) == 0, "no sign", WATCHDOG_S)


@pytest.mark.long(20)
@pytest.mark.workers
@pytest.mark.spec("SVC-5", "SVC-6")
@pytest.mark.parametrize("name", ["worker 0", "worker 1", "acceptor"])
def test_a_thread_that_hangs_ends_them(lb, upstream, manager, name):
    server = lb.proxy(upstream(upstreams.echo), inherit=watched_by(manager))
    wait_for(lambda: signs(manager) >= 1, "a sign")
    with hung(threads_of(server)[name]):
        line = server.wait_event("error", message="a thread does not answer",
                                 timeout=3 * WATCHDOG_S)
        assert line["cause"] == name
        before = signs(manager)
        holds_for(lambda: signs(manager) == before, "no more signs",
                  1.5 * WATCHDOG_S)
        assert len(server.events("error")) == 1
    wait_for(lambda: signs(manager) > before + 1, "signs again",
             3 * WATCHDOG_S)


@pytest.mark.workers
@pytest.mark.spec("SVC-3", "ACT-4")
def test_a_reload_that_a_drain_overtakes(lb, upstream, manager):
    """What has its end in the drain stores and removes nothing any more."""
    up = upstream(upstreams.echo)
    server = lb.proxy(up, inherit=started_by(manager))
    manager.wait_states("READY")
    tree = {**server.tree, "app": [srv.app("echo", [up])],
            "client": [srv.client("alice", [srv.SERIALS["alice"]],
                                  ["echo"])]}
    stored = len(manager.store)
    with hung(threads_of(server)["worker 0"]):
        server.rewrite(tree)
        server.signal(signal.SIGHUP)
        manager.wait_states("READY", "RELOADING")
        wait_for(lambda: is_listening(tree["app"][0]), "the new listener")
        server.signal(signal.SIGTERM)
        server.wait_event("drain")
        assert not server.events("reload")
    server.wait_exit()
    assert [line["ok"] for line in server.events("reload")] == [True]
    assert manager.states() == ["READY", "RELOADING", "STOPPING"]
    assert len(manager.store) == stored


def is_listening(app):
    host, port = app["listen"][0].rsplit(":", 1)
    with contextlib.suppress(OSError):
        socket.create_connection((host, int(port)), 1).close()
        return True
    return False


@pytest.mark.spec("SVC-7")
def test_signs_of_life_need_no_descriptor(lb, upstream, manager):
    server = lb.proxy(upstream(upstreams.echo), inherit=watched_by(manager))
    wait_for(lambda: signs(manager) >= 1, "a sign")
    pid = server.process.pid
    hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)[1]
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (server.open_files(), hard))
    with tcp_connect(server.address()):
        server.wait_event("error", message="cannot accept")
        before = signs(manager)
        wait_for(lambda: signs(manager) >= before + 2, "more signs",
                 3 * WATCHDOG_S)
