"""lbproxyctl and a running server: what is seen, and what is steered."""

import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import threading
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import control, upstreams
from harness import server as srv
from harness.client import attempt
from harness.control import ctl, sessions, status_of
from harness.wait import BOUND, wait_for

SECTION = control.section()


def echoed(peer, data):
    peer.send(data)
    return peer.recv_exactly(len(data))


@pytest.fixture
def up(upstream):
    return upstream(upstreams.echo)


# --- what is seen ---

@pytest.mark.spec("CTL-10")
def test_status(lb, up):
    server = lb.proxy(up, server=SECTION)
    with server.connect() as peer:
        assert echoed(peer, b"x") == b"x"
        told = status_of(server)
        assert told["sessions"] == 1
        assert told["apps"][0]["upstreams"][0]["url"] == up.url
        plain = ctl(server, "status").stdout
        for part in ("ready", "generation 1", "sessions: 1 of 400", up.url,
                     "alice", "server.pem"):
            assert part in plain, plain
    by_socket = control.run("-s", control.path(server), "--json", "status")
    assert json.loads(by_socket.stdout)["generation"] == 1


@pytest.mark.spec("CTL-11")
def test_sessions(lb, up):
    server = lb.proxy(up, server=SECTION)
    assert sessions(server) == []
    before = int(time.time())
    with server.connect() as alice, server.connect("bob") as bob:
        assert echoed(alice, b"abc") == b"abc"
        assert echoed(bob, b"hello") == b"hello"
        told = {one["client"]: one for one in sessions(server)}
        assert set(told) == {"alice", "bob"}
        one = told["alice"]
        assert set(one) == {"id", "app", "client", "serial", "peer",
                            "upstream", "since", "bytes_up", "bytes_down"}
        assert one["app"] == "echo" and one["upstream"] == up.url
        assert one["serial"] == srv.SERIALS["alice"]
        assert one["peer"] == alice.local
        assert (one["bytes_up"], one["bytes_down"]) == (3, 3)
        assert before - 1 <= one["since"] <= time.time() + 1
        assert re.fullmatch(r"[01]-[1-9]\d*", one["id"])
        assert one["id"] != told["bob"]["id"]
        plain = ctl(server, "sessions").stdout.splitlines()
        assert all(line == line.rstrip() for line in plain)
        assert len(plain) == 3 and any(one["id"] in line for line in plain)
    wait_for(lambda: sessions(server) == [], "no session")


@pytest.mark.spec("CTL-11")
@pytest.mark.workers
def test_many_sessions_each_once(lb, up):
    """More of each worker than are looked at in one go, while some end."""
    server = lb.proxy(up, server=control.section(max_connections=340))
    peers = [server.connect() for _ in range(330)]
    first = sessions(server)
    assert len({one["id"] for one in first}) == len(first) == 330
    for peer in peers[::2]:
        peer.close()
    for peer in peers[1::2]:
        assert echoed(peer, b"x") == b"x"
    wait_for(lambda: len(sessions(server)) == 165, "those that are left")
    last = {one["id"] for one in sessions(server)}
    assert last < {one["id"] for one in first}
    for peer in peers:
        peer.close()


@pytest.mark.spec("CTL-11")
def test_a_handshake_is_no_session(lb, up):
    server = lb.proxy(up, server=SECTION)
    with server.connect() as alice:
        assert echoed(alice, b"x") == b"x"
        phase, _ = attempt(server.address(), server.context("stranger"))
        assert phase
        assert [one["client"] for one in sessions(server)] == ["alice"]


# --- upstreams ---

