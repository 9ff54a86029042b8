"""The admin port: health, readiness, and what strangers do to it."""

import contextlib
import signal
import socket
import time

import pytest

from harness import admin, upstreams
from harness import server as srv
from harness.client import tcp_connect
from harness.ports import free_port
from harness.wait import BOUND, wait_for

CHECKS = {"enabled": True, "interval": "50ms", "timeout": "1s", "rise": 1,
          "fall": 1}


@pytest.fixture
def up(upstream):
    return upstream(upstreams.echo)


@pytest.mark.spec("ADM-1")
def test_health(lb, up):
    server = lb.proxy(up, server=admin.section())
    for path in ("/healthz", "/healthz?verbose=1"):
        answer = admin.ask(server, path)
        assert (answer.status, answer.text) == (200, "ok\n")
    head = admin.ask(server, "/healthz", "HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == "3"
    assert head.headers["cache-control"] == "no-store"


@pytest.mark.spec("ADM-2")
def test_ready_while_every_app_has_an_upstream(lb, upstream):
    one, two = upstream(upstreams.echo), upstream(upstreams.echo)
    server = lb.start([srv.app("first", [one], health=CHECKS),
                       srv.app("second", [two], health=CHECKS)],
                      server=admin.section())
    assert admin.ask(server, "/readyz").status == 200
    two.stop()
    server.wait_event("upstream_down", app="second")
    answer = admin.ask(server, "/readyz")
    assert (answer.status, answer.text) == (
        503, "no upstream of app 'second' is up\n")
    # The first one's clients are served all the same.
    with server.connect(name="first") as peer:
        assert echoed(peer, b"x") == b"x"
    assert admin.ask(server, "/healthz").status == 200


@pytest.mark.spec("ADM-2", "ADM-4")
def test_ready_over_a_reload_that_removes_what_is_not(lb, up):
    dead = f"tcp://127.0.0.1:{free_port()}"
    apps = [srv.app("good", [up], health=CHECKS),
            srv.app("bad", [dead], health=CHECKS)]
    server = lb.start(apps, server=admin.section())
    server.wait_event("upstream_down", app="bad")
    assert admin.ask(server, "/readyz").status == 503
    tree = {**server.tree, "app": apps[:1],
            "client": srv.default_clients(apps[:1])}
    server.reload(tree)
    assert admin.ask(server, "/readyz").status == 200


@pytest.mark.spec("ADM-1", "ADM-3")
def test_a_drain(lb, up):
    server = lb.proxy(up, server=admin.section(),
                      timeouts={"drain_delay": "1s"})
    with server.connect() as peer:
        assert echoed(peer, b"x") == b"x"
        server.signal(signal.SIGTERM)
        server.wait_event("drain")
        answer = admin.ask(server, "/readyz")
        assert (answer.status, answer.text) == (
            503, "the server is draining\n")
        # Others are still served: whoever sends them has to learn it first.
        with server.connect() as other:
            assert echoed(other, b"y") == b"y"
        # The listeners close; the admin port does not.
        wait_for(lambda: not is_open(server.address()), "closed listeners")
        assert admin.ask(server, "/healthz").status == 200
        assert admin.ask(server, "/readyz").status == 503
        assert echoed(peer, b"z") == b"z"
    server.wait_exit(0)
    assert not is_open(admin.address(server))


def echoed(peer, data):
    peer.send(data)
    return peer.recv_exactly(len(data))


def is_open(address):
    try:
        socket.create_connection(address, BOUND).close()
        return True
    except ConnectionRefusedError:
        return False


@pytest.mark.spec("ADM-4")
def test_a_taken_port_ends_the_start(lb, up):
    listen = f"127.0.0.1:{free_port()}"
    server = lb.start(srv.app("echo", [up], listen=[listen]), ready=False,
                      server={"admin": up.address})
    server.wait_exit(1)
    line = server.wait_event("error")
    assert line["message"] == "cannot listen"
    assert line["listen"] == up.address
    assert line["cause"] == "Address already in use"
    assert not is_open(srv.split_address(listen))


@pytest.mark.spec("ADM-4")
def test_a_name_without_address_ends_the_start(lb, up):
    server = lb.start(srv.app("echo", [up]), ready=False,
                      server={"admin": "nothing.invalid:1"})
    server.wait_exit(1)
    assert server.wait_event("error")["listen"] == "nothing.invalid:1"
    done = srv.run("-c", server.path, "--check")
    assert done.returncode == 0
    assert "warning: server.admin: cannot resolve 'nothing.invalid' now" \
        in done.stderr


@pytest.mark.spec("ADM-4")
def test_reloads_open_and_close_it(lb, up):
    server = lb.proxy(up)
    plain = server.tree
    one = {**plain, "server": {**plain["server"], **admin.section()}}
    two = {**plain, "server": {**plain["server"], **admin.section()}}
    files = server.open_files()
    for tree in (one, one, two, one):
        before = server.tree
        server.reload(tree)
        assert admin.ask(server, "/readyz").status == 200
        if "admin" in before["server"] and before is not tree:
            host, port = before["server"]["admin"].split(":")
            assert not is_open((host, int(port)))
    server.reload(plain)
    server.tree = one
    assert not is_open(admin.address(server))
    server.tree = plain
    assert server.open_files() == files


@pytest.mark.spec("ADM-4")
def test_a_reload_with_a_taken_port_is_refused(lb, up):
    server = lb.proxy(up, server=admin.section())
    before = server.tree
    server.rewrite({**before, "server": {**before["server"],
                                         "admin": up.address}})
    server.reload(ok=False)
    assert server.events("error")[-1]["listen"] == up.address
    assert admin.ask(server, "/readyz").status == 200


@pytest.mark.spec("ADM-5")
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS",
                                    "CONNECT", "TRACE", "get"])
