"""Programs that get their standard input in pieces."""

import array
import fcntl
import os
import subprocess
import termios

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
