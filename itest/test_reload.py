"""Reload: another configuration in the place of the one in force."""

import contextlib
import copy
import datetime
import os
import resource
import shutil
import signal
import socket
import subprocess
import time

import pytest

from harness import network
from harness import server as srv
from harness import upstreams
from harness.certs import CERTS_GEN
from harness.client import attempt, begin, client_context, connect
from harness.peer import Ended
from harness.ports import free_port
from harness.wait import BOUND, wait_for
from test_names import Hosts
from test_process import soft_limit


def talk(peer, data=b"hello"):
    peer.send(data)
    assert peer.recv_exactly(len(data)) == data


def changed(server):
    return copy.deepcopy(server.tree)


def without_client(server, name):
    tree = changed(server)
    tree["client"] = [one for one in tree["client"] if one["id"] != name]
    return tree


def certs_gen(*args):
    subprocess.run([CERTS_GEN, *map(str, args)], check=True,
                   stdout=subprocess.DEVNULL)


@pytest.mark.spec("RLD-1", "RLD-5", "SRV-25")
def test_nothing_has_changed(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo))
    with server.connect() as peer:
        talk(peer)
        for number in (2, 3):
            line = server.reload()
            assert line["cause"] == "signal"
            assert line["generation"] == number
            assert isinstance(line["duration_ms"], int)
        talk(peer)
        with server.connect() as later:
            talk(later)
    assert not server.events("error")


@pytest.mark.spec("LOG-27")
def test_the_fields_of_its_line(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo))
    head = {"ts", "level", "event", "ok", "cause", "generation",
            "duration_ms"}
    counts = {f"{kind}_{how}" for kind in ("apps", "upstreams", "clients")
              for how in ("added", "removed", "changed")}
    line = server.reload()
    assert (line["level"], set(line)) == ("info", head | counts)
    line = server.reload("nonsense", ok=False)
    assert (line["level"], set(line)) == ("error", head)


@pytest.mark.spec("RLD-4")
def test_every_fault_has_its_place(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo))
    server.reload("[server]\nworkers = 0\nfoo = 1\n", ok=False)
    places = [(line["file"], line["line"], line["column"])
              for line in server.events("error", level="error")]
    path = str(server.path)
    assert (path, 2, 11) in places and (path, 3, 1) in places


@pytest.mark.spec("RLD-1", "RLD-15", "SES-18")
def test_a_client_that_was_removed_ends_and_others_stay(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo))
    with server.connect() as alice, server.connect("bob") as bob:
        talk(alice)
        talk(bob)
        line = server.reload(without_client(server, "alice"))
        alice.expect_end("reset")
        talk(bob)
        assert (line["clients_removed"], line["clients_added"],
                line["clients_changed"]) == (1, 0, 0)
    server.wait_event("session", client="alice", reason="unknown_client")
    assert attempt(server.address(), server.context()) is not None
    server.wait_rejected(1, reason="unknown_client")


@pytest.mark.spec("RLD-1", "RLD-15", "SES-18")
def test_a_grant_that_was_taken_away(lb, upstream):
    up = upstream(upstreams.echo)
    apps = [srv.app(name, [up]) for name in ("a", "b")]
    server = lb.start(apps)
    with server.connect(name="a") as first, server.connect(name="b") as second:
        talk(first)
        tree = changed(server)
        for one in tree["client"]:
            if one["id"] == "alice":
                one["apps"] = ["b"]
        line = server.reload(tree)
        first.expect_end("reset")
        talk(second)
        assert line["clients_changed"] == 1
    server.wait_event("session", app="a", reason="not_allowed")


@pytest.mark.spec("RLD-1", "RLD-15", "APP-9")
def test_counts_survive(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo), limits={"concurrent": 2})
    with server.connect() as one, server.connect() as two:
        tree = changed(server)
        tree["app"][0]["limits"] = {"concurrent": 3}
        assert server.reload(tree)["apps_changed"] == 1
        with server.connect() as three:
            talk(three)
            with server.connect() as four:
                four.expect_end("clean")
        server.wait_rejected(1, reason="concurrent_limit")
        talk(one)
        talk(two)