@pytest.mark.spec("CTL-12", "LOG-28", "APP-30")
def test_drain_and_resume(lb, upstream):
    one, two = upstream(upstreams.echo), upstream(upstreams.echo)
    server = lb.proxy(one, two, server=SECTION)
    with server.connect() as old:
        assert echoed(old, b"x") == b"x"
        [url] = [s["upstream"] for s in sessions(server)]
        other = two.url if url == one.url else one.url
        ctl(server, "drain", "echo", url)
        line = server.wait_event("admin")
        assert line["command"] == "drain" and line["uid"] == os.getuid()
        assert (line["app"], line["upstream"]) == ("echo", url)
        for _ in range(4):
            with server.connect() as new:
                assert echoed(new, b"y") == b"y"
                assert {s["upstream"] for s in sessions(server)} == {
                    url, other}
        assert echoed(old, b"z") == b"z"
        told = {u["url"]: u for u in status_of(server)["apps"][0]["upstreams"]}
        assert told[url]["draining"] and not told[other]["draining"]
        assert told[url]["choice"] == "draining"
        assert "draining" in ctl(server, "status").stdout
        # Over a reload, too.
        server.reload(server.tree)
        with server.connect() as new:
            assert echoed(new, b"y") == b"y"
            assert [s["upstream"] for s in sessions(server)
                    if s["upstream"] != other] == [url]
        ctl(server, "resume", "echo", url)
        ctl(server, "drain", "echo", other)
        server.wait_event("admin", 3)
        assert [line["command"] for line in server.events("admin")] == [
            "drain", "resume", "drain"]
        with server.connect() as new:
            assert echoed(new, b"y") == b"y"
            wait_for(lambda: [s["upstream"] for s in sessions(server)] ==
                     [url, url], "both on the one that was resumed")


@pytest.mark.spec("CTL-16")
def test_what_was_done_is_logged(lb, up):
    server = lb.proxy(up, server=SECTION)
    ctl(server, "drain", "echo", up.url)
    ctl(server, "resume", "echo", up.url)
    ctl(server, "kill", "--client", "bob")
    ctl(server, "drain", "echo", "tcp://other:1", status=1)
    server.wait_event("admin", 3)
    told = [{key: line[key] for key in line if key != "ts"}
            for line in server.events("admin")]
    head = {"level": "info", "event": "admin"}
    who = {"uid": os.getuid()}
    assert told == [
        {**head, "command": "drain", **who, "app": "echo",
         "upstream": up.url},
        {**head, "command": "resume", **who, "app": "echo",
         "upstream": up.url},
        {**head, "command": "kill", **who, "client": "bob", "sessions": 0}]


@pytest.mark.spec("CTL-12", "APP-7")
def test_all_upstreams_drain(lb, up):
    server = lb.proxy(up, server=SECTION)
    ctl(server, "drain", "echo", up.url)
    assert control.ask(server, "/readyz").status == 503
    with server.connect() as peer:
        peer.expect_end("clean")
    server.wait_event("session", reason="no_upstream")
    ctl(server, "resume", "echo", up.url)
    assert control.ask(server, "/readyz").status == 200
    with server.connect() as peer:
        assert echoed(peer, b"x") == b"x"


@pytest.mark.spec("CTL-8")
def test_what_is_not_there(lb, up):
    server = lb.proxy(up, server=SECTION)
    for args in (("drain", "other", up.url), ("drain", "echo", "tcp://x:1"),
                 ("resume", "echo", up.url + "/"), ("kill", "0-99"),
                 ("kill", "77-1"), ("kill", "--client", "nobody")):
        done = ctl(server, *args, status=1)
        assert done.stdout == ""
        assert re.fullmatch(r"lbproxyctl: [^\n]*\n", done.stderr)
    assert not server.events("admin")


# --- sessions ---

@pytest.mark.spec("CTL-14", "SES-13", "LOG-28")
def test_kill_a_session(lb, upstream):
    up = upstream()
    server = lb.proxy(up, server=SECTION)
    with server.connect() as one, server.connect("bob") as two:
        far = [up.accept(), up.accept()]
        one.send(b"1")
        two.send(b"2")
        near = {peer.recv_exactly(1): peer for peer in far}
        ids = {s["client"]: s["id"] for s in sessions(server)}
        done = ctl(server, "kill", ids["alice"])
        assert "1" in done.stdout
        one.expect_end("reset")
        near[b"1"].expect_end("reset")
        server.wait_event("session", client="alice", reason="killed")
        line = server.wait_event("admin")
        assert (line["command"], line["session"], line["sessions"]) == (
            "kill", ids["alice"], 1)
        assert {s["client"] for s in sessions(server)} == {"bob"}
        two.send(b"3")
        assert near[b"2"].recv_exactly(1) == b"3"
        ctl(server, "kill", ids["alice"], status=1)


