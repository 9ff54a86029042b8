"""The admin socket itself: who may use it, and what is at its path."""

import contextlib
import os
import signal
import socket
import stat
import subprocess
import sys
import threading

import pytest

from harness import control, upstreams
from harness import server as srv
from harness.ports import free_port
from harness.wait import BOUND, wait_for

SECTION = control.section()


@pytest.fixture
def up(upstream):
    return upstream(upstreams.echo)


def health(server):
    return control.ask(server, "/healthz").status


@pytest.mark.spec("CTL-3", "CTL-4", "CTL-6")
def test_it_comes_and_goes(lb, up):
    server = lb.proxy(up, server=SECTION)
    path = control.path(server)
    mode = path.lstat().st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600
    assert health(server) == 200
    assert sorted(p.name for p in path.parent.glob("admin.sock*")) == [
        "admin.sock"]
    server.stop()
    assert not path.exists()


@pytest.mark.spec("CTL-4")
def test_no_umask_opens_it(lb, up):
    server = lb.proxy(up, server=SECTION, inherit=lambda: os.umask(0))
    assert stat.S_IMODE(control.path(server).lstat().st_mode) == 0o600


@pytest.mark.spec("CTL-4")
def test_other_users_are_refused(lb, up):
    """Even if somebody has opened the file to them."""
    if os.getuid() != 0:
        pytest.fail("this test changes its user, which takes root")
    server = lb.proxy(up, server=SECTION)
    path = control.path(server)
    for part in [path, *path.parents]:
        if part.owner() == "root" and part not in (path.parents[-1],):
            mode = stat.S_IMODE(part.stat().st_mode)
            part.chmod(mode | (0o666 if part == path else 0o011))
    code = ("import socket, sys; s = socket.socket(socket.AF_UNIX);"
            "s.connect(sys.argv[1]);"
            "s.sendall(b'GET /healthz HTTP/1.0\\r\\n\\r\\n');"
            "print(s.recv(99))")
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
         sys.executable, "-c", code, str(path)], capture_output=True,
        text=True, timeout=60, check=False)
    # Closed: nothing, or a reset of what was sent.
    assert "200" not in done.stdout
    assert done.stdout.strip() == "b''" or "Error" in done.stderr
    assert "Permission" not in done.stderr, "it was not even asked"
    assert health(server) == 200


@pytest.mark.spec("CTL-5")
def test_what_a_dead_server_left_is_replaced(lb, up):
    path = lb.directory / control.SOCKET
    for name in (path, f"{path}.new"):
        left = socket.socket(socket.AF_UNIX)
        left.bind(str(name))
        left.close()
    server = lb.proxy(up, server=SECTION)
    assert control.path(server) == path
    assert health(server) == 200
    assert not (path.parent / "admin.sock.new").exists()


@pytest.mark.spec("CTL-5")
def test_what_is_in_use_is_not_replaced(lb, up, pki, tmp_path):
    server = lb.proxy(up, server=SECTION)
    path = control.path(server)
    tree = srv.config(pki, [srv.app("echo", [up])],
                      server={"admin_socket": str(path)})
    other = srv.write_config(tmp_path, tree, "other.toml")
    done = srv.run("-c", other)
    assert done.returncode == 1 and "another server answers" in done.stderr
    assert health(server) == 200
    file = tmp_path / "file"
    file.write_text("precious")
    tree["server"]["admin_socket"] = str(file)
    srv.write_config(tmp_path, tree, "other.toml")
    done = srv.run("-c", other)
    assert done.returncode == 1 and "no socket" in done.stderr
    assert file.read_text() == "precious"
    tree["server"]["admin_socket"] = "none/admin.sock"
    srv.write_config(tmp_path, tree, "other.toml")
    done = srv.run("-c", other)
    assert done.returncode == 1 and "No such file" in done.stderr


