"""A peer that vanishes: its TCP takes nothing and answers nothing from then
on, not even a probe. Its socket must not be closed before the test is over.
"""

import ctypes
import socket
import struct

SO_ATTACH_FILTER = 26
SO_DETACH_FILTER = 27


def vanish(peer):
    """Has the kernel drop every segment for this peer's socket."""
    drop_all = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
    peer.sock.setsockopt(
        socket.SOL_SOCKET, SO_ATTACH_FILTER,
        struct.pack("HxxxxxxP", 1, ctypes.addressof(drop_all)))


def come_back(peer):
    peer.sock.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)