@pytest.fixture
def own_files(pki, tmp_path):
    """A CA of its own, whose files a test may replace."""
    directory = tmp_path / "ca"
    shutil.copytree(pki.ca_dir, directory)
    return directory


@pytest.mark.spec("RLD-6", "RLD-11")
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_revoked_client_ends_and_cannot_resume(lb, pki, upstream, own_files,
                                                version):
    crl = own_files / "current.crl"
    shutil.copy(pki.crl, crl)
    server = lb.proxy(upstream(upstreams.echo), tls={"crl": str(crl)})
    context = server.context(version=version)
    with connect(server.address(), context) as peer:
        talk(peer)
        session = peer.tls.session
    with connect(server.address(), context, session=session) as peer, \
            server.connect("bob") as bob:
        talk(peer)
        assert peer.tls.session_reused
        certs_gen("revoke", own_files, "0A:11:CE")
        shutil.copy(own_files / "ca.crl", crl)
        server.reload()
        assert server.events("session", reason="revoked")
        peer.expect_end("reset")
        talk(bob)
    refused = attempt(server.address(), context, session=session)
    assert refused is not None
    server.wait_rejected(1, reason="revoked")


@pytest.mark.spec("RLD-11")
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_sessions_are_resumed_over_reloads(lb, upstream, version):
    server = lb.proxy(upstream(upstreams.echo))
    context = server.context(version=version)
    with connect(server.address(), context) as peer:
        talk(peer)
        session = peer.tls.session
    server.reload()
    server.reload()
    with connect(server.address(), context, session=session) as peer:
        talk(peer)
        assert peer.tls.session_reused


@pytest.mark.spec("RLD-6", "RLD-11")
def test_a_ca_that_was_replaced(lb, pki, upstream, tmp_path):
    other = tmp_path / "other"
    certs_gen("ca", other)
    certs_gen("client", other, "alice", "--serial", "0A:11:CE")
    server = lb.proxy(upstream(upstreams.echo))
    context = server.context()
    with connect(server.address(), context) as peer:
        talk(peer)
        session = peer.tls.session
        tree = changed(server)
        tree["tls"]["client_ca"] = str(other / "ca.pem")
        del tree["tls"]["crl"]
        server.reload(tree)
        peer.expect_end("reset")
    server.wait_event("session", reason="untrusted")
    assert attempt(server.address(), context, session=session) is not None
    server.wait_rejected(1, reason="untrusted")
    mine = client_context(pki.ca, (other / "alice.pem", other / "alice.key"))
    with connect(server.address(), mine) as peer:
        talk(peer)


BAD = [
    ("max_connections = 400", "max_connections = 0", "max_connections"),
    ("[tls]", "[tls]\nfoo = 1", "tls.foo"),
    ('client_ca = "', 'client_ca = "/nowhere', "tls.client_ca"),
]


@pytest.mark.spec("RLD-2", "RLD-4")
@pytest.mark.parametrize("old,new,named", BAD)
def test_a_bad_configuration_changes_nothing(lb, upstream, old, new, named):
    server = lb.proxy(upstream(upstreams.echo))
    good = server.path.read_text(encoding="utf-8")
    with server.connect() as peer:
        talk(peer)
        line = server.reload(good.replace(old, new, 1), ok=False)
        assert line["generation"] == 1
        error = server.wait_event("error", level="error")
        text = server.path.read_text(encoding="utf-8")
        assert named in error["message"]
        assert error["file"] == str(server.path)
        assert text.splitlines()[error["line"] - 1].startswith(
            new.splitlines()[-1].split(" ")[0])
        assert error["column"] >= 1
        talk(peer)
        with server.connect() as later:
            talk(later)
    assert server.reload(good)["generation"] == 2


