"""Clients of the server: contexts, connections, and what a stranger sees."""

import socket
import ssl
import warnings

from harness.peer import TlsPeer
from harness.wait import BOUND

VERSIONS = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}


def client_context(ca, cert=None, version=None):
    """cert: (certificate, key) or None; version: the only one offered."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(ca)
    if version in ("1.0", "1.1"):
        # Debian's security level forbids these to clients as well.
        context.set_ciphers("ALL:@SECLEVEL=0")
    if version:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = VERSIONS[version]
            context.maximum_version = VERSIONS[version]
    if cert:
        context.load_cert_chain(*map(str, cert))
    return context


def tcp_connect(address, timeout=BOUND, receive_buffer=None, source=None):
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.settimeout(timeout)
    try:
        if source:
            sock.bind(source)
        sock.connect(address)
    except OSError:
        sock.close()
        raise
    return sock


def begin(address, context, name="localhost", session=None, **options):
    """A connected TlsPeer before its handshake."""
    sock = tcp_connect(address, **options)
    return TlsPeer(sock, context, name=name, session=session)


def connect(address, context, **options):
    """A TlsPeer after its handshake, which must succeed."""
    peer = begin(address, context, **options)
    if not peer.handshake():
        peer.close()
        raise AssertionError(f"handshake failed, {peer.describe()}")
    return peer


def attempt(address, context, **options):
    """What a client that may be refused sees: (phase, peer).

    The phase is "handshake" or "read": a TLS 1.3 client has finished its
    handshake before the server has judged the certificate. The peer has
    ended, else a read times out.
    """
    with begin(address, context, **options) as peer:
        if not peer.handshake():
            return "handshake", peer
        data = peer.recv()
        assert not data, f"a stranger got data: {data[:40]!r}"
        return "read", peer
