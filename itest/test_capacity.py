"""The limits of the server itself: connections and descriptors."""

import contextlib
import resource
import ssl

import pytest

from harness import server as srv
from harness import upstreams
from harness.certs import SERIALS
from harness.client import begin, connect, tcp_connect
from harness.peer import Peer
from harness.wait import SLOW, holds_for, wait_for


def talk(peer, word=b"hello"):
    peer.send(word)
    assert peer.recv_exactly(len(word)) == word


@pytest.mark.workers
@pytest.mark.spec("SRV-20")
def test_at_max_connections_the_listeners_pause(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo),
                      server={"max_connections": 3})
    context = server.context("alice", "1.3")
    peers = [connect(server.address(), context) for _ in range(3)]
    for peer in peers:
        talk(peer)
    late = begin(server.address(), context)
    with pytest.raises(TimeoutError):
        late.handshake(timeout=0.1)
    with pytest.raises(TimeoutError):
        late.recv(timeout=0.3 * SLOW)
    assert srv.cpu_share(server, 0.1) < 0.5, "the server spins"
    talk(peers[0])
    peers[1].finish()
    peers[1].expect_end("clean")
    peers[1].close()
    assert late.handshake()
    talk(late)
    for peer in [late, *peers]:
        peer.close()
    server.wait_event("session", count=4)
    assert not server.events("reject")


@pytest.mark.workers
@pytest.mark.spec("SRV-20")
def test_a_waiting_client_is_served_on_any_worker(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo),
                      server={"max_connections": 2, "workers": 4})
    context = server.context("alice", "1.3")
    served = [connect(server.address(), context) for _ in range(2)]
    for peer in served:
        talk(peer)
    for number in range(1, 11):
        late = begin(server.address(), context)
        with pytest.raises(TimeoutError):
            late.handshake(timeout=0.02)
        first = served.pop(0)
        first.finish()
        first.expect_end("clean")
        first.close()
        assert late.handshake(), late.describe()
        talk(late)
        served.append(late)
        server.wait_event("session", count=number, reason="done")
    assert not server.events("reject")


@pytest.mark.workers
@pytest.mark.spec("SRV-20", "SES-23", "SES-44")
def test_a_handshake_takes_no_place_of_a_session(lb, upstream):
    """Neither do those that were refused and are not closed yet."""
    server = lb.proxy(upstream(upstreams.echo), server={"max_connections": 2})
    silent = [Peer(tcp_connect(server.address())) for _ in range(20)]
    refused = [begin(server.address(), server.context("unlisted", "1.3"))
               for _ in range(10)]
    for peer in refused:
        peer.handshake()
        peer.recv()
    peers = [server.connect() for _ in range(2)]
    for peer in peers:
        talk(peer)
    for peer in [*silent, *refused, *peers]:
        peer.close()


@pytest.mark.spec("SES-22", "SES-4", "SRV-13", "LOG-4")
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_handshake_that_completes_at_max_connections(lb, upstream, version):
    up = upstream(upstreams.echo)
    one = {"connections": 1, "window": "1h"}
    clients = [srv.client("alice", [SERIALS["alice"]], ["echo"]),
               srv.client("bob", [SERIALS["bob"]], ["echo"], echo=one)]
    server = lb.proxy(up, clients=clients, server={"max_connections": 1})
    context = server.context("bob", version)
    before = server.open_files()
    for number in (1, 2):
        late = begin(server.address(), context)
        # All but its last byte, so that it is accepted and goes on later.
        with pytest.raises(ssl.SSLWantReadError):
            late.tls.do_handshake()
        late._take_out()
        late.sock.sendall(bytes(late._wire[:-1]))
        del late._wire[:-1]
        wait_for(lambda: server.open_files() > before, "it is accepted")
        first = server.connect()
        talk(first)
        assert late.handshake() and late.recv() == b""
        assert late.ending == "clean", late.describe()
        late.close()
        line = server.wait_event("reject", count=number)
        assert (line["reason"], line["client"]) == ("max_connections", "bob")
        first.finish()
        first.expect_end("clean")
        first.close()
        server.wait_event("session", count=number, reason="done")
        wait_for(lambda: server.open_files() <= before, "all is closed")
    assert up.accepted == 2, "who was refused reached the upstream"
    # One a hour is his, and the refusals were none.
    with server.connect("bob", version=version) as peer:
        talk(peer)


@pytest.mark.workers
@pytest.mark.spec("SRV-21", "SRV-31", "SES-6", "LOG-8", "SRV-142")
def test_fd_limit_of_64(lb, upstream):
    up = upstream(upstreams.echo)
    server = lb.proxy(up, fd_limit=64, timeouts={"handshake": "30s"})
    warning, = (line for line in server.events("error", level="warn")
                if "descriptor limit" in line["message"])
    assert warning["limit"] == 64 < warning["needed"]
    context = server.context("alice", "1.3")
    first = connect(server.address(), context)
    talk(first)
    before = server.open_files()
    crowd = [Peer(tcp_connect(server.address())) for _ in range(100)]
    wait_for(lambda: server.events("error", level="error"),
             "the shortage in the log")
    shortage = server.events("error", level="error")[0]
    assert shortage["message"].startswith("cannot ")
    assert shortage["cause"] == "Too many open files"
    assert srv.cpu_share(server, 0.4) < 0.25, "the server spins"
    assert server.open_files() <= 64
    assert len(server.events("error", level="error")) <= 4, \
        "the shortage is logged again and again"
    talk(first, b"unharmed")
    for peer in crowd:
        peer.close()
    wait_for(lambda: server.open_files() <= before, "descriptors are free")
    with server.connect() as peer:
        talk(peer)
    talk(first, b"still")
    first.close()


