"""The command line, --check, and starts that must not succeed."""

import os
import re
import socket
import tomllib

import pytest

from harness import server as srv
from harness import upstreams
from harness.client import tcp_connect
from harness.ports import free_port
from harness.wait import wait_for

# The example of the outer contract, word for word where it matters.
EXAMPLE = """\
[server]
workers         = 2
event_loop      = "auto"
max_connections = 400
admin           = "127.0.0.1:9900"

[tls]
certificate = "server.pem"
private_key = "server.key"
client_ca   = "ca.pem"
crl         = "ca.crl"
min_version = "1.2"
ciphers      = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"
ciphersuites = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384"

[log]
level = "info"

[timeouts]
handshake = "5s"
connect   = "3s"
idle      = "10m"
drain     = "30s"

[[app]]
id     = "echo"
listen = ["127.0.0.1:9001"]
proxy_protocol = false
limits = { concurrent = 100, connections = 200, window = "1m" }

[app.health]
enabled  = true
interval = "2s"
timeout  = "1s"
rise     = 2
fall     = 3

[[app.upstream]]
url    = "tcp://127.0.0.1:7001"
weight = 1

[[app.upstream]]
url         = "tls://127.0.0.1:7443"
ca          = "upstream-ca.pem"
server_name = "db.internal"
certificate = "proxy-client.pem"
private_key = "proxy-client.key"

[[client]]
id      = "alice"
serials = ["1A:2B:3C"]
apps    = ["echo"]

[client.limits.echo]
concurrent = 5
"""


@pytest.fixture
def home(pki, tmp_path):
    """A directory with the files that the example names."""
    names = {
        "server.pem": pki.of("server")[0],
        "server.key": pki.of("server")[1],
        "ca.pem": pki.ca,
        "ca.crl": pki.crl,
        "upstream-ca.pem": pki.upstream_ca,
        "proxy-client.pem": pki.of_upstream("proxy")[0],
        "proxy-client.key": pki.of_upstream("proxy")[1],
    }
    for name, path in names.items():
        (tmp_path / name).write_bytes(path.read_bytes())
    return tmp_path


def place_of(text, key, table=None, value=None):
    """Line and column of a key, or of its value, counted from 1."""
    inside = table is None
    for row, line in enumerate(text.splitlines(), 1):
        if line.startswith("["):
            inside = table is None or line.strip() == table
        match = re.match(rf"\s*{key}\s*=\s*", line)
        if inside and match:
            return row, match.start() + 1, match.end() + 1
    raise KeyError(key)


def check(home, text, *args):
    path = srv.write_config(home, text)
    return path, srv.run("-c", path, *(args or ["--check"]))


def assert_error_at(done, path, row, columns):
    assert done.returncode == 2, (done.returncode, done.stderr)
    found = re.findall(rf"^{re.escape(str(path))}:(\d+):(\d+): error: (.+)$",
                       done.stderr, re.M)
    places = [(int(line), int(column)) for line, column, _ in found]
    assert any((row, column) in places for column in columns), \
        f"no error at {row}:{columns}: {done.stderr}"
    assert len(found) == len(srv.messages(done.stderr)), done.stderr


@pytest.mark.spec("SRV-2")
@pytest.mark.parametrize("args", [
    ["-c", "FILE", "--check"], ["--config", "FILE", "-t"],
    ["--check", "--config=FILE"], ["-t", "-cFILE"]])
def test_the_contract_s_example_passes(home, args):
    path = srv.write_config(home, EXAMPLE)
    done = srv.run(*[arg.replace("FILE", str(path)) for arg in args])
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.spec("CFG-110", "CFG-111")
def test_the_contract_s_example_is_shown(home):
    path = srv.write_config(home, EXAMPLE)
    shown = srv.run("-c", path, "--check", "--show").stdout
    again = srv.write_config(home, shown, name="again.toml")
    done = srv.run("-c", again, "--check", "--show")
    assert (done.returncode, done.stderr) == (0, "")
    assert tomllib.loads(done.stdout) == tomllib.loads(shown)


@pytest.mark.spec("SRV-4")
def test_paths_are_relative_to_the_file(home):
    path = srv.write_config(home, EXAMPLE)
    assert srv.run("-c", path, "--check", cwd="/").returncode == 0
    name = path.name
    assert srv.run("-c", name, "--check", cwd=home).returncode == 0
    inside = home / "deeper"
    inside.mkdir()
    assert srv.run("-c", f"../{name}", "-t", cwd=inside).returncode == 0
    moved = srv.write_config(inside, EXAMPLE)
    assert srv.run("-c", moved, "--check", cwd=home).returncode == 2


@pytest.mark.spec("SRV-1")
@pytest.mark.parametrize("args", [
    [], ["-c"], ["--config"], ["--nonsense"], ["-c", "a", "b"], ["-x"],
    ["--check"], ["-c", "a", "-c"]])
def test_a_bad_command_line(args):
    done = srv.run(*args)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "-c" in done.stderr or "--help" in done.stderr


