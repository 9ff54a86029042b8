"""Who comes during a soak: each role is one visit, repeated until the end.

A visit raises for whatever SPEC.md does not allow; what it saw is counted.
"""

import os
import random
import socket
import time

from harness.client import begin, connect, tcp_connect
from harness.peer import Ended
from traffic import (BREAK, DOWN, ECHO, HALF, HEADER, PATIENCE_S, UNCLEAN,
                     Check, Stream, Wrong, header, take_all)

STRANGERS = [None, "stranger", "below", "expired", "revoked", "unlisted"]
FLOOD = 130


class Client:
    """A thread's way to the server: its randomness, counts and sessions."""

    def __init__(self, place, number):
        self.place = place
        self.totals = place.totals
        self.random = random.Random(place.seed * 1000 + number)
        self.who = self.random.choice(["alice", "bob"])

    def seed(self):
        return self.random.getrandbits(32)

    def version(self):
        return self.random.choice(["1.2", "1.3"])

    def context(self, who=None, version=None):
        key = who or self.who, version or self.version()
        return self.place.context(*key)

    def address(self, app):
        return self.place.addresses[app]

    def open(self, app, who=None, context=None, **options):
        self.totals.add("connections")
        return connect(self.address(app), context or self.context(who),
                       **options)

    def pause(self, most):
        time.sleep(self.random.random() * most)


def finish(client, peer, up, down):
    """A clean end both ways, after so many bytes."""
    peer.finish()
    if peer.recv(timeout=PATIENCE_S) or peer.ending != "clean":
        raise Wrong(f"no clean end: {peer.describe()}")
    count_clean(client, up, down)


def count_clean(client, up, down):
    client.totals.add("clean ends")
    client.totals.add("bytes up", up)
    client.totals.add("bytes down", down)


def echo_visit(client, peer, app, size):
    """One exchange of so many bytes, there and back."""
    seed = client.seed()
    up, down = Stream(seed, "up"), Stream(seed, "down")
    data = header(seed, ECHO) + up.take(size)
    if size:
        peer.exchange(data, Check(down, size), finish=False,
                      timeout=PATIENCE_S)
    else:
        peer.send(data, timeout=PATIENCE_S)
    finish(client, peer, len(data), size)
    client.totals.add(f"to {app}")


def size_of(client):
    """Mostly little, now and then more than a ring holds."""
    return client.random.choice([0, 1, 50, 1000, 16384, 16385, 200_000])


def short(client):
    """A full handshake, and up to four that resume it."""
    app = client.random.choice(["echo", "secure"])
    context = client.context()
    session = None
    for number in range(client.random.randrange(1, 6)):
        with client.open(app, context=context, session=session) as peer:
            reused = peer.tls.session_reused
            if reused != (session is not None):
                raise Wrong(f"resumed: {reused}, at visit {number}")
            client.totals.add("resumed" if reused else "full handshakes")
            # Without a byte down TLS 1.3 has no ticket.
            echo_visit(client, peer, app, size_of(client) or 1)
            session = peer.tls.session
        client.pause(0.05)


def long(client):
    """Bytes now and then, in both directions."""
    app = client.random.choice(["echo", "secure"])
    seed = client.seed()
    up, down = Stream(seed, "up"), Stream(seed, "down")
    end = time.monotonic() + client.random.random() * client.place.long_s
    with client.open(app) as peer:
        peer.send(header(seed, ECHO))
        count = 0
        while time.monotonic() < end:
            size = client.random.randrange(1, 8192)
            peer.send(up.take(size), timeout=PATIENCE_S)
            take_all(peer, down, size)
            count += size
            client.pause(0.2)
        finish(client, peer, HEADER.size + count, count)
    client.totals.add("long sessions")


def half_close(client):
    """The client ends first, and then all of the answer comes."""
    app = client.random.choice(["echo", "secure"])
    seed = client.seed()
    up_len, down_len = (client.random.randrange(1, 300_000) for _ in "12")
    up, down = Stream(seed, "up"), Stream(seed, "down")
    with client.open(app) as peer:
        data = header(seed, HALF, up_len, down_len) + up.take(up_len)
        peer.send(data, timeout=PATIENCE_S)
        peer.finish()
        take_all(peer, down, down_len)
        if peer.recv(timeout=PATIENCE_S) or peer.ending != "clean":
            raise Wrong(f"no clean end: {peer.describe()}")
    count_clean(client, len(data), down_len)
    client.totals.add("half-closed sessions")


def slow_reader(client):
    seed = client.seed()
    size = client.random.randrange(1 << 20, 4 << 20)
    down = Stream(seed, "down")
    with client.open("echo", receive_buffer=16384) as peer:
        peer.send(header(seed, DOWN, 0, size))
        check = Check(down, size)
        while check.left:
            data = peer.recv(timeout=PATIENCE_S)
            if not data:
                raise Wrong(f"{check.left} bytes missing: {peer.describe()}")
            check(data)
            client.pause(0.03)
        finish(client, peer, HEADER.size, size)
    client.totals.add("slow readers")