@pytest.mark.spec("CTL-14")
@pytest.mark.workers
def test_kill_a_client(lb, up):
    server = lb.proxy(up, server=SECTION)
    alices = [server.connect() for _ in range(8)]
    with server.connect("bob") as bob:
        for peer in [*alices, bob]:
            assert echoed(peer, b"x") == b"x"
        done = ctl(server, "--json", "kill", "--client", "alice")
        assert json.loads(done.stdout) == {"killed": 8}
        for peer in alices:
            peer.expect_end("reset")
            peer.close()
        assert echoed(bob, b"y") == b"y"
        assert [s["client"] for s in sessions(server)] == ["bob"]
    # One that has none, and who may come again.
    assert json.loads(ctl(server, "--json", "kill", "--client",
                          "carol").stdout) == {"killed": 0}
    with server.connect() as again:
        assert echoed(again, b"z") == b"z"


# --- reload ---

@pytest.mark.spec("CTL-15", "RLD-5")
def test_reload(lb, up):
    server = lb.proxy(up, server=SECTION)
    tree = {**server.tree, "client": server.tree["client"][1:]}
    server.rewrite(tree)
    with server.connect() as alice:
        assert echoed(alice, b"x") == b"x"
        done = ctl(server, "reload")
        assert re.fullmatch(r"generation 2 is in force, after \d+ ms\n",
                            done.stdout)
        # It waited: who lost the right is gone.
        assert sessions(server) == []
        alice.expect_end("reset")
    line = server.wait_event("reload")
    assert (line["ok"], line["cause"], line["generation"]) == (True, "ctl", 2)
    told = json.loads(ctl(server, "--json", "reload").stdout)
    assert (told["ok"], told["generation"], told["log"]) == (True, 3, [])


@pytest.mark.spec("CTL-15")
def test_a_reload_that_is_refused(lb, up):
    server = lb.proxy(up, server=SECTION)
    server.rewrite({**server.tree, "log": {"level": "loud"},
                    "timeouts": {"idle": 7}})
    done = ctl(server, "reload", status=1)
    check = srv.run("-c", server.path, "--check")
    assert [line for line in done.stderr.splitlines()[:-1]] == srv.messages(
        check.stderr)
    assert "generation 1 is still in force" in done.stderr
    told = json.loads(ctl(server, "--json", "reload", status=1).stdout)
    assert not told["ok"]
    assert [line["event"] for line in told["log"]] == [
        "error", "error", "reload"]
    server.wait_event("reload", 2, ok=False)
    assert len(server.events("error")) == 4
    # What is wrong is not in the file.
    taken = lb.proxy(up)
    tree = {**server.tree, "app": [srv.app("echo", [up], listen=[
        "%s:%d" % taken.address()])]}
    server.rewrite(tree)
    done = ctl(server, "reload", status=1)
    assert "cannot listen" in done.stderr and "in use" in done.stderr


@pytest.mark.spec("CTL-15")
def test_a_reload_with_more_problems_than_fit(lb, up):
    """What is left out of the answer is counted, and in the log."""
    server = lb.proxy(up, server=SECTION)
    path = "/nowhere/" + "x" * 900
    tree = {**server.tree, "app": [
        {**server.tree["app"][0], "upstream": [
            {"url": f"tls://127.0.0.1:{port}", "ca": path}
            for port in range(1, 101)]}]}
    server.rewrite(tree)
    told = json.loads(ctl(server, "--json", "reload", status=1).stdout)
    assert not told["ok"]
    lines = len(told["log"]) + told["log_omitted"]
    assert told["log_omitted"] > 0 and lines == 101
    # Each message is cut, too.
    assert told["log"][0]["message"].endswith("...")
    assert len(told["log"][0]["message"]) <= 1024
    assert "generation 1 is still" in ctl(server, "reload", status=1).stderr


