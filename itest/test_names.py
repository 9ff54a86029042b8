"""Names of listeners and upstreams, and what they resolve to."""

import contextlib
import socket
import threading
import time

import pytest

from harness import network
from harness import server as srv
from harness import upstreams
from harness.client import connect
from harness.ports import free_port
from harness.wait import BOUND, SLOW, holds_for, wait_for

SOON = 10 * SLOW  # an answer of the resolver's second or third question
CHECKED = {"interval": "100ms", "timeout": "1s", "rise": 2, "fall": 2}


class Hosts:
    """What names resolve to: a file in the place of /etc/hosts."""

    def __init__(self, path):
        self.path = path
        self.set()

    def set(self, *lines):
        text = "\n".join(["127.0.0.1 localhost", "::1 localhost", *lines])
        self.path.write_text(text + "\n", encoding="ascii")


@pytest.fixture
def hosts(tmp_path):
    """Nobody else is asked: there is no way out of this network."""
    file = Hosts(tmp_path / "hosts")
    with network.own_network(), network.own_files(hosts=file.path):
        yield file


def place_of(path, text, count=1):
    """LINE:COLUMN of the count-th place of a text in a file."""
    data = path.read_text(encoding="utf-8")
    at = -1
    for _ in range(count):
        at = data.index(text, at + 1)
    line = data.count("\n", 0, at)
    return f"{line + 1}:{at - data.rfind(chr(10), 0, at)}"


def check(pki, directory, apps):
    tree = srv.config(pki, apps)
    path = srv.write_config(directory, tree, "names.toml")
    return path, srv.run("-c", path, "--check"), srv.run("-c", path)


# Listeners.

@pytest.mark.spec("SRV-93", "SRV-6")
def test_an_address_that_a_name_gives_twice_is_opened_once(lb, upstream,
                                                           hosts):
    hosts.set("127.0.0.1 twice.test", "127.0.0.1 twice.test alias.test",
              "127.0.0.2 twice.test")
    port = free_port()
    up = upstream(upstreams.name_server("a"))
    server = lb.proxy(up, listen=[f"twice.test:{port}"])
    assert sorted(server.events("ready")[0]["listen"]) == [
        f"127.0.0.1:{port}", f"127.0.0.2:{port}"]


@pytest.mark.spec("SRV-141")
def test_each_address_of_a_listener_s_name_must_be_free(lb, upstream, hosts):
    hosts.set("127.0.0.1 twice.test", "127.0.0.2 twice.test")
    up = upstream(upstreams.name_server("a"))
    port = free_port()
    server = lb.proxy(up, listen=[f"twice.test:{port}"])
    for host in ("127.0.0.1", "127.0.0.2"):
        with connect((host, port), server.context()) as peer:
            assert peer.recv(timeout=BOUND) == b"a"
    server.stop()
    with socket.create_server(("127.0.0.2", port)):
        server = lb.start(srv.app("a", [up], listen=[f"twice.test:{port}"]),
                          ready=False)
        server.wait_exit(1)
    line = server.wait_event("error")
    assert (line["message"], line["listen"]) == ("cannot listen",
                                                 f"127.0.0.2:{port}")


CLASHES = [
    ("localhost:{0}", "127.0.0.1:{0}", "127.0.0.1"),
    ("[::1]:{0}", "localhost:{0}", "::1"),
    ("one.test:{0}", "other.test:{0}", "127.0.0.3"),
    ("0.0.0.0:{0}", "127.0.0.1:{0}", "0.0.0.0"),
    ("127.0.0.1:{0}", "0.0.0.0:{0}", "0.0.0.0"),
    ("[::]:{0}", "[::1]:{0}", "::"),
    ("[::1]:{0}", "[::]:{0}", "::1"),
]