def breaks_off(client):
    """An unclean end, which the upstream must not take for a clean one."""
    app = client.random.choice(["echo", "secure"])
    seed = client.seed()
    up = Stream(seed, "up")
    with client.open(app) as peer:
        peer.send(header(seed, ECHO, flags=UNCLEAN)
                  + up.take(client.random.randrange(100_000)),
                  timeout=PATIENCE_S)
        client.pause(0.05)
        getattr(peer, client.random.choice(["reset", "truncate"]))()
    client.totals.add("broken off")


def refused(client):
    """More sessions and more often than the app allows: served or ended
    cleanly without a byte."""
    with client.open("tight", "carol") as peer:
        seed = client.seed()
        peer.send(header(seed, ECHO) + Stream(seed, "up").take(100))
        data = peer.recv(timeout=PATIENCE_S)
        if not data and peer.ending == "clean":
            client.totals.add("refused")
            return
        down = Stream(seed, "down")
        down.check(data)
        take_all(peer, down, 100 - len(data))
        peer.finish()
        client.totals.add("admitted by the limits")
    client.pause(0.1)


def garbage(client):
    client.totals.add("connections")
    with tcp_connect(client.address("echo")) as sock:
        sock.sendall(os.urandom(client.random.randrange(1, 3000)))
        sock.shutdown(socket.SHUT_WR)
        try:
            while sock.recv(65536):
                pass
        except ConnectionResetError:
            pass


def stranger(client):
    """Whoever it is, no upstream's byte comes back."""
    who = client.random.choice([*STRANGERS, "garbage"])
    if who == "garbage":
        garbage(client)
    else:
        client.totals.add("connections")
        with begin(client.address("echo"), client.place.context(
                who, client.version())) as peer:
            if peer.handshake(timeout=PATIENCE_S):
                peer.send(b"let me in")
                if peer.recv(timeout=PATIENCE_S):
                    raise Wrong(f"{who} got bytes")
            if peer.ending not in ("alert", "reset"):
                raise Wrong(f"{who}: {peer.describe()}")
    client.totals.add("strangers")
    client.pause(0.2)


def silent(client):
    """More handshakes in progress than there are places, from one source."""
    source = f"127.0.2.{client.random.randrange(1, 255)}"
    socks = []
    for _ in range(FLOOD):
        client.totals.add("connections")
        socks.append(tcp_connect(client.address("echo"), source=(source, 0)))
    client.pause(0.5)
    for sock in socks:
        sock.close()
    client.totals.add("silent connections", FLOOD)
    client.pause(2.0)


def idle(client):
    """Nothing is said until the server ends it, as a reset."""
    with client.open("brief") as peer:
        peer.send(header(client.seed(), ECHO, flags=UNCLEAN))
        data = peer.recv(timeout=PATIENCE_S)
        if data or peer.ending != "reset":
            raise Wrong(f"an idle session: {peer.describe()}")
    client.totals.add("idle sessions")


def flaky(client):
    """Its upstreams come, go and break off. What comes is a beginning of
    what should, and all of it if its end is clean."""
    seed = client.seed()
    size = client.random.randrange(2, 100_000)
    kind = client.random.choice([DOWN, DOWN, BREAK])
    down, count = Stream(seed, "down"), 0
    with client.open("flaky") as peer:
        peer.send(header(seed, kind, 0, size), timeout=PATIENCE_S)
        while data := peer.recv(timeout=PATIENCE_S):
            down.check(data)
            count += len(data)
        if peer.ending == "clean" and count not in (0, size):
            raise Wrong(f"{count} of {size} bytes and a clean end")
        if peer.ending == "clean":
            peer.finish()
    client.totals.add(f"flaky: {peer.ending}")
    client.pause(0.05)


# How many threads of each role a process has.
ROLES = {short: 3, long: 3, half_close: 1, slow_reader: 1, breaks_off: 1,
         refused: 2, stranger: 1, silent: 1, idle: 1, flaky: 2}


def repeat(client, role, errors):
    """One thread: visits until the end, and rests while all is quiet."""
    place = client.place
    while not place.over.is_set():
        if place.quiet.is_set():
            with place.resting.get_lock():
                place.resting.value += 1
            while place.quiet.is_set() and not place.over.is_set():
                time.sleep(0.02)
            with place.resting.get_lock():
                place.resting.value -= 1
            continue
        try:
            role(client)
        except (Wrong, Ended, OSError, AssertionError) as error:
            errors.put(f"{role.__name__}: {error!r}")
            time.sleep(0.5)
