"""The mutants of many sources, built once: the programs of the bench with all
of them inside (mutate_schema.py), started once and forked for each mutant
(mutate_fork.c), with only what runs the changed part.
"""

import concurrent.futures
import hashlib
import json
import os
import re
import select
import shutil
import signal
import struct
import subprocess
import threading

from mutate_bench import (
    CC,
    HEAVY_S,
    MEMORY_MB,
    OUTPUT_KB,
    PLAIN,
    Bench,
    Broken,
    Verdict,
    digest,
    judge,
    label_of,
    read_log,
    short,
    sanitizer_options,
)
from mutate_schema import schemata

SEEN = 65536
ORDER = struct.Struct("=ii1024s")
ORDERS, ANSWERS = 198, 199
START_S = 60
LIMIT_MS = 500
SLEEP_S = 4
ERROR = re.compile(r"^\S+?:(\d+):\d+: (?:fatal )?error", re.M)
RUNTIME = "cmd/lbproxyd/mutate_fork.c"
# As many seeds of the server's simulation are looked at; of those that reach a
# mutant a few are tried with it first, the others, up to as many, with what
# takes long. So it is with the inputs of what takes longer than PARTS_S with
# all of them; these were chosen for what they run, and kill ten times as many.
SEEDS = 400
SEEDS_FIRST = 10
PARTS_FIRST = 50
PARTS_TRIED = 300
PARTS_S = 0.5


