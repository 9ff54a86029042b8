"""The recipes of docs/COOKBOOK.md, typed as they stand, in front of the
programs that they are for."""

import os
import pathlib
import random
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import tempfile

import pytest

from harness.certs import ROOT
from harness.document import Section
from harness.program import Program
from harness.wait import BOUND, wait_for

COOKBOOK = ROOT / "docs/COOKBOOK.md"
SHARED = "What all recipes share"


@pytest.fixture
def cook(tmp_path):
    """A maker of a recipe, after the commands that all recipes share."""
    made = []

    def make(heading, *ports):
        recipe = Section(COOKBOOK, [SHARED, heading], tmp_path, ports)
        made.append(recipe)
        shared = recipe.run(recipe.shell.pop(0))
        assert 'serials = ["' in shared, shared
        return recipe

    yield make
    for recipe in made:
        recipe.stop()


@pytest.fixture
def serve():
    """Starts what a recipe takes for granted, for as long as a test."""
    started = []

    def start(port, *command):
        started.append(Program(port, *command))
        return started[-1]

    yield start
    for program in started:
        program.stop()


def website(serve, recipe):
    """Something that answers on the recipe's port 8080."""
    www = recipe.home / "www"
    www.mkdir()
    (www / "index.html").write_text("hello from the upstream\n")
    port = recipe.port(8080)
    serve(port, "/usr/bin/python3", "-m", "http.server", "--bind",
          "127.0.0.1", "--directory", www, port)


# --- Redis ------------------------------------------------------------------

@pytest.mark.spec("INS-6")
def test_redis(cook, serve, need):
    need("redis-cli", "redis-tools")
    recipe = cook("Redis", 6390, 6379)
    port = recipe.port(6379)
    serve(port, need("redis-server", "redis-server"), "--port", port,
          "--bind", "127.0.0.1", "--save", "", "--dir", recipe.home)
    recipe.start(0, 6390)
    assert recipe.run(1) == "OK\n"
    got = recipe.run(recipe.shell[1].replace("set greeting hello",
                                             "get greeting"))
    assert got == "hello\n"
    line = recipe.wait_event("session", client="alice")
    # It ends without close_notify, which the recipe provides for.
    assert (line["app"], line["reason"]) == ("redis", "done")


# --- PostgreSQL -------------------------------------------------------------

@pytest.fixture
def postgres():
    """Starts PostgreSQL, which refuses to be root, with a cluster of its
    own."""
    root = os.geteuid() == 0
    directory = pathlib.Path(tempfile.mkdtemp(prefix="lbproxy-postgres-"))
    user = ["setpriv", "--reuid=postgres", "--regid=postgres",
            "--clear-groups", "--pdeathsig", "KILL"] if root else []
    started = []

    def start(port):
        programs = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
        if not programs:
            pytest.fail("initdb is missing: apt-get install postgresql")
        if root:
            shutil.chown(directory, "postgres", "postgres")
        data = directory / "data"
        done = subprocess.run(
            [*user, programs[-1] / "initdb", "-D", data, "-U", "postgres",
             "-A", "trust", "--no-sync", "--locale=C", "-E", "UTF8"],
            cwd="/", capture_output=True, text=True, timeout=BOUND * 12,
            check=False)
        assert done.returncode == 0, done.stderr
        started.append(Program(
            port, *user, programs[-1] / "postgres", "-D", data, "-p", port,
            "-k", directory, "-c", "listen_addresses=127.0.0.1", "-c",
            "fsync=off", "-c", "shared_buffers=16MB"))
        ready = [programs[-1] / "pg_isready", "-q", "-h", "127.0.0.1", "-p",
                 str(port)]
        wait_for(lambda: subprocess.run(ready, check=False).returncode == 0,
                 "PostgreSQL is ready", BOUND * 4)

    yield start
    for program in started:
        # At once, whoever is still connected.
        program.process.send_signal(signal.SIGINT)
        program.stop()
    shutil.rmtree(directory)


def startup_message(**parameters):
    """PostgreSQL: Message Formats, StartupMessage of protocol 3.0."""
    text = b"".join(name.encode() + b"\0" + value.encode() + b"\0"
                    for name, value in parameters.items()) + b"\0"
    return struct.pack("!II", 8 + len(text), 3 << 16) + text