@pytest.mark.spec("CTL-3")
def test_long_paths(lb, up, pki, tmp_path):
    room = 103 - len(str(tmp_path)) - 1
    tree = srv.config(pki, [srv.app("echo", [up])],
                      server={"admin_socket": "x" * (room + 1)})
    path = srv.write_config(tmp_path, tree)
    done = srv.run("-c", path, "--check")
    assert done.returncode == 2
    assert "104 bytes; accepted: at most 103" in done.stderr
    tree["server"]["admin_socket"] = "x" * room
    srv.write_config(tmp_path, tree)
    assert srv.run("-c", path, "--check").returncode == 0
    server = lb.proxy(up, server=tree["server"])
    assert len(str(control.path(server))) == 103
    assert health(server) == 200


@pytest.mark.spec("CTL-6")
def test_reloads_move_it(lb, up):
    server = lb.proxy(up, server=SECTION)
    first = control.path(server)
    tree = {**server.tree, "server": {**server.tree["server"],
                                      "admin_socket": "other.sock"}}
    # Whoever asks for it at the old one is answered there.
    server.rewrite(tree)
    done = control.run("-s", first, "reload")
    assert "generation 2" in done.stdout
    server.tree = tree
    wait_for(lambda: not first.exists(), "the old one is gone")
    assert health(server) == 200
    # None, and one again.
    del tree["server"]["admin_socket"]
    second = server.path.parent / "other.sock"
    server.reload(tree)
    wait_for(lambda: not second.exists(), "the second one is gone")
    tree["server"]["admin_socket"] = "other.sock"
    server.reload(tree)
    assert health(server) == 200
    # One that somebody removed is made again.
    second.unlink()
    server.reload(tree)
    assert health(server) == 200


@pytest.mark.spec("CTL-5", "CTL-6")
def test_a_reload_that_is_refused_leaves_it(lb, up):
    server = lb.proxy(up, server=SECTION)
    file = server.path.parent / "file"
    file.write_text("precious")
    tree = {**server.tree, "server": {**server.tree["server"],
                                      "admin_socket": "file"}}
    server.reload(tree, ok=False)
    assert health(server) == 200
    assert file.read_text() == "precious"
    # A new one is taken back if something else fails.
    tree["server"]["admin_socket"] = "other.sock"
    tree["server"]["admin"] = "127.0.0.1:1"
    taken = socket.create_server(("127.0.0.1", 0))
    tree["server"]["admin"] = "127.0.0.1:%d" % taken.getsockname()[1]
    server.reload(tree, ok=False)
    assert not (server.path.parent / "other.sock").exists()
    assert health(server) == 200
    taken.close()


@pytest.mark.spec("CTL-6")
def test_what_took_its_place_stays(lb, up):
    server = lb.proxy(up, server=SECTION)
    path = control.path(server)
    path.unlink()
    path.write_text("another's")
    server.stop()
    assert path.read_text() == "another's"


@pytest.mark.spec("CTL-7", "CTL-17")
def test_what_is_not_there_is_named(lb, up):
    server = lb.proxy(up, server=control.section())
    for method, target, text in (
            ("POST", f"/drain?app=none&upstream={up.url}",
             "there is no such app"),
            ("POST", "/resume?app=echo&upstream=tcp://127.0.0.1:1",
             "the app has no such upstream; accepted: a url as it is "
             "configured"),
            ("POST", "/kill?client=nobody",
             "no client is listed with this id"),
            ("POST", "/kill?session=7-99", "there is no such session"),
            ("GET", "/client?app=echo&client=nobody",
             "no such client may use the app")):
        answer = control.ask(server, target, method)
        assert (answer.status, answer.text) == (404, text + "\n"), target


