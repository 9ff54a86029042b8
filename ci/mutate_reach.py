"""Which lines of the sources a run of a program takes.

The program is compiled with -fsanitize-coverage=trace-pc, where each basic
block begins with a call, and linked with mutate_reach.c.
"""

import os
import re
import subprocess

LINE = re.compile(r"^(/\S+):(\d+)(?: \(discriminator \d+\))?$")
CODE = re.compile(r"^\s+([0-9a-f]+):\s+(.*)$")


class Blocks:
    """The basic blocks of a program, each with its lines."""

    def __init__(self, program, root):
        self.lines = {}  # offset in the text -> {(path, line)}
        self.code = set()  # all (path, line)
        start = self._address(program, "__executable_start")
        self.size = self._address(program, "etext") - start
        here = None  # the block
        line = None
        called = False
        done = subprocess.run(
            ["objdump", "-d", "-l", "--no-show-raw-insn", str(program)],
            capture_output=True,
            text=True,
            check=True,
        )
        prefix = os.path.join(str(root), "")
        for row in done.stdout.splitlines():
            found = CODE.match(row)
            if found:
                if called:
                    here = self.lines.setdefault(int(found[1], 16) - start, set())
                called = "<__sanitizer_cov_trace_pc>" in found[2]
                if called:
                    here = None
                elif here is not None and line is not None:
                    here.add(line)
                continue
            found = LINE.match(row)
            if found:
                path = os.path.normpath(found[1])
                line = None
                if path.startswith(prefix):
                    line = (path[len(prefix) :], int(found[2]))
            elif row.endswith(">:"):
                here = None
                line = None
        for lines in self.lines.values():
            self.code |= lines

    @staticmethod
    def _address(program, name):
        out = subprocess.run(
            ["nm", str(program)], capture_output=True, text=True, check=True
        ).stdout
        return int(re.search(rf"^(\w+) \w {name}$", out, re.M)[1], 16)

    def clear(self, trace):
        """Makes the file for mutate_reach.c, with nothing in it."""
        trace.write_bytes(bytes(self.size))

    def lines_of(self, trace):
        """The lines of the blocks that a file of mutate_reach.c has."""
        lines = set()
        taken = trace.read_bytes()
        at = taken.find(1)
        while at >= 0:
            lines |= self.lines.get(at, set())
            at = taken.find(1, at + 1)
        return lines
