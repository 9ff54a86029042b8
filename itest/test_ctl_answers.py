"""lbproxyctl before a server that answers what a test wants: all that can be
shown, answers that are none, and where it prints."""

import json
import os
import pty
import re
import signal
import subprocess
import termios
import threading
import urllib.parse

import pytest

from harness import control
from harness import server as srv
from harness.certs import SERIALS
from harness.control import CTL, Fake, run
from harness.wait import BOUND

DAY = 86400


def told(tmp_path, *command, answer, status=0, **options):
    """What a command prints of an answer."""
    fake = Fake(tmp_path / "a", answer, **options)
    done = run("-s", tmp_path / "a", *command, status=status)
    fake.end()
    os.unlink(tmp_path / "a")
    return done


# --- what is shown ---

@pytest.mark.spec("CTL-10")
def test_all_of_a_status(tmp_path):
    now = 10 * DAY
    upstream = {"state": "up", "open": 7, "weight": 3}
    plain = told(tmp_path, "status", answer={
        "version": "9.8", "now": now, "started": now - 3 * DAY,
        "draining": True, "process": {"resident_bytes": 150 << 10},
        "apps": [{"id": "web", "ready": True, "upstreams": [
            {**upstream, "url": "tcp://a", "changed": now - 5400,
             "cause": "it answers"},
            {**upstream, "url": "tcp://b", "state": "no_address",
             "changed": now + 5, "cause": "no name"},
            {**upstream, "url": "tcp://c", "draining": True},
            {**upstream, "url": "tcp://d", "state": "down", "draining": True,
             "choice": "unheard of"}]}],
        "clients": [
            {"client": "alice", "app": "web", "open": 1, "concurrent": 2,
             "admitted": 3, "connections": 4, "next_place_ms": 1500},
            {"client": "bob", "app": "web", "open": 5, "admitted": 6,
             "next_place_ms": 0},
            {"client": "carol", "app": "web"}],
        "clients_left_out": 17,
        "rejects": [
            {"at": now - 100, "app": "web", "peer": "192.0.2.1:5",
             "client": "bob", "reason": "revoked", "explanation": "so"},
            {"at": now + 9, "peer": "192.0.2.2:5", "serial": "1A:2B",
             "reason": "expired"}],
        "expiring": [
            {"key": "crl", "file": "x.crl", "line": 7, "expired": True},
            {"key": "certificate", "file": "y.pem", "line": 8,
             "days_left": 30}]}).stdout
    lines = [" ".join(line.split()) for line in plain.splitlines()]
    for line in (
            "lbproxyd 9.8: draining, up for 3 d, generation 0",
            "tcp://a up 7 3 90 min ago: it answers",
            "tcp://b no address 7 3 0 s ago: no name",
            "tcp://c draining 7 3", "tcp://d down, draining 7 3",
            "alice web 1 of 2 3 of 4 in 1.5 s", "bob web 5 6 now",
            "carol web 0 0 when one of theirs ends", "and 17 more",
            "100 s ago web 192.0.2.1:5 bob revoked: so",
            "0 s ago 192.0.2.2:5 1A:2B expired:",
            "crl x.crl:7 EXPIRED", "certificate y.pem:8 30"):
        assert line in lines, plain
    assert "memory: 150 KiB" in plain


@pytest.mark.spec("CTL-11")
def test_sessions_of_some_age(tmp_path):
    plain = told(tmp_path, "sessions", answer=[
        {"id": "0-1", "since": 0, "bytes_up": 1536, "bytes_down": 0},
        {"id": "0-2", "since": 1 << 40, "bytes_up": 1 << 62}]).stdout
    first, second = [line.split() for line in plain.splitlines()[1:]]
    assert first[0] == "0-1" and first[2] == "d"
    assert int(first[1]) > 20000 and first[3:] == "1.5 KiB 0 B".split()
    assert second == ["0-2", "0", "s", "4.0", "EiB", "0", "B"]


@pytest.mark.spec("CTL-12")
def test_what_was_done_as_json(tmp_path):
    done = told(tmp_path, "--json", "resume", "web", "tcp://a", answer=b"")
    assert json.loads(done.stdout) == {"done": True}


