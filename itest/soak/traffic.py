"""What both ends of a soak's sessions say, so that each checks every byte.

A session begins with a header from the client: what is to happen, and the
seed from which both ends make both directions' bytes.
"""

import hashlib
import struct

from harness.peer import Ended
from harness.wait import SLOW

# What happens after the header.
ECHO = 0  # each piece is answered with as much, until the client ends
DOWN = 1  # so many bytes come down, then an end
HALF = 2  # so many go up, an end, then so many come down, and an end
BREAK = 3  # half of what should come down, and a reset

# The upstream is not to take the client's end for a clean one.
UNCLEAN = 1

HEADER = struct.Struct(">4sIIIHH")
MAGIC = b"soak"
BLOCK = 1 << 16
PATIENCE_S = 5.0 * SLOW


class Wrong(Exception):
    """Bytes or an end that a specification of TCP forbids."""


class Stream:
    """Bytes by seed and direction, one after the other."""

    def __init__(self, seed, direction):
        self.name = f"{seed}:{direction}:"
        self.block = b""
        self.number = 0

    def take(self, count):
        parts = []
        while count > 0:
            if not self.block:
                self.block = hashlib.shake_128(
                    f"{self.name}{self.number}".encode()).digest(BLOCK)
                self.number += 1
            part, self.block = self.block[:count], self.block[count:]
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def check(self, data):
        if self.take(len(data)) != data:
            raise Wrong(f"other bytes than those of {self.name}")


class Check:
    """For Peer.exchange: takes what arrives, until it is all."""

    def __init__(self, stream, count):
        self.stream = stream
        self.left = count

    def __call__(self, data):
        self.left -= len(data)
        if self.left < 0:
            raise Wrong("more bytes than were sent")
        self.stream.check(data)
        return self.left == 0


def header(seed, kind, up=0, down=0, flags=0):
    return HEADER.pack(MAGIC, seed, up, down, kind, flags)


def take_all(peer, stream, count):
    """So many bytes, each of which is checked."""
    check = Check(stream, count)
    while check.left:
        data = peer.recv(timeout=PATIENCE_S)
        if not data:
            raise Ended(f"{peer.describe()}, {check.left} bytes missing")
        check(data)


def take_end(peer, flags):
    """The client's end; what is clean must be meant so."""
    data = peer.recv(timeout=PATIENCE_S)
    if data:
        raise Wrong("bytes after the last one")
    if flags & UNCLEAN and peer.ending == "clean":
        raise Wrong("an unclean end became a clean one")


def echo(peer, up, down, flags):
    while data := peer.recv(timeout=PATIENCE_S):
        up.check(data)
        peer.send(down.take(len(data)), timeout=PATIENCE_S)
    if flags & UNCLEAN and peer.ending == "clean":
        raise Wrong("an unclean end became a clean one")
    if peer.ending == "clean":
        peer.finish()


def serve(peer, totals):
    """An upstream's side of one session; a check of health says nothing."""
    try:
        head = peer.recv_exactly(HEADER.size, timeout=PATIENCE_S)
    except Ended:
        return
    magic, seed, up_len, down_len, kind, flags = HEADER.unpack(head)
    if magic != MAGIC:
        raise Wrong(f"a session begins with {head!r}")
    up, down = Stream(seed, "up"), Stream(seed, "down")
    if kind == ECHO:
        echo(peer, up, down, flags)
    elif kind == DOWN:
        peer.send(down.take(down_len), timeout=PATIENCE_S)
        peer.finish()
        take_end(peer, flags)
    elif kind == HALF:
        take_all(peer, up, up_len)
        take_end(peer, flags)
        peer.send(down.take(down_len), timeout=PATIENCE_S)
        peer.finish()
    else:
        peer.send(down.take(down_len // 2), timeout=PATIENCE_S)
        peer.reset()
    totals.add("served")


def handler(totals, errors):
    """For an Upstream: what is wrong is reported, ends of all kinds not."""
    def run(peer):
        try:
            serve(peer, totals)
        except Wrong as error:
            errors.put(f"upstream: {error}")
        except (Ended, OSError):
            totals.add("cut short")
        finally:
            peer.close()
    return run