@pytest.mark.spec("CFG-40", "SRV-2")
@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("first,second,text", CLASHES)
def test_listeners_in_each_other_s_way(pki, tmp_path, hosts, first, second,
                                       text, apart):
    hosts.set("127.0.0.3 one.test", "127.0.0.3 other.test")
    port = free_port()
    first, second = first.format(port), second.format(port)
    apps = [srv.app("a", ["tcp://127.0.0.1:1"], listen=[first, second])]
    if apart:
        apps = [srv.app(name, ["tcp://127.0.0.1:1"], listen=[listen])
                for name, listen in (("a", first), ("b", second))]
    path, *runs = check(pki, tmp_path, apps)
    for done in runs:
        assert done.returncode == 2, done.stderr
        place = place_of(path, f'"{second}"')
        assert f"{path}:{place}: error: app.listen: " in done.stderr
        assert text in done.stderr and "accepted: " in done.stderr
        line = place_of(path, f'"{first}"').split(":")[0]
        assert f"line {line}" in done.stderr
        assert done.stderr.count("error:") == 1, done.stderr


@pytest.mark.spec("CFG-40")
@pytest.mark.parametrize("admin", ["localhost", "0.0.0.0", "one.test"])
def test_a_listener_in_the_way_of_the_admin_port(pki, tmp_path, hosts, admin):
    hosts.set("127.0.0.1 one.test")
    port = free_port()
    one = srv.app("a", ["tcp://127.0.0.1:1"], listen=[f"127.0.0.1:{port}"])
    tree = srv.config(pki, [one], server={"admin": f"{admin}:{port}"})
    path = srv.write_config(tmp_path, tree)
    done = srv.run("-c", path, "--check")
    assert done.returncode == 2, done.stderr
    place = place_of(path, f'"127.0.0.1:{port}"')
    assert f"{path}:{place}: error: app.listen: " in done.stderr


@pytest.mark.spec("CFG-40")
def test_listeners_that_are_in_no_one_s_way(lb, upstream, hosts):
    hosts.set("127.0.0.3 one.test")
    port = free_port()
    listen = [f"0.0.0.0:{port}", f"[::]:{port}", f"one.test:{free_port()}",
              f"localhost:{free_port()}"]
    server = lb.proxy(upstream(upstreams.name_server("a")), listen=listen)
    assert len(server.events("ready")[0]["listen"]) == 5


@pytest.mark.spec("SRV-95", "SRV-5", "LOG-8")
def test_a_listener_s_name_that_does_not_resolve_now(lb, pki, tmp_path,
                                                     upstream, hosts):
    up = upstream(upstreams.name_server("a"))
    name = f"nowhere.test:{free_port()}"
    path, done, _ = check(pki, tmp_path, [srv.app("a", [up], listen=[name])])
    assert done.returncode == 0
    place = place_of(path, f'"{name}"')
    assert f"{path}:{place}: warning: app.listen: " in done.stderr
    assert "nowhere.test" in done.stderr
    server = lb.start(srv.app("a", [up], listen=[name]), ready=False)
    server.wait_exit(1)
    line = server.wait_event("error")
    assert (line["message"], line["listen"]) == ("cannot listen", name)
    assert line["cause"], line


# Upstreams.

def names_in(done):
    return [line for line in srv.messages(done.stderr) if "resolve" in line]


@pytest.mark.spec("SRV-95", "SRV-94", "SRV-143")
def test_check_warns_of_an_upstream_without_an_address(pki, tmp_path, hosts):
    url = "tcp://nowhere.test:1"
    tree = srv.config(pki, [srv.app("a", [url, "tcp://localhost:1"])])
    path = srv.write_config(tmp_path, tree, "names.toml")
    done = srv.run("-c", path, "--check")
    assert done.returncode == 0, done.stderr
    place = place_of(path, f'"{url}"')
    line, = names_in(done)
    assert line.startswith(f"{path}:{place}: warning: app.upstream.url: ")
    assert "nowhere.test" in line
    hosts.set("127.0.0.1 nowhere.test")
    done = srv.run("-c", path, "--check")
    assert (done.returncode, names_in(done)) == (0, [])


