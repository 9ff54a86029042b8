"""lbproxyd as a child: its configuration, its log, its end."""

import fcntl
import functools
import json
import os
import pathlib
import signal
import subprocess
import threading
import time

from harness import log_lines
from harness.certs import ROOT, SERIALS
from harness.client import client_context, connect
from harness.ports import free_port
from harness.wait import BOUND, SLOW, wait_for

LBPROXYD = os.environ.get("LBPROXYD", str(ROOT / "build/lbproxyd"))
F_SETPIPE_SZ = 1031
# Nothing is left behind when the tests themselves are killed.
WITH_ITS_PARENT = ["setpriv", "--pdeathsig", "KILL"]
TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
# Of clients, by the files that they are made of.
CONTEXTS = {}


def matching(lines, event, fields):
    return [line for line in lines if line.get("event") == event
            and all(line.get(key) == value for key, value in fields.items())]


@functools.cache
def sanitized():
    """Whether the binary is a sanitizer build, whose memory says nothing."""
    data = pathlib.Path(LBPROXYD).read_bytes()
    return any(mark in data for mark in (b"__asan_init", b"__tsan_init",
                                         b"__msan_init"))


# TOML from Python values.

def _value(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        pairs = (f"{key} = {_value(item)}" for key, item in value.items())
        return "{ " + ", ".join(pairs) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, int):
        return str(value)
    return json.dumps(str(value))


def _is_tables(value):
    return (isinstance(value, list) and value
            and all(isinstance(item, dict) for item in value))


def to_toml(tree, path=""):
    """Tables in the order given; lists of dicts become [[tables]]."""
    lines = [f"{key} = {_value(value)}" for key, value in tree.items()
             if not isinstance(value, dict) and not _is_tables(value)]
    for key, value in tree.items():
        name = f"{path}.{key}" if path else key
        if isinstance(value, dict):
            lines += ["", f"[{name}]", to_toml(value, name)]
        elif _is_tables(value):
            for item in value:
                lines += ["", f"[[{name}]]", to_toml(item, name)]
    return "\n".join(lines)


def upstream_table(upstream):
    """An upstream's table, from one of ours, a URL or a table."""
    if isinstance(upstream, dict):
        return upstream
    return {"url": getattr(upstream, "url", upstream)}


def app(name, upstreams, listen=None, health=None, **keys):
    """An app's table; active checks are off unless given."""
    return {
        "id": name,
        "listen": listen or [f"127.0.0.1:{free_port()}"],
        **keys,
        "health": health or {"enabled": False},
        "upstream": [upstream_table(upstream) for upstream in upstreams],
    }


def client(name, serials, apps, **limits):
    """A client's table; limits by app override the app's."""
    table = {"id": name, "serials": serials, "apps": apps}
    if limits:
        table["limits"] = limits
    return table


def default_clients(apps):
    """Everybody with a listed certificate may use every app."""
    names = [table["id"] for table in apps]
    # With revoked serials alone a client would be worth a warning [SRV-79].
    more = {"revoked": ["DE:AD:02"]}
    return [client(name, [serial, *more.get(name, [])], names)
            for name, serial in SERIALS.items() if name != "alice-renewed"]


def config(pki, apps, clients=None, poller="auto", **sections):
    """A whole configuration as a tree; sections are merged over defaults."""
    tree = {
        "server": {"workers": 2, "event_loop": poller,
                   "max_connections": 400},
        "tls": {
            "certificate": pki.of("server")[0],
            "private_key": pki.of("server")[1],
            "client_ca": pki.ca,
            "crl": pki.crl,
        },
        "log": {"level": "debug"},
        "timeouts": {"handshake": "5s", "connect": "2s", "idle": "10m",
                     "drain": "10s"},
    }
    for name, keys in sections.items():
        tree[name] = {**tree[name], **keys}
        tree[name] = {key: value for key, value in tree[name].items()
                      if value is not None}
    tree["app"] = apps
    tree["client"] = default_clients(apps) if clients is None else clients
    return tree


def write_config(directory, tree, name="lbproxy.toml"):
    path = pathlib.Path(directory) / name
    text = tree if isinstance(tree, str) else to_toml(tree) + "\n"
    path.write_text(text, encoding="utf-8")
    return path


def run(*args, timeout=20 * SLOW, **options):
    """One run of lbproxyd that ends by itself."""
    return subprocess.run([LBPROXYD, *map(str, args)], text=True,
                          capture_output=True, timeout=timeout, check=False,
                          **options)


def messages(stderr):
    """What lbproxyd says of a configuration, without the lines it shows."""
    return [line for line in stderr.splitlines() if not line.startswith(" ")]


def split_address(text):
    host, port = text.rsplit(":", 1)
    return host.strip("[]"), int(port)