@pytest.mark.spec("RLD-2", "RLD-17")
def test_a_listener_that_cannot_be_opened(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo))
    before = server.open_files()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        tree = changed(server)
        free = free_port()
        tree["app"][0]["listen"] += [
            f"127.0.0.1:{free}", f"127.0.0.1:{taken.getsockname()[1]}"]
        server.reload(tree, ok=False)
    error = server.wait_event("error", message="cannot listen")
    assert error["listen"] == tree["app"][0]["listen"][2]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", free))
    with server.connect() as peer:
        talk(peer)
    wait_for(lambda: server.open_files() <= before + 2, "it is closed")


def inodes(server):
    """The sockets that the server listens on, by port."""
    found = {}
    with open(f"/proc/{server.process.pid}/net/tcp", encoding="ascii") as file:
        for line in list(file)[1:]:
            fields = line.split()
            if fields[3] == "0A":
                port = int(fields[1].split(":")[1], 16)
                found[port] = fields[9]
    return found


@pytest.mark.spec("RLD-8", "RLD-17", "RLD-15")
def test_listeners_stay_go_and_come(lb, upstream):
    a, b = upstream(upstreams.echo), upstream(upstreams.name_server("b"))
    ports = [free_port() for _ in range(3)]
    listen = [f"127.0.0.1:{port}" for port in ports]
    server = lb.start([srv.app("a", [a], listen=listen[:2]),
                       srv.app("b", [b])])
    kept = inodes(server)[ports[0]]
    with server.connect(name="a", index=1) as peer:
        tree = changed(server)
        # The one that stays gets another application.
        tree["app"][0]["listen"] = [listen[2]]
        tree["app"][1]["listen"] = [listen[0]]
        line = server.reload(tree)
        assert line["apps_changed"] == 2
        assert inodes(server)[ports[0]] == kept
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", ports[1]))
        talk(peer)
        with server.connect(name="b") as other:
            assert other.recv(timeout=BOUND) == b"b"
        with server.connect(name="a") as new:
            talk(new)


@pytest.mark.spec("RLD-8")
def test_what_waits_in_an_accept_queue_is_served(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo),
                      server={"max_connections": 1})
    with server.connect() as peer:
        talk(peer)
        # The listeners pause; this one waits with the kernel.
        with begin(server.address(), server.context()) as waiting:
            tree = changed(server)
            tree["server"]["max_connections"] = 10
            server.reload(tree)
            assert waiting.handshake()
            talk(waiting)
            with server.connect() as other:
                talk(other)
        talk(peer)


@pytest.mark.spec("RLD-1", "SRV-27")
def test_checks_time_out_however_many_sessions_there_are(lb, upstream):
    """Each check that hangs, and each session, has a time of its own."""
    server = lb.proxy(upstream(upstreams.echo), timeouts={"idle": "10m"},
                      server={"workers": 1, "max_connections": 64,
                              "max_handshakes": 1})
    with contextlib.ExitStack() as stack:
        for _ in range(60):
            talk(stack.enter_context(server.connect()))
        hole = stack.enter_context(upstreams.FullBacklog("0.0.0.0"))
        tree = changed(server)
        tree["server"]["max_connections"] = 1
        tree["app"][0]["upstream"] = [
            {"url": f"tcp://127.0.0.{n}:{hole.port}"}
            for n in range(2, 122)]
        tree["app"][0]["health"] = {"interval": "1s", "timeout": "1s",
                                    "fall": 1}
        server.reload(tree)
        server.wait_event("upstream_down", 120)


def few_descriptors():
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, 2000))


@pytest.mark.spec("SRV-31")
def test_more_connections_get_more_descriptors(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo),
                      server={"max_connections": 10, "max_handshakes": 1,
                              "event_loop": "epoll"},
                      inherit=few_descriptors)
    before = soft_limit(server)
    tree = changed(server)
    tree["server"]["max_connections"] = 700
    server.reload(tree)
    assert soft_limit(server) > max(before, 1400)
    assert not server.events("error")
    tree["server"]["max_connections"] = 70000
    server.reload(tree)
    line = server.wait_event("error", level="warn")
    assert line["limit"] == soft_limit(server) == 2000
    assert line["needed"] > 140000


