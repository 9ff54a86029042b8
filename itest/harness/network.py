"""A network of a test's own: its loopback, its range of outgoing ports.

It is of the calling thread only, and of the threads and programs that it
starts from then on; the machine's settings stay as they are.
"""

import contextlib
import ctypes
import fcntl
import os
import socket
import struct

import pytest

CLONE_NEWNET = 0x40000000
CLONE_NEWNS = 0x00020000
CLONE_FS = 0x00000200
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
SIOCSIFFLAGS = 0x8914
IFF_UP = 1
SYSCTL = "/proc/sys/net/ipv4/ip_local_port_range"

LIBC = ctypes.CDLL(None, use_errno=True)


def _call(function, *args):
    if function(*args) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _loopback_up():
    with socket.socket() as sock:
        fcntl.ioctl(sock, SIOCSIFFLAGS,
                    struct.pack("16sH14x", b"lo", IFF_UP))


@contextlib.contextmanager
def _namespace(name, flag):
    before = os.open(f"/proc/thread-self/ns/{name}", os.O_RDONLY)
    try:
        try:
            _call(LIBC.unshare, flag)
        except OSError as error:
            pytest.skip(f"no namespace of our own: {error}")
        try:
            yield
        finally:
            # Threads that were started meanwhile share the directory.
            _call(LIBC.unshare, CLONE_FS)
            _call(LIBC.setns, before, flag)
    finally:
        os.close(before)


@contextlib.contextmanager
def own_network():
    with _namespace("net", CLONE_NEWNET):
        _loopback_up()
        yield


def set_outgoing_ports(first, last):
    """For whatever is connected from now on; only in own_network."""
    with open(SYSCTL, "w", encoding="ascii") as file:
        file.write(f"{first} {last}\n")


@contextlib.contextmanager
def own_files(**files):
    """Files in the place of those in /etc, by their names there with _ for
    the dot; they may be rewritten."""
    with _namespace("mnt", CLONE_NEWNS):
        _call(LIBC.mount, None, b"/", None, MS_REC | MS_PRIVATE, None)
        for name, path in files.items():
            _call(LIBC.mount, os.fsencode(path),
                  f"/etc/{name.replace('_', '.')}".encode(), None, MS_BIND,
                  None)
        yield
