"""The most memory that the server may take: what --check --show says, and
that a server filled to the brim keeps to it."""

import re
import socket
import ssl
import subprocess
import tomllib

import pytest

from harness import odd_certs, upstreams
from harness import server as srv
from harness.certs import SERIALS
from harness.client import client_context, connect, tcp_connect
from harness.peer import Peer
from harness.ports import free_port
from harness.wait import BOUND, wait_for

KIB = 1024
MIB = 1024 * KIB
SESSIONS = 24
HANDSHAKES = 24

# A list of certificates as long as may be sent, and a record of it that lacks
# its end.
CERTS = 16 * KIB
LONG_CERTS = (b"\x16\x03\x03\x3e\x80\x0b" + CERTS.to_bytes(3, "big")
              + (CERTS - 3).to_bytes(3, "big") + b"\0" * (16000 - 7)
              + b"\x16\x03\x03\x01\x88" + b"\0" * (CERTS - 16000))
SERVER_HELLO_DONE = b"\x0e\0\0\0"


def announced(length):
    """The beginning of a ClientHello, a message of this length."""
    return b"\x16\x03\x01\0\x04\x01" + length.to_bytes(3, "big")


def shown(path):
    """What --check --show says of memory, in bytes by what it is of."""
    done = srv.run("-c", path, "--check", "--show")
    assert done.returncode == 0, done.stderr
    tomllib.loads(done.stdout)
    lines = re.findall(r"^#\s+(.+?):? {2,}(\d+) (KiB|MiB)$",
                       done.stdout.partition("# The most memory")[2], re.M)
    return {name: int(number) * {"KiB": KIB, "MiB": MIB}[unit]
            for name, number, unit in lines}


def status(server, *keys):
    """The sum of these lines of the process's status, in bytes."""
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as file:
        lines = dict(line.split(":", 1) for line in file)
    return sum(int(lines[key].split()[0]) for key in keys) * KIB


def large_cert(directory, ca, key, usage, names=(), serial=None):
    """A certificate of nearly the 16 KiB that a list of them may have, with as
    many names as a client may show, as (certificate, its key)."""
    sans = [*names, *(f"DNS:{'x' * 50}.{'y' * 42}.{number:03}.example.org"
                      for number in range(126))]
    own = odd_certs.make_key(directory / f"{usage}.key")
    cert = odd_certs.make_cert(
        directory / f"{usage}.pem", own, issuer=(ca, key), serial=serial,
        extensions=f"extendedKeyUsage={usage}\n"
                   f"subjectAltName={','.join(sans)}")
    whole = odd_certs.openssl("x509", "-in", cert, "-outform", "DER")
    assert 14 * KIB < len(whole) < 16 * KIB
    return cert, own


@pytest.fixture
def client_cert(pki, tmp_path):
    return large_cert(tmp_path, pki.ca, pki.ca_dir / "ca.key", "clientAuth",
                      serial="0x" + SERIALS["alice"].replace(":", ""))


@pytest.fixture
def start(pki, lb, upstream, tmp_path):
    """A server with small numbers, over an upstream with TLS or without."""
    def make(with_tls, **server):
        context = None
        if with_tls:
            context = upstreams.server_context(large_cert(
                tmp_path, pki.upstream_ca, pki.upstream_dir / "ca.key",
                "serverAuth", ["IP:127.0.0.1"]))
        up = upstream(context=context, receive_buffer=4096)
        one = {"url": f"tcp://127.0.0.1:{up.port}"}
        if with_tls:
            one = {"url": f"tls://127.0.0.1:{up.port}",
                   "ca": pki.upstream_ca}
        keys = {"max_connections": SESSIONS, "max_handshakes": HANDSHAKES,
                "workers": 2, **server}
        return up, lb.proxy(one, server=keys, timeouts={"handshake": "60s"},
                            health={"enabled": False})
    return make


def fill(peers):
    """Sends from each until nobody takes anything any more."""
    data = b"x" * 65536
    while sum(peer.send_until_blocked(data, 64 * MIB, 0.001)
              for peer in peers):
        pass


