"""Integration tests against mutants of the server: which of them run a line,
found out once and kept in build/mutation/itest-map.json, and the quickest few
of these against each mutant that nothing cheaper has killed.
"""

import concurrent.futures
import difflib
import hashlib
import json
import os
import queue
import re
import resource
import select
import shutil
import signal
import subprocess
import sys
import threading
import time

from mutate_bench import SERVER_LIBS, Broken, Verdict, headers_of, sources_of
from mutate_reach import Blocks

PYTHON = "/usr/bin/python3"
# A test that takes longer is not worth the wait, nor its harness's bound.
TEST_MAX_S = 20
# A test that ends by no bound of its own hangs.
HUNG_S = 90
START_S = 180
# As many tests are tried with a mutant, and for about so long.
TRIES = 6
TRIES_S = 12
# What no mutant of the server can break.
OTHERS = ("test_bench", "test_build", "test_certs_gen", "test_completion",
          "test_container", "test_ctypes", "test_deb", "test_demo",
          "test_embed", "test_harness", "test_reference", "test_soak",
          "test_toml")


class Tests:
    """A pytest process that runs the tests it is told to, against whatever
    program is at a path."""

    def __init__(self, root, directory, number, count):
        self.root = root
        self.server = directory / "lbproxyd"
        self.directory = directory
        self.number = number
        self.count = count
        self.mutant = None  # its number, if the server has many
        self.process = None
        self.names = {}
        self.answers = None
        self.orders = None
        directory.mkdir(parents=True, exist_ok=True)

    def start(self):
        """Starts it; `names` are then the tests, with the ids they cite."""
        there, orders = os.pipe()
        answers, back = os.pipe()
        line = [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        line += ["-p", "no:xdist", "-p", "mutate_loop"]
        line += [f"--basetemp={self.directory / 'tmp'}"]
        line += [
            str(path.relative_to(self.root))
            for path in sorted(self.root.glob("itest/test_*.py"))
            if path.stem not in OTHERS
        ]
        environment = {
            **os.environ,
            "LBPROXYD": str(self.server),
            "LBP_LOOP_IN": str(there),
            "LBP_LOOP_OUT": str(back),
            "PYTHONPATH": os.path.dirname(os.path.abspath(__file__)),
            "PYTHONDONTWRITEBYTECODE": "1",
            # Of two tests that differ in the poller alone one will do.
            "ITEST_POLLERS": "one",
            # Ports of its own.
            "PYTEST_XDIST_WORKER": f"gw{self.number}",
            "PYTEST_XDIST_WORKER_COUNT": str(self.count),
        }
        if not self.server.exists():
            shutil.copy("/bin/true", self.server)
        with open(self.directory / "pytest.log", "wb") as log:
            self.process = subprocess.Popen(
                line,
                cwd=self.root,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(there, back),
                env=environment,
                start_new_session=True,
                preexec_fn=limits,
            )
        os.close(there)
        os.close(back)
        self.orders = os.fdopen(orders, "w")
        self.answers = os.fdopen(answers, "rb", buffering=0)
        names = self._answer(START_S)
        if names is None:
            log = (self.directory / "pytest.log").read_text()
            raise Broken(f"pytest does not start:\n{log[-3000:]}")
        self.names = names

    def _answer(self, seconds):
        end = time.monotonic() + seconds
        text = b""
        while not text.endswith(b"\n"):
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.answers], [], [], left)[0]:
                return None
            piece = self.answers.read(65536)
            if not piece:
                return None
            text += piece
        return json.loads(text)

    def run(self, name, reach=None):
        """Runs a test: the error or None, and the seconds that it took."""
        if self.process is None:
            self.start()
        order = {"test": name, "reach": str(reach) if reach else None}
        order["mutant"] = self.mutant
        self.orders.write(json.dumps(order) + "\n")
        self.orders.flush()
        answer = self._answer(HUNG_S)
        if answer is None:
            self.stop()
            return f"no end within {HUNG_S} s", HUNG_S
        return answer["failed"], answer["seconds"]

    def stop(self):
        """Ends it and everything it started."""
        if self.process is None:
            return
        self.orders.close()
        self.answers.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process = None
        shutil.rmtree(self.directory / "tmp", ignore_errors=True)


