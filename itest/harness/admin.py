"""The admin port: what it is asked, and what it answers."""

import http.client
import socket

from harness.ports import free_port
from harness.wait import BOUND


def section():
    """A [server] table with an admin port."""
    return {"admin": f"127.0.0.1:{free_port()}"}


def address(server):
    host, port = server.tree["server"]["admin"].rsplit(":", 1)
    return host.strip("[]"), int(port)


def connect(server):
    return socket.create_connection(address(server), BOUND)


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = {key.lower(): value
                        for key, value in response.getheaders()}
        self.body = response.read()
        self.text = self.body.decode("utf-8")


def ask(server, path, method="GET", body=None, headers=None):
    one = http.client.HTTPConnection(*address(server), timeout=BOUND)
    try:
        one.request(method, path, body, headers or {})
        return Answer(one.getresponse())
    finally:
        one.close()


def raw(peer, data=b"", end=False):
    """Sends bytes, maybe an end, and returns all that comes until the end."""
    got = b""
    peer.settimeout(3 * BOUND)
    try:
        peer.sendall(data)
        if end:
            peer.shutdown(socket.SHUT_WR)
        while chunk := peer.recv(65536):
            got += chunk
    except OSError:
        pass
    return got
