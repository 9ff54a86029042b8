"""What the benchmark's programs have in common: their children and tools."""

import contextlib
import os
import select
import socket
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
LIMIT_S = 60            # for one step of one measurement


class Failed(Exception):
    """A measurement that could not be made, with its reason."""


class Child:
    """A process that talks in lines; it ends with its `with` block."""

    def __init__(self, args, log, cpus, niceness=0, **kwargs):
        self.name = Path(args[0]).name
        self.log = log
        with open(log, "ab") as stderr:
            self.process = subprocess.Popen(
                [str(a) for a in args], bufsize=0, stderr=stderr,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                preexec_fn=lambda: (os.sched_setaffinity(0, cpus),
                                    os.nice(niceness)), **kwargs)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def fail(self, what):
        lines = Path(self.log).read_text(errors="replace").splitlines()
        raise Failed(": ".join([self.name, what] + lines[-1:]))

    def tell(self, line):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(line.encode() + b"\n")

    def has_said(self, seconds):
        """Whether there is a line, within so much time."""
        return bool(select.select([self.process.stdout], [], [], seconds)[0])

    def expect(self, word):
        ready, _, _ = select.select([self.process.stdout], [], [], LIMIT_S)
        if not ready:
            self.fail(f"no '{word}' within {LIMIT_S} s")
        found, *values = self.process.stdout.readline().decode().split() or [""]
        if found != word:
            self.fail(f"ended before '{word}'")
        return [int(v) for v in values]

    def expect_end(self):
        try:
            if self.process.wait(LIMIT_S):
                self.fail("exit status not 0")
        except subprocess.TimeoutExpired:
            self.fail(f"not ended within {LIMIT_S} s")


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def wait_for_port(child, port):
    end = time.monotonic() + 10
    while time.monotonic() < end and child.process.poll() is None:
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    child.fail("does not listen")


def share_cpus(workers):
    """The proxies' CPUs and the load's: apart if there are enough."""
    cpus = sorted(os.sched_getaffinity(0))
    if workers < len(cpus):
        return set(cpus[:workers]), set(cpus[workers:])
    return set(cpus), set(cpus)


def build_tools(directory):
    """The load tool and the upstreams, compiled when older than a source."""
    headers = list(HERE.glob("*.h"))
    tools = {"load": ["load.c", "conn.c"], "upstream": ["upstream.c"],
             "floor": ["floor.c"]}
    made = {}
    for name, sources in tools.items():
        made[name] = directory / f"bench-{name}"
        paths = [HERE / s for s in sources]
        newest = max(p.stat().st_mtime for p in paths + headers)
        if made[name].exists() and made[name].stat().st_mtime > newest:
            continue
        subprocess.run([os.environ.get("CC", "cc"), "-std=c11", "-O2",
                        "-D_GNU_SOURCE", "-o", made[name], *paths, "-lssl",
                        "-lcrypto"], check=True)
    return made


def make_certificates(directory, *more):
    """The line of a configuration with the client's serial number."""
    tool = ROOT / "certs-gen" / "certs-gen"
    printed = ""
    for args in (["ca", directory], ["server", directory, "server"],
                 ["client", directory, "client"]):
        printed = subprocess.run([tool, *args, *more], check=True, text=True,
                                 capture_output=True).stdout
    return next(line for line in printed.splitlines()
                if line.startswith("serials"))