def ask(server):
    with server.connect() as peer:
        data = peer.recv(timeout=BOUND)
        return data.decode() if data else peer.ending


@pytest.mark.spec("SRV-94", "HLT-12", "SRV-97", "SRV-28", "SRV-114")
@pytest.mark.parametrize("health", [None, CHECKED])
def test_an_upstream_gets_its_address_later(lb, upstream, hosts, health):
    up = upstream(upstreams.name_server("a"))
    server = lb.proxy(f"tcp://late.test:{up.port}", health=health)
    down = server.wait_event("upstream_down")
    assert down["upstream"] == f"tcp://late.test:{up.port}"
    assert down["cause"].startswith("cannot resolve 'late.test': ")
    assert ask(server) == "clean"
    line = server.wait_event("session")
    assert line["reason"] == "no_upstream"
    assert line["cause"] == "no upstream is eligible"
    hosts.set("127.0.0.1 late.test")
    line = server.wait_event("upstream_up", timeout=SOON)
    assert line["cause"] == "its name has an address"
    assert ask(server) == "a"
    if health:
        up.stop()
        assert "refused" in server.wait_event(
            "upstream_down", count=2)["cause"]
    assert not server.events("error", level="error")


@pytest.mark.spec("SRV-94", "SES-5", "SRV-115")
def test_others_serve_while_one_has_no_address(lb, upstream, hosts):
    up = upstream(upstreams.name_server("a"))
    server = lb.proxy(f"tcp://late.test:{up.port}", up, health=CHECKED)
    for _ in range(4):
        assert ask(server) == "a"
    assert len(server.events("upstream_down")) == 1
    # It ends although its names are still asked for.
    server.stop()


def two_places(upstream):
    """Upstreams at two addresses and one port."""
    first = upstream(upstreams.name_server("first"))
    upstream(upstreams.name_server("second"), host="127.0.0.2",
             port=first.port)
    return first


@pytest.mark.spec("SRV-143")
def test_a_name_that_moves(lb, upstream, hosts):
    hosts.set("127.0.0.1 up.test")
    first = two_places(upstream)
    server = lb.proxy(f"tcp://up.test:{first.port}", health=CHECKED,
                      timeouts={"resolve": "50ms"})
    with server.connect() as peer:
        assert peer.recv(timeout=BOUND) == b"first"
        hosts.set("127.0.0.2 up.test")
        wait_for(lambda: ask(server) == "second", "the dials move", SOON)
        # It may stay where it is.
        peer.finish()
        peer.expect_end("clean")
    assert not server.events("upstream_down")


@pytest.mark.spec("SRV-143")
def test_a_name_is_not_resolved_again_when_that_is_off(lb, upstream, hosts):
    hosts.set("127.0.0.1 up.test")
    first = two_places(upstream)
    server = lb.proxy(f"tcp://up.test:{first.port}", health=CHECKED,
                      timeouts={"resolve": "off"})
    hosts.set("127.0.0.2 up.test")
    seen = first.accepted
    first.wait_accepted(seen + 20)
    assert ask(server) == "first"


@pytest.mark.spec("SRV-190")
def test_a_name_that_is_gone_keeps_its_addresses(lb, upstream, hosts):
    hosts.set("127.0.0.1 up.test")
    first = two_places(upstream)
    server = lb.proxy(f"tcp://up.test:{first.port}",
                      timeouts={"resolve": "20ms"})
    hosts.set()
    line = server.wait_event("error", level="warn")
    assert "its last ones are used" in line["message"]
    assert line["cause"].startswith("cannot resolve 'up.test': ")
    for _ in range(10):
        assert ask(server) == "first"
    assert len(server.events("error")) == 1
    hosts.set("127.0.0.2 up.test")
    wait_for(lambda: ask(server) == "second", "it is back", SOON)
    hosts.set()
    server.wait_event("error", 2, level="warn")
    assert ask(server) == "second"


