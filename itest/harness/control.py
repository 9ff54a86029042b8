"""The admin socket, and lbproxyctl, which asks there."""

import http.client
import json
import os
import socket
import subprocess

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