@pytest.mark.spec("CTL-15")
def test_reload_prints_warnings(lb, up):
    server = lb.proxy(up, server=SECTION)
    tree = json.loads(json.dumps(server.tree, default=str))
    tree["app"][0]["limits"] = {"window": "1m"}
    server.rewrite(tree)
    done = ctl(server, "reload")
    assert re.match(r"[^\n]*:\d+:\d+: warning: ", done.stderr)
    assert "generation 2" in done.stdout


@pytest.mark.spec("CTL-15")
def test_many_reloads_at_once(lb, up):
    server = lb.proxy(up, server=SECTION)
    command = [control.CTL, "-c", str(server.path), "--json", "reload"]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE)
               for _ in range(6)]
    for _ in range(3):
        server.signal(signal.SIGHUP)
    told = [json.loads(one.communicate(timeout=60)[0]) for one in running]
    assert all(one["ok"] for one in told)
    assert len({one["generation"] for one in told}) == 6
    wait_for(lambda: len(server.events("reload", cause="ctl")) == 6,
             "a line for each")


@pytest.mark.spec("CTL-21")
def test_no_reload_during_a_drain(lb, up):
    server = lb.proxy(up, server=SECTION, timeouts={"drain": "30s"})
    with server.connect() as peer:
        assert echoed(peer, b"x") == b"x"
        server.signal(signal.SIGTERM)
        server.wait_event("drain")
        done = ctl(server, "reload", status=1)
        assert "draining" in done.stderr
        assert status_of(server)["draining"]
        # The last worker has an end to wait for, the other one has not.
        [one] = sessions(server)
        ctl(server, "kill", one["id"])
    server.wait_exit()
    assert not control.path(server).exists()
    assert not server.events("reload")


# --- explain ---

@pytest.mark.spec("EXP-10")
def test_explain_says_what_is_used(lb, upstream):
    one, two = upstream(upstreams.echo), upstream(upstreams.echo)
    server = lb.proxy({"url": one.url, "weight": 4}, two,
                      server=SECTION, limits={"concurrent": 2})
    explain = ["explain", "--serial", srv.SERIALS["alice"]]
    [decision] = json.loads(ctl(server, "--json", *explain).stdout)[
        "decisions"]
    assert decision["now"]["client"]["open"] == 0
    assert decision["now"]["client"]["next_place_ms"] == 0
    assert [u["choice"] for u in decision["now"]["upstreams"]] == [
        "next", "turn"]
    plain = ctl(server, *explain).stdout
    assert "0 open, 0 admitted in the window; one more is let in" in plain
    assert f"next upstream: {one.url} (0 open, weight 4)" in plain
    assert f"not {two.url}: chosen after the next (0 open" in plain
    with server.connect() as first, server.connect() as second:
        for peer in (first, second):
            assert echoed(peer, b"x") == b"x"
        plain = ctl(server, *explain).stdout
        assert "2 open" in plain
        assert "one more is refused, concurrent_limit, until one" in plain
        ctl(server, "drain", "echo", one.url)
        plain = ctl(server, *explain).stdout
        assert f"not {one.url}: draining (1 open, weight 4)" in plain
        assert f"next upstream: {two.url} (1 open, weight 1)" in plain


@pytest.mark.spec("EXP-10")
def test_explain_says_when_the_rate_lets_in(lb, up):
    server = lb.proxy(up, server=SECTION,
                      limits={"connections": 1, "window": "1m"})
    with server.connect() as peer:
        assert echoed(peer, b"x") == b"x"
    plain = ctl(server, "explain", "--serial", srv.SERIALS["alice"]).stdout
    found = re.search(r"one more is refused, rate_limit, for ([\d.]+) s",
                      plain)
    assert 30 < float(found[1]) <= 60


