"""What a document has its readers type: its fenced blocks, run as they stand.

A block of the language sh is for a shell; any other one that begins with a
line `# NAME` is the content of a file of that name. Only numbers of ports are
replaced, since those in the text may be taken.
"""

import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess

from harness import control
from harness import server as srv
from harness.certs import CERTS_GEN
from harness.client import tcp_connect
from harness.ports import free_port
from harness.wait import BOUND, SLOW, wait_for

FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
FILE = re.compile(r"# ([\w./-]+)$", re.M)
PORT = re.compile(r"(?<=:|=)[1-9]\d{3,4}\b|(?<=port )\d{4,5}\b"
                  r"|(?<=-p )\d{4,5}\b", re.I)


HEADING = re.compile(rf"{FENCE.pattern}|^(#+) ([^\n]+)$", re.M | re.S)
# Kills its group once nobody can write to the descriptor any more.
WATCH = '{ read -r _ <&%d; kill -KILL 0; } >/dev/null 2>&1 & exec bash -c "$0"'


def section(path, heading):
    """The text from a heading to the next one of its level or above."""
    text = path.read_text(encoding="utf-8")
    begin, level = None, 0
    for found in HEADING.finditer(text):
        if not found[3]:
            continue
        if begin is None and found[4] == heading:
            begin, level = found.end(), len(found[3])
        elif begin is not None and len(found[3]) <= level:
            return text[begin:found.start()]
    assert begin is not None, f"{path} has no heading '{heading}'"
    return text[begin:]


def members(group):
    """The processes of a group, with their names; those that only wait to be
    reaped, by whomever, are none."""
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        name, rest = text.split("(", 1)[1].rsplit(")", 1)
        state, _, its_group = rest.split()[:3]
        if int(its_group) == group and state not in "ZX":
            yield int(path.parent.name), name


class Section:
    """The blocks of one or several sections, in a directory of their own.

    home is where they are run. ports are those that the sections name; each
    stands for a free one, and no other number may look like a port's.
    """

    def __init__(self, path, headings, home, ports=()):
        self.home = home
        self.ports = {str(port): str(free_port()) for port in ports}
        self.shell = []
        self.running = []
        self.alive = os.pipe()
        text = "\n".join(section(path, heading) for heading in headings)
        for language, text in FENCE.findall(text):
            text = self._with_free_ports(text)
            name = FILE.match(text)
            if language == "sh":
                self.shell.append(text)
            elif name:
                file = home / name[1]
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
        self._bring_programs()

    def _with_free_ports(self, text):
        for old, new in self.ports.items():
            text = re.sub(rf"(?<![\w.]){old}(?![\w.])", f"@{new}", text)
        left = PORT.search(text)
        assert not left, f"port {left[0]} is not one of {list(self.ports)}"
        return re.sub(r"@(\d+)", r"\1", text)

    def port(self, number):
        """The free port that one of the text stands for."""
        return int(self.ports[str(number)])

    def _bring_programs(self):
        """Where the tree has them, and on PATH, as they are installed."""
        programs = {"build/lbproxyd": srv.LBPROXYD, "build/lbproxyctl": control.CTL,
                    "certs-gen/certs-gen": CERTS_GEN}
        for name, program in programs.items():
            for link in (self.home / name,
                         self.home / "bin" / pathlib.Path(name).name):
                link.parent.mkdir(exist_ok=True)
                link.symlink_to(program)
        self.env = {**os.environ, "LC_ALL": "C.UTF-8", "HOME": str(self.home),
                    "PATH": f"{self.home / 'bin'}:/usr/sbin:/usr/bin:/sbin"
                            ":/bin"}

    def _shell(self, text, **options):
        """A shell with what it starts in a group of its own."""
        return subprocess.Popen(
            ["bash", "-c", WATCH % self.alive[0], text], cwd=self.home,
            env=self.env, stdin=subprocess.DEVNULL, text=True,
            pass_fds=self.alive[:1], start_new_session=True, **options)

    def run(self, block, timeout=BOUND * 6):
        """What a block prints, errors among it, in the order of lines; its
        number, or a text that was made of one."""
        text = block if isinstance(block, str) else self.shell[block]
        shell = self._shell(text, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT)
        try:
            return shell.communicate(timeout=timeout)[0]
        finally:
            self._end(shell)

    def start(self, number, *ports):
        """A block that runs until stop(): waits until these ports of the
        text are listened on. Its output is in the file `output`."""
        with open(self.home / "output", "a", encoding="utf-8") as output:
            shell = self._shell(self.shell[number], stdout=output,
                                stderr=output)
        self.running.append(shell)
        for port in ports:
            wait_for(lambda: self._listens(shell, self.port(port)),
                     f"port {port}", 20 * SLOW)

    def _listens(self, shell, port):
        assert shell.poll() is None, self.output()
        try:
            tcp_connect(("127.0.0.1", port)).close()
        except OSError:
            return False
        return True

    def output(self):
        """What the started blocks have printed so far."""
        return (self.home / "output").read_text(encoding="utf-8")

    def events(self, event, **fields):
        """Those of lbproxyd's lines among it."""
        lines = [json.loads(line) for line in self.output().splitlines()
                 if line.startswith("{") and line.endswith("}")]
        return srv.matching(lines, event, fields)

    def wait_event(self, event, **fields):
        """The last of them, once there is one."""
        return wait_for(lambda: self.events(event, **fields),
                        f"{event} {fields}", 20 * SLOW)[-1]

    def signal(self, program, number):
        """Sends a signal to a program of the block that was started last."""
        for pid, name in members(self.running[-1].pid):
            if name == program:
                os.kill(pid, number)

    def interrupt(self):
        """Ctrl-C, in the terminal of the block that was started last."""
        shell = self.running.pop()
        os.killpg(shell.pid, signal.SIGINT)
        try:
            return shell.wait(10 * SLOW)
        finally:
            self._end(shell)

    def stop(self):
        """Ends all that was started."""
        while self.running:
            self._end(self.running.pop())
        for end in self.alive:
            os.close(end)

    @staticmethod
    def _end(shell):
        """Nothing that a block has started outlives it."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            for pid, _ in members(shell.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            with contextlib.suppress(AssertionError):
                wait_for(lambda: shell.poll() is not None
                         and not list(members(shell.pid)),
                         "the end of what a block has started", 5 * SLOW)
                return
        raise AssertionError(f"{list(members(shell.pid))} cannot be killed")
