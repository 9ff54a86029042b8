"""What a client's first messages may be like, whoever sends them."""

import socket
import subprocess

import pytest

from harness import server as srv
from harness import upstreams
from harness.certs import SERIALS
from harness.client import attempt, client_context, connect, tcp_connect
from harness.peer import Peer
from harness.wait import BOUND

VERSIONS = ["1.2", "1.3"]


def openssl(*args):
    subprocess.run(["openssl", *map(str, args)], capture_output=True,
                   check=True, timeout=60)


def with_chain(pki, directory, extra):
    """Alice's certificate, and so many more that nobody asked for."""
    pem, key = pki.of("alice")
    chain = directory / "chain.pem"
    chain.write_text(pem.read_text() + pki.ca.read_text() * extra)
    return chain, key


def issued(pki, directory, *kind, bits="0A:11:CE"):
    """A certificate of our CA with alice's serial and any kind of key."""
    key, pem = directory / "odd.key", directory / "odd.pem"
    request, ext = directory / "odd.csr", directory / "odd.ext"
    ext.write_text("extendedKeyUsage=clientAuth\n", encoding="ascii")
    openssl("genpkey", *kind, "-out", key)
    openssl("req", "-new", "-key", key, "-subj", "/CN=odd", "-out", request)
    openssl("x509", "-req", "-in", request, "-CA", pki.ca, "-CAkey",
            pki.ca_dir / "ca.key", "-set_serial",
            "0x" + bits.replace(":", ""), "-extfile", ext, "-out", pem)
    return pem, key


def assert_works(server, context):
    with connect(server.address(), context) as peer:
        peer.send(b"hello")
        assert peer.recv_exactly(5) == b"hello"


@pytest.mark.spec("SRV-64", "SRV-67", "SRV-103")
@pytest.mark.parametrize("version", VERSIONS)
def test_a_list_of_four_certificates(lb, pki, upstream, tmp_path, version):
    up = upstream(upstreams.echo)
    server = lb.proxy(up)
    assert_works(server, client_context(
        pki.ca, with_chain(pki, tmp_path, 3), version))
    _, peer = attempt(server.address(), client_context(
        pki.ca, with_chain(pki, tmp_path, 4), version))
    assert peer.ending == "alert", peer.describe()
    assert server.wait_event("reject")["reason"] == "bad_certificate"
    assert up.accepted == 1


@pytest.mark.spec("SRV-64", "SRV-103")
@pytest.mark.parametrize("version", VERSIONS)
def test_a_list_of_98_kib(lb, pki, upstream, tmp_path, version):
    server = lb.proxy(upstream(upstreams.echo))
    context = client_context(pki.ca, with_chain(pki, tmp_path, 200), version)
    with connect(server.address(), server.context("bob")) as bob:
        _, peer = attempt(server.address(), context)
        assert peer.ending in ("alert", "reset"), peer.describe()
        line = server.wait_event("reject")
        assert line["reason"] == "handshake_failed"
        bob.send(b"x")
        assert bob.recv_exactly(1) == b"x"


@pytest.mark.spec("SRV-64", "SRV-102", "SRV-103")
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", [
    ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt",
     "ec_param_enc:explicit"),
    ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt",
     "point-format:compressed")], ids=["explicit", "compressed"])
def test_keys_that_are_not_decoded(lb, pki, upstream, tmp_path, version,
                                   kind):
    """As the certificate above alice's own, which our CA did issue."""
    server = lb.proxy(upstream(upstreams.echo))
    key = tmp_path / "other.key"
    if "explicit" in kind[-1]:
        openssl("genpkey", *kind, "-out", key)
    else:
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out",
                key, "-conv_form", "compressed")
        openssl("ec", "-in", key, "-conv_form", "compressed", "-out", key)
    openssl("req", "-x509", "-key", key, "-subj", "/CN=other", "-days", "2",
            "-out", tmp_path / "other.pem")
    pem, alice_key = pki.of("alice")
    chain = tmp_path / "chain.pem"
    chain.write_text(pem.read_text() + (tmp_path / "other.pem").read_text())
    _, peer = attempt(server.address(), client_context(
        pki.ca, (chain, alice_key), version))
    assert peer.ending == "alert", peer.describe()
    assert server.wait_event("reject")["reason"] == "bad_certificate"


@pytest.mark.once
@pytest.mark.long(15)
@pytest.mark.spec("SRV-64", "SRV-102")
@pytest.mark.parametrize("version", VERSIONS)
def test_rsa_of_4096_bits_is_taken(lb, pki, upstream, tmp_path, version):
    server = lb.proxy(upstream(upstreams.echo),
                      clients=[srv.client("alice", [SERIALS["alice"]],
                                          ["echo"])])
    cert = issued(pki, tmp_path, "-algorithm", "RSA", "-pkeyopt",
                  "rsa_keygen_bits:4096")
    assert_works(server, client_context(pki.ca, cert, version))


def hello_of(size):
    """A ClientHello with padding, in records."""
    suites = b"\x13\x01\xc0\x2b"
    body = (b"\x03\x03" + bytes(32) + b"\0" + b"\0\x04" + suites + b"\1\0")
    padding = size - len(body) - 2 - 4
    body += (padding + 4).to_bytes(2, "big") + b"\0\x15" + \
        padding.to_bytes(2, "big") + bytes(padding)
    message = b"\1" + len(body).to_bytes(3, "big") + body
    return b"".join(
        b"\x16\x03\x01" + len(part).to_bytes(2, "big") + part
        for part in (message[at:at + 16384]
                     for at in range(0, len(message), 16384)))


@pytest.mark.spec("SRV-65")
@pytest.mark.parametrize("size,detail", [
    (8192, False), (8193, True), (60000, True)])
def test_hellos_of_8_kib(lb, upstream, size, detail):
    """Neither is a good one; the longer ones are not looked at."""
    server = lb.proxy(upstream(upstreams.echo))
    with Peer(tcp_connect(server.address())) as peer:
        peer.send(hello_of(size))
        answer = peer.recv()
        assert answer[:1] == b"\x15" or detail is False, answer
    line = server.wait_event("reject")
    assert line["reason"] == "handshake_failed"
    assert ("offers too much" in line["detail"]) == detail, line


@pytest.mark.spec("SRV-65")
def test_a_hello_of_ssl_2(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo))
    body = b"\1\x03\x03\0\x06\0\0\0\x20\0\xc0\x2b\0\0\xff" + bytes(32)
    with Peer(tcp_connect(server.address())) as peer:
        peer.send((0x8000 | len(body)).to_bytes(2, "big") + body)
        assert peer.recv()[:1] == b"\x15"
        peer.sock.shutdown(socket.SHUT_WR)
    line = server.wait_event("reject", timeout=BOUND)
    assert line["reason"] == "handshake_failed"
