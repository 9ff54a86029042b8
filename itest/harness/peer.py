"""One end of a TCP or TLS connection that tells every kind of end apart.

A peer's `ending` is None while the other side may still send, then one of
  clean      TCP: FIN; TLS: close_notify
  truncated  TLS only: FIN without close_notify
  reset      TCP reset
  alert      TLS only: a fatal alert, its name in `alert`
  broken     TLS only: the other side broke the protocol, text in `alert`
"""

import selectors
import socket
import ssl
import struct
import time

from harness.wait import BOUND

CHUNK = 65536


class Ended(Exception):
    """Bytes were expected but the other side's stream has ended."""


class Peer:
    """The plain TCP peer; TlsPeer replaces what differs."""

    def __init__(self, sock):
        sock.setblocking(False)
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = sock
        self.ending = None
        self.alert = None
        self.sent = 0
        self._wire = bytearray()
        self._reset_seen = False
        self._inbox = bytearray()

    # What TLS does differently.

    def _seal(self, data):
        """Takes a part of data to the wire, returns how much it took."""
        self._wire += data
        return len(data)

    def _arrived(self, data):
        self._inbox += data

    def _tcp_end(self):
        self.ending = "clean"

    # Moving bytes.

    def _read_some(self):
        try:
            data = self.sock.recv(CHUNK)
        except BlockingIOError:
            return
        except (ConnectionResetError, BrokenPipeError):
            self.ending = self.ending or "reset"
            return
        if data:
            self._arrived(data)
        elif self._reset_seen:
            self.ending = self.ending or "reset"
        elif self.ending is None:
            self._tcp_end()

    def _write_some(self):
        try:
            count = self.sock.send(bytes(self._wire[:4 * CHUNK]))
        except BlockingIOError:
            return
        except (ConnectionResetError, BrokenPipeError):
            # The reason that reading shows is the better one: data and a
            # close_notify may still wait there.
            self._reset_seen = True
            self._wire.clear()
            return
        del self._wire[:count]

    def _step(self, end, reading):
        """Waits until something can move, and moves it; False: too late."""
        left = end - time.monotonic()
        if left <= 0:
            return False
        events = 0
        if reading:
            events |= selectors.EVENT_READ
        if self._wire:
            events |= selectors.EVENT_WRITE
        with selectors.PollSelector() as selector:
            selector.register(self.sock, events)
            ready = selector.select(left)
        for _, event in ready:
            if event & selectors.EVENT_WRITE and self._wire:
                self._write_some()
            if event & selectors.EVENT_READ and reading:
                self._read_some()
        return bool(ready)

    # What tests call.

    def send(self, data, timeout=BOUND):
        """Sends everything; a reset on the way shows at the next read."""
        view = memoryview(data)
        end = time.monotonic() + timeout
        while (len(view) or self._wire) and not self._reset_seen:
            if len(view) and len(self._wire) < CHUNK:
                count = self._seal(view[:CHUNK])
                view = view[count:]
                self.sent += count
            if not self._step(end, reading=False):
                raise TimeoutError(f"{len(view)} bytes could not be sent")

    def send_until_blocked(self, data, limit, quiet):
        """Sends data again and again until nothing moved for `quiet` s.

        Returns how many bytes were taken in all; at most `limit`.
        """
        taken = 0
        while taken < limit and not self._reset_seen:
            if len(self._wire) < CHUNK:
                taken += self._seal(memoryview(data)[:CHUNK])
            before = len(self._wire)
            if not self._step(time.monotonic() + quiet, reading=False):
                break
            assert len(self._wire) < before or self._reset_seen
        self.sent += taken
        return taken

    def recv(self, size=CHUNK, timeout=BOUND):
        """At least one byte, or b"" when `ending` says how it ended."""
        end = time.monotonic() + timeout
        while not self._inbox and self.ending is None:
            if not self._step(end, reading=True):
                raise TimeoutError("nothing was received")
        data = bytes(self._inbox[:size])
        del self._inbox[:size]
        return data

    def recv_exactly(self, size, timeout=BOUND):
        data = bytearray()
        while len(data) < size:
            part = self.recv(size - len(data), timeout)
            if not part:
                raise Ended(f"{self.describe()} after {len(data)} bytes")
            data += part
        return bytes(data)

    def read_to_end(self, timeout=BOUND):
        """All bytes up to the end; `ending` tells of what kind it was."""
        data = bytearray()
        while True:
            part = self.recv(timeout=timeout)
            if not part:
                return bytes(data)
            data += part

    def expect_end(self, ending, timeout=BOUND):
        """The other side must end in this way, and without a byte."""
        data = self.recv(timeout=timeout)
        assert not data, f"data came instead of {ending}: {data[:40]!r}"
        assert self.ending == ending, f"{self.describe()}, not {ending}"

    def silent(self):
        """Whether there is nothing to read now, not even an end."""
        if self.ending is None and not self._inbox:
            self._read_some()
        return self.ending is None and not self._inbox

    def exchange(self, data, consume, finish=True, timeout=60.0):
        """Sends data while it reads; consume(bytes) is true at the last."""
        view = memoryview(data)
        end = time.monotonic() + timeout
        done = False
        while not (done and not len(view) and not self._wire):
            if len(view) and len(self._wire) < CHUNK:
                count = self._seal(view[:CHUNK])
                view = view[count:]
                self.sent += count
                if finish and not len(view):
                    self._seal_end()
            if not self._step(end, reading=not done):
                raise TimeoutError("the exchange stopped")
            if self._inbox:
                done = consume(bytes(self._inbox))
                self._inbox.clear()
            if self._reset_seen or (self.ending and not done):
                raise Ended(self.describe())

    def _seal_end(self):
        pass

    def finish(self):
        """A clean end of our direction; reading goes on."""
        self.send(b"")
        self.shutdown_tcp()

    def shutdown_tcp(self):
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._reset_seen = True

    def reset(self):
        """A TCP reset, at once."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self):
        self.sock.close()

    def describe(self):
        return f"ended: {self.ending} {self.alert or ''}".rstrip()

    @property
    def local(self):
        host, port = self.sock.getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class TlsPeer(Peer):
    """TLS over memory, so that nothing closes or answers on its own."""

    def __init__(self, sock, context, server_side=False, name=None,
                 session=None):
        super().__init__(sock)
        self._in = ssl.MemoryBIO()
        self._out = ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._in, self._out, server_side, name,
                                    session)

    def _take_out(self):
        self._wire += self._out.read()

    def _fail(self, error):
        reason = error.reason or str(error)
        self.alert = reason
        self.ending = "alert" if "ALERT" in reason else "broken"

    def handshake(self, timeout=BOUND):
        """True when complete; False: `ending` says why not."""
        end = time.monotonic() + timeout
        while self.ending is None:
            try:
                self.tls.do_handshake()
                self._take_out()
                self.send(b"", timeout)
                self._open()
                return not self._reset_seen
            except ssl.SSLWantReadError:
                self._take_out()
            except ssl.SSLError as error:
                self._fail(error)
                self._take_out()
                if self._wire:
                    self._write_some()
                return False
            if not self._step(end, reading=True):
                raise TimeoutError("the handshake stopped")
        return False

    def _seal(self, data):
        count = self.tls.write(data) if len(data) else 0
        self._take_out()
        return count

    def _arrived(self, data):
        self._in.write(data)
        if self.tls.version() is not None:
            self._open()

    def _open(self):
        """Decrypts what has arrived."""
        try:
            while True:
                part = self.tls.read(CHUNK)
                if not part:
                    self.ending = "clean"
                    return
                self._inbox += part
        except ssl.SSLWantReadError:
            self._take_out()
        except ssl.SSLZeroReturnError:
            self.ending = "clean"
        except ssl.SSLError as error:
            self._fail(error)

    def _tcp_end(self):
        self.ending = "truncated"

    def _seal_end(self):
        # unwrap() sends close_notify and then wants the other side's one;
        # with nothing in the memory BIO it reads no data by accident.
        try:
            self.tls.unwrap()
        except (ssl.SSLWantReadError, ssl.SSLSyscallError):
            pass
        self._take_out()

    def finish(self, fin=True):
        """close_notify and, unless told otherwise, FIN; reading goes on."""
        self._seal_end()
        self.send(b"")
        if fin:
            self.shutdown_tcp()

    def truncate(self):
        """FIN without close_notify: an unclean end."""
        self.shutdown_tcp()

    def wait_tcp_end(self, timeout=BOUND):
        """What follows on TCP when the TLS stream has ended."""
        end = time.monotonic() + timeout
        with selectors.PollSelector() as selector:
            selector.register(self.sock, selectors.EVENT_READ)
            while True:
                left = end - time.monotonic()
                if left <= 0 or not selector.select(left):
                    raise TimeoutError("TCP did not end")
                try:
                    data = self.sock.recv(CHUNK)
                except ConnectionResetError:
                    return "reset"
                assert not data, "TLS records after close_notify"
                return "fin"