@pytest.mark.spec("EXP-11")
def test_explain_without_a_server(lb, up):
    """A refusal needs none either, though there is one."""
    server = lb.proxy(up, server=SECTION)
    explain = ["explain", "--serial", srv.SERIALS["alice"]]
    with_server = json.loads(ctl(server, "--json", *explain).stdout)
    assert with_server["decisions"][0].pop("now")
    refused = json.loads(ctl(server, "--json", "explain", "--serial", "77",
                             status=1).stdout)
    assert "now" not in refused["decisions"][0]
    server.stop()
    assert json.loads(ctl(server, "--json", *explain).stdout) == with_server
    assert "now" not in ctl(server, *explain).stdout


# --- the terminal ---

def type_in_terminal(command, keys, enough):
    """What a program shows in a terminal until enough(text), then keys."""
    child, terminal = pty.fork()
    if child == 0:
        os.execv(command[0], command)
    shown = b""
    end = time.monotonic() + 6 * BOUND
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                data = os.read(terminal, 65536)
            except OSError:
                break
            if not data:
                break
            shown += data
        if keys and enough(shown):
            os.write(terminal, keys)
            keys = b""
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    return shown, os.waitstatus_to_exitcode(status)


@pytest.mark.spec("CTL-18")
def test_top(lb, up):
    server = lb.proxy(up, server=SECTION)
    with server.connect() as peer:
        assert echoed(peer, b"x") == b"x"
        shown, status = type_in_terminal(
            [control.CTL, "-c", str(server.path), "top"], b"q",
            lambda text: b"each second" in text)
    assert status == 0
    assert b"sessions: 1 of 400" in shown and b"alice" in shown
    assert shown.startswith(b"\x1b[?1049h") and shown.rstrip().endswith(
        b"\x1b[?1049l")
    control.run("-c", server.path, "top", status=2)


@pytest.mark.spec("CTL-18", "CTL-17")
def test_top_of_a_server_that_ends(lb, up):
    server = lb.proxy(up, server=SECTION)
    command = [control.CTL, "-c", str(server.path), "top"]
    ended = []

    def end_it(text):
        if b"q ends" in text and not ended:
            ended.append(True)
            server.stop()
        return False
    shown, status = type_in_terminal(command, b"q", end_it)
    assert status == 3
    # Where it stays to be read.
    assert b"no server answers" in shown.partition(b"\x1b[?1049l")[2]


# --- where, and what is printed ---

@pytest.mark.spec("CTL-17", "CTL-19")
def test_no_server(lb, up, pki, tmp_path):
    tree = srv.config(pki, [srv.app("echo", [up])], server=SECTION)
    path = srv.write_config(tmp_path, tree)
    for command in ("status", "sessions", "reload"):
        done = control.run("-c", path, command, status=3)
        assert re.fullmatch(r"lbproxyctl: no server answers at [^\n]*\n",
                            done.stderr)
    control.run("-s", tmp_path / ("long" * 40), "status", status=3)
    # Of one that is gone, the file may be left.
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(tmp_path / control.SOCKET))
    left.close()
    control.run("-c", path, "status", status=3)


@pytest.mark.spec("CTL-19")
def test_which_configuration(pki, up, tmp_path):
    tree = srv.config(pki, [srv.app("echo", [up])])
    path = srv.write_config(tmp_path, tree)
    done = control.run("-c", path, "status", status=2)
    assert "server.admin_socket" in done.stderr
    done = control.run("-c", tmp_path / "none.toml", "status", status=2)
    assert "none.toml" in done.stderr
    path.write_text("[server\n")
    for command in ("status", "reload"):
        done = control.run("-c", path, command, status=2)
        assert f"{path}:1:8: error: " in done.stderr
    # Keys need not be readable for whoever asks.
    tree["server"]["admin_socket"] = control.SOCKET
    tree["tls"]["private_key"] = "/nonexistent"
    srv.write_config(tmp_path, tree)
    control.run("-c", path, "status", status=3)


