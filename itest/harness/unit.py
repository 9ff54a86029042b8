"""What the systemd unit forbids, for a process without systemd.

As a program: forbids it to itself, and becomes the program in its arguments.
"""

import configparser
import errno
import os
import pathlib
import socket
import subprocess
import sys

import seccomp

ROOT = pathlib.Path(__file__).resolve().parents[2]
UNIT = ROOT / "cmd/lbproxyd/lbproxyd.service"


class Unit(configparser.RawConfigParser):
    """A unit in which a key may stand several times."""

    class Values(dict):
        def __setitem__(self, key, value):
            if isinstance(value, list) and key in self:
                self[key].extend(value)
            else:
                super().__setitem__(key, value)

    def __init__(self):
        super().__init__(strict=False, dict_type=self.Values)
        self.optionxform = str
        self.read_string(UNIT.read_text(encoding="utf-8"))

    def words(self, key):
        """The value of each line with the key, split into words."""
        return [line.split() for line in
                self.get("Service", key).splitlines()]


def calls_of(name):
    """The system calls of a set, by systemd's own list, or the one call."""
    if not name.startswith("@"):
        return {name}
    shown = subprocess.run(["systemd-analyze", "syscall-filter", name],
                           capture_output=True, text=True, check=True).stdout
    members = [line.strip() for line in shown.splitlines()[1:]]
    return set().union(*(calls_of(member) for member in members
                         if member and not member.startswith("#")))


def allowed_calls(unit):
    """What SystemCallFilter allows: systemd adds @default by itself."""
    calls = calls_of("@default")
    for first, *others in unit.words("SystemCallFilter"):
        named = set().union(*map(calls_of, [first.lstrip("~"), *others]))
        calls = calls - named if first.startswith("~") else calls | named
    return calls


def filter_of(unit):
    """The unit's filter of system calls and address families."""
    one = seccomp.SyscallFilter(seccomp.ERRNO(errno.EPERM))
    for call in sorted(allowed_calls(unit) - {"socket"}):
        # Those of other machines are unknown here.
        if seccomp.resolve_syscall(seccomp.Arch(), call) >= 0:
            one.add_rule(seccomp.ALLOW, call)
    for family in unit.words("RestrictAddressFamilies")[0]:
        one.add_rule(seccomp.ALLOW, "socket", seccomp.Arg(
            0, seccomp.EQ, getattr(socket, family)))
    return one


if __name__ == "__main__":
    # This means no new privileges, too.
    filter_of(Unit()).load()
    os.execv(sys.argv[1], sys.argv[1:])