def state_of(pid):
    """The state of a process, and the time that it has run."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            words = file.read().rsplit(")", 1)[1].split()
    except OSError:
        return "", "", ""
    return words[0], words[11], words[12]


class Forked:
    """A program that waits before its main to be forked."""

    def __init__(self, program, args, sanitized, log, seen=None):
        self.log = log
        self.line = [str(program), *args]
        self.sanitized = sanitized
        self.environment = {
            **os.environ,
            # Where a report comes from, nobody asks.
            "ASAN_OPTIONS": sanitizer_options() + ":symbolize=0",
            "UBSAN_OPTIONS": "symbolize=0",
            "LBP_FORK": "1",
            **({"LBP_SEEN": str(seen)} if seen else {}),
        }
        self.process = None

    def _start(self):
        there, orders = os.pipe()
        answers, back = os.pipe()
        memory = "" if self.sanitized else f"ulimit -v {MEMORY_MB * 1024};"
        shell = f"ulimit -c 0; ulimit -f {OUTPUT_KB}; {memory}"
        shell += f' exec "$@" {ORDERS}<&{there} {ANSWERS}>&{back}'
        shell += f" {there}<&- {back}>&-"
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(
                ["bash", "-c", shell, "bash", *self.line],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                pass_fds=(there, back),
                env=self.environment,
            )
        os.close(there)
        os.close(back)
        self.orders, self.answers = orders, answers

    def _answer(self, seconds):
        if not select.select([self.answers], [], [], seconds)[0]:
            return None
        data = os.read(self.answers, 4)
        if len(data) != 4:
            raise Broken(f"{self.line[0]} does not start:\n{read_log(self.log)}")
        return struct.unpack("=i", data)[0]

    def _status(self, pid, seconds):
        """The status of a process; None if it is not over by then, or waits
        for something for SLEEP_S without a moment's work."""
        known = None
        asleep = 0
        for _ in range(seconds):
            status = self._answer(1)
            if status is not None:
                return status
            now = state_of(pid)
            asleep = asleep + 1 if now[0] == "S" and now == known else 0
            known = now
            if asleep == SLEEP_S:
                break
        return None

    def run(self, mutant, limit_ms, last=""):
        """The status of a run, as subprocess has it; None if it hung, which
        it does after so much processor time."""
        if self.process is None:
            self._start()
        os.truncate(self.log, 0)
        os.write(self.orders, ORDER.pack(mutant, limit_ms, last.encode()))
        pid = self._answer(START_S)
        status = self._status(pid, 60 + limit_ms // 50)
        if status is None:
            os.kill(pid, signal.SIGKILL)
            self._answer(START_S)
            return None
        if os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            # The processor time is used up.
            return None if number in (9, 24, signal.SIGPROF) else -number
        return os.WEXITSTATUS(status)

    def stop(self):
        """Ends it."""
        if self.process is None:
            return
        os.close(self.orders)
        self.process.wait()
        os.close(self.answers)
        self.process = None


class Many:
    """The bench with all mutants of some sources in it."""

    def __init__(self, root, build, found, jobs):
        self.root = root
        self.build = build
        self.build.mkdir(parents=True, exist_ok=True)
        self.jobs = jobs
        self.schemas = schemata(found)
        self.runs = []
        self.tree = build / "tree"
        self.local = threading.local()
        self.lock = threading.Lock()
        self.workers = []
        self.number = {}  # (path, id) -> the mutant's number
        self.reached = {}  # (run, last argument) -> regions
        self.bench = None

    def prepare(self):
        """Builds everything, and finds out what runs what."""
        self._copy()
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            list(pool.map(self._write, self.schemas.values()))
        for path, schema in self.schemas.items():
            for name, number in schema.number.items():
                self.number[path, name] = number
        self.bench = Bench(self.tree, self.build / "bench", self.jobs, ())
        self.bench.prepare(set(self.schemas))
        runtime = label_of(RUNTIME)
        self.runs = [run for run in self.bench.runs if runtime in run.files]
        self._look()

    def _copy(self):
        """The tree, in which the sources will be others."""
        paths = [p for p in [self.root / "Makefile"] if p.exists()]
        for top in ("lib", "cmd", "fuzz"):
            paths += (self.root / top).glob("**/*.[ch]")
        paths += (self.root / "cmd").glob("**/*.html")  # in a source as it is
        for path in paths:
            name = path.relative_to(self.root)
            if str(name) not in self.schemas:
                self._replace(self.tree / name, path.read_text())
        for name in ("fuzz/corpus", "fuzz/regress", "itest"):
            link = self.tree / name
            link.parent.mkdir(parents=True, exist_ok=True)
            if (self.root / name).is_dir() and not link.is_symlink():
                shutil.rmtree(link, ignore_errors=True)
                link.symlink_to(self.root / name)
        runtime = os.path.join(os.path.dirname(__file__), "mutate_fork.c")
        with open(runtime, encoding="utf-8") as file:
            self._replace(self.tree / RUNTIME, file.read())
        # What is there no more.
        for path in (self.tree / "cmd").glob("**/*.c"):
            name = str(path.relative_to(self.tree))
            if name != RUNTIME and not (self.root / name).exists():
                path.unlink()

    @staticmethod
    def _replace(path, text):
        if path.exists() and path.read_text() == text:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def _write(self, schema):
        """Writes a schema without what does not compile in it."""
        kept = self.build / f"{schema.path.replace('/', '-')}.dropped"
        name = hashlib.sha256(schema.source().encode()).hexdigest()
        if kept.exists():
            known = json.loads(kept.read_text())
            if known["name"] == name:
                for lines in known["lines"]:
                    schema.drop(set(lines))
                self._replace(self.tree / schema.path, schema.source())
                return
        dropped = []
        while True:
            self._replace(self.tree / schema.path, schema.source())
            done = subprocess.run(
                [CC, *PLAIN, "-O0", "-Ilib", "-Ifuzz", "-fsyntax-only", schema.path],
                cwd=self.tree,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode == 0:
                break
            lines = {int(line) for line in ERROR.findall(done.stderr)}
            if not schema.drop(lines):
                raise Broken(f"{schema.path}, with mutants:\n{done.stderr[:3000]}")
            dropped.append(sorted(lines))
        kept.write_text(json.dumps({"name": name, "lines": dropped}))

    # --- what runs what ---------------------------------------------------

    def parts_of(self, run):
        """What a run is cut into, as the last arguments of runs of a part;
        none if it is not."""
        if run.program.name == "sim-server":
            return [str(seed) for seed in range(1, SEEDS + 1)]
        if run.cpu_s <= PARTS_S or not all(map(os.path.isdir, run.args)):
            return []
        return [
            os.path.join(path, name)
            for path in run.args
            for name in sorted(os.listdir(path))
        ]

    def args_of(self, run):
        """The arguments to start a program with."""
        if run.program.name == "sim-server":
            return ["--count", "1", "--seed", "1"]
        return [""] if self.parts_of(run) else run.args

    def _look(self):
        """Finds the regions of each run, or each part of it, with the
        original."""
        for run in self.runs:
            program = self.bench.build / run.program.name
            what = [digest(program), self.args_of(run), self.parts_of(run)]
            name = f"{run.name} regions"
            if not self.bench.kept.has(name, what):
                self.bench.kept.keep(name, what, self._regions_of(run))
                self.bench.kept.save()
            for last, regions in self.bench.kept.value(name):
                for region in regions:
                    reached = self.reached.setdefault(region, {})
                    reached.setdefault(run.name, []).append(last)

    def _regions_of(self, run):
        """[part, its regions] of a run."""
        seen = self.build / "seen"
        seen.write_bytes(bytes(SEEN))
        forked = self._forked(run, self.build / "log", seen)
        found = []
        for last in self.parts_of(run) or [""]:
            seen.write_bytes(bytes(SEEN))
            status = forked.run(0, 4000 + run.limit_s * 1000, last)
            if status != 0:
                raise Broken(
                    f"{run.name} {last} does not pass with mutants in it"
                    f" (status {status}):\n{read_log(forked.log)}"
                )
            taken = seen.read_bytes()
            found.append([last, [i for i in range(SEEN) if taken[i]]])
        forked.stop()
        return found

    def _tries(self, run, region, is_first):
        """(last argument, milliseconds) of the runs of a program for a
        region."""
        lasts = self.reached[region][run.name]
        if lasts == [""]:
            if is_first != (run.cpu_s <= HEAVY_S):
                return []
            return [("", int(300 + 4000 * run.cpu_s))]
        lasts = sorted(lasts, key=lambda last: short([region, last]))
        is_sim = run.program.name == "sim-server"
        few = SEEDS_FIRST if is_sim else PARTS_FIRST
        lasts = lasts[:few] if is_first else lasts[few:PARTS_TRIED]
        if is_sim or not lasts:
            return [(last, LIMIT_MS) for last in lasts]
        # A directory of its own with these inputs.
        made = self.build / "inputs" / run.name / short(lasts)
        with self.lock:
            if not made.exists():
                made.mkdir(parents=True)
                for last in lasts:
                    (made / os.path.basename(last)).symlink_to(last)
        return [(str(made), LIMIT_MS + int(4000 * run.cpu_s))]

    # --- judging ----------------------------------------------------------

    def __contains__(self, mutant):
        return (mutant.path, mutant.id) in self.number

    def _forked(self, run, log, seen=None):
        log.touch()
        program = self.bench.build / run.program.name
        sanitized = run.program.sanitized
        return Forked(program, self.args_of(run), sanitized, log, seen)

    def _programs(self):
        """Those of the calling thread, by the name of the run."""
        if not hasattr(self.local, "forked"):
            with self.lock:
                number = len(self.workers)
                self.local.forked = {
                    run.name: self._forked(
                        run, self.build / f"log{number}-{run.program.name}"
                    )
                    for run in self.runs
                }
                self.workers.append(self.local.forked)
        return self.local.forked

    def judge(self, mutant, is_first=True):
        """The verdict on a mutant; "alive" if nothing kills it. is_first:
        by what takes little time, else by the rest."""
        number = self.number_of(mutant)
        region = self.schemas[mutant.path].region_of[mutant.id]
        reached = self.reached.get(region, {})
        runs = [run for run in self.runs if run.name in reached]
        for run in sorted(runs, key=lambda run: (run.stage > 2, run.cpu_s)):
            forked = self._programs()[run.name]
            for last, limit_ms in self._tries(run, region, is_first):
                status = forked.run(number, limit_ms, last)
                if status == 0:
                    continue
                verdict = judge(status, run, read_log(forked.log))
                if run.program.name == "sim-server":
                    verdict.by = verdict.by.replace(":", f" --seed {last}:", 1)
                return verdict
        return Verdict("alive")

    def number_of(self, mutant):
        """What makes a program this mutant, in LBP_MUTANT."""
        return self.number[mutant.path, mutant.id]

    def put_server(self, path):
        """Puts the server with all mutants there, if it is not."""
        server = self.bench.build / "server"
        if path.exists() and os.path.samefile(server, path):
            return
        there = path.with_suffix(".new")
        there.unlink(missing_ok=True)
        there.symlink_to(server)
        there.replace(path)

    def stop(self):
        """Ends what was started."""
        for forked in self.workers:
            for one in forked.values():
                one.stop()