@pytest.mark.spec("CTL-15")
def test_what_a_reload_says(tmp_path):
    lines = [
        {"event": "error", "level": "error", "message": "bad key",
         "file": "a.toml", "line": 3, "column": 9},
        {"event": "error", "level": "warn", "message": "odd",
         "file": "b.pem"},
        {"event": "error", "level": "error", "message": "cannot listen",
         "listen": "[::1]:5", "cause": "in use"},
        {"event": "reload", "level": "error"}]
    done = told(tmp_path, "reload", status=1, answer={
        "ok": False, "generation": 4, "log": lines, "log_omitted": 12})
    assert done.stderr.splitlines() == [
        "a.toml:3:9: error: bad key", "b.pem: warning: odd",
        "error: cannot listen on [::1]:5: in use",
        "and 12 more, in the server's log",
        "lbproxyctl: nothing has changed: generation 4 is still in force"]


# --- answers that are none ---

@pytest.mark.spec("CTL-17")
@pytest.mark.parametrize("head", [
    b"", b"HTTP/1.0 200 OK\r\n", b"HTTP/1.0\r\n\r\n",
    b"HTTP/1.0\r\n\r\n200 OK", b"\r\n\r\n", b"\0 \r\n\r\n"])
def test_what_is_no_http(tmp_path, head):
    fake = Fake(tmp_path / "a")
    fake.head, fake.bodies = head, [b""]
    fake.thread = threading.Thread(target=fake._serve)
    fake.thread.start()
    done = run("-s", tmp_path / "a", "status", status=3)
    fake.end()
    assert re.fullmatch("lbproxyctl: no server answers at [^\n]*: Protocol "
                        "error\n", done.stderr)


@pytest.mark.spec("CTL-17")
def test_who_is_refused_without_a_word(tmp_path):
    done = told(tmp_path, "kill", "0-1", answer=b"", status=1)
    assert "no JSON" in done.stderr and done.stdout == ""
    fake = Fake(tmp_path / "a", b"", status="500 Oops")
    done = run("-s", tmp_path / "a", "kill", "0-1", status=1)
    fake.end()
    assert done.stderr == "lbproxyctl: the server answers 500\n"


@pytest.mark.spec("CTL-17")
@pytest.mark.parametrize("command", [
    ("sessions",), ("reload",), ("--json", "kill", "0-1"),
    ("--json", "status")])
def test_no_command_takes_what_is_no_json(tmp_path, command):
    done = told(tmp_path, *command, answer=b"{]", status=1)
    assert "no JSON" in done.stderr and done.stdout == ""


@pytest.mark.spec("CTL-20")
def test_an_answer_in_no_encoding(tmp_path):
    fake = Fake(tmp_path / "a", b"\xc2\xa9 \xc2A \xc2\xff \xc2\x9b \xff\n",
                status="404 Not Found")
    done = subprocess.run([CTL, "-s", tmp_path / "a", "kill", "0-1"],
                          capture_output=True, check=False, timeout=60)
    fake.end()
    assert done.returncode == 1
    assert done.stderr == (b"lbproxyctl: \xc2\xa9 \xc2A \xc2\xff ? \xff\n")


@pytest.mark.spec("CTL-10", "CTL-12")
def test_long_texts(tmp_path):
    """Beyond what is read at once, and what a request is expected to take."""
    answer = {"version": "v" * 200000}
    done = told(tmp_path, "--json", "status", answer=answer)
    assert json.loads(done.stdout) == answer
    words = ["a" * 9000, "\u00e9" * 9000]
    fake = Fake(tmp_path / "a", b"")
    run("-s", tmp_path / "a", "drain", *words)
    fake.end()
    line = fake.asked.split(b"\r\n")[0].decode().split(" ")[1]
    assert urllib.parse.parse_qsl(urllib.parse.urlsplit(line).query) == [
        ("app", words[0]), ("upstream", words[1])]


@pytest.mark.spec("CTL-17")
def test_more_than_a_server_reads(lb, upstream):
    """It may close before it has been sent all, and its answer be lost."""
    server = lb.proxy(upstream(), server=control.section())
    done = subprocess.run(
        [CTL, "-c", server.path, "drain", "echo", "x" * 20000], text=True,
        capture_output=True, check=False, timeout=60)
    assert done.returncode in (1, 3) and done.stdout == ""
    assert re.fullmatch("lbproxyctl: [^\n]+\n", done.stderr)
    assert control.status_of(server)["generation"] == 1


@pytest.mark.spec("CTL-19")
@pytest.mark.parametrize("text", [
    "server = 3\n", "[server]\nadmin_socket = 3\n"])
def test_a_socket_that_is_no_path(tmp_path, text):
    path = tmp_path / "a.toml"
    path.write_text(text)
    done = run("-c", path, "status", status=2)
    assert "has no server.admin_socket" in done.stderr