@pytest.mark.spec("SRV-1")
def test_help_and_version():
    shown = srv.run("--help")
    assert (shown.returncode, shown.stderr) == (0, "")
    for word in ("-c", "--config", "--check", "-t", "--version", "--help"):
        assert word in shown.stdout
    version = srv.run("--version")
    assert (version.returncode, version.stderr) == (0, "")
    assert re.search(r"lbproxyd \d+\.\d+", version.stdout), version.stdout


@pytest.mark.spec("SRV-2", "SRV-3")
def test_a_configuration_that_cannot_be_read(home):
    done = srv.run("-c", home / "missing.toml")
    assert done.returncode == 2
    assert str(home / "missing.toml") in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert srv.run("-c", home, "--check").returncode == 2


@pytest.mark.spec("SRV-2", "CFG-2", "CFG-10", "CFG-32")
def test_every_error_is_printed_in_one_go(home):
    text = EXAMPLE.replace("workers         = 2", "wrokers = 2")
    text = text.replace('idle      = "10m"', 'idle = "ten"')
    text = text.replace("weight = 1", "weight = 0")
    path, done = check(home, text)
    assert done.returncode == 2 and done.stdout == ""
    lines = srv.messages(done.stderr)
    assert len(lines) >= 3, done.stderr
    for line in lines:
        assert re.match(rf"{re.escape(str(path))}:\d+:\d+: error: ", line)
    assert "workers" in done.stderr


def is_open(address):
    with socket.socket() as sock:
        sock.settimeout(1)
        return sock.connect_ex(address) == 0


@pytest.mark.spec("SRV-2", "SRV-5")
def test_a_bad_configuration_opens_no_port(home):
    port = free_port()
    text = EXAMPLE.replace("9001", str(port)).replace(
        'level = "info"', 'level = "loud"')
    text = text.replace('admin           = "127.0.0.1:9900"\n', "")
    path, done = check(home, text, "-c", str(srv.write_config(home, text)))
    assert done.returncode == 2
    assert f"{path}:" in done.stderr
    assert not is_open(("127.0.0.1", port))


@pytest.mark.spec("SRV-2", "SRV-5")
def test_check_opens_no_port(home):
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", free_port()))
        taken.listen()
        port = taken.getsockname()[1]
        text = EXAMPLE.replace("9001", str(port))
        _, done = check(home, text)
    assert (done.returncode, done.stderr) == (0, "")


