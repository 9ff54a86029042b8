"""Somebody else's programs, as children of a test."""

import subprocess

from harness import server as srv
from harness.client import tcp_connect
from harness.wait import SLOW, wait_for


class Program:
    """Somebody else's server, on a port of its own, until the test ends."""

    def __init__(self, port, *command):
        self.port = port
        self.process = subprocess.Popen(
            [*srv.WITH_ITS_PARENT, *map(str, command)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        try:
            wait_for(self._listens, f"{command[0]} listens", 10 * SLOW)
        except AssertionError:
            self.stop()
            raise

    def _listens(self):
        assert self.process.poll() is None, self.process.stderr.read()
        try:
            tcp_connect(("127.0.0.1", self.port)).close()
        except OSError:
            return False
        return True

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()
