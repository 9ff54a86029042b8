"""The memory that the program under test shares with its driver: calls.h."""

import collections
import ctypes
import mmap
import os
import pathlib
import re

TEXT = (pathlib.Path(__file__).parent / "calls.h").read_text(encoding="ascii")
CALLS = re.findall(r"X\((\w+)\)", TEXT.split("#define FAULTS_CALLS(X)")[1]
                   .split("clang-format on")[0])


def _number(name):
    return int(re.search(rf"#define {name} (\d+)", TEXT).group(1))


ROLES, STACK, TRACE = map(_number, ["FAULTS_ROLES", "FAULTS_STACK",
                                    "FAULTS_TRACE"])
U32 = ctypes.c_uint32


Call = collections.namedtuple("Call", "role name at site place near")


class Entry(ctypes.Structure):
    _fields_ = [(name, U32) for name in ("role", "call", "at", "site",
                                     "place", "near")]


class Block(ctypes.Structure):
    _fields_ = [("armed", U32), ("role", U32), ("call", U32), ("at", U32),
                ("error", ctypes.c_int32), ("stays", U32), ("fired", U32),
                ("resolves", U32), ("traces", U32), ("trace_len", U32),
                ("ahead_ns", ctypes.c_uint64),
                ("stack", ctypes.c_uint64 * STACK),
                ("counts", (U32 * len(CALLS)) * ROLES),
                ("trace", Entry * TRACE)]


class Control:
    """A block in a file of its own, which LBP_FAULTS then names."""

    def __init__(self, directory):
        self.path = pathlib.Path(directory) / "faults"
        size = ctypes.sizeof(Block)
        with open(self.path, "w+b") as file:
            file.truncate(size)
            self._map = mmap.mmap(file.fileno(), size)
        self.block = Block.from_buffer(self._map)
        os.environ["LBP_FAULTS"] = str(self.path)

    def reset(self):
        """Nothing fails, and all is counted anew."""
        block = self.block
        block.armed = block.fired = 0
        ctypes.memset(block.counts, 0, ctypes.sizeof(block.counts))
        block.trace_len = block.ahead_ns = block.resolves = block.traces = 0

    def recount(self):
        ctypes.memset(self.block.counts, 0,
                      ctypes.sizeof(self.block.counts))
        self.block.trace_len = self.block.fired = 0

    def arm(self, fault):
        block = self.block
        block.role, block.call = fault.role, CALLS.index(fault.call)
        block.at, block.error = fault.at, fault.error
        block.stays = fault.stays
        block.armed = 1

    def disarm(self):
        """Whether what was to fail has failed."""
        self.block.armed = 0
        return bool(self.block.fired)

    def total(self):
        return sum(sum(row) for row in self.block.counts)

    def traced(self):
        """Each call that was made."""
        count = self.block.trace_len
        assert count <= TRACE, f"{count} calls, more than FAULTS_TRACE"
        return [Call(entry.role, CALLS[entry.call], entry.at, entry.site,
                     entry.place, entry.near)
                for entry in self.block.trace[:count]]

    def stack(self):
        return [address for address in self.block.stack if address]