@pytest.mark.spec("RLD-9")
def test_a_session_keeps_its_timeouts(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo), timeouts={"idle": "10m"})
    with server.connect() as peer:
        talk(peer)
        tree = changed(server)
        tree["timeouts"]["idle"] = "200ms"
        server.reload(tree)
        with server.connect() as later:
            later.expect_end("reset")
        server.wait_event("session", reason="idle_timeout")
        talk(peer)


@pytest.mark.spec("RLD-10")
def test_a_session_on_an_upstream_that_was_removed(lb, upstream):
    old, new = upstream(upstreams.echo), upstream(upstreams.name_server("n"))
    server = lb.proxy(old)
    with server.connect() as peer:
        talk(peer)
        tree = changed(server)
        tree["app"][0]["upstream"] = [{"url": new.url}]
        line = server.reload(tree)
        assert (line["upstreams_added"], line["upstreams_removed"]) == (1, 1)
        for _ in range(2):
            server.reload()
        talk(peer)
        with server.connect() as later:
            assert later.recv(timeout=BOUND) == b"n"
        peer.finish()
        peer.expect_end("clean")
    server.wait_event("session", upstream=old.url, reason="done")
    server.wait_event("session", upstream=new.url)


@pytest.mark.spec("RLD-12", "RLD-1")
def test_applications_come_and_go(lb, upstream):
    up = upstream(upstreams.echo)
    health = {"enabled": True, "interval": "20ms"}
    server = lb.start([srv.app("a", [up], health=health)])
    clients = server.tree["client"]
    for one in clients:
        one["apps"] = ["a"]
    before = server.open_files()
    held = []
    for number in range(20):
        tree = changed(server)
        name = f"app{number}"
        tree["app"] = [tree["app"][0], srv.app(name, [up], health=health)]
        for one in tree["client"]:
            one["apps"] = ["a", name]
        server.reload(tree)
        held.append(server.connect(name=name))
        talk(held[-1])
        if number >= 2:
            # Its application is gone, and so is its session.
            held[-2].expect_end("reset")
    server.wait_event("session", app="app18", reason="not_allowed")
    with server.connect(name="a") as peer:
        talk(peer)
    for peer in held:
        peer.close()
    wait_for(lambda: server.open_files() <= before + 6, "sockets are closed")


@pytest.mark.spec("RLD-13")
def test_what_does_not_change(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo))
    tree = changed(server)
    tree["server"]["workers"] = 3
    tree["server"]["max_handshakes"] = 7
    server.reload(tree)
    for key in ("workers", "max_handshakes"):
        server.wait_event(
            "error", level="warn",
            message=f"server.{key} changes at the next start only")
    with server.connect() as peer:
        talk(peer)


@pytest.mark.spec("RLD-14")
def test_a_drain_is_not_disturbed(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo))
    with server.connect() as peer:
        talk(peer)
        server.signal(signal.SIGTERM)
        server.wait_event("drain")
        server.signal(signal.SIGHUP)
        talk(peer)
        peer.finish()
        peer.expect_end("clean")
    server.wait_exit(0)
    assert not server.events("reload")


def enters(server):
    try:
        with server.connect() as peer:
            talk(peer)
        return True
    except (Ended, OSError):
        return False


@pytest.mark.spec("RLD-3", "RLD-1")
def test_many_signals_end_in_the_last_file(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo))
    alone = without_client(server, "alice")
    with server.connect("bob") as bob:
        for number in range(1000):
            server.rewrite(alone if number % 2 else server.tree)
            os.kill(server.process.pid, signal.SIGHUP)

        # Each signal finds a whole file or none, but the last one counts.
        wait_for(lambda: not enters(server), "alice is gone", BOUND)
        talk(bob)
        assert len(server.events("reload")) <= 1000


