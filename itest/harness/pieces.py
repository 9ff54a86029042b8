"""Bytes that arrive in pieces: on standard input, over TCP."""

import array
import fcntl
import os
import socket
import subprocess
import termios
import threading

from harness.ports import free_port
from harness.wait import BOUND, wait_for


def unread(fd):
    """How many bytes are in a pipe."""
    count = array.array("i", [0])
    fcntl.ioctl(fd, termios.FIONREAD, count)
    return count[0]


def run_in_pieces(command, data, size):
    """
    As subprocess.run with this input, of which each piece is written after
    the program has read the one before, until it does not read any more; its
    output must fit in a pipe.
    """
    with subprocess.Popen(command, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as program:
        pipe = program.stdin.fileno()
        for at in range(0, len(data), size):
            try:
                os.write(pipe, data[at:at + size])
            except BrokenPipeError:
                break
            wait_for(lambda: unread(pipe) == 0 or program.poll() is not None,
                     "the piece is read")
        output = program.communicate(timeout=BOUND)
    return subprocess.CompletedProcess(command, program.returncode, *output)


class Trickle:
    """Passes on TCP connections both ways, in pieces of so many bytes."""

    def __init__(self, target, size):
        self.target = target
        self.size = size
        self.pieces = 0
        self._listener = socket.create_server(
            ("127.0.0.1", free_port()))
        self.address = self._listener.getsockname()
        threading.Thread(target=self._accept_loop, daemon=True).start()

    def _accept_loop(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(self.target, BOUND)
            far.settimeout(None)
            for pair in ((near, far), (far, near)):
                pair[1].setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._pass, args=pair,
                                 daemon=True).start()

    def _pass(self, source, sink):
        try:
            while data := source.recv(1 << 16):
                for at in range(0, len(data), self.size):
                    sink.sendall(data[at:at + self.size])
                    self.pieces += 1
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def stop(self):
        """No further connections; those that are there end with their ends."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
