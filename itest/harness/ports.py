"""Free loopback ports, from below the range of outgoing connections.

A port of that range could be taken by any client's own end between the
moment it was found free and the moment somebody binds it, or be one that a
server of another test still dials. Test processes that run side by side each
have ports of their own.
"""

import os
import socket

RANGE_FILE = "/proc/sys/net/ipv4/ip_local_port_range"
LOWEST = 10240


def _process():
    """The number of this test process, and how many there are."""
    name = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    return int(name.removeprefix("gw")), count


def _highest():
    try:
        with open(RANGE_FILE, encoding="ascii") as file:
            return max(int(file.read().split()[0]), LOWEST + 1000)
    except OSError:
        return 32768


class Ports:
    def __init__(self):
        self.high = _highest()
        number, self.step = _process()
        self.first = LOWEST + number
        span = (self.high - self.first) // self.step
        self.next = self.first + os.getpid() * 97 % span * self.step

    def free(self, host="127.0.0.1"):
        """A port that nobody listens on now and that is not given twice."""
        for _ in range(self.first, self.high, self.step):
            port = self.next
            self.next += self.step
            if self.next >= self.high:
                self.next = self.first
            if self._is_free(host, port):
                return port
        raise AssertionError("no free loopback port")

    @staticmethod
    def _is_free(host, port):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind((host, port))
            except OSError:
                return False
        return True


PORTS = Ports()


def free_port(host="127.0.0.1"):
    return PORTS.free(host)