class Nameserver:
    """Knows no name, and notes when it was asked for each."""

    def __init__(self, sock):
        self.sock = sock
        self.asked = {}
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        # The socket is closed at the end, whatever is being done with it.
        with contextlib.suppress(OSError):
            while True:
                self.answer(*self.sock.recvfrom(512))

    def answer(self, question, peer):
        at, labels = 12, []
        while question[at]:
            labels.append(question[at + 1:at + 1 + question[at]])
            at += 1 + question[at]
        name = b".".join(labels).decode()
        times = self.asked.setdefault(name, [])
        # One round asks for both families, and for other suffixes.
        if not times or time.monotonic() - times[-1] > 0.5:
            times.append(time.monotonic())
        head = question[:2] + b"\x81\x83" + question[4:6] + bytes(6)
        self.sock.sendto(head + question[12:at + 5], peer)


@pytest.fixture
def nameserver(tmp_path):
    """A resolver on this network's loopback; there is no way out."""
    conf = tmp_path / "resolv.conf"
    conf.write_text("nameserver 127.0.0.1\n", encoding="ascii")
    with network.own_network(), network.own_files(resolv_conf=conf), \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 53))
        yield Nameserver(sock)


@pytest.mark.long(10)
@pytest.mark.spec("SRV-114")
def test_a_name_is_asked_for_ever_less_often(lb, nameserver):
    lb.proxy("tcp://late.test:1")

    def times():
        found = nameserver.asked.get("late.test", [])
        return found if len(found) >= 4 else None

    found = wait_for(times, "three more questions", 8 * SLOW + BOUND)
    for before, after, pause in zip(found, found[1:], (1, 2, 4)):
        assert pause - 0.05 < after - before < pause + 0.9 * SLOW, found


@pytest.fixture
def silent_dns(tmp_path):
    """A resolver that takes a second or more to give up on each name."""
    conf = tmp_path / "resolv.conf"
    conf.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n",
                    encoding="ascii")
    with network.own_network(), network.own_files(resolv_conf=conf), \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 53))
        yield


def with_silent_names(lb, up):
    """Forty names that nobody tells of, and one upstream."""
    names = [f"tcp://n{n}.test:1" for n in range(40)]
    # Those that are no names need no answer.
    names.append("tcp://[::1]:1")
    server = lb.start(srv.app("echo", [*names, up]), ready=False)
    server.wait_event("ready", timeout=20 * SLOW)
    return server


@pytest.mark.spec("SRV-116")
def test_a_resolver_that_is_silent_delays_the_start_a_little(lb, upstream,
                                                             silent_dns):
    begin = time.monotonic()
    server = with_silent_names(lb, upstream())
    assert time.monotonic() - begin < 15 * SLOW, "each name was asked for"
    assert len(server.events("upstream_down")) == 40


@pytest.mark.spec("SRV-115", "RLD-2")
def test_an_answer_that_comes_after_a_reload(lb, upstream, silent_dns):
    """Whoever has asked under the last configuration says nothing more."""
    up = upstream(upstreams.name_server("a"))
    server = with_silent_names(lb, up)
    # Not a wait for something: a question is under way nearly always.
    time.sleep(1.2)
    tree = {**server.tree, "app": [srv.app(
        "echo", [up], server.tree["app"][0]["listen"])]}
    server.reload(tree)
    holds_for(lambda: ask(server) == "a", "it serves", 3)
    assert not server.events("upstream_up")


@pytest.mark.spec("SRV-115")
def test_a_resolver_that_is_silent_holds_up_nobody(lb, upstream, silent_dns):
    server = with_silent_names(lb, upstream(upstreams.name_server("a")))
    for _ in range(3):
        assert ask(server) == "a"
    begin = time.monotonic()
    server.stop()
    assert time.monotonic() - begin < 0.9 * SLOW, "the end waits"


