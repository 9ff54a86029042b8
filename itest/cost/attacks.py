"""What strangers may do to the server, a connection each."""

import contextlib
import os
import socket
import ssl
import struct
import time

import forge
import hello
from harness.client import attempt, client_context, tcp_connect
from harness.wait import BOUND

FLOOD = 32 << 20
PACE_S = 40e-6


def read_to_end(sock):
    """Until the server has ended the connection, one way or another."""
    sock.settimeout(BOUND)
    with contextlib.suppress(OSError):
        while sock.recv(65536):
            pass


def sent(address, *parts, answer=True):
    """Sends each part once the server has answered the one before."""
    with tcp_connect(address) as sock, contextlib.suppress(OSError):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in parts:
            sock.sendall(part)
            if answer and part is not parts[-1]:
                sock.recv(65536)
        sock.shutdown(socket.SHUT_WR)
        read_to_end(sock)


def trickled(address, data, size):
    """Each piece a segment of its own, which the server reads by itself."""
    with tcp_connect(address) as sock, contextlib.suppress(OSError):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(data), size):
            sock.sendall(data[at:at + size])
            # As long as the server takes to wake up and read it.
            end = time.perf_counter() + PACE_S
            while time.perf_counter() < end:
                pass
        sock.shutdown(socket.SHUT_WR)
        read_to_end(sock)


def with_certificate(pki, cert, version="1.3"):
    context = client_context(pki.ca, cert, version)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE

    def run(address):
        with contextlib.suppress(OSError):
            attempt(address, context)
    return run


def flooding(pki):
    """Refused, then sends on as if nothing had happened."""
    context = client_context(pki.ca, None, "1.3")
    data = b"\x17\x03\x03" + struct.pack(">H", 16000) + bytes(16000)
    data *= FLOOD // len(data)

    def run(address):
        sock = tcp_connect(address)
        with contextlib.suppress(OSError), \
                context.wrap_socket(sock, server_hostname="localhost") as tls:
            plain = socket.socket(fileno=os.dup(tls.fileno()))
            with plain:
                plain.settimeout(BOUND)
                with contextlib.suppress(OSError):
                    plain.sendall(data)
                    plain.shutdown(socket.SHUT_WR)
                read_to_end(plain)
    return run


def of_hello(**what):
    return lambda address: sent(address, hello.hello(**what))


def junk_identities(count):
    """PSKs of sessions that never were."""
    identities = b"".join(
        hello.vector(2, os.urandom(32)) + bytes(4) for _ in range(count))
    binders = b"".join(hello.vector(1, bytes(32)) for _ in range(count))
    return hello.extension(
        0x0029, hello.vector(2, identities) + hello.vector(2, binders))


