"""The embedding program of lib/example, built from what is installed alone."""

import os
import pathlib
import shutil
import socket
import subprocess
import threading
import time

import pytest

from harness.certs import ROOT
from harness.ports import free_port

EXAMPLE = pathlib.Path(ROOT, "lib/example/balance.c")
COMPILERS = [("gcc",), ("clang",), ("g++", "-x", "c++")]
WARNINGS = ["-Wall", "-Wextra", "-Werror"]
IDLE_MS = 30000
TIMEOUT = 20


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """What make install-lib installs."""
    to = tmp_path_factory.mktemp("tree")
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith(("MAKE", "MFLAGS"))}
    subprocess.run(["make", "-C", ROOT, "install-lib", f"DESTDIR={to}",
                    "PREFIX=/usr"], env=environment, check=True, timeout=300,
                   capture_output=True)
    return to


@pytest.fixture(scope="module", params=COMPILERS, ids=lambda c: c[0])
def program(request, tree, tmp_path_factory):
    if shutil.which(request.param[0]) is None:
        pytest.skip(f"no {request.param[0]}")
    lib = tree / "usr/lib"
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "lbproxy"], check=True, text=True,
        capture_output=True, env={
            **os.environ, "PKG_CONFIG_PATH": str(lib / "pkgconfig"),
            "PKG_CONFIG_SYSROOT_DIR": str(tree)}).stdout.split()
    assert len(EXAMPLE.read_text().splitlines()) <= 150
    out = tmp_path_factory.mktemp("embed") / "balance"
    done = subprocess.run(
        [*request.param, *WARNINGS, EXAMPLE, "-o", out, *flags,
         f"-Wl,-rpath,{lib}"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out


class Upstream:
    """Names itself, then sends back all it got once that has ended."""

    def __init__(self, name):
        self.name = name
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(peer,),
                             daemon=True).start()

    def _talk(self, peer):
        got = b""
        with peer:
            try:
                peer.sendall(self.name)
                while data := peer.recv(65536):
                    got += data
                peer.sendall(got)
            except OSError:
                pass

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class Balance:
    def __init__(self, program, ports, idle_ms=IDLE_MS):
        self.port = free_port()
        self.ports = [str(port) for port in ports]
        self.process = subprocess.Popen(
            [program, str(self.port), str(idle_ms), *self.ports],
            stdout=subprocess.PIPE, text=True)
        deadline = time.monotonic() + TIMEOUT
        while True:
            assert self.process.poll() is None
            try:
                self.connect("127.0.0.3").close()
                break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.01)
        assert self.line() == "a stranger - unknown_client"

    def connect(self, source="127.0.0.1"):
        return socket.create_connection(
            ("127.0.0.1", self.port), TIMEOUT, (source, 0))

    def line(self):
        return self.process.stdout.readline().strip()

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture
def upstreams():
    all_of_them = [Upstream(b"A"), Upstream(b"B")]
    yield all_of_them
    for upstream in all_of_them:
        upstream.close()


@pytest.fixture
def balance(program, upstreams):
    server = Balance(program, [upstream.port for upstream in upstreams])
    yield server
    server.close()


def whole(peer):
    got = b""
    while data := peer.recv(65536):
        got += data
    return got


@pytest.mark.spec("SES-32", "SES-7", "REL-1")
def test_it_balances_and_half_closes(balance):
    data = os.urandom(1 << 20)
    with balance.connect() as first, balance.connect() as second:
        names = {first.recv(1), second.recv(1)}
        assert names == {b"A", b"B"}
        for peer in (first, second):
            sender = threading.Thread(target=peer.sendall, args=(data,))
            sender.start()
            sender.join(TIMEOUT)
            peer.shutdown(socket.SHUT_WR)
            assert whole(peer) == data
            line = balance.line().split()
            assert line[0] == "alice" and line[2] == "done"


@pytest.mark.spec("SES-4", "SES-32")
def test_it_limits_both_clients(balance):
    with balance.connect() as first, balance.connect() as second:
        first.recv(1), second.recv(1)
        with balance.connect() as third:
            assert whole(third) == b""
        assert balance.line() == "alice - concurrent_limit"
    assert {balance.line().split()[2] for _ in range(2)} == {"done"}
    for _ in range(3):
        with balance.connect("127.0.0.2") as peer:
            peer.shutdown(socket.SHUT_WR)
            assert len(whole(peer)) == 1
        assert balance.line().endswith("done")
    with balance.connect("127.0.0.2") as peer:
        assert whole(peer) == b""
    assert balance.line() == "bob - rate_limit"


@pytest.mark.spec("SES-11")
def test_it_ends_who_is_idle(program, upstreams):
    server = Balance(program, [upstreams[0].port], idle_ms=300)
    try:
        with server.connect() as peer:
            assert peer.recv(1) == b"A"
            with pytest.raises(ConnectionResetError):
                peer.recv(1)
        assert server.line() == f"alice {upstreams[0].port} idle_timeout"
    finally:
        server.close()


@pytest.mark.spec("SES-8", "REL-5")
def test_it_passes_resets_on(balance):
    with balance.connect() as peer:
        peer.recv(1)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        b"\1\0\0\0\0\0\0\0")
    assert balance.line().endswith("client_reset")


@pytest.mark.spec("SES-5", "REL-14")
def test_it_tries_the_next_upstream(program, upstreams):
    down = free_port()
    server = Balance(program, [down, upstreams[1].port])
    try:
        with server.connect() as peer:
            assert peer.recv(1) == b"B"
            peer.shutdown(socket.SHUT_WR)
            assert whole(peer) == b""
        assert server.line() == f"alice {upstreams[1].port} done"
    finally:
        server.close()
    server = Balance(program, [down])
    try:
        with server.connect() as peer:
            assert whole(peer) == b""
        assert server.line() == "alice - no_upstream"
    finally:
        server.close()
