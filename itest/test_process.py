"""What the server inherits from whoever starts it, and signals of others."""

import contextlib
import fcntl
import itertools
import os
import resource
import signal
import subprocess

import pytest

from harness import server as srv
from harness import upstreams
from harness.certs import ROOT
from harness.client import attempt
from harness.wait import wait_for


def talk(peer, word=b"hello"):
    peer.send(word)
    assert peer.recv_exactly(len(word)) == word


def serves(server):
    """Sessions and rejects, so that there is something to log."""
    with server.connect() as peer:
        talk(peer)
        attempt(server.address(), server.context(None))
        with server.connect(version="1.2") as second:
            talk(second, b"second")
            second.finish()
            second.expect_end("clean")
        talk(peer, b"unharmed")
        peer.finish()
        peer.expect_end("clean")


def listening(server):
    try:
        server.connect().close()
    except (OSError, AssertionError):
        return False
    return True


def link(server, fd):
    return os.readlink(f"/proc/{server.process.pid}/fd/{fd}")


SUBSETS = [subset for size in (1, 2, 3)
           for subset in itertools.combinations(range(3), size)]


@pytest.mark.spec("SRV-55")
@pytest.mark.parametrize("closed", SUBSETS)
def test_closed_standard_descriptors_are_no_sockets(lb, upstream, closed):
    def close():
        for fd in closed:
            os.close(fd)

    server = lb.start(srv.app("echo", [upstream(upstreams.echo)]),
                      ready=False, inherit=close)
    wait_for(lambda: listening(server), "the server listens")
    for fd in closed:
        assert link(server, fd) == "/dev/null"
    serves(server)
    if 2 not in closed:
        server.wait_event("session", count=2)
        server.check_log()


@pytest.mark.spec("SRV-55")
def test_a_check_without_standard_descriptors(pki, tmp_path):
    """Its messages go into no file that it reads."""
    tree = srv.config(pki, [srv.app("echo", ["tcp://127.0.0.1:1"])])
    good = srv.write_config(tmp_path, tree)
    bad = tmp_path / "bad.toml"
    bad.write_text("wrong = 1\n")
    before = {path: path.read_bytes() for path in (good, bad)}
    for path, status in ((good, 0), (bad, 2)):
        done = srv.run("-c", path, "--check",
                       preexec_fn=lambda: os.closerange(0, 3))
        assert done.returncode == status
        assert done.stderr == done.stdout == ""
    assert before == {path: path.read_bytes() for path in before}


IGNORED = ["SIGPIPE", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGVTALRM",
           "SIGPROF", "SIGIO", "SIGPWR", "SIGSTKFLT", "SIGXFSZ", "SIGTTOU",
           "SIGWINCH", "SIGURG", "SIGCHLD", "SIGRTMIN", "SIGRTMAX"]


@pytest.mark.spec("SRV-56", "SRV-26")
def test_signals_of_tools_do_not_end_the_server(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo))
    with server.connect() as peer:
        talk(peer)
        for name in IGNORED:
            server.signal(getattr(signal, name))
            talk(peer, name.encode())
        for number in range(signal.SIGRTMIN, signal.SIGRTMAX + 1):
            server.signal(number)
        talk(peer)
    serves(server)
    assert not server.events("error")
    server.stop()


@pytest.mark.spec("SRV-56")
def test_signals_that_ask_for_a_core_still_end_it(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo), inherit=no_core)
    server.signal(signal.SIGQUIT)
    assert server.process.wait(10) == -signal.SIGQUIT
    # The fixture wants an end of the server's own; this one was asked for.
    server.process.returncode = 0


def no_core():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # A shell has what it runs in the background ignore it.
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)


ALL = set(range(1, signal.SIGRTMAX + 1)) - {
    signal.SIGKILL, signal.SIGSTOP, 32, 33}


def ignore_all():
    for number in ALL:
        signal.signal(number, signal.SIG_IGN)


def block_all():
    signal.pthread_sigmask(signal.SIG_BLOCK, ALL)


@pytest.mark.workers
@pytest.mark.spec("SRV-57")
@pytest.mark.parametrize("inherit", [ignore_all, block_all])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_inherited_signals_do_not_keep_it_from_ending(lb, upstream, inherit,
                                                      number):
    server = lb.proxy(upstream(upstreams.echo), inherit=inherit)
    serves(server)
    server.signal(signal.SIGHUP)
    server.wait_event("reload")
    server.signal(number)
    server.wait_exit(0)


@pytest.mark.spec("SRV-57")
def test_a_hangup_that_comes_early_waits(lb, upstream):
    """As it is pending when the program starts, none could be earlier."""
    def pending():
        block_all()
        os.kill(os.getpid(), signal.SIGHUP)

    server = lb.proxy(upstream(upstreams.echo), inherit=pending)
    server.wait_event("reload")
    serves(server)