@pytest.fixture
def hosts(tmp_path):
    file = Hosts(tmp_path / "hosts")
    with network.own_network(), network.own_files(hosts=file.path):
        yield file


@pytest.mark.spec("RLD-16")
def test_a_name_that_has_an_address_at_a_reload(lb, upstream, hosts):
    up = upstream(upstreams.echo)
    server = lb.proxy({"url": f"tcp://up.test:{up.port}"})
    server.wait_event("upstream_down")
    hosts.set("127.0.0.1 up.test")
    server.reload()
    server.wait_event("upstream_up")
    with server.connect() as peer:
        talk(peer)


@pytest.mark.spec("RLD-18")
def test_a_name_that_is_gone_at_a_reload(lb, upstream, hosts):
    hosts.set("127.0.0.1 up.test")
    up = upstream(upstreams.echo)
    server = lb.proxy({"url": f"tcp://up.test:{up.port}"})
    hosts.set()
    server.reload()
    with server.connect() as peer:
        talk(peer)
    assert not server.events("upstream_down")


def utc(seconds):
    """So many seconds from now, as certs-gen wants it."""
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + seconds))


def short_lived(pki, tmp_path, seconds):
    """A client certificate that expires soon, and when."""
    ca = tmp_path / "ca"
    shutil.copytree(pki.ca_dir, ca)
    end = int(time.time()) + seconds
    certs_gen("client", ca, "brief", "--serial", "0A:11:CF", "--not-before",
              utc(-3600), "--not-after", utc(seconds))
    return end, client_context(pki.ca, (ca / "brief.pem", ca / "brief.key"))


def with_brief(server):
    tree = changed(server)
    for one in tree["client"]:
        if one["id"] == "alice":
            one["serials"].append("0A:11:CF")
    server.reload(tree)


@pytest.mark.spec("RLD-19")
def test_a_certificate_that_expires(lb, pki, upstream, tmp_path):
    server = lb.proxy(upstream(upstreams.echo))
    with_brief(server)
    end, context = short_lived(pki, tmp_path, 4)
    with connect(server.address(), context) as peer, \
            server.connect("bob") as bob:
        talk(peer)
        peer.expect_end("reset")
        # The log's line has the server's own time.
        line = server.wait_event("session", reason="expired")
        ended = datetime.datetime.fromisoformat(
            line["ts"].replace("Z", "+00:00")).timestamp()
        assert end <= ended <= end + 1.5
        talk(bob)
    assert attempt(server.address(), context) is not None


@contextlib.contextmanager
def expired(lb, pki, upstream, tmp_path):
    """A server that keeps the session of a client whose certificate has
    expired since."""
    server = lb.proxy(upstream(upstreams.echo),
                      tls={"expired_sessions": "keep"})
    with_brief(server)
    end, context = short_lived(pki, tmp_path, 3)
    with connect(server.address(), context) as peer:
        talk(peer)
        wait_for(lambda: time.time() >= end + 1, "it has expired", 10)
        yield server, peer, context


@pytest.mark.spec("RLD-20", "RLD-6")
def test_what_has_expired_may_still_be_revoked(lb, pki, upstream, tmp_path):
    with expired(lb, pki, upstream, tmp_path) as (server, peer, _):
        certs_gen("revoke", tmp_path / "ca", "brief")
        tree = changed(server)
        tree["tls"]["crl"] = str(tmp_path / "ca" / "ca.crl")
        server.reload(tree)
        peer.expect_end("reset")
    server.wait_event("session", reason="revoked")


@pytest.mark.spec("RLD-20")
def test_sessions_may_outlive_their_certificates(lb, pki, upstream, tmp_path):
    with expired(lb, pki, upstream, tmp_path) as (server, peer, context):
        assert attempt(server.address(), context) is not None
        server.wait_rejected(1, reason="expired")
        talk(peer)
        server.reload()
        talk(peer)
        # Until it is told otherwise.
        tree = changed(server)
        tree["tls"]["expired_sessions"] = "close"
        server.reload(tree)
        peer.expect_end("reset")
