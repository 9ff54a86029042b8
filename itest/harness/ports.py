"""Free loopback ports, from below the range of outgoing connections.

A port of that range could be taken by any client's own end between the
moment it was found free and the moment the server binds it.
"""

import os
import socket

RANGE_FILE = "/proc/sys/net/ipv4/ip_local_port_range"
LOWEST = 10240


def _highest():
    try:
        with open(RANGE_FILE, encoding="ascii") as file:
            return max(int(file.read().split()[0]), LOWEST + 1000)
    except OSError:
        return 32768


class Ports:
    def __init__(self):
        self.high = _highest()
        self.next = LOWEST + os.getpid() * 97 % (self.high - LOWEST)

    def free(self, host="127.0.0.1"):
        """A port that nobody listens on now and that is not given twice."""
        for _ in range(self.high - LOWEST):
            port = self.next
            self.next += 1
            if self.next >= self.high:
                self.next = LOWEST
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
