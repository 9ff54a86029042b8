"""What the server asks of its sockets. The kernel is asked in turn, through
copies of the server's descriptors."""

import contextlib
import ctypes
import os
import socket
import struct

import pytest

from harness import upstreams
from harness.ports import free_port

PIDFD_GETFD = 438
SACKED = 28  # in struct tcp_info: of a listener, its backlog

LIBC = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def tcp_sockets(server):
    """Copies of the server's TCP sockets: its listeners, and the others."""
    base = f"/proc/{server.process.pid}/fd"
    pidfd = os.pidfd_open(server.process.pid)
    listeners, others = [], []
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, pidfd)
        for name in os.listdir(base):
            if not os.readlink(f"{base}/{name}").startswith("socket:"):
                continue
            fd = LIBC.syscall(PIDFD_GETFD, pidfd, int(name), 0)
            if fd < 0:
                pytest.skip(f"pidfd_getfd: {os.strerror(ctypes.get_errno())}")
            sock = stack.enter_context(socket.socket(fileno=fd))
            if sock.family == socket.AF_UNIX:
                continue
            accepts = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
            (listeners if accepts else others).append(sock)
        yield listeners, others


def on_both_families(lb, upstream):
    """A server that listens on an IPv4 and an IPv6 address."""
    port = free_port()
    return lb.proxy(upstream(upstreams.echo),
                    listen=[f"127.0.0.1:{port}", f"[::1]:{port}"])


@pytest.mark.spec("SRV-146")
def test_the_backlog_of_listeners(lb, upstream):
    with open("/proc/sys/net/core/somaxconn", encoding="ascii") as file:
        most = int(file.read())
    with tcp_sockets(on_both_families(lb, upstream)) as (listeners, _):
        assert len(listeners) == 2
        for sock in listeners:
            info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
            assert struct.unpack_from("I", info, SACKED)[0] == min(4096, most)


@pytest.mark.spec("SRV-30", "SRV-29")
def test_listeners(lb, upstream):
    with tcp_sockets(on_both_families(lb, upstream)) as (listeners, _):
        assert len(listeners) == 2
        for sock in listeners:
            assert not sock.getsockopt(socket.SOL_SOCKET,
                                       socket.SO_REUSEPORT)
            if sock.family == socket.AF_INET6:
                assert sock.getsockopt(socket.IPPROTO_IPV6,
                                       socket.IPV6_V6ONLY)


@pytest.mark.spec("SRV-147")
def test_connections(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo))
    with server.connect() as peer:
        peer.send(b"x")
        assert peer.recv_exactly(1) == b"x"
        with tcp_sockets(server) as (_, others):
            assert len(others) == 2
            for sock in others:
                assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