def test_other_methods(lb, up, method):
    server = lb.proxy(up, server=admin.section())
    with admin.connect(server) as peer:
        got = admin.raw(peer, f"{method} /healthz HTTP/1.1\r\nHost: localhost\r\n"
                        "Content-Length: 1000000\r\n\r\nhalf".encode())
    assert got.startswith(b"HTTP/1.1 405 "), got
    assert b"\r\nAllow: GET, HEAD\r\n" in got


@pytest.mark.spec("ADM-5")
def test_other_paths(lb, up):
    server = lb.proxy(up, server=admin.section())
    for path in ("//healthz", "/healthz/", "/../healthz", "/%68ealth", "*"):
        assert admin.ask(server, path).status == 404, path


@pytest.mark.spec("ADM-9")
def test_no_web_page_asks_by_its_own_name(lb, up):
    server = lb.proxy(up, server=admin.section())
    for host, status in (("evil.example:9900", 421), ("localhost:1", 200),
                         ("127.0.0.1", 200), ("[::1]:9", 200)):
        for path in ("/healthz", "/status"):
            answer = admin.ask(server, path, headers={"Host": host})
            assert answer.status == status, host


@pytest.mark.spec("ADM-9")
def test_names_are_fine_where_others_connect(lb, up):
    port = free_port()
    server = lb.proxy(up, server={"admin": f"127.0.0.1:{port}"})
    name = {"Host": "lb.example"}
    assert admin.ask(server, "/healthz", headers=name).status == 421
    tree = {**server.tree, "server": {**server.tree["server"],
                                      "admin": f"0.0.0.0:{free_port()}"}}
    server.reload(tree)
    assert admin.ask(server, "/healthz", headers=name).status == 200


MALFORMED = [
    b"\r\n\r\n\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET /healthz\r\n\r\n",
    b"GET /healthz HTTP/9.9\r\nHost: localhost\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9z\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nnonsense\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 600,
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\xff" * 4000 + b"\r\n\r\n",
    b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 20000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: a\r\n" * 4000 + b"\r\n",
    b"A" * 1_000_000,
]


@pytest.mark.long(20)
@pytest.mark.spec("ADM-5")
def test_what_is_malformed_or_too_long(lb, up):
    server = lb.proxy(up, server=admin.section())
    files = server.open_files()
    for data in MALFORMED:
        with admin.connect(server) as peer:
            begin = time.monotonic()
            got = admin.raw(peer, data, end=True)
            assert time.monotonic() - begin < 13, data[:60]
        assert got == b"" or got[9:10] in b"45", (data[:60], got)
        assert b" 200 " not in got, (data[:60], got)
    assert admin.ask(server, "/healthz").status == 200
    wait_for(lambda: server.open_files() <= files, "closed connections")