# --- where it prints ---

@pytest.mark.spec("CTL-24")
@pytest.mark.parametrize("size", [1, 100000])
def test_standard_output_that_takes_nothing(tmp_path, size):
    fake = Fake(tmp_path / "a", {"version": "v" * size})
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [CTL, "-s", tmp_path / "a", "--json", "status"], stdout=full,
            stderr=subprocess.PIPE, text=True, check=False, timeout=60)
    fake.end()
    assert done.returncode == 2
    assert done.stderr == ("lbproxyctl: cannot write to standard output: No "
                           "space left on device\n")


class Terminal:
    """A terminal in which `top` shows a server that answers so often."""

    def __init__(self, tmp_path, *answers):
        self.ours, self.its = pty.openpty()
        self.before = termios.tcgetattr(self.its)
        self.fake = Fake(tmp_path / "a", *answers)
        self.program = subprocess.Popen(
            [CTL, "-s", tmp_path / "a", "top"], stdin=self.its,
            stdout=self.its, stderr=subprocess.PIPE, text=True)
        self.shown = b""

    def read_until(self, text):
        while text not in self.shown:
            self.shown += os.read(self.ours, 65536)

    def end(self):
        """(its status, what it said), and the terminal is as it was."""
        _, said = self.program.communicate(timeout=6 * BOUND)
        self.fake.end()
        if self.ours is not None:
            assert termios.tcgetattr(self.its) == self.before
            os.close(self.ours)
        os.close(self.its)
        return self.program.returncode, said


@pytest.mark.spec("CTL-18")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_top_ends_by_a_signal(tmp_path, number):
    terminal = Terminal(tmp_path, {"counts": {"rejected": {"revoked": 2}}},
                        {"counts": {"rejected": {"revoked": 7, "x": 1}}})
    terminal.read_until(b"0 admitted, 6 rejected")
    terminal.program.send_signal(number)
    assert terminal.end() == (0, "")


@pytest.mark.spec("CTL-18")
def test_top_ends_with_its_terminal(tmp_path):
    terminal = Terminal(tmp_path, {})
    terminal.read_until(b"q ends")
    os.close(terminal.ours)
    terminal.ours = None
    assert terminal.end() == (0, "")


@pytest.mark.spec("CTL-17", "CTL-18")
def test_top_of_what_is_no_json(tmp_path):
    terminal = Terminal(tmp_path, b"{]")
    status, said = terminal.end()
    assert status == 1 and "no JSON" in said


@pytest.mark.spec("CTL-18")
def test_top_needs_a_terminal_to_show_it(tmp_path):
    ours, its = pty.openpty()
    done = subprocess.run([CTL, "-s", tmp_path / "a", "top"], stdin=its,
                          capture_output=True, text=True, check=False,
                          timeout=60)
    os.close(ours)
    os.close(its)
    assert done.returncode == 2 and "needs a terminal" in done.stderr


# --- explain, and what a server says of whom it knows ---

@pytest.fixture
def path(pki, tmp_path):
    tree = srv.config(pki, [srv.app(app, ["tcp://127.0.0.1:1"])
                            for app in ("one", "two")],
                      clients=[srv.client("alice", [SERIALS["alice"]],
                                          ["one", "two"])],
                      server={"admin_socket": "a"})
    return srv.write_config(tmp_path, tree)


def explained(path):
    done = run("-c", path, "--json", "explain", "--serial", SERIALS["alice"])
    return json.loads(done.stdout)["decisions"]


@pytest.mark.spec("EXP-10")
def test_a_server_that_knows_less(path, tmp_path):
    """Its configuration is another one: of the second app, or of the client,
    it knows nothing."""
    upstreams = [{"url": "tcp://x", "choice": "next"}]
    status = {"apps": [{"id": "none"}, {"id": "two", "upstreams": upstreams}]}
    fake = Fake(tmp_path / "a", status, {"open": 1}, b"{]")
    one, two = explained(path)
    fake.end()
    assert "now" not in one and two["now"] == {"upstreams": upstreams}


@pytest.mark.spec("EXP-11")
def test_a_server_that_only_refuses(path, tmp_path):
    fake = Fake(tmp_path / "a", b"{}", status="503 Later")
    decisions = explained(path)
    fake.end()
    assert [d["let_in"] for d in decisions] == [True, True]
    assert not any("now" in d for d in decisions)