@pytest.mark.spec("SRV-58")
def test_workers_follow_the_affinity_mask(lb, upstream):
    allowed = os.sched_getaffinity(0)
    up = upstream(upstreams.echo)
    for cpus in ({min(allowed)}, {max(allowed)}, allowed):
        server = lb.proxy(up, server={"workers": None},
                          inherit=lambda: os.sched_setaffinity(0, cpus))
        assert server.events("ready")[0]["workers"] == len(cpus)


@pytest.fixture(scope="session")
def many_cpus(tmp_path_factory):
    """A kernel's answer for machines that are not here: itest/many_cpus.c."""
    library = tmp_path_factory.mktemp("many") / "many_cpus.so"
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library,
                    ROOT / "itest/many_cpus.c"], check=True, timeout=60)
    return library


@pytest.mark.spec("SRV-58")
@pytest.mark.parametrize("first,count,workers", [
    (0, 1, 1), (7, 1, 1), (3, 12, 12), (1023, 1, 1), (1000, 60, 60),
    (5000, 3, 3), (0, 300, 256), (0, 65536, 256), (0, 0, 1)])
def test_workers_on_other_machines(pki, tmp_path, many_cpus, monkeypatch,
                                   first, count, workers):
    """Masks longer than a cpu_set_t, more than 256 processors, and a kernel
    that does not say (0)."""
    monkeypatch.setenv("LD_PRELOAD", str(many_cpus))
    monkeypatch.setenv("CPUS", f"{first} {count}")
    tree = srv.config(pki, [srv.app("echo", ["tcp://127.0.0.1:1"])],
                      server={"workers": None, "max_connections": 8,
                              "max_handshakes": 8})
    server = srv.Lbproxyd(pki, srv.write_config(tmp_path, tree), tree)
    try:
        server.wait_ready()
        assert server.events("ready")[0]["workers"] == workers
        server.stop()
    finally:
        server.end()


def with_more(count, lowest=3, soft=None):
    """A maker of descriptors that the server inherits, and no others."""
    def inherit():
        for fd in range(3, 256):
            with contextlib.suppress(OSError):
                os.set_inheritable(fd, False)
        if soft:
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for _ in range(count):
            fcntl.fcntl(0, fcntl.F_DUPFD, lowest)
    return inherit


def soft_limit(server):
    path = f"/proc/{server.process.pid}/limits"
    with open(path, encoding="ascii") as file:
        line = next(one for one in file if "open files" in one)
    return int(line.split()[3])


@pytest.mark.workers
@pytest.mark.spec("SRV-59", "POL-2", "SRV-31")
@pytest.mark.parametrize("more", [with_more(600, 3, 1024),
                                  with_more(600, 1500, 2500)],
                         ids=["low", "high"])
def test_inherited_descriptors_are_no_places(lb, upstream, poller, more):
    """As many sessions as may be have descriptors that the poller takes."""
    many = 150 if poller == "select" else 250
    server = lb.proxy(upstream(upstreams.echo), inherit=more,
                      server={"max_connections": many, "max_handshakes": 50})
    assert server.open_files() > 600
    assert soft_limit(server) >= 600 + 2 * many + 50
    peers = [server.connect() for _ in range(many)]
    for peer in peers:
        talk(peer)
    for peer in peers:
        peer.close()
    server.wait_event("session", count=many)
    assert not server.events("session", reason="internal")
    assert not server.events("error")


@pytest.mark.spec("SRV-59", "POL-3", "SRV-22")
def test_auto_counts_inherited_descriptors(pki, tmp_path, upstream):
    tree = srv.config(pki, [srv.app("echo", [upstream(upstreams.echo)])],
                      server={"workers": 1, "max_connections": 2,
                              "max_handshakes": 2})
    path = srv.write_config(tmp_path, tree)
    for more, chosen in ((0, "select"), (600, "epoll"), (1010, "epoll")):
        server = srv.Lbproxyd(pki, path, tree, inherit=with_more(
            more, soft=2000)).wait_ready()
        try:
            assert server.events("ready")[0]["event_loop"] == chosen
            serves(server)
            server.stop()
        finally:
            server.end()


@pytest.mark.spec("SRV-59", "POL-3", "SRV-22")
def test_select_beside_too_many_is_an_error(pki, tmp_path):
    """600 and two for each of 201 sessions are more than 1,024."""
    tree = srv.config(pki, [srv.app("echo", ["tcp://127.0.0.1:1"])],
                      poller="select", server={"max_connections": 201})
    path = srv.write_config(tmp_path, tree)
    lines = path.read_text().splitlines()
    row = next(n for n, line in enumerate(lines, 1) if "event_loop" in line)
    for args in (["-c", path, "--check"], ["-c", path]):
        done = srv.run(*args, close_fds=False, preexec_fn=with_more(600))
        assert done.returncode == 2
        assert f"{path}:{row}:" in done.stderr, done.stderr
        assert "600 inherited" in done.stderr
    assert srv.run("-c", path, "--check").returncode == 0
