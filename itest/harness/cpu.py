"""The processor time of a program, of all its threads and descendants."""

import contextlib
import os
import time
from pathlib import Path


def family(pid):
    """A process and its descendants."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += family(int(child))
    return found


def task_cpu_s(task):
    """In ns from the scheduler; else utime and stime, which are in ticks."""
    with contextlib.suppress(FileNotFoundError):
        spent = int((task / "schedstat").read_text().split()[0])
        if spent:
            return spent / 1e9
    fields = (task / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cpu_s(pid):
    """CPU time of a process, its threads and descendants."""
    return sum(task_cpu_s(task) for member in family(pid)
               for task in Path(f"/proc/{member}/task").iterdir())


def settled_cpu_s(pid):
    """CPU time once the proxy has nothing left to do (or after a second)."""
    last = cpu_s(pid)
    for _ in range(50):
        time.sleep(0.02)
        now = cpu_s(pid)
        if now - last < 20e-6:
            return now
        last = now
    return last