@pytest.mark.long(10)
@pytest.mark.spec("ADM-6")
def test_slow_requests(lb, up):
    """One sends nothing, one a byte now and then, one reads nothing."""
    server = lb.proxy(up, server=admin.section())
    begin = time.monotonic()
    silent, slow = admin.connect(server), admin.connect(server)
    slow.settimeout(0.5)
    with silent, slow:
        slow.sendall(b"GET /healthz HTTP/1.1\r\nHost: ")
        while not ended(slow):
            assert time.monotonic() - begin < 14
        assert time.monotonic() - begin > 9
        assert admin.raw(silent) == b""
        assert time.monotonic() - begin < 14


@pytest.mark.long(10)
@pytest.mark.spec("ADM-6", "ADM-8")
def test_a_reader_that_does_not_read(lb, up):
    """Its answer is longer than what the kernel takes for it."""
    many = [f"tcp://127.0.0.1:{port}" for port in range(2000, 3000)]
    server = lb.start([srv.app(f"app{n}", [up, *many]) for n in range(6)],
                      server=admin.section())
    files = server.open_files()
    assert len(admin.ask(server, "/metrics").body) > 2_000_000
    wait_for(lambda: server.open_files() <= files, "its end")
    begin = time.monotonic()
    with tcp_connect(admin.address(server), receive_buffer=2048) as peer:
        peer.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wait_for(lambda: server.open_files() > files, "its connection")
        assert admin.ask(server, "/readyz").status == 200
        wait_for(lambda: server.open_files() <= files, "its end", 14)
        assert time.monotonic() - begin > 9
    with server.connect(name="app1") as peer:
        assert echoed(peer, b"x") == b"x"


def ended(peer):
    try:
        peer.sendall(b"a")
        return peer.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


@pytest.mark.spec("ADM-6")
def test_one_answer_for_each_connection(lb, up):
    server = lb.proxy(up, server=admin.section())
    one = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with admin.connect(server) as peer:
        got = admin.raw(peer, one * 2)
    assert got.count(b"HTTP/1.1 200") == 1
    assert b"\r\nConnection: close\r\n" in got


@pytest.mark.spec("ADM-7")
def test_silent_connections_yield(lb, up):
    server = lb.proxy(up, server=admin.section())
    peers = [admin.connect(server) for _ in range(60)]
    wait_for(lambda: server.open_files() > 24, "open connections")
    begin = time.monotonic()
    # Each second as many as there may be give way.
    assert admin.ask(server, "/healthz").status == 200
    assert time.monotonic() - begin < 8
    for peer in peers:
        peer.close()


@pytest.mark.spec("ADM-7", "ADM-8")
def test_200_at_once(lb, up):
    server = lb.proxy(up, server=admin.section())
    with server.connect() as session:
        peers = [admin.connect(server) for _ in range(200)]
        for peer in peers:
            peer.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert echoed(session, b"x" * 1000) == b"x" * 1000
        with server.connect("bob") as other:
            assert echoed(other, b"y") == b"y"
        for peer in peers:
            with peer:
                assert admin.raw(peer).startswith(b"HTTP/1.1 200 OK\r\n")
        assert echoed(session, b"z") == b"z"


@pytest.mark.spec("ADM-8")
def test_out_of_descriptors_it_does_not_spin(lb, up):
    server = lb.proxy(up, server={**admin.section(), "max_connections": 2,
                                  "max_handshakes": 2}, fd_limit=60)
    peers = []
    for i in range(100):
        if server.open_files() >= 60:
            break
        # Those of a full house are evicted, perhaps while they connect.
        with contextlib.suppress(ConnectionResetError):
            peers.append(tcp_connect(server.address()) if i % 2 else
                         admin.connect(server))
    assert srv.cpu_share(server, 0.5) < 0.5
    for peer in peers:
        peer.close()
    assert admin.ask(server, "/healthz").status == 200