FILES = [
    ("certificate", "[tls]"), ("private_key", "[tls]"),
    ("client_ca", "[tls]"), ("crl", "[tls]"),
    ("ca", "[[app.upstream]]"), ("certificate", "[[app.upstream]]"),
    ("private_key", "[[app.upstream]]"),
]
DAMAGE = {
    "missing": lambda path: path.unlink(),
    "empty": lambda path: path.write_text(""),
    "no-pem": lambda path: path.write_bytes(bytes(range(256))),
    "cut": lambda path: path.write_text(path.read_text()[:200]),
    "directory": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.spec("SRV-3", "SRV-2")
@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("key,table", FILES,
                         ids=[f"{key}-{'tls' if 'tls' in table else 'up'}"
                              for key, table in FILES])
def test_a_named_file_that_cannot_be_used(home, key, table, damage):
    row, *columns = place_of(EXAMPLE, key, table)
    name = re.search(r'"(.+?)"', EXAMPLE.splitlines()[row - 1])[1]
    DAMAGE[damage](home / name)
    path, done = check(home, EXAMPLE)
    assert_error_at(done, path, row, columns)


@pytest.mark.spec("SRV-3")
def test_a_key_of_another_certificate(home, pki):
    (home / "server.key").write_bytes(pki.of("alice")[1].read_bytes())
    path, done = check(home, EXAMPLE)
    row, *columns = place_of(EXAMPLE, "private_key", "[tls]")
    assert_error_at(done, path, row, columns)
    (home / "server.key").write_bytes(pki.of("server")[1].read_bytes())
    (home / "proxy-client.key").write_bytes(
        pki.of("alice")[1].read_bytes())
    path, done = check(home, EXAMPLE)
    row, *columns = place_of(EXAMPLE, "private_key", "[[app.upstream]]")
    assert_error_at(done, path, row, columns)


@pytest.mark.spec("SRV-3", "SRV-10")
@pytest.mark.parametrize("kind", ["two", "twice", "leaf"])
def test_exactly_one_ca(home, pki, kind):
    ours, other = pki.ca.read_text(), pki.other_ca.read_text()
    text = {"two": ours + other, "twice": ours + ours,
            "leaf": pki.of("alice")[0].read_text()}[kind]
    (home / "ca.pem").write_text(text)
    path, done = check(home, EXAMPLE)
    row, *columns = place_of(EXAMPLE, "client_ca", "[tls]")
    assert_error_at(done, path, row, columns)


@pytest.mark.spec("SRV-3", "SRV-9")
def test_a_crl_of_another_ca(home, pki):
    (home / "ca.crl").write_bytes(
        (pki.upstream_dir / "ca.crl").read_bytes())
    path, done = check(home, EXAMPLE)
    row, *columns = place_of(EXAMPLE, "crl", "[tls]")
    assert_error_at(done, path, row, columns)


@pytest.mark.spec("SRV-3")
@pytest.mark.parametrize("key,value", [
    ("ciphers", "NO-SUCH-CIPHER"), ("ciphersuites", "TLS_NOTHING"),
    ("ciphers", "")])
def test_an_unknown_cipher(home, key, value):
    text = re.sub(rf'({key}\s*= )".*"', rf'\1"{value}"', EXAMPLE)
    path, done = check(home, text)
    row, *columns = place_of(text, key, "[tls]")
    assert_error_at(done, path, row, columns)


@pytest.mark.spec("SRV-3")
def test_an_unreadable_file(home):
    if os.geteuid() == 0:
        # Root reads everything; a file below a file nobody can read.
        text = EXAMPLE.replace('"server.pem"', '"ca.pem/server.pem"')
    else:
        text = EXAMPLE
        (home / "server.pem").chmod(0)
    path, done = check(home, text)
    row, *columns = place_of(text, "certificate", "[tls]")
    assert_error_at(done, path, row, columns)


@pytest.mark.spec("SRV-5", "SRV-30", "LOG-1", "LOG-8")
@pytest.mark.parametrize("by", ["other", "lbproxyd"])
def test_a_taken_address_ends_the_start(lb, upstream, by):
    up = upstream(upstreams.echo)
    free = f"127.0.0.1:{free_port()}"
    if by == "other":
        taken = up.address
    else:
        taken = lb.proxy(up).tree["app"][0]["listen"][0]
    second = lb.start(srv.app("late", [up], listen=[free, taken]),
                      ready=False)
    second.wait_exit(1)
    line = second.wait_event("error")
    assert line["level"] == "error"
    assert line["message"] == "cannot listen"
    assert line["cause"] == "Address already in use"
    assert taken in str(line), line
    assert not second.events("ready")
    assert not is_open(srv.split_address(free))
    if by == "lbproxyd":
        for _ in range(4):
            with lb.started[0].connect() as peer:
                peer.send(b"x")
                assert peer.recv_exactly(1) == b"x"


@pytest.mark.spec("SRV-5")
def test_an_address_that_is_not_ours_ends_the_start(lb, upstream):
    server = lb.start(srv.app("echo", [upstream(upstreams.echo)],
                              listen=["192.0.2.1:4433"]), ready=False)
    server.wait_exit(1)
    assert "192.0.2.1:4433" in str(server.wait_event("error"))


@pytest.mark.spec("SRV-15", "SRV-94")
def test_a_name_that_does_not_resolve_ends_no_start(lb):
    server = lb.start(srv.app("echo", ["tcp://no-such-host.invalid:1"]))
    cause = server.wait_event("upstream_down")["cause"]
    assert cause.startswith("cannot resolve 'no-such-host.invalid': ")


@pytest.mark.spec("SRV-6", "SRV-342", "LOG-1", "LOG-2")
def test_ready_says_what_is_served(lb, upstream):
    up = upstream(upstreams.echo)
    ports = [free_port() for _ in range(4)]
    said = [f"127.0.0.1:{ports[0]}", f"[::1]:{ports[1]}",
            f"127.0.0.1:{ports[2]}", f"0.0.0.0:{ports[3]}"]
    server = lb.start([srv.app("one", [up], listen=said[:2]),
                       srv.app("two", [up], listen=said[2:])],
                      server={"workers": 3})
    ready, = server.events("ready")
    assert set(ready) == {"ts", "level", "event", "workers", "event_loop",
                          "provider", "listen"}
    assert ready["level"] == "info"
    assert ready["workers"] == 3
    assert ready["event_loop"] == lb.poller
    assert ready["listen"] == said
    assert server.log[0] is ready
    # Connections that nobody accepts would be refused without a listener.
    for port, host in zip(ports, ["127.0.0.1", "::1"] + ["127.0.0.1"] * 2):
        tcp_connect((host, port)).close()
    # The main thread, the acceptor, and the workers.
    tasks = f"/proc/{server.process.pid}/task"
    wait_for(lambda: srv.sanitized() or len(os.listdir(tasks)) == 2 + 3,
             "three workers")


@pytest.mark.spec("SRV-331", "SRV-332")
@pytest.mark.parametrize("value, provider", [("1", "openssl"),
                                             ("", "lbproxy")])
def test_the_environment_says_whose_algorithms(lb, upstream, value, provider):
    def inherit():
        os.environ["LBPROXY_DEFAULT_PROVIDER"] = value
    server = lb.proxy(upstream(upstreams.name_server("a")), inherit=inherit)
    assert server.events("ready")[0]["provider"] == provider
    with server.connect() as peer:
        assert peer.recv_exactly(1) == b"a"


@pytest.mark.spec("SRV-342")
def test_a_single_worker_accepts_itself(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo), server={"workers": 1})
    tcp_connect(server.address()).close()
    server.wait_event("reject", reason="handshake_failed")
    # The main thread and the worker.
    tasks = os.listdir(f"/proc/{server.process.pid}/task")
    assert srv.sanitized() or len(tasks) == 2