@pytest.mark.workers
@pytest.mark.spec("SRV-21", "SRV-60", "SES-6", "SES-5")
def test_fd_limit_met_by_whole_sessions(lb, upstream):
    """Dials are short of descriptors as well; whoever is served, is."""
    up = upstream(upstreams.echo)
    server = lb.proxy(up, fd_limit=64)
    context = server.context("alice", "1.3")
    peers = [begin(server.address(), context) for _ in range(60)]
    served = refused = 0
    for peer in peers:
        try:
            if not peer.handshake(timeout=0.1):
                refused += 1
                continue
            peer.send(b"hello")
            answer = peer.recv(timeout=0.5)
        except TimeoutError:
            continue
        if answer == b"hello":
            served += 1
        else:
            assert answer == b""
            refused += 1
    assert served > 10, (served, refused)
    assert server.open_files() <= 64
    assert srv.cpu_share(server, 0.2) < 0.4, "the server spins"
    for peer in peers:
        peer.close()
    before = len(server.events("session", reason="done"))
    for _ in range(3):
        with connect(server.address(), context) as peer:
            talk(peer)
            peer.finish()
            peer.expect_end("clean")
    server.wait_event("session", count=before + 3, reason="done")
    assert server.events("session", reason="internal")
    assert server.events("error", level="error", cause="Too many open files")


@contextlib.contextmanager
def no_descriptor_left(server):
    """Those that it has stay; it gets no other one."""
    pid, kind = server.process.pid, resource.RLIMIT_NOFILE
    before = resource.prlimit(pid, kind)
    resource.prlimit(pid, kind, (3, before[1]))
    yield
    resource.prlimit(pid, kind, before)


@pytest.mark.workers
@pytest.mark.spec("HLT-10", "SRV-142")
def test_checks_without_descriptors_say_nothing(lb, upstream):
    """One upstream is up and one is down, and so they stay: no check that
    could not be carried out counts for or against anybody."""
    up = upstream(upstreams.echo)
    down = f"tcp://127.0.0.1:{srv.free_port()}"
    server = lb.proxy(up, down, health={
        "interval": "50ms", "timeout": "1s", "rise": 1, "fall": 1})
    server.wait_event("upstream_down", upstream=down)
    with server.connect() as peer:
        talk(peer)
        with no_descriptor_left(server):
            line = server.wait_event("error", level="error")
            assert line["message"] == "cannot check"
            assert line["cause"] == "Too many open files"
            came = up.accepted
            holds_for(lambda: not server.events("upstream_up"),
                      "nothing is said", 0.5 * SLOW)
            # One may have been on its way.
            assert up.accepted <= came + 1
            assert srv.cpu_share(server, 0.3) < 0.25, "the server spins"
            talk(peer, b"unharmed")
        up.wait_accepted(came + 4)
        talk(peer, b"still")
    with server.connect() as peer:
        talk(peer)
    assert not server.events("upstream_up")
    assert len(server.events("upstream_down")) == 1
    assert len(server.events("error", level="error")) <= 2


@pytest.mark.spec("SRV-31")
def test_the_soft_limit_is_raised(lb, upstream, monkeypatch):
    server = lb.proxy(upstream(upstreams.echo))
    path = f"/proc/{server.process.pid}/limits"
    with open(path, encoding="ascii") as file:
        line = next(one for one in file if "open files" in one)
    assert int(line.split()[3]) >= 800
    assert not [line for line in server.events("error")
                if "descriptor" in line["message"]]


@pytest.mark.spec("SRV-22", "POL-3")
@pytest.mark.parametrize("sizes,chosen", [
    ((4, 4), "select"), ((5, 3), "epoll"), ((4, 5), "epoll"),
    ((400, 256), "epoll"), ((5000, 256), "epoll")])
def test_auto_takes_what_measures_better(pki, tmp_path, upstream, sizes,
                                         chosen):
    """One worker, one listener, no checks: 28, and those of the clients."""
    tree = srv.config(pki, [srv.app("echo", [upstream(upstreams.echo)])],
                      server={"workers": 1, "max_connections": sizes[0],
                              "max_handshakes": sizes[1]})
    path = srv.write_config(tmp_path, tree)
    server = srv.Lbproxyd(pki, path, tree).wait_ready()
    try:
        assert server.events("ready")[0]["event_loop"] == chosen
        server.stop()
    finally:
        server.end()


@pytest.mark.spec("SRV-22", "POL-3")
def test_select_with_too_many_is_an_error_at_its_place(pki, tmp_path):
    tree = srv.config(pki, [srv.app("echo", ["tcp://127.0.0.1:1"])],
                      poller="select", server={"max_connections": 2000})
    path = srv.write_config(tmp_path, tree)
    lines = path.read_text().splitlines()
    row = next(n for n, line in enumerate(lines, 1) if "event_loop" in line)
    for args in (["-c", path, "--check"], ["-c", path]):
        done = srv.run(*args)
        assert done.returncode == 2
        assert f"{path}:{row}:" in done.stderr, done.stderr
