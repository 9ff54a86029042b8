"""Upstreams: each counts its connections and can be stopped and restarted.

A handler gets a connected Peer in a thread of its own. Without a handler the
test drives the peers itself: `upstream.accept()` gives the next one.
"""

import hashlib
import queue
import socket
import ssl
import threading
import time

from harness.peer import Ended, Peer, TlsPeer
from harness.ports import free_port
from harness.wait import BOUND, wait_for

IDLE = 120.0


def server_context(cert, client_ca=None):
    """TLS for an upstream; client_ca: a client certificate is required."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*map(str, cert))
    if client_ca:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def echo(peer):
    """Gives back every byte, and the kind of end as well."""
    while data := peer.recv(timeout=IDLE):
        peer.send(data, timeout=IDLE)
    if peer.ending == "clean":
        peer.finish()
        peer.close()
    else:
        peer.reset()


def name_server(name):
    """Says its name to each connection, then behaves like echo."""
    def handler(peer):
        peer.send(name.encode())
        echo(peer)
    return handler


def source(data):
    """Sends data and ends cleanly; what arrives is read and dropped."""
    def handler(peer):
        peer.send(data, timeout=IDLE)
        peer.finish()
        while peer.recv(timeout=IDLE):
            pass
        peer.close()
    return handler


def sink(peer):
    """Reads to the end and answers with the SHA-256 of what arrived."""
    digest = hashlib.sha256()
    while data := peer.recv(timeout=IDLE):
        digest.update(data)
    if peer.ending == "clean":
        peer.send(digest.digest())
        peer.finish()
    peer.close()


def resetting(peer):
    """Resets after the first bytes."""
    peer.recv(timeout=IDLE)
    peer.reset()


class Upstream:
    def __init__(self, handler=None, context=None, port=0, host="127.0.0.1",
                 receive_buffer=None):
        self.handler = handler
        self.context = context
        self.host = host
        self.port = port or free_port(host)
        self.receive_buffer = receive_buffer
        self.accepted = 0
        self.times = []
        self.failed_handshakes = []
        self.server_names = []
        self.peers = []
        self.errors = []
        self._queue = queue.Queue()
        self._listener = None
        self._threads = []
        if context:
            context.sni_callback = self._note_name
        self.start()

    def _note_name(self, _sock, name, _context):
        self.server_names.append(name)

    def start(self):
        """Listens; after stop() it is the same port again."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if self.receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF,
                            self.receive_buffer)
        sock.bind((self.host, self.port))
        sock.listen(1024)
        self._listener = sock
        self._spawn(self._accept_loop, sock)

    def _spawn(self, target, *args):
        thread = threading.Thread(target=target, args=args, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _accept_loop(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            self.times.append(time.monotonic())
            self.accepted += 1
            self._spawn(self._serve, sock)

    def _serve(self, sock):
        peer = self._greet(sock)
        if not peer:
            return
        self.peers.append(peer)
        if not self.handler:
            self._queue.put(peer)
            return
        try:
            self.handler(peer)
        except (Ended, OSError, ValueError) as error:
            # Tests judge by what the client sees; this is for their log.
            self.errors.append(repr(error))

    def _greet(self, sock):
        if not self.context:
            return Peer(sock)
        peer = TlsPeer(sock, self.context, server_side=True)
        try:
            complete = peer.handshake(timeout=IDLE)
        except (OSError, ValueError) as error:
            peer.alert, complete = repr(error), False
        if complete:
            return peer
        self.failed_handshakes.append(peer.alert or peer.ending)
        peer.close()
        return None

    def accept(self, timeout=BOUND):
        """The next connection, for upstreams without a handler."""
        try:
            return self._queue.get(timeout=timeout)
        except queue.Empty:
            raise AssertionError("no connection at the upstream") from None

    def stop_listening(self):
        """New connections are refused; open ones go on."""
        if self._listener:
            # shutdown wakes the thread in accept, which close would not.
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None

    def stop(self):
        self.stop_listening()
        for peer in self.peers:
            if peer.sock.fileno() >= 0:
                peer.close()

    def wait_accepted(self, count, timeout=BOUND):
        wait_for(lambda: self.accepted >= count,
                 f"{count} connections at the upstream", timeout)

    @property
    def address(self):
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def url(self):
        return ("tls://" if self.context else "tcp://") + self.address

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class UnixUpstream(Upstream):
    """An upstream at the path of a unix socket."""

    def __init__(self, path, handler=None):
        self.path = path
        super().__init__(handler, port=1)

    def start(self):
        sock = socket.socket(socket.AF_UNIX)
        sock.bind(str(self.path))
        sock.listen(1024)
        self._listener = sock
        self._spawn(self._accept_loop, sock)

    def stop_listening(self):
        super().stop_listening()
        self.path.unlink(missing_ok=True)

    @property
    def address(self):
        return str(self.path)

    @property
    def url(self):
        return f"unix:{self.path}"


class FullBacklog:
    """A listening address on which a connection never completes."""

    def __init__(self, host="127.0.0.1", port=None):
        self.host = host
        self.port = port or free_port()
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((host, self.port))
        self._listener.listen(0)
        self.url = f"tcp://{host}:{self.port}"
        self._fillers = []
        while self._fill():
            assert len(self._fillers) < 64, "the backlog does not fill"

    def _fill(self):
        sock = socket.socket()
        sock.settimeout(0.1)
        self._fillers.append(sock)
        try:
            sock.connect((self.host, self.port))
        except TimeoutError:
            return False
        return True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for sock in [*self._fillers, self._listener]:
            sock.close()
