"""Fixtures: certificates, the server under both pollers, its log on failure.
"""

import fcntl
import os
import re
import shutil
import sys
import zlib

# Not among the sources.
sys.dont_write_bytecode = sys.pycache_prefix is None

import pytest  # noqa: E402

from harness import server as srv  # noqa: E402
from harness.certs import Pki  # noqa: E402
from harness.upstreams import Upstream  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "spec(*ids): the SPEC requirements that a test checks")
    config.addinivalue_line(
        "markers", "workers: several threads of the server take part, so "
        "that it is worth a run under TSan (-k workers)")
    config.addinivalue_line(
        "markers", "once: it takes so much, and tests so little of the code, "
        "that it is not worth a run with sanitizers")
    config.addinivalue_line(
        "markers", "long(seconds): it takes so long or more, and begins early")


# These start no program of the build that is tested, or no sanitizer's, or a
# browser. They are those that the Makefile leaves out of itest-asan.
ONLY_ONCE = {f"test_{name}" for name in (
    "bench", "build", "certs_gen", "container", "deb", "demo", "hardening", "harness",
    "page", "provider", "reference")}


def is_left_out(item):
    """With ITEST_POLLERS=one, of two tests that differ in the poller alone one
    is run; by its name, so that each poller is in half of them. With "other",
    it is the other one, with "some" that of every sixth pair, and what has no
    poller is left to the first run. What is run once is left to the others."""
    poller = getattr(item, "callspec", None) and item.callspec.params.get(
        "poller")
    which = os.environ.get("ITEST_POLLERS", "both")
    is_once = (item.get_closest_marker("once") is not None
               or item.module.__name__ in ONLY_ONCE)
    if which == "both":
        return False
    if is_once and srv.sanitized():
        return True
    if not poller:
        return which != "one" and not is_once
    drawn = zlib.crc32(re.sub("select|epoll", "", item.nodeid).encode())
    first = ["select", "epoll"][drawn % 2]
    if is_once:
        return poller != first
    if which == "some" and drawn // 2 % 6 != 0:
        return True
    return (poller == first) != (which == "one")


def begin_with_long_ones(items):
    """So that none of them is left when all others are done. Of n tests each
    of w processes gets n/4w first, as they stand here, and more as they end."""
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))
    first = max(len(items) // processes // 4, 2)
    long = [item for item in items if item.get_closest_marker("long")]
    long.sort(key=lambda item: -item.get_closest_marker("long").args[0])
    short = [item for item in items if item not in long]
    items[:] = []
    for process in range(processes):
        share = long[process::processes]
        count = max(first - len(share), 0)
        items += share + short[:count]
        del short[:count]
    items += short


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    left_out = [item for item in items if is_left_out(item)]
    if left_out:
        items[:] = [item for item in items if not is_left_out(item)]
        config.hook.pytest_deselected(items=left_out)
    begin_with_long_ones(items)


@pytest.fixture(scope="session")
def pki(tmp_path_factory):
    """Each process has files of its own, which only the first one makes."""
    own = tmp_path_factory.mktemp("pki")
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return Pki(own)
    first = tmp_path_factory.getbasetemp().parent / "pki"
    with open(f"{first}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not first.exists():
            Pki(f"{first}.new").dir.rename(first)
    shutil.copytree(first, own, dirs_exist_ok=True)
    return Pki(own, made=True)


@pytest.fixture(params=["select", "epoll"])
def poller(request):
    return request.param


@pytest.fixture
def upstream():
    """A maker of upstreams that end with the test."""
    made = []

    def make(*args, **options):
        made.append(Upstream(*args, **options))
        return made[-1]

    yield make
    for one in made:
        one.stop()


class Servers:
    """Starts servers; at the end each must still stop cleanly."""

    def __init__(self, pki, poller, directory):
        self.pki = pki
        self.poller = poller
        self.directory = directory
        self.started = []

    def start(self, apps, clients=None, ready=True, fd_limit=None,
              read_log=True, inherit=None, **sections):
        apps = apps if isinstance(apps, list) else [apps]
        tree = srv.config(self.pki, apps, clients, self.poller, **sections)
        path = srv.write_config(self.directory, tree,
                                f"lbproxy-{len(self.started)}.toml")
        server = srv.Lbproxyd(self.pki, path, tree, fd_limit, read_log,
                              inherit)
        self.started.append(server)
        return server.wait_ready() if ready and read_log else server

    def proxy(self, *upstreams, clients=None, limits=None, health=None,
              listen=None, fd_limit=None, read_log=True, inherit=None,
              **sections):
        """The common case: one app, "echo", over these upstreams."""
        keys = {"limits": limits} if limits else {}
        one = srv.app("echo", upstreams, listen, health, **keys)
        return self.start(one, clients, fd_limit=fd_limit,
                          read_log=read_log, inherit=inherit, **sections)

    def end(self):
        for server in self.started:
            server.end()
        for server in self.started:
            code = server.process.returncode
            assert code in (0, 1, 2), f"the server ended with status {code}"
            assert server.stdout == b"", server.stdout
            if server.events("ready"):
                server.check_log()


@pytest.fixture
def lb(pki, poller, tmp_path):
    servers = Servers(pki, poller, tmp_path)
    yield servers
    servers.end()


@pytest.fixture
def need():
    """Fails, with the command that mends it, if a program is missing."""
    def check(program, package):
        path = shutil.which(program) or shutil.which(
            program, path="/usr/sbin:/usr/bin:/sbin:/bin")
        if not path:
            pytest.fail(f"{program} is missing: apt-get install {package}")
        return path
    return check


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    report = outcome.get_result()
    servers = getattr(item, "funcargs", {}).get("lb")
    if report.failed and servers:
        for server in servers.started:
            report.sections.append(
                ("lbproxyd log", server.log_text()[-6000:]))
