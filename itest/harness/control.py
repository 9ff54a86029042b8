"""The admin socket, and lbproxyctl, which asks there."""

import http.client
import json
import os
import socket
import subprocess
import threading

from harness.admin import Answer
from harness.certs import ROOT
from harness.wait import BOUND

CTL = os.environ.get("LBP_CTL", str(ROOT / "build/lbproxyctl"))
SOCKET = "admin.sock"


def section(**keys):
    """A [server] table with an admin socket beside the configuration."""
    return {"admin_socket": SOCKET, **keys}


def path(server):
    return server.path.parent / server.tree["server"]["admin_socket"]


class Connection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, where, timeout):
        super().__init__("localhost", timeout=timeout)
        self.where = where

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.where))


def ask(server, target, method="GET"):
    one = Connection(path(server), 3 * BOUND)
    try:
        one.request(method, target)
        return Answer(one.getresponse())
    finally:
        one.close()


def run(*args, status=0, **options):
    """lbproxyctl, and what it printed."""
    done = subprocess.run([CTL, *map(str, args)], text=True, timeout=60,
                          capture_output=True, check=False,
                          stdin=subprocess.DEVNULL, **options)
    assert done.returncode == status, done.stdout + done.stderr
    return done


def ctl(server, *args, status=0):
    return run("-c", server.path, *args, status=status)


def sessions(server):
    return json.loads(ctl(server, "--json", "sessions").stdout)


def status_of(server):
    return json.loads(ctl(server, "--json", "status").stdout)


class Fake:
    """Answers at a socket what a test wants, each who asks with the next."""

    def __init__(self, where, *bodies, status="200 OK"):
        """A body that is no bytes is sent as JSON."""
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(where))
        self.listener.listen()
        self.head = f"HTTP/1.1 {status}\r\n\r\n".encode()
        self.bodies = [body if isinstance(body, bytes)
                       else json.dumps(body).encode() for body in bodies]
        self.asked = b""
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self):
        for body in self.bodies:
            peer, _ = self.listener.accept()
            with peer:
                self.asked = peer.recv(65536)
                while b"\r\n\r\n" not in self.asked:
                    self.asked += peer.recv(65536)
                peer.sendall(self.head + body)

    def end(self):
        self.thread.join(BOUND)
        self.listener.close()