def message(kind, text=b""):
    return kind + struct.pack("!I", 4 + len(text)) + text


@pytest.mark.spec("INS-6")
def test_postgresql(cook, postgres, need):
    need("stunnel", "stunnel4")
    need("psql", "postgresql")
    recipe = cook("PostgreSQL", 5431, 5432, 5433)
    postgres(recipe.port(5432))
    recipe.start(0, 5431, 5433)
    said = recipe.run(1)
    assert "answer" in said and "42" in said, said + recipe.output()
    line = recipe.wait_event("session", client="alice")
    assert (line["app"], line["reason"]) == ("db", "done")


@pytest.mark.spec("INS-6")
def test_postgresql_that_begins_with_tls(cook, postgres, need):
    """What version 17 does with sslnegotiation=direct, and older ones do
    not."""
    need("stunnel", "stunnel4")
    recipe = cook("PostgreSQL", 5431, 5432, 5433)
    postgres(recipe.port(5432))
    recipe.start(0, 5433)
    talk = (startup_message(user="postgres", database="postgres")
            + message(b"Q", b"SELECT 6 * 7 AS answer\0") + message(b"X"))
    context = ssl.create_default_context(cafile=recipe.home / "pki/ca.pem")
    context.load_cert_chain(recipe.home / "pki/alice.pem",
                            recipe.home / "pki/alice.key")
    context.set_alpn_protocols(["postgresql"])
    with socket.create_connection(("127.0.0.1", recipe.port(5433)),
                                  BOUND) as sock, \
            context.wrap_socket(sock, server_hostname="localhost") as tls:
        assert tls.selected_alpn_protocol() == "postgresql"
        tls.sendall(talk)
        said = b""
        while part := tls.recv(4096):
            said += part
    assert message(b"D", struct.pack("!HI", 1, 2) + b"42") in said, said

    version = subprocess.run([need("psql", "postgresql"), "--version"],
                             capture_output=True, text=True, check=True)
    if int(re.search(r"\d+", version.stdout)[0]) >= 17:
        assert "42" in recipe.run(2)
    # As older ones do.
    done = recipe.run(recipe.shell[2].replace("sslnegotiation=direct", ""))
    assert "psql: error: " in done, done
    recipe.wait_event("reject", app="db", reason="handshake_failed")


# --- gRPC -------------------------------------------------------------------

@pytest.mark.spec("INS-6")
def test_grpc(cook):
    done = subprocess.run(["/usr/bin/python3", "-c", "import grpc"],
                          check=False)
    if done.returncode:
        pytest.fail("grpc is missing: apt-get install python3-grpcio")
    recipe = cook("gRPC", 50443, 50051, 50052)
    recipe.start(0, 50051, 50052, 50443)
    seen = set()
    for _ in range(2):
        lines = recipe.run(1).splitlines()
        # All calls of a client are one connection.
        servers = {line.rsplit(" ", 1)[-1] for line in lines}
        assert len(servers) == 1, lines
        assert [line.rsplit(" from", 1)[0] for line in lines] == [
            "hello alice", "hello bob"]
        seen |= servers
    assert seen == {str(recipe.port(50051)), str(recipe.port(50052))}
    assert recipe.wait_event("session", client="alice")["app"] == "grpc"


# --- SSH --------------------------------------------------------------------

SSHD = """\
ListenAddress 127.0.0.1:{port}
HostKey {home}/host
AuthorizedKeysFile {home}/user.pub
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
"""
# ssh looks for keys in the home that /etc/passwd has, not in $HOME.
SSH = """
Host *
    HostKeyAlias inside
    IdentityFile {home}/user
    IdentitiesOnly yes
    UserKnownHostsFile {home}/known_hosts
    GlobalKnownHostsFile none
    StrictHostKeyChecking yes
    BatchMode yes
"""