@pytest.mark.spec("CTL-1")
@pytest.mark.parametrize("args", [
    (), ("nothing",), ("status", "x"), ("sessions", "x"), ("reload", "x"),
    ("drain",), ("drain", "a"), ("drain", "a", "b", "c"), ("resume", "a"),
    ("kill",), ("kill", "1-2", "3-4"), ("kill", "1-2", "--client", "a"),
    ("top", "x"), ("status", "--socket"), ("-s",)])
def test_bad_usage(args):
    done = control.run(*args, status=2)
    assert done.stdout == ""
    assert re.fullmatch(r"lbproxyctl: [^\n]*\n", done.stderr)


@pytest.mark.spec("CTL-20")
def test_what_is_printed_cannot_steer_a_terminal(tmp_path):
    evil = "a\x1b[2J\x07\x7f\u009b3m\r\nb\u00e9"
    told = {"version": evil, "now": 9, "started": 1, "generation": 1,
            "apps": [{"id": evil, "upstreams": [{"url": evil, "weight": 1,
                                                 "state": evil}]}],
            "clients": [{"client": evil}], "rejects": [{"reason": evil}],
            "expiring": [{"file": evil}]}
    fake = control.Fake(tmp_path / "a", json.dumps(told).encode())
    plain = control.run("-s", tmp_path / "a", "status").stdout
    fake.end()
    assert plain.count("a?[2J???3m??b\u00e9") == 7
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", plain)
    fake = control.Fake(tmp_path / "b", evil.encode(),
                        status="404 Not Found")
    done = control.run("-s", tmp_path / "b", "kill", "1-2", status=1)
    fake.end()
    assert done.stderr == "lbproxyctl: a?[2J???3m??b\u00e9\n"


@pytest.mark.spec("CTL-17")
@pytest.mark.parametrize("body", [b"", b"{", b"<html>", b"[1"])
def test_an_answer_that_is_none(tmp_path, body):
    fake = control.Fake(tmp_path / "a", body)
    done = control.run("-s", tmp_path / "a", "status", status=1)
    fake.end()
    assert "no JSON" in done.stderr


@pytest.mark.spec("CTL-12")
def test_arguments_arrive_as_they_are(tmp_path):
    fake = control.Fake(tmp_path / "a", b"")
    control.run("-s", tmp_path / "a", "drain", "a&b=c %", "unix:/\u00e9 #?+")
    fake.end()
    assert fake.asked.startswith(b"POST /drain?app=%61%26")
    line = fake.asked.split(b"\r\n")[0].decode().split(" ")[1]
    assert urllib.parse.parse_qsl(urllib.parse.urlsplit(line).query) == [
        ("app", "a&b=c %"), ("upstream", "unix:/\u00e9 #?+")]


@pytest.mark.spec("ADM-2")
def test_an_app_that_a_reload_removes_is_not_waited_for(lb, up):
    """There are many, and many upstreams, so that it takes its time."""
    urls = [f"tcp://127.0.1.{n}:{up.port}" for n in range(50)]
    apps = [srv.app(f"app{n}", urls) for n in range(40)]
    server = lb.start(apps, server=SECTION)
    stopped = threading.Event()

    def ask():
        seen = set()
        one = control.Connection(control.path(server), 3 * BOUND)
        while not stopped.is_set():
            one.request("GET", "/readyz")
            answer = one.getresponse()
            seen.add((answer.status, answer.read()))
        one.close()
        return seen

    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask)
        for n in range(20):
            some = apps[1:] if n % 2 == 0 else apps
            server.reload({**server.tree, "app": some,
                           "client": srv.default_clients(some)})
        stopped.set()
        assert asked.result() == {(200, b"ready\n")}