def limits():
    """What a mutant must not take from the machine."""
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, resource.RLIM_INFINITY))
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))


def file_of(name):
    """A test's file, from its id; ids are relative to itest."""
    return name.split("::")[0]


def sha(*paths):
    """One name for the content of some files."""
    whole = hashlib.sha256()
    for path in paths:
        whole.update(path.read_bytes())
    return whole.hexdigest()


def test_files(root):
    """Test file -> what its tests depend on, in short."""
    common = sorted(root.glob("itest/harness/*.py"))
    common.append(root / "itest/conftest.py")
    return {
        path.name: sha(path, *(p for p in common if p.exists()))
        for path in sorted(root.glob("itest/test_*.py"))
        if path.stem not in OTHERS
    }


def moved(old, new):
    """Line of one text -> the same line in another, where it still is."""
    lines = {}
    matcher = difflib.SequenceMatcher(
        None, old.splitlines(), new.splitlines(), False
    )
    for first, second, count in matcher.get_matching_blocks():
        lines.update(zip(range(first + 1, first + count + 1),
                         range(second + 1, second + count + 1)))
    return lines


class Map:
    """Which tests run a line of the sources."""

    def __init__(self, root, path):
        self.root = root
        self.path = path
        self.files = {}  # test file -> {"sha", "tests"}
        self.texts = {}  # source -> the text that lines refer to
        self.code = {}  # source -> lines that have code
        self.tests_of = {}  # (path, line) -> names of tests
        self.seconds = {}
        self.ids = {}
        self.lines = {}  # test -> {(path, line)}
        self.weights = {}  # path -> {test: how much of it it runs}
        if path.exists():
            kept = json.loads(path.read_text())
            self.files = kept["files"]
            self.texts = kept["texts"]
            self.code = kept["code"]
        self._follow()

    def _sources(self):
        return {
            path: (self.root / path).read_text()
            for path in sources_of(self.root) + headers_of(self.root)
        }

    def _follow(self):
        """Brings lines to where they are now."""
        now = self._sources()
        for path, old in self.texts.items():
            if path not in now or now[path] == old:
                continue
            lines = moved(old, now[path])
            self.code[path] = sorted(
                lines[n] for n in self.code.get(path, []) if n in lines
            )
            for kept in self.files.values():
                for test in kept["tests"].values():
                    if path in test["lines"]:
                        test["lines"][path] = sorted(
                            lines[n] for n in test["lines"][path] if n in lines
                        )
        self.texts = now

    def missing(self):
        """The test files that are new or changed."""
        now = test_files(self.root)
        self.files = {f: k for f, k in self.files.items() if f in now}
        return {
            name
            for name, content in now.items()
            if self.files.get(name, {}).get("sha") != content
        }

    def save(self):
        """Keeps the map."""
        kept = {"files": self.files, "texts": self.texts, "code": self.code}
        self.path.write_text(json.dumps(kept, sort_keys=True) + "\n")

    def build(self, bench, workers, files):
        """Runs the tests of these files against a server that says which
        lines it takes."""
        bench.reach_program("server", [], SERVER_LIBS)
        blocks = Blocks(bench.twins.pop("server"), self.root)
        self.code = {}
        for path, line in sorted(blocks.code):
            self.code.setdefault(path, []).append(line)
        program = bench.build / "server-reach"
        names = queue.Queue()
        content = test_files(self.root)
        for name in files:
            self.files[name] = {"sha": content[name], "tests": {}}
        left = set()
        lock = threading.Lock()

        def work(tests):
            # It may be a link.
            tests.server.unlink(missing_ok=True)
            shutil.copy(program, tests.server)
            tests.start()
            with lock:
                if names.empty() and not names.unfinished_tasks:
                    for name in tests.names:
                        if file_of(name) in files:
                            names.put(name)
                            left.add(name)
            trace = tests.directory / "reach"
            while True:
                try:
                    name = names.get_nowait()
                except queue.Empty:
                    return
                blocks.clear(trace)
                failed, seconds = tests.run(name, trace)
                lines = {}
                if failed is None:
                    for path, line in blocks.lines_of(trace):
                        lines.setdefault(path, []).append(line)
                if failed and failed != "skipped":
                    failed = " ".join(failed.split())[:160]
                    print(f"mutate: {name} fails as it is: {failed}")
                with lock:
                    self.files[file_of(name)]["tests"][name] = {
                        "seconds": round(seconds, 2),
                        "ids": tests.names[name],
                        "lines": {p: sorted(lines[p]) for p in lines},
                    }
                    left.discard(name)
                    if names.qsize() % 50 == 0:
                        print(f"mutate: {names.qsize()} tests to look at")
                        sys.stdout.flush()

        try:
            with concurrent.futures.ThreadPoolExecutor(len(workers)) as pool:
                list(pool.map(work, workers))
        finally:
            for name in left:
                self.files.pop(file_of(name), None)
            self.save()

    def index(self):
        """Makes it ready to be asked."""
        for kept in self.files.values():
            for name, test in kept["tests"].items():
                self.seconds[name] = test["seconds"]
                self.ids[name] = test["ids"]
                self.lines[name] = {
                    (path, n) for path in test["lines"]
                    for n in test["lines"][path]
                }
                for place in self.lines[name]:
                    self.tests_of.setdefault(place, []).append(name)

    def nearest(self, path, line):
        """The tests of a line, or of the first above that has code."""
        for n in range(line, 0, -1):
            if n in self.code.get(path, ()):
                return self.tests_of.get((path, n), [])
        return []

    def weight(self, name, paths):
        """How much of these files a test runs that few others run."""
        for path in paths:
            if path not in self.weights:
                self.weights[path] = {}
                for place in self.tests_of:
                    if place[0] == path:
                        self._weigh(place)
        return sum(self.weights[path].get(name, 0) for path in paths)

    def _weigh(self, place):
        """Counts a line for the tests that run it."""
        names = self.tests_of[place]
        weights = self.weights[place[0]]
        for name in names:
            weights[name] = weights.get(name, 0) + 1 / len(names)

    def choose(self, places, tries=TRIES, seconds=TRIES_S):
        """The tests to try for a change at one of these places: some that
        have most to do with the file, some that are over soonest."""
        names = {n for place in places for n in self.nearest(*place)}
        names = [n for n in names if self.seconds[n] <= TEST_MAX_S]
        paths = {path for path, _ in places}
        by_weight = sorted(
            names,
            key=lambda n: (
                -self.weight(n, paths) / (0.5 + self.seconds[n]), n
            ),
        )
        by_time = sorted(names, key=lambda n: (self.seconds[n], n))
        chosen = []
        for pair in zip(by_weight, by_time):
            chosen += [n for n in pair if n not in chosen]
        return self._few(chosen, tries, seconds)

    def _few(self, names, tries, seconds):
        """The first of these that differ in more than a parameter."""
        kept = []
        seen = {}
        total = 0
        for name in names:
            base = name.split("[")[0]
            if seen.get(base, 0) >= 1 + tries // 10:
                continue
            total += self.seconds[name]
            if kept and total > seconds:
                continue
            seen[base] = seen.get(base, 0) + 1
            kept.append(name)
            if len(kept) == tries:
                break
        return sorted(kept, key=lambda n: self.seconds[n])


def judge(tests, bench_map, names):
    """Runs tests against the mutant at tests.server; the verdict if one fails.
    It has to fail twice: the machine may be slow for once."""
    for name in names:
        failed, _ = tests.run(name)
        if failed is None or failed == "skipped":
            continue
        again, _ = tests.run(name)
        if again is None or again == "skipped":
            continue
        first = re.sub(r"\s+", " ", again)[:120]
        result = "hung" if again.startswith("no end") else "failed"
        ids = bench_map.ids[name]
        return Verdict(result, f"{name}: {first}", list(ids), {name: ids})
    return None