def start_sshd(serve, recipe, need):
    """sshd with keys of its own, which lets its own user in."""
    home = recipe.home / "ssh"
    home.mkdir()
    for name in ("host", "user"):
        subprocess.run([need("ssh-keygen", "openssh-client"), "-q", "-t",
                        "ed25519", "-N", "", "-f", home / name], check=True)
    (home / "known_hosts").write_text(
        f"inside {(home / 'host.pub').read_text()}")
    with (recipe.home / "ssh_config").open("a") as config:
        config.write(SSH.format(home=home))
    port = recipe.port(22)
    (home / "sshd_config").write_text(SSHD.format(home=home, port=port))
    if os.geteuid() == 0:
        # Where sshd shuts itself in; it has no say in this.
        pathlib.Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    serve(port, need("sshd", "openssh-server"), "-D", "-e", "-f",
          home / "sshd_config")


@pytest.mark.spec("INS-6")
@pytest.mark.parametrize("host", ["inside", "inside-by-openssl"])
def test_ssh(cook, serve, need, host):
    need("socat", "socat")
    recipe = cook("SSH", 2222, 22)
    start_sshd(serve, recipe, need)
    recipe.start(0, 2222)
    typed = recipe.shell[1].replace(" inside ", f" {host} ")
    assert recipe.run(typed) == "at work on Linux\n", recipe.output()

    body = random.Random(5).randbytes(3 << 20)
    (recipe.home / "big").write_bytes(body)
    copied = recipe.run(f"ssh -F ssh_config {host} 'cat' <big >copy")
    assert copied == ""
    assert (recipe.home / "copy").read_bytes() == body
    line = recipe.wait_event("session", client="alice")
    # ssh kills what has made the connection, which the recipe provides for;
    # what that has not read yet becomes a reset.
    assert line["app"] == "ssh"
    assert line["reason"] in ("done", "client_reset")


# --- certificates that live for hours ---------------------------------------

SHOWN = """openssl s_client -connect localhost:{port} -CAfile pki/ca.pem \
-cert live/robot.pem -key live/robot.key </dev/null 2>/dev/null |
certs-gen serial -"""


@pytest.mark.spec("INS-6")
def test_certificates_that_live_for_hours(cook, serve):
    recipe = cook("Certificates that live for hours", 9001, 8080)
    website(serve, recipe)
    assert recipe.run(0) == ""
    recipe.start(1, 9001)

    def serials():
        """Of the certificates in use: the client's, the server's."""
        assert "hello from the upstream" in recipe.run(2), recipe.output()
        robot = recipe.run("certs-gen serial live/robot.pem").strip()
        recipe.wait_event("session", client="robot", serial=robot,
                          name="spiffe://example.org/robot")
        return robot, recipe.run(SHOWN.format(port=recipe.port(9001))).strip()

    robot, server = serials()
    assert recipe.run(0) == ""
    new = recipe.run("certs-gen serial live/server.pem").strip()
    assert recipe.wait_event("reload", cause="watch")["ok"], recipe.output()
    assert new != server and serials()[1] == new
    assert serials()[0] != robot


# --- behind HAProxy ---------------------------------------------------------

@pytest.mark.spec("INS-6")
def test_behind_haproxy(cook, serve, need):
    need("haproxy", "haproxy")
    recipe = cook("Behind HAProxy", 8443, 9001, 8080, 9900)
    website(serve, recipe)
    recipe.start(0, 8443, 9001, 9900)
    # HAProxy may have looked before lbproxyd was ready, and looks again.
    wait_for(lambda: "hello from the upstream" in recipe.run(1),
             "HAProxy has an upstream")
    far = recipe.shell[1].replace("curl ", "curl --interface 127.0.0.5 ")
    assert "hello from the upstream" in recipe.run(far), recipe.output()
    wait_for(lambda: any(line["peer"].startswith("127.0.0.5:")
                         for line in recipe.events("session")),
             "a session with the client's own address")

    recipe.signal("lbproxyd", signal.SIGTERM)
    recipe.wait_event("drain")
    # Still served, unless HAProxy has been quicker.
    late = recipe.run(1)
    assert "hello from the upstream" in late or (
        "web/lbproxy is DOWN" in recipe.output()), recipe.output()
    wait_for(lambda: "web/lbproxy is DOWN" in recipe.output(),
             "HAProxy sees the drain")
    recipe.wait_event("stopped")