def grown(server, before, least, ends=()):
    """By how much its memory has grown, once that is this much at least and
    does not change any more, whatever more is sent."""
    sizes = []

    def is_over():
        fill(ends)
        sizes.append(status(server, "RssAnon") - before)
        last = sizes[-20:]
        return (len(last) == 20 and len(set(last)) == 1
                and (last[0] > least or srv.sanitized()))

    wait_for(is_over, f"it has grown by {least // KIB} KiB or more",
             3 * BOUND)
    return sizes[-1]


def open_sessions(server, up, context, count):
    """Both ends of so many; neither of them reads."""
    ends = []
    for _ in range(count):
        ends.append(connect(server.address(), context, receive_buffer=4096))
        ends.append(up.accept())
    return ends


def hello_of(context):
    """A ClientHello."""
    out = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), out, server_hostname="x")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return out.read()


def hello_to_be_asked_again():
    """One whose share of a key is of a group that the server does not take."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
        with subprocess.Popen(
                ["openssl", "s_client", "-connect", f"127.0.0.1:{port}",
                 "-groups", "P-521:P-256", "-tls1_3"],
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL) as client:
            door.settimeout(BOUND)
            with door.accept()[0] as sock:
                hello = sock.recv(16384)
            client.stdin.close()
    return hello


def open_handshakes(pki, server, count):
    """Strangers that are about to show many certificates."""
    hello = hello_of(client_context(pki.ca, version="1.2"))
    held = []
    for _ in range(count):
        held.append(Peer(tcp_connect(server.address())))
        held[-1].send(hello)
    for peer in held:
        got = b""
        while not got.endswith(SERVER_HELLO_DONE):
            got += peer.recv()
        peer.send(LONG_CERTS)
    return held


@pytest.mark.once
@pytest.mark.workers
@pytest.mark.spec("MEM-2")
@pytest.mark.parametrize("with_tls", [False, True], ids=["tcp", "tls"])
def test_full_sessions(pki, start, client_cert, with_tls):
    up, server = start(with_tls)
    bound = shown(server.path)[
        "a session whose upstream is tls://" if with_tls else "a session"]
    context = client_context(pki.ca, client_cert)
    before = status(server, "RssAnon")
    ends = open_sessions(server, up, context, SESSIONS)
    # It takes some four fifths, or two thirds with TLS upstream.
    size = grown(server, before, SESSIONS * bound // 2, ends)
    assert srv.sanitized() or size <= SESSIONS * bound, size / KIB
    for end in ends:
        end.close()
    server.wait_event("session", count=SESSIONS)


@pytest.mark.once
@pytest.mark.workers
@pytest.mark.spec("MEM-3")
def test_handshakes_of_strangers(pki, start):
    _, server = start(False)
    bound = shown(server.path)["a stranger's handshake"]
    before = status(server, "RssAnon")
    held = open_handshakes(pki, server, HANDSHAKES)
    size = grown(server, before, HANDSHAKES * bound // 2)
    assert srv.sanitized() or size <= HANDSHAKES * bound, size / KIB
    assert not server.events("reject")
    for peer in held:
        peer.close()


@pytest.mark.once
@pytest.mark.workers
@pytest.mark.spec("SRV-346", "SRV-65")
def test_a_long_hello_takes_no_memory(start):
    _, server = start(False)
    with Peer(tcp_connect(server.address())) as peer:
        peer.send(announced(131396))
        got = peer.recv()
        assert got[0] == 21 and got[5] == 2, "no fatal alert"
        peer.expect_end("clean")
    line = server.wait_event("reject")
    assert line["reason"] == "handshake_failed"
    assert line["detail"] == "excessive message size"
    before = status(server, "RssAnon")
    held = []
    for _ in range(HANDSHAKES):
        held.append(Peer(tcp_connect(server.address())))
        held[-1].send(announced(65535))
    # Two buffers of 16 KiB, and what a silent connection takes.
    size = grown(server, before, HANDSHAKES * 20 * KIB)
    assert srv.sanitized() or size < HANDSHAKES * 60 * KIB, size / KIB
    held[0].send(b"\x16\x03\x01\0\xff" + bytes(255))
    got = held[0].recv()
    assert got[0] == 21 and got[5] == 2, "no fatal alert"
    for peer in held:
        peer.close()


@pytest.mark.once
@pytest.mark.workers
@pytest.mark.spec("SRV-346")
def test_nor_does_the_second_one(start):
    _, server = start(False)
    with Peer(tcp_connect(server.address())) as peer:
        peer.send(hello_to_be_asked_again())
        # A ServerHello, of TLS 1.2 by its record.
        assert peer.recv()[:6] == b"\x16\x03\x03\0\x58\x02"
        # ChangeCipherSpec, which has no meaning.
        peer.send(b"\x14\x03\x03\0\x01\x01" + announced(131396))
        got = peer.recv()
        assert got[0] == 21 and got[5] == 2, "no fatal alert"
    line = server.wait_event("reject")
    assert line["detail"] == "excessive message size"


@pytest.mark.once
@pytest.mark.workers
@pytest.mark.spec("MEM-4", "MEM-5")
@pytest.mark.parametrize("with_tls", [False, True], ids=["tcp", "tls"])
def test_all_at_once(pki, start, client_cert, with_tls):
    """Nothing is accepted at max_connections, so one session is missing."""
    up, server = start(with_tls)
    said = shown(server.path)
    sessions = said[f"sessions ({SESSIONS})"]
    handshakes = said[f"handshakes ({HANDSHAKES + 2 * 8})"]
    context = client_context(pki.ca, client_cert)
    before = status(server, "RssAnon")
    ends = open_sessions(server, up, context, SESSIONS - 1)
    strangers = open_handshakes(pki, server, HANDSHAKES)
    size = grown(server, before, sessions // 2 + handshakes // 3, ends)
    whole = status(server, "RssAnon", "RssFile", "RssShmem")
    if not srv.sanitized():
        assert size <= sessions + handshakes, size / KIB
        assert whole <= said["the process"]
        assert whole - size <= said["program and libraries"]
    for end in [*ends, *strangers]:
        end.close()
    server.wait_event("session", count=SESSIONS - 1)


@pytest.mark.spec("MEM-1")
def test_what_is_shown(start):
    _, server = start(True, admin=f"127.0.0.1:{free_port()}")
    done = srv.run("-c", server.path, "--check", "--show")
    before, _, text = done.stdout.partition("# The most memory")
    assert "\n\n[[client]]\n" in before
    assert "kernel" in text and "lbproxyd(8)" in text
    assert all(line.startswith("# ") for line in text.splitlines()[1:])
    said = shown(server.path)
    parts = {name: size for name, size in said.items()
             if not name.startswith(("a ", "the process"))}
    # Each is rounded up.
    assert abs(sum(parts.values()) - said["the process"]
               ) <= len(parts) * MIB
    assert {"two configurations", "workers", "admin port and socket",
            "program and libraries"} <= set(parts)


@pytest.mark.spec("MEM-5")
def test_files_and_texts_count(pki, start, tmp_path):
    """Those that are included too, and each file as often as it is named."""
    _, server = start(False)
    before = shown(server.path)["two configurations"]
    text = server.path.read_text(encoding="utf-8")
    included = tmp_path / "included.toml"
    included.write_text("#" * 100_000 + "\n", encoding="ascii")
    server.path.write_text('include = ["included.toml"]\n' + text,
                           encoding="utf-8")
    with_text = shown(server.path)["two configurations"]
    assert abs(with_text - before - 2 * 4 * 100_000) < 2 * KIB
    crl = tmp_path / "padded.crl"
    crl.write_bytes(b"#" * 100_000 + b"\n" + pki.crl.read_bytes())
    server.path.write_text(text.replace(str(pki.crl), str(crl)),
                           encoding="utf-8")
    with_file = shown(server.path)["two configurations"]
    assert abs(with_file - before - 2 * 8 * 100_000) < 2 * KIB
