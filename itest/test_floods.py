"""TLS records that carry nothing, and what they cost others. [SRV-87]"""

import subprocess
import time

import pytest

from harness import server as srv
from harness import upstreams
from harness.certs import ROOT
from harness.client import begin
from harness.ports import free_port
from harness.wait import BOUND, SLOW

VERSIONS = ["1.2", "1.3"]
MANY = 600_000
KINDS = [("1.3", "update"), ("1.3", "update-asked"), ("1.3", "empty"),
         ("1.3", "warning"), ("1.2", "empty"), ("1.2", "warning"),
         ("1.2", "hello")]


@pytest.fixture(scope="session")
def flood(tmp_path_factory):
    """A runner of itest/flood.c."""
    program = tmp_path_factory.mktemp("flood") / "flood"
    subprocess.run(["cc", "-O2", "-o", program, ROOT / "itest/flood.c",
                    "-lssl", "-lcrypto"], check=True, timeout=60 * SLOW)
    return program


@pytest.fixture
def run(flood):
    """Starts floods, which end with the test."""
    made = []

    def start(*args):
        made.append(subprocess.Popen([flood, *map(str, args)], text=True,
                                     stdout=subprocess.PIPE))
        return made[-1]

    yield start
    for process in made:
        process.kill()
        process.wait()
        process.stdout.close()


def from_client(run, server, pki, version, kind, count):
    cert, key = pki.of("bob")
    return run("connect", server.address()[1], version, kind, count, pki.ca,
               cert, key)


def keeps_answering(server, peer, seconds):
    """Another session of the same worker goes on all the time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not server.events("session"):
        peer.send(b"ping")
        assert peer.recv_exactly(4) == b"ping"


@pytest.mark.spec("SRV-88", "SRV-87")
@pytest.mark.parametrize("version, kind", KINDS)
def test_a_flood_of_a_client_ends_its_session(
        lb, pki, upstream, run, version, kind):
    server = lb.proxy(upstream(upstreams.echo), server={"workers": 1})
    with server.connect() as peer:
        keeps_answering(server, peer, 0.05)
        before = server.cpu_seconds()
        process = from_client(run, server, pki, version, kind, MANY)
        keeps_answering(server, peer, BOUND)
        line = server.wait_event("session")
        spent = server.cpu_seconds() - before
        assert line["reason"] == "client_flood", line
        assert line["client"] == "bob"
        assert process.wait(BOUND) == 0
        # All of it would take seconds.
        assert spent < 0.5 * SLOW, f"{spent:.2f} s"
        keeps_answering(server, peer, 0)


@pytest.mark.spec("SRV-88", "SRV-87")
@pytest.mark.parametrize("version, kind", [
    *((v, k) for v, k in KINDS if k != "hello"), ("1.3", "ticket")])
def test_a_flood_of_an_upstream_ends_its_session(
        lb, pki, upstream, run, version, kind):
    port = free_port()
    process = run("accept", port, version, kind, MANY,
                  *pki.of_upstream("loopback"))
    assert process.stdout.readline() == "listening\n"
    server = lb.start([
        srv.app("flood", [{"url": f"tls://127.0.0.1:{port}",
                           "ca": pki.upstream_ca}]),
        srv.app("echo", [upstream(upstreams.echo)])], server={"workers": 1})
    with server.connect(name="echo") as peer:
        before = server.cpu_seconds()
        with server.connect(name="flood") as victim:
            keeps_answering(server, peer, BOUND)
            victim.expect_end("reset")
        line = server.wait_event("session")
        spent = server.cpu_seconds() - before
        assert line["reason"] == "upstream_flood", line
        assert spent < 0.5 * SLOW, f"{spent:.2f} s"


@pytest.mark.spec("SRV-88")
@pytest.mark.parametrize("version, kind", [
    ("1.2", "byte"), ("1.3", "byte"), ("1.3", "update-and-data")])
def test_small_records_with_data_are_no_flood(
        lb, pki, upstream, run, version, kind):
    """Other sessions have their turns meanwhile, and no byte is lost."""
    up = upstream()
    server = lb.proxy(up, server={"workers": 1})
    count = 20_000
    process = from_client(run, server, pki, version, kind, count)
    far = up.accept()
    data = count if kind == "byte" else count // 20
    with server.connect() as peer:
        near = up.accept()
        assert far.recv_exactly(data, 20 * SLOW) == b"x" * data
        peer.send(b"ping")
        assert near.recv_exactly(4) == b"ping"
        assert not server.events("session")
    process.kill()


def hello_of(peer):
    try:
        peer.tls.do_handshake()
    except Exception:  # it wants an answer
        return peer._out.read()
    raise AssertionError("a handshake without an answer")


def in_pieces(hello):
    """A handshake record as records of one byte each."""
    return b"".join(hello[:3] + b"\0\1" + bytes([byte]) for byte in hello[5:])


@pytest.mark.spec("SRV-89")
@pytest.mark.parametrize("what", ["pieces", "empty", "spec"])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_handshake_of_many_records_fails(lb, upstream, version, what):
    server = lb.proxy(upstream(upstreams.echo), server={"workers": 1})
    context = server.context(version=version)
    # So many names of protocols that its pieces are too many.
    context.set_alpn_protocols([f"{n:03}-{'x' * 200}" for n in range(3)])
    with begin(server.address(), context) as peer:
        hello = hello_of(peer)
        junk = {"pieces": in_pieces(hello),
                "empty": (hello[:3] + b"\0\0") * 100_000,
                "spec": hello + b"\x14\3\3\0\1\1" * 100_000}[what]
        before = server.cpu_seconds()
        peer._wire += junk
        peer.send(b"", timeout=20 * SLOW)
        line = server.wait_event("reject")
        assert line["reason"] == "handshake_failed", line
        assert server.cpu_seconds() - before < 0.5 * SLOW
    with server.connect(version=version) as peer:
        peer.send(b"fine")
        assert peer.recv_exactly(4) == b"fine"