@pytest.mark.spec("CTL-7")
def test_methods_and_queries(lb, up):
    server = lb.proxy(up, server=control.section(
        admin=f"127.0.0.1:{free_port()}"))
    for method, target, status in (
            ("GET", "/status", 200), ("GET", "/metrics", 200),
            ("GET", "/", 200), ("POST", "/status", 405),
            ("GET", "/reload", 405), ("PUT", "/reload", 405),
            ("GET", "/nothing", 404), ("POST", "/drain?app=echo", 400),
            ("POST", "/kill", 400), ("POST", "/kill?session=x", 400),
            ("GET", "/client?app=echo", 400),
            ("GET", "/client?app=echo&client=alice", 200),
            ("GET", "/client?app=echo&client=nobody", 404),
            ("GET", "/client?app=none&client=alice", 404)):
        answer = control.ask(server, target, method)
        assert answer.status == status, (method, target)
        if status == 405:
            assert answer.headers["allow"] == "GET, HEAD, POST"
    # None of it is there for whoever can reach the port.
    from harness import admin
    for target in ("/sessions", "/client?app=echo&client=alice"):
        assert admin.ask(server, target).status == 404
    for target in ("/reload", "/kill?client=alice",
                   f"/drain?app=echo&upstream={up.url}"):
        assert admin.ask(server, target, "POST").status == 405
    assert not server.events("reload") and not server.events("admin")


@pytest.mark.spec("CTL-22")
def test_others_go_on_meanwhile(lb, up):
    """Sessions are relayed and listed while reloads and lists are asked."""
    server = lb.proxy(up, server=SECTION)
    stop = threading.Event()
    failed = []

    def ask_again():
        while not stop.is_set():
            for target, method in (("/sessions", "GET"), ("/reload", "POST"),
                                   ("/kill?client=carol", "POST")):
                answer = control.ask(server, target, method)
                if answer.status != 200:
                    failed.append(answer.text)
    askers = [threading.Thread(target=ask_again) for _ in range(3)]
    for one in askers:
        one.start()
    with server.connect() as peer:
        for n in range(200):
            peer.send(b"%04d" % n)
            assert peer.recv_exactly(4) == b"%04d" % n
    for _ in range(10):
        with server.connect("bob") as peer:
            peer.send(b"x")
            assert peer.recv_exactly(1) == b"x"
    stop.set()
    for one in askers:
        one.join(10 * BOUND)
    assert not failed
    assert not server.events("session", reason="killed")


@pytest.mark.spec("CTL-6", "CTL-22")
def test_its_users_do_not_delay_the_end(lb, up):
    server = lb.proxy(up, server=SECTION)
    idle = []
    for _ in range(5):
        one = socket.socket(socket.AF_UNIX)
        one.connect(str(control.path(server)))
        one.sendall(b"GET /sess")
        idle.append(one)
    server.signal(signal.SIGTERM)
    server.wait_exit(timeout=2 * BOUND)
    for one in idle:
        one.close()


def answer_at_the_end(server):
    """To a request whose end comes after that of workers and acceptor, when
    the socket is open for a moment more, to send what is there to be sent."""
    tasks = f"/proc/{server.process.pid}/task"
    # The acceptor is started last.
    server.connect().close()
    before = len(os.listdir(tasks))
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(str(control.path(server)))
        peer.settimeout(BOUND)
        peer.sendall(b"GET /sessions HTTP/1.0\r\n")
        assert health(server) == 200
        server.signal(signal.SIGTERM)
        wait_for(lambda: len(os.listdir(tasks)) <= before - 3, "their end")
        with contextlib.suppress(OSError):
            peer.sendall(b"\r\n")
            return b"".join(iter(lambda: peer.recv(4096), b""))
    return b""


@pytest.mark.spec("CTL-23")
def test_who_asks_at_the_last_moment(lb, up):
    """Nobody waits for threads that have ended."""
    for _ in range(9):
        server = lb.proxy(up, server=control.section(workers=2))
        answer = answer_at_the_end(server)
        server.wait_exit()
        if b" 503 " in answer:
            break
        # A busy machine missed the moment.
    assert answer.split(b"\r\n")[0].split(b" ")[1] == b"503"
    assert answer.endswith(b"the server is stopping\n")