class Lbproxyd:
    """A running server. Its log lines are read into `log` at once.

    inherit is called in the child, to change what the server inherits. With
    another stderr than a pipe the log is the caller's to read.
    """

    def __init__(self, pki, path, tree, fd_limit=None, read_log=True,
                 inherit=None, stderr=subprocess.PIPE, program=None):
        self.pki = pki
        self.path = pathlib.Path(path)
        self.tree = tree
        self.log = []
        self.seen = 0  # lines of it that a test has looked at
        self.raw = []
        self.stdout = b""
        command = [*WITH_ITS_PARENT, program or LBPROXYD, "-c", str(path)]
        if fd_limit:
            command = ["prlimit", f"--nofile={fd_limit}:{fd_limit}",
                       *command]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=stderr, preexec_fn=inherit,
            close_fds=inherit is None)
        self._reader = None
        if read_log:
            # Room for a burst of lines while this process is busy: the
            # server drops what does not fit [LOG-7].
            fcntl.fcntl(self.process.stderr, F_SETPIPE_SZ, 1 << 20)
            self.read_log()

    # The log.

    def read_log(self):
        self._reader = threading.Thread(target=self._read_loop, daemon=True)
        self._reader.start()

    def _read_loop(self):
        for line in self.process.stderr:
            self.raw.append(line)
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict):
                self.log.append(entry)

    def events(self, event, **fields):
        """Every matching line so far."""
        self.seen = len(self.log)
        return matching(self.log[:self.seen], event, fields)

    def wait_event(self, event, count=1, timeout=BOUND, **fields):
        """Waits for count matching lines and fails with the log if they do
        not come.

        Returns the last of them, or None where its place says nothing:
        workers write their lines in any order, so the second line is the
        second connection's only if the first one was waited for."""
        known = len(matching(self.log[:self.seen], event, fields))

        def enough():
            found = self.events(event, **fields)
            return found[count - 1] if len(found) >= count else None
        line = wait_for(enough, f"{count} log line(s) {event} {fields}",
                        timeout)
        return line if known >= count - 1 else None

    def rejected(self, **fields):
        """How many attempts were refused: lines, and what sums say."""
        return sum(line.get("suppressed", 1)
                   for line in self.events("reject", **fields))

    def wait_rejected(self, count, timeout=BOUND, **fields):
        wait_for(lambda: self.rejected(**fields) >= count,
                 f"{count} attempts that are refused {fields}", timeout)

    def wait_ready(self):
        def ready_or_over():
            return self.events("ready") or self.process.poll() is not None
        wait_for(ready_or_over, "the ready event", 10 * SLOW)
        assert self.events("ready"), self.log_text()
        return self

    def log_text(self):
        return b"".join(self.raw).decode("utf-8", "backslashreplace")

    # Its addresses and clients.

    def address(self, name=None, index=0):
        for table in self.tree["app"]:
            if name is None or table["id"] == name:
                return split_address(table["listen"][index])
        raise KeyError(name)

    def context(self, who="alice", version=None):
        cert = self.pki.of(who) if who else None
        return client_context(self.pki.ca, cert, version)

    def connect(self, who="alice", name=None, version=None, index=0,
                **options):
        """A client after its handshake."""
        return connect(self.address(name, index),
                       self._kept_context(who, version), **options)

    def _kept_context(self, who, version):
        """One that no test sees: to load a certificate and its key takes as
        long as a handshake."""
        files = [self.pki.ca, *(self.pki.of(who) if who else ())]
        key = (version, *((str(file), os.stat(file).st_mtime_ns)
                          for file in files))
        if key not in CONTEXTS:
            CONTEXTS[key] = self.context(who, version)
        return CONTEXTS[key]

    # The process.

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def rss(self):
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as f:
            return int(f.read().split()[1]) * PAGE

    def open_files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def signal(self, number):
        self.process.send_signal(number)

    def rewrite(self, tree):
        """Puts another configuration in the place of the file's."""
        text = to_toml(tree) + "\n" if isinstance(tree, dict) else tree
        self.path.write_text(text, encoding="utf-8")

    def reload(self, tree=None, ok=True):
        """Reloads, and returns the line that says so."""
        if tree is not None:
            self.rewrite(tree)
        count = len(self.events("reload")) + 1
        self.signal(signal.SIGHUP)
        line = self.wait_event("reload", count)
        assert line["ok"] == ok, self.log_text()
        if ok and isinstance(tree, dict):
            self.tree = tree
        return line

    def wait_exit(self, status=0, timeout=10 * SLOW):
        code = self.process.wait(timeout)
        self._reader.join(timeout)
        assert code == status, f"exit status {code}, not {status}"

    def stop(self, status=0):
        """A drain to its end. Sessions that are still open end it late."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        self.wait_exit(status)

    def end(self):
        """For the end of a test: a drain, forced if sessions are open."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
            self._wait_drain()
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        try:
            self.process.wait(10 * SLOW)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stderr:
            if not self._reader:
                self.read_log()
            self._reader.join(BOUND)
            self.process.stderr.close()
        self.stdout = self.process.stdout.read()
        self.process.stdout.close()

    def _wait_drain(self):
        end = time.monotonic() + BOUND
        while (self.process.poll() is None and time.monotonic() < end
               and not self.events("drain")):
            time.sleep(0.004)
        try:
            self.process.wait(0.05)
        except subprocess.TimeoutExpired:
            pass

    def check_log(self):
        """[LOG-1], [LOG-6], [LOG-8], [LOG-25]: what holds of every line."""
        for line in self.raw:
            text = line.decode("utf-8")
            entry = json.loads(text)
            log_lines.check(entry, self.tree["log"]["level"] == "debug")
            assert len(line) <= 4096, "a line of more than 4096 bytes"
            if entry["event"] == "error":
                assert entry["message"], text
                assert entry.get("cause") != "", text


def cpu_share(server, seconds):
    """The share of one CPU that the server takes over some time."""
    # Not a wait for something: the time itself is what is measured.
    begin, cpu = time.monotonic(), server.cpu_seconds()
    while time.monotonic() - begin < seconds:
        time.sleep(seconds / 20)
    return (server.cpu_seconds() - cpu) / (time.monotonic() - begin)