@pytest.mark.spec("SRV-93", "SRV-92")
def test_an_address_that_a_name_gives_twice_is_dialed_once(lb, pki, upstream,
                                                           hosts):
    hosts.set("127.0.0.1 up.test", "127.0.0.1 up.test")
    up = upstream(context=upstreams.server_context(pki.of_upstream("db")))
    server = lb.proxy({"url": f"tls://up.test:{up.port}",
                       "ca": pki.upstream_ca})
    assert ask(server) == "clean"
    assert server.wait_event("session")["cause"] == "hostname mismatch"
    assert up.accepted == 1


ORDERS = [("127.0.0.1", "127.0.0.2"), ("127.0.0.2", "127.0.0.1")]


@pytest.fixture
def two(hosts):
    """A name with two addresses, the first of them dialed first."""
    def make(first, second):
        hosts.set(f"{first} up.test", f"{second} up.test")
    return make


@pytest.mark.spec("SRV-92", "SES-10", "SRV-112")
@pytest.mark.parametrize("silent,good", ORDERS)
def test_a_silent_address_leaves_time_for_the_next(lb, two, upstream, silent,
                                                   good):
    two(silent, good)
    up = upstream(upstreams.name_server("a"), host=good)
    with upstreams.FullBacklog(silent, up.port):
        server = lb.proxy(f"tcp://up.test:{up.port}",
                          timeouts={"connect": "3s"})
        assert ask(server) == "a"
    line = server.wait_event("session")
    assert line["bytes_down"] == 1
    assert line["duration_ms"] < 2800


@pytest.mark.spec("SRV-92", "SRV-27", "SRV-97")
@pytest.mark.parametrize("silent,good", ORDERS)
def test_a_check_has_time_for_each_address(lb, two, upstream, silent, good):
    two(silent, good)
    up = upstream(host=good)
    health = {**CHECKED, "rise": 1, "fall": 1}
    with upstreams.FullBacklog(silent, up.port):
        server = lb.proxy(f"tcp://up.test:{up.port}", health=health)
        up.wait_accepted(3)
        assert not server.events("upstream_down")
        up.stop()
        line = server.wait_event("upstream_down")
        assert line["cause"] in ("timed out", "Connection refused")


@pytest.mark.spec("SRV-92", "SRV-14", "SRV-112")
@pytest.mark.parametrize("bad,good", ORDERS)
@pytest.mark.parametrize("fault", ["name", "reset", "silent"])
def test_a_failed_handshake_leads_to_the_next_address(
        lb, pki, two, upstream, bad, good, fault):
    two(bad, good)
    context = upstreams.server_context(pki.of_upstream("loopback"))
    up = upstream(upstreams.name_server("a"), context=context, host=good)
    if fault == "name":
        upstream(host=bad, port=up.port, context=upstreams.server_context(
            pki.of_upstream("db")))
    else:
        upstream(upstreams.resetting if fault == "reset" else None,
                 host=bad, port=up.port)
    server = lb.proxy({"url": f"tls://up.test:{up.port}",
                       "ca": pki.upstream_ca, "server_name": "localhost"},
                      timeouts={"connect": "3s"})
    assert ask(server) == "a"
    wait_for(lambda: up.peers, "the good one was dialed")


@pytest.mark.spec("SRV-92", "SRV-97", "SES-5", "SRV-113", "SRV-118")
def test_all_addresses_are_tried_before_the_dial_fails(lb, two, upstream):
    two(*ORDERS[0])
    up = upstream(upstreams.name_server("a"))
    with upstreams.FullBacklog("127.0.0.2", free_port()) as full:
        server = lb.proxy(f"tcp://up.test:{full.port}", up,
                          timeouts={"connect": "1s"})
        assert ask(server) == "a"
        up.stop()
        assert ask(server) == "clean"
    line = server.wait_event("session", reason="no_upstream")
    assert line["cause"] in ("timed out", "Connection refused")