def hellos():
    """(name, connection) of what can be said before any certificate."""
    for name in ("X25519", "P256", "P384", "P521", "X448", "FFDHE2048",
                 "FFDHE8192"):
        group = getattr(hello, name)
        yield f"hello {name}", of_hello(groups=[group])
        # P-256 is what the server's certificate needs there.
        yield f"hello {name}, TLS 1.2", of_hello(
            groups=[group, hello.P256], version=hello.TLS12,
            ciphers=[0x009E, 0x009F] + hello.CIPHERS_12)
    yield "hello without the group's key, and again", lambda address: sent(
        address, hello.hello(groups=[hello.X25519, hello.P521], shares=[]),
        hello.hello(groups=[hello.X25519, hello.P521],
                    shares=[hello.X25519]))
    yield "hello, 32,000 ciphers", of_hello(
        ciphers=[0x1301] + [0x9000 + n % 0x6000 for n in range(32000)])
    yield "hello, 32,000 signature algorithms", of_hello(
        signatures=[0x0403] + [0x9000 + n % 0x6000 for n in range(31000)])
    yield "hello, 32,000 groups", of_hello(
        groups=[0x9000 + n % 0x6000 for n in range(30000)] + [0x1D],
        shares=[0x1D])
    yield "hello, 1,500 key shares", of_hello(
        groups=[hello.X25519], shares=[hello.X25519] * 1500)
    hello.SHARES[0x907E] = b"\0"
    yield "hello, 1,400 key shares and 128 groups", of_hello(
        groups=[0x9000 + n for n in range(127)] + [hello.X25519],
        shares=[0x907E] * 1400)
    yield "hello, 800 sessions to resume", of_hello(
        more=junk_identities(800))
    yield "hello, one of 60,000 bytes", of_hello(
        more=hello.extension(0x0015, bytes(60000)))
    yield "hello, 20,000 extensions", of_hello(
        more=b"".join(hello.extension(0x4000 + n, b"") for n in range(15000)))
    yield "hello, a byte a record", lambda address: sent(
        address, hello.records(hello.message(), size=1))
    yield "hello of 60,000 bytes, a byte a record", lambda address: sent(
        address, hello.records(hello.message(
            more=hello.extension(0x0015, bytes(60000))), size=1))
    yield "300,000 empty records", lambda address: sent(
        address, 300000 * (hello.records(b"\0")[:3] + b"\0\0"))
    yield "hello, 60,000 warnings", lambda address: sent(
        address, hello.hello(version=hello.TLS12, groups=[hello.X25519,
                                                          hello.P256])
        + 60000 * hello.records(b"\x01\x5a", 21))
    yield "hello, a byte a segment", lambda address: trickled(
        address, hello.hello(), 1)
    yield "hello of 8,000 bytes, 16 bytes a segment", \
        lambda address: trickled(address, hello.hello(
            more=hello.extension(0x0015, bytes(7700))), 16)
    yield "hello, 20,000 records that say nothing", lambda address: sent(
        address, hello.hello(session_id=bytes(32)) + 20000 * hello.records(
            b"\x01", hello.CHANGE_CIPHER_SPEC))


def connections():
    """(name, connection) of what is no TLS."""
    yield "connects and ends", sent
    yield "16 KiB of noise", lambda address: sent(address, os.urandom(16384))
    yield "an HTTP request", lambda address: sent(
        address, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")


def certificates(pki, directory):
    """(name, connection) of certificates that are not accepted."""
    alone = forge.self_signed(directory, "alone")
    many = [forge.self_signed(directory, f"chain{n}", alone[1],
                              f"/CN=chain{n}")[0] for n in range(8)]
    large = forge.issued_for_any_key(
        directory, "large", forge.rsa_public_key(16384, 16))
    exponent = forge.issued_for_any_key(
        directory, "exponent", forge.rsa_public_key(3072, 3072))
    rsa = forge.new_key(directory, "rsa", "RSA", "rsa_keygen_bits:4096")
    p521 = forge.new_key(directory, "p521", "EC", "ec_paramgen_curve:P-521")
    names = ",".join(f"DNS:host{n}.example.org" for n in range(3000))
    made = {
        "no certificate": None,
        "self-made certificate": alone,
        "98 KB of self-made certificates": forge.chain(
            directory, "list", alone, many * forge.how_many(many)),
        "8 self-made certificates": forge.chain(
            directory, "short-list", alone, many[:7]),
        "forged certificate of our CA": forge.forged(directory, pki),
        "a revoked one": pki.of("revoked"),
        "one that nobody lists": pki.of("unlisted"),
        "one under an intermediate": pki.of("below"),
        "one of RSA-4096": forge.self_signed(directory, "rsa4096", rsa),
        "one of P-521": forge.self_signed(directory, "curve521", p521),
        "4 with 3 KB of extensions each": forge.chain(
            directory, "extended", alone, [forge.self_signed(
                directory, f"extended{n}", more=[
                    part for m in range(250)
                    for part in ("-addext", f"1.2.3.{m + 1}=DER:0500")])[0]
                for n in range(3)]),
        "RSA-16384 above it": forge.chain(
            directory, "large-chain", alone, [large]),
        "RSA with an exponent of 3072 bits above it": forge.chain(
            directory, "exponent-chain", alone, [exponent]),
        "one of 3,000 names": forge.self_signed(
            directory, "names", more=("-addext", f"subjectAltName={names}")),
    }
    for name, cert in made.items():
        yield name, with_certificate(pki, cert)
        yield f"{name}, TLS 1.2", with_certificate(pki, cert, "1.2")


def all_of(pki, directory):
    yield from connections()
    yield from hellos()
    yield from certificates(pki, directory)
    yield "32 MiB after the refusal", flooding(pki)
