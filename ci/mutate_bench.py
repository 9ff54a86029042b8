"""The bench of ci/mutate: the original, built once, and the programs that a
mutant is linked into, each with the object files of the mutant in place of
the original's.

A source is compiled in several ways, its kinds:
  plain   optimized; also tells mutants with the same code apart
  san     under ASan and UBSan
  hook    plain, with what threads have in common going through a scheduler
  world   plain, over the made-up kernel of the server's simulation
  points  plain, and can be interrupted in it between any two blocks
  reach   says which lines a run takes
and each kind has an archive for each of lib and cmd. A program is some objects
of its own and these archives, in order: the first that has a source has it in
the way in which this program needs it.
"""

import concurrent.futures
import dataclasses
import hashlib
import json
import math
import os
import pathlib
import re
import resource
import shutil
import subprocess

from mutate_reach import Blocks

CC = os.environ.get("MUTATE_CC", "gcc")
STD = ["-std=c11", "-D_GNU_SOURCE", "-w", "-pthread"]
# What a mutant leaves uninitialized has the same value in every run: a pattern
# in one build, and in the other zero, which is what a program may well read.
PLAIN = [*STD, "-O2", "-ftrivial-auto-var-init=pattern"]
SANITIZED = [*STD, "-O1", "-g1", "-fsanitize=address,undefined"]
SANITIZED += ["-fno-sanitize-recover=all", "-ftrivial-auto-var-init=zero"]
HOOKS = ["-DMAILBOX_BATCH=2", "-include", "fuzz/interleave/hooks.h"]
KERNEL = ["-DRING_BYTES=2048", "-include", "fuzz/kernel/hooks.h"]
# objdump takes the files of DWARF 5 for each other.
REACH = [*STD, "-O0", "-gdwarf-4", "-fsanitize-coverage=trace-pc"]
KINDS = {
    "plain": PLAIN,
    "san": SANITIZED,
    "hook": [*PLAIN, *HOOKS],
    "world": [*PLAIN, *KERNEL],
    "points": [*PLAIN, "-fsanitize-coverage=trace-pc"],
    "reach": REACH,
    "reach-hook": [*REACH, *HOOKS],
}
# The programs' own sources, which nobody asks for their lines.
BARE = [*STD, "-O1"]
SERVER_LIBS = ["-lssl", "-lcrypto", "-lmicrohttpd"]
WRAP = "-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc"
SIM_RUN = ["--count", "60", "--steps", "2000"]
SERVER_RUN = ["--count", "300"]
NOMEM_RUN = ["499"]
SHARED = ["fuzz/replay.c", "fuzz/oracle.c"]
MEMORY_MB = 2048
OUTPUT_KB = 8192
ID = r"[A-Z]+-[0-9]+"
KILLED = ("failed", "crashed", "hung")
DROPPED = ("no-compile", "equal", "duplicate")
# What takes longer, of cmd, comes after the integration tests.
HEAVY_S = 0.5
# As many failing tests are kept of a mutant.
TESTS_MAX = 20

# One program for every suite, which are named on its command line. Its output
# has no buffer, so the name of a test that crashes is not lost.
UNIT_MAIN = """
#include <CUnit/Basic.h>
#include <string.h>
%(declarations)s
int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	if (CU_initialize_registry() != CUE_SUCCESS)
		return 1;
	for (int i = 1; i < argc; i++) {
%(calls)s
	}
	CU_basic_set_mode(CU_BRM_VERBOSE);
	return CU_get_error() != CUE_SUCCESS ||
	       CU_basic_run_tests() != CUE_SUCCESS ||
	       CU_get_number_of_failures() != 0 ||
	       CU_get_number_of_tests_run() == 0;
}
"""


class Broken(Exception):
    """The original does not pass, or cannot be built: nothing to judge."""


@dataclasses.dataclass
class Program:
    """A test program, linked anew for each mutant it runs."""

    name: str
    objects: list  # in front of the mutant's objects
    archives: list  # (wing, kind) of each, in order
    flags: list  # behind the archives
    parts: list  # objects that are linked into one already
    source: str = ""  # where its oracles are
    taken: set = None  # labels of what it takes out of its archives

    @property
    def sanitized(self):
        """Whether it is built with sanitizers."""
        return any(kind == "san" for _, kind in self.archives)


@dataclasses.dataclass
class Run:
    """A program with arguments, and how much time it may take."""

    program: Program
    args: list
    name: str
    files: set  # labels of the sources that it may execute
    stage: int = 0  # the lower ones first
    cpu_s: float = 0
    lines: set = None  # (path, line) that it takes; None: not known

    @property
    def limit_s(self):
        """Processor seconds after which it counts as hung."""
        return math.ceil(4 * self.cpu_s + 1)


@dataclasses.dataclass
class Verdict:
    """What came of a mutant."""

    result: str  # of KILLED or DROPPED, or "survived", "alive", "untested"
    by: str = ""  # what killed it, in words
    ids: list = dataclasses.field(default_factory=list)
    # Test, or oracle with its place -> the ids that it cites.
    tests: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Job:
    """A worker's own copy of the tree, to which one mutant is applied."""

    path: pathlib.Path

    @property
    def tree(self):
        """Where the copy is."""
        return self.path / "tree"


@dataclasses.dataclass
class Built:
    """What is compiled and linked of the mutant at hand."""

    changed: list  # sources whose code differs
    objects: dict = dataclasses.field(default_factory=dict)
    programs: dict = dataclasses.field(default_factory=dict)


def call(line, cwd=None):
    """Runs a command that must succeed; its output."""
    done = subprocess.run(
        [str(word) for word in line],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
    )
    if done.returncode != 0:
        shown = " ".join(str(word) for word in line[-8:])
        raise Broken(f"... {shown}\n{done.stderr.strip()[-3000:]}")
    return done.stdout


def sanitizer_options():
    """How ASan bounds what a program takes."""
    options = f"hard_rss_limit_mb={MEMORY_MB}:max_allocation_size_mb=4096"
    options += ":allocator_may_return_null=1:detect_stack_use_after_return=0"
    return options


def limited(line, run, log, more=None):
    """Runs a test program within its limits; its status, None if it hung."""
    memory = "" if run.program.sanitized else f"ulimit -v {MEMORY_MB * 1024};"
    shell = f"ulimit -c 0; ulimit -f {OUTPUT_KB}; {memory}"
    # Processor time, for the machine may be busy with something else.
    shell += f'ulimit -t {run.limit_s}; exec "$@"'
    options = sanitizer_options()
    with open(log, "wb") as out:
        try:
            status = subprocess.run(
                ["sh", "-c", shell, "sh", *line],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                check=False,
                timeout=60 + 20 * run.limit_s,
                env={**os.environ, "ASAN_OPTIONS": options, **(more or {})},
            ).returncode
        except subprocess.TimeoutExpired:
            return None
    # SIGKILL and SIGXCPU: the processor time is used up.
    return None if status in (-9, -24, 137, 152) else status


def read_log(path):
    """The output of a test program."""
    return path.read_bytes().decode("utf-8", "replace")


def failing_tests(run, text):
    """Test, or oracle with its place -> the ids that it cites, of those that
    failed in the output of a run; and how the first one failed, in words."""
    tests = {}
    first = ""
    for found in re.finditer(r"^ *Test: (.*) \.\.\.(\w*)", text, re.M):
        if found[2] != "passed":
            tests[found[1]] = re.findall(rf"\[({ID})\]", found[1])
            first = first or found[1]
    for found in re.finditer(rf"^\[({ID})\] ([^\n:]+(?::\d+)?):.*", text, re.M):
        tests[f"{run.program.name} [{found[1]}] {found[2]}"] = [found[1]]
        first = first or found[0]
    return dict(list(tests.items())[:TESTS_MAX]), first


def judge(status, run, text):
    """The verdict on a run that was not successful."""
    tests, first = failing_tests(run, text)
    ids = sorted({one for cited in tests.values() for one in cited})
    if not first:
        found = re.search(
            r"runtime error: .*|ERROR: \w+Sanitizer: \S+|^nomem: .*: .*",
            text,
            re.M,
        )
        first = found[0] if found else f"status {status}"
    result = "failed"
    if status is None:
        result = "hung"
    elif status < 0 or status >= 128 or "Sanitizer" in text:
        result = "crashed"
    return Verdict(result, f"{run.name}: {first}", ids, tests)


def digest(path):
    """A name for a file's content."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def sources_of(root):
    """The sources under test, relative to the tree."""
    found = []
    for pattern in ("lib/core/*.c", "lib/server/*.c", "cmd/lbproxyd/*.c"):
        found += sorted(root.glob(pattern))
    return [str(path.relative_to(root)) for path in found]


def headers_of(root):
    """Their headers."""
    found = []
    for pattern in ("lib", "lib/core", "lib/server", "cmd/lbproxyd"):
        found += sorted(root.glob(f"{pattern}/*.h"))
    return [str(path.relative_to(root)) for path in found]


def wing_of(source):
    """lib or cmd."""
    return source.split("/")[0]


def label_of(source):
    """A source's name in archives and maps."""
    return f"{wing_of(source)}-{pathlib.Path(source).stem}"


def bodies_of(text):
    """(name, body) of each inline function and each macro of a header."""
    found = re.findall(r"\b(\w+)\([^;{}]*\)\n\{(.*?)^\}", text, re.S | re.M)
    found += re.findall(
        r"^#define\s+(\w+)((?:[^\n\\]|\\.)*)", text, re.S | re.M
    )
    return found


class Kept:
    """What is known of files that were built before: of which content they
    were made, and a value."""

    def __init__(self, path):
        self.path = path
        self.known = {}
        if path.exists():
            self.known = json.loads(path.read_text())

    def has(self, name, content):
        """Whether it was made of this."""
        there = self.known.get(str(name))
        return there is not None and there[0] == short(content)

    def keep(self, name, content, value=None):
        """Says what it was made of."""
        self.known[str(name)] = [short(content), value]

    def value(self, name):
        """What is kept with it."""
        return self.known[str(name)][1]

    def save(self):
        """Keeps it for the next time."""
        self.path.write_text(json.dumps(self.known) + "\n")


def short(content):
    """A name for anything that JSON can say."""
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def files_in(deps):
    """The files that a .d file names."""
    text = deps.read_text().replace("\\\n", " ").split(":", 1)[1]
    return {os.path.normpath(path) for path in text.split()}


class Bench:
    """The original, built once, and everything that tests it."""

    def __init__(self, root, build, jobs=2, finds_lines=("lib", "cmd")):
        """finds_lines: the wings whose programs have twins that say which
        lines they take."""
        self.root = root
        self.build = build
        self.jobs = jobs
        self.finds_lines = finds_lines
        self.includes = ["-Ilib", "-Ifuzz", "-Ilib/test"]
        self.programs = {}
        self.runs = []
        self.sources = {}  # object -> (source, flags, what it includes)
        self.plain = {}  # source under test -> digest of its plain object
        self.archived = {}  # (wing, kind) -> sources
        self.twins = {}  # program -> its twin that says which lines it takes
        self.blocks = {}  # twin -> its basic blocks
        self.headers = {}  # header -> its text
        self.code = None  # (path, line) of all blocks
        self.digests = {}  # path -> digest of what is there
        build.mkdir(parents=True, exist_ok=True)
        self.kept = Kept(build / "kept.json")

    # --- building the original -----------------------------------------------

    def compile(self, source, out, flags, cwd):
        """Compiles one file; source: relative to cwd, or absolute."""
        call([CC, *flags, *self.includes, "-c", source, "-o", out], cwd)

    def content(self, paths):
        """One name for what some files of the tree have in them."""
        for path in paths:
            if path not in self.digests:
                self.digests[path] = digest(self.root / path)
        return [self.digests[path] for path in sorted(paths)]

    def _compile_original(self, source, out, flags):
        deps = out.with_suffix(".d")
        line = [*flags, *self.includes]
        used = files_in(deps) if out.exists() and deps.exists() else None
        if used is None or not all((self.root / p).exists() for p in used):
            used = ()
        if not used or not self.kept.has(out, [line, self.content(used)]):
            self.compile(source, out, [*flags, "-MMD", "-MF", deps], self.root)
            used = files_in(deps)
            self.kept.keep(out, [line, self.content(used)])
        self.sources[str(out)] = (str(source), flags, used)

    def objects(self, sources, kind, flags=None):
        """Compiles sources of programs, all at the same time; their
        objects."""
        directory = self.build / kind
        directory.mkdir(exist_ok=True)
        outs = []
        todo = []
        for source in sources:
            is_ours = os.path.isabs(source)
            name = os.path.basename(source) if is_ours else source
            out = (directory / name.replace("/", "-")).with_suffix(".o")
            outs.append(str(out))
            if str(out) not in self.sources:
                todo.append((source, out))
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            list(
                pool.map(
                    lambda pair: self._compile_original(
                        *pair, flags or KINDS[kind]
                    ),
                    todo,
                )
            )
        return outs

    def archive(self, wing, kind, only=None):
        """An archive of the sources of lib or cmd."""
        if (wing, kind) in self.archived:
            return
        sources = [
            source
            for source in sources_of(self.root)
            if wing_of(source) == wing and (only is None or source in only)
        ]
        directory = self.build / kind
        directory.mkdir(exist_ok=True)
        outs = [directory / f"{label_of(source)}.o" for source in sources]
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            list(
                pool.map(
                    lambda pair: self._compile_original(*pair, KINDS[kind]),
                    zip(sources, outs),
                )
            )
        if outs:
            self._ar(self.build / f"{wing}-{kind}.a", outs)
        if kind == "plain":
            for source, out in zip(sources, outs):
                self.plain[source] = digest(out)
        self.archived[wing, kind] = set(sources)

    def _ar(self, archive, members):
        archive.unlink(missing_ok=True)
        call(["ar", "rcsD", archive, *members])

    def prepare(self, needed):
        """Builds the original and shows that it passes; needed is the set of
        paths that will be changed."""
        self.headers = {
            path: (self.root / path).read_text()
            for path in headers_of(self.root)
        }
        wings = {wing_of(path) for path in needed}
        self.archive("lib", "plain")
        self.archive("lib", "san")
        if "cmd" in wings or self.itests_can_run():
            self.archive("cmd", "plain")
        if "lib" in wings:
            self._unit("plain")
            self._unit("san")
            self._simulation()
            self._reference()
        self._targets(wings)
        if "cmd" in wings:
            self._interleave()
            self._world()
            self._nomem()
        if self.itests_can_run():
            self._program("server", [], ["plain"], SERVER_LIBS)
        for path in sorted(needed):
            if path.endswith(".c") and not self._is_tested(path):
                raise Broken(f"no test program has {path} in it")
        self._calibrate({label_of(path) for path in needed})
        self._all_code()

    def itests_can_run(self):
        """Whether there is a server and a test that runs it."""
        return (self.root / "cmd/lbproxyd/main.c").exists() and any(
            self.root.glob("itest/test_*.py")
        )

    def _is_tested(self, path):
        label = label_of(path)
        return any(label in run.files for run in self.runs) or (
            wing_of(path) == "cmd" and self.itests_can_run()
        )

    # --- the programs --------------------------------------------------------

    def _program(self, name, objects, kinds, flags, source="", parts=()):
        """Links a program with the original; the labels of what it takes.
        kinds: those of its archives; with cmd's, if they are there."""
        archives = [
            (wing, kind)
            for wing in ("cmd", "lib")
            for kind in kinds
            if (wing, kind) in self.archived
        ]
        program = Program(
            name, objects, archives, flags, list(parts or objects), source
        )
        self.programs[name] = program
        out = self.build / name
        linked = [digest(pathlib.Path(path)) for path in [
            *objects, *(self.build / f"{w}-{k}.a" for w, k in archives),
            *(word for word in flags if word.startswith("/")),
        ]]
        if not out.exists() or not self.kept.has(out, [flags, linked]):
            files = self.pulled(
                lambda extra: self.link(program, objects, [], out, extra)
            )
            self.kept.keep(out, [flags, linked], sorted(files))
        program.taken = set(self.kept.value(out))
        return program.taken

    def pulled(self, link):
        """The labels of what a link takes out of archives."""
        linker_map = self.build / "link.map"
        link([f"-Wl,-Map={linker_map}"])
        return set(
            re.findall(r"\(((?:lib|cmd)-\w+)\.o\)", linker_map.read_text())
        )

    def link(self, program, objects, mutant, out, extra=()):
        """Links a program with a mutant's objects in front of the archives."""
        san = SANITIZED if program.sanitized else []
        archives = [
            self.build / f"{wing}-{kind}.a" for wing, kind in program.archives
        ]
        # The models, among the flags, need lib, and lib does not need them.
        models = [flag for flag in program.flags if str(flag).endswith(".a")]
        return call(
            [CC, *san, *extra, "-pthread", "-o", out, *objects, *mutant]
            + [*models, "-Wl,--start-group", *archives, "-Wl,--end-group"]
            + program.flags
        )

    def _run(self, program, args, name, files, stage):
        self.runs.append(
            Run(self.programs[program], args, name, files, stage)
        )

    def _unit(self, kind):
        """The program of the CUnit suites, all in one object."""
        sources = []
        suites = {}
        for path in sorted((self.root / "lib/test").glob("*.c")):
            text = path.read_text()
            if re.search(r"^int main\(", text, re.M):
                continue
            source = str(path.relative_to(self.root))
            sources.append(source)
            for suite in re.findall(
                r"^void suite_(\w+)\(void\)\n\{", text, re.M
            ):
                suites[suite] = source
        if not suites:
            raise Broken("there is no CUnit suite in lib/test")
        main = self.build / "unit_main.c"
        main.write_text(
            UNIT_MAIN
            % {
                "declarations": "\n".join(
                    f"void suite_{s}(void);" for s in suites
                ),
                "calls": "\n".join(
                    f'\t\tif (strcmp(argv[i], "{s}") == 0)\n'
                    f"\t\t\tsuite_{s}();"
                    for s in suites
                ),
            }
        )
        outs = self.objects([str(main), *sources], kind)
        helpers = self.build / f"test-{kind}.a"
        self._ar(helpers, outs)
        whole = str(self.build / f"unit-{kind}.o")
        call(["ld", "-r", "-o", whole, *outs])
        wrap = [WRAP] if (self.root / "lib/test/alloc.c").exists() else []
        name = f"unit-{kind}"
        flags = ["-lcunit", *wrap]
        self._program(name, [whole], [kind], flags, parts=outs)
        if "lib" in self.finds_lines and kind == "plain":
            bare = self.objects([str(main), *sources], "bare", BARE)
            self.reach_program(name, bare, flags)
        elif "lib" in self.finds_lines:
            self.twins[name] = self.twins["unit-plain"]
        # Each suite alone, so that a mutant meets its own first.
        of_source = dict(zip([str(main), *sources], outs))
        for suite, source in suites.items():
            files = self._suite_files(suite, of_source[source], helpers, kind)
            files.add(label_of(source))
            stage = 2 if kind == "san" else 0
            self._run(name, [suite], f"suite {suite}, {kind}", files, stage)

    def _suite_files(self, suite, first, helpers, kind):
        """What one suite uses of lib: what a program of this suite alone
        would take out of the library."""
        line = [CC, "-nostdlib", "-no-pie", f"-Wl,-e,suite_{suite}", first]
        line += ["-Wl,--unresolved-symbols=ignore-all"]
        line += ["-Wl,-z,muldefs", helpers, self.build / f"lib-{kind}.a"]
        line += ["-o", self.build / "suite"]
        return self.pulled(lambda extra: call([*line, *extra]))

    def make_lists(self, names):
        """Variable of the Makefile -> its words; none without a Makefile."""
        if not (self.root / "Makefile").exists():
            return dict.fromkeys(names, [])
        rule = "mutate-lists:; @:" + "".join(
            f"$(info {name}|$({name}))" for name in names
        )
        out = call(["make", "-s", "--eval", rule, "mutate-lists"], self.root)
        rows = (row.split("|", 1) for row in out.splitlines())
        return {name: words.split() for name, words in rows}

    def _targets(self, wings):
        """The fuzz targets with their committed inputs: for lib those of lib
        alone, for cmd those with sources of cmd."""
        if not (self.root / "fuzz/replay.c").exists():
            return
        names = [p.stem[5:] for p in sorted(self.root.glob("fuzz/fuzz_*.c"))]
        lists = self.make_lists(
            [f"fuzz_{what}_{n}" for what in ("more", "libs") for n in names]
        )
        for name in names:
            more = lists[f"fuzz_more_{name}"]
            libs = lists[f"fuzz_libs_{name}"]
            main = f"fuzz/fuzz_{name}.c"
            text = (self.root / main).read_text()
            # What is compiled with hooks is no target like the others.
            if any(path.startswith("world/") for path in more):
                continue
            of_cmd = any(path.startswith("cmd/") for path in more)
            of_cmd |= re.search(r"#include.*\bcmd/", text) is not None
            # What needs OpenSSL and nothing of cmd is a target of lib.
            if ("cmd" if of_cmd else "lib") not in wings:
                continue
            if not more and (self.root / "fuzz" / name).is_dir():
                more = self._parts(name)
            own = [path for path in more if not path.startswith("cmd/")]
            text += "".join((self.root / p).read_text() for p in own)
            files = self._inputs(name)
            if of_cmd:
                self.archive("cmd", "san")
            self._program_and_reach(
                f"replay-{name}",
                [main, *own, *SHARED],
                "san",
                [*self._models("san"), *libs],
                (files, f"replay-{name}", 2),
                of_cmd,
                text,
            )

    def _inputs(self, name):
        """The directories with a target's committed inputs."""
        inputs = [
            str(self.root / "fuzz" / kind / name)
            for kind in ("corpus", "regress")
            if (self.root / "fuzz" / kind / name).is_dir()
        ]
        if not any(any(os.scandir(path)) for path in inputs):
            raise Broken(
                f"fuzz/corpus/{name} has no input;"
                f" make fuzz corpus TARGET={name} finds some"
            )
        return inputs

    def _models(self, kind):
        """The archive of the models, as words of a link."""
        sources = sorted(self.root.glob("fuzz/model/*.c"))
        if not sources:
            return []
        paths = [str(path.relative_to(self.root)) for path in sources]
        archive = self.build / f"model-{kind}.a"
        if str(archive) not in self.digests:
            self.digests[str(archive)] = None
            flags = KINDS.get(kind, BARE)
            self._ar(archive, self.objects(paths, kind, flags))
        return [str(archive)]

    def _program_and_reach(
        self, name, sources, kind, libs, run, of_cmd, text="", hooked=False
    ):
        """A program, one run of it, and a twin that says which lines the run
        takes. run: arguments, name, stage."""
        kinds = ["hook", kind] if hooked else [kind]
        objects = self.objects(sources, kind)
        files = self._program(name, objects, kinds, libs, text)
        args, words, stage = run
        self._run(name, args, words, files, stage)
        if ("cmd" if of_cmd else "lib") in self.finds_lines:
            bare = self.objects(sources, "bare", BARE)
            models = {
                word: of_twin
                for word, of_twin in zip(
                    self._models(kind), self._models("bare")
                )
            }
            twins = [models.get(word, word) for word in libs]
            self.reach_program(name, bare, twins, hooked)

    def reach_program(self, name, objects, libs, hooked=False):
        """The twin of a program that says which lines it takes."""
        kinds = ["reach"]
        if hooked:
            hooks = self.archived["cmd", "hook"]
            self.archive("cmd", "reach-hook", hooks)
            kinds = ["reach-hook", "reach"]
        self.archive("cmd", "reach")
        self.archive("lib", "reach")
        runtime = pathlib.Path(__file__).with_name("mutate_reach.c")
        more = self.objects([str(runtime)], "bare", BARE)
        twin = f"{name}-reach"
        self._program(twin, [*objects, *more], kinds, libs)
        self.twins[name] = self.build / twin

    def _parts(self, name):
        return [
            str(path.relative_to(self.root))
            for path in sorted((self.root / "fuzz" / name).glob("*.c"))
            if path.stem != f"{name}_main"
        ]

    def _simulation(self):
        """The simulation, if there is one, as a program of its own."""
        sources = sorted(self.root.glob("fuzz/sim/*.c"))
        if not any(path.stem == "sim_main" for path in sources):
            return
        sources += sorted(self.root.glob("fuzz/model/*.c"))
        sources += sorted(self.root.glob("fuzz/seeded.c"))
        sources.append(self.root / "fuzz/oracle.c")
        paths = [str(path.relative_to(self.root)) for path in sources]
        objects = self.objects(paths, "plain")
        text = "".join(path.read_text() for path in sources)
        files = self._program("sim", objects, ["plain"], [], text)
        if "lib" in self.finds_lines:
            self.reach_program("sim", self.objects(paths, "bare", BARE), [])
        self._run("sim", SIM_RUN, "simulation", files, 4)

    def _reference(self):
        """What is told of the configuration's keys, from the parser's
        tables, against what is committed of it."""
        sources = sorted(self.root.glob("itest/reference/*.c"))
        if not sources:
            return
        objects = self.objects(
            [str(path.relative_to(self.root)) for path in sources], "plain"
        )
        files = self._program("reference", objects, ["plain"], [])
        for what, name in (
            ("schema", "lbproxyd.schema.json"),
            ("toml", "lbproxyd.toml"),
            ("man", "lbproxyd.toml.5"),
        ):
            path = str(self.root / "cmd/lbproxyd" / name)
            self._run("reference", [what, path], name, files, 0)

    def _interleave(self):
        """The server's threads in every order: its own sources, hooked."""
        lists = self.make_lists(["interleave_c", "interleave_hooked"])
        if not lists.get("interleave_c"):
            return
        self.archive("cmd", "hook", set(lists["interleave_hooked"]))
        self._program_and_reach(
            "interleave",
            lists["interleave_c"],
            "plain",
            [],
            ([], "interleave", 3),
            True,
            hooked=True,
        )

    def _world(self):
        """The simulation of the server: all of it but for OpenSSL."""
        lists = self.make_lists(["world_hooked", "fuzz_more_server"])
        hooked = [path[6:] for path in lists["world_hooked"]]
        if not hooked:
            return
        self.archive("cmd", "world", {p for p in hooked if p[:4] == "cmd/"})
        self.archive("lib", "points", {
            path for path in sources_of(self.root) if path[:9] == "lib/core/"
        })
        own = [path for path in hooked if path[:4] != "cmd/"]
        others = ["fuzz/kernel/blocks.c"]
        others += [p for p in lists["fuzz_more_server"] if p[:6] != "world/"]
        for name, args, more in (
            ("replay-server", self._inputs("server"), [
                "fuzz/fuzz_server.c", *SHARED]),
            ("sim-server", SERVER_RUN, [
                "fuzz/world/main.c", "fuzz/seeded.c", "fuzz/oracle.c"]),
        ):
            objects = self.objects(own, "world")
            objects += self.objects(others + more, "plain")
            sources = own + others + more
            text = "".join((self.root / path).read_text() for path in sources)
            kinds = ["world", "points", "plain"]
            files = self._program(name, objects, kinds, [], text)
            self._run(name, args, name, files, 2)

    def _nomem(self):
        """Start-up and accept, with each allocation failing."""
        lists = self.make_lists(["nomem_c", "nomem_wrap"])
        sources = lists.get("nomem_c")
        if not sources:
            return
        own = [path for path in sources if not path.startswith("cmd/")]
        flags = [*SERVER_LIBS, *lists["nomem_wrap"]]
        self._program_and_reach(
            "nomem", own, "san", flags, (NOMEM_RUN, "nomem", 4), True
        )

    def _calibrate(self, needed):
        """Every run with the original: it passes, and how long it takes."""
        for run in self.runs:
            if not needed & run.files and not any(
                label.endswith(".h") for label in needed
            ):
                continue
            program = self.build / run.program.name
            twin = self.twins.get(run.program.name)
            known = [
                digest(program),
                run.args,
                self._input_digest(run),
                twin and digest(twin),
            ]
            if self.kept.has(run.name, known):
                run.cpu_s, lines = self.kept.value(run.name)
                if lines is not None:
                    run.lines = {tuple(pair) for pair in lines}
                continue
            run.cpu_s = 60
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            log = self.build / "original.log"
            line = [str(self.build / run.program.name), *run.args]
            status = limited(line, run, log)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            if status != 0:
                raise Broken(
                    f"{run.name} does not pass with the code as it is"
                    f" (status {status}):\n{read_log(log)[-3000:]}"
                )
            run.cpu_s = after.ru_utime + after.ru_stime
            run.cpu_s -= before.ru_utime + before.ru_stime
            self._find_lines(run)
            lines = None if run.lines is None else sorted(run.lines)
            self.kept.keep(run.name, known, [run.cpu_s, lines])
        self.kept.save()

    def _input_digest(self, run):
        """One name for the inputs that a run reads."""
        names = []
        for path in run.args:
            if os.path.isdir(path):
                names += sorted(
                    (entry.name, entry.stat().st_size)
                    for entry in os.scandir(path)
                )
        return names

    def _blocks_of(self, twin):
        """The basic blocks of a twin, which are read once."""
        if twin not in self.blocks:
            self.blocks[twin] = Blocks(twin, self.root)
        return self.blocks[twin]

    def _find_lines(self, run):
        """Which lines a run takes, if there is a twin that says so."""
        twin = self.twins.get(run.program.name)
        if twin is None:
            return
        blocks = self._blocks_of(twin)
        trace = self.build / "original.reach"
        blocks.clear(trace)
        log = self.build / "original.log"
        line = [str(twin), *run.args]
        patient = dataclasses.replace(run, cpu_s=60)
        status = limited(line, patient, log, {"LBP_REACH": str(trace)})
        if status != 0:
            raise Broken(
                f"{run.name} does not pass when its lines are looked at"
                f" (status {status}):\n{read_log(log)[-3000:]}"
            )
        run.lines = blocks.lines_of(trace)

    # --- judging mutants -----------------------------------------------------

    def runs_of(self, sources, lines):
        """What tests some sources, what is likely and cheap to kill first.
        lines: those of which a run must take one, or None."""
        labels = {label_of(source) for source in sources}
        stems = {label.split("-", 1)[1] for label in labels}
        modules = {stem.split("_")[0] for stem in stems}

        def rank(run):
            name = run.args[0] if run.program.name[:4] == "unit" else ""
            own = bool(modules & {name, run.program.name[7:]})
            # config_value has a suite that takes less than config's.
            return (run.stage + (not own), name not in stems, run.cpu_s)

        def takes(run):
            return (
                run.lines is None or lines is None or bool(lines & run.lines)
            )

        return sorted(
            (run for run in self.runs if labels & run.files and takes(run)),
            key=rank,
        )

    def job(self, path):
        """A directory to work in, with a copy of the tree's sources."""
        job = Job(path)
        path.mkdir(parents=True, exist_ok=True)
        for top in ("lib", "cmd", "fuzz"):
            # The page is in a source as it stands.
            sources = [*(self.root / top).glob("**/*.[ch]"),
                       *(self.root / top).glob("**/*.html")]
            for source in sources:
                to = job.tree / source.relative_to(self.root)
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, to)
        return job

    def users_of(self, mutant):
        """The sources and (object, source, flags) of programs that a mutant
        may change: the file itself, or what has a header's code in it."""
        if mutant.path.endswith(".c"):
            return [mutant.path], []
        names = self._names_of(mutant)
        pattern = re.compile(r"\b(?:" + "|".join(sorted(names)) + r")\b")
        under_test = set(sources_of(self.root))
        sources = []
        objects = []
        for out, (source, flags, used) in self.sources.items():
            if mutant.path not in used or os.path.isabs(source):
                continue
            if not pattern.search((self.root / source).read_text()):
                continue
            if source in under_test:
                sources.append(source)
            else:
                objects.append((out, source, flags))
        return sorted(set(sources)), objects

    def _names_of(self, mutant):
        """What a source that uses the changed code has to name: what is
        changed, or whatever is made from it in some header."""
        names = {mutant.function}
        if mutant.function in ("macro", "table"):
            names = set()
            for name, body in bodies_of(self.headers[mutant.path]):
                rows = {plain_line(row) for row in body.splitlines()}
                if plain_line(mutant.before.splitlines()[0]) in rows or (
                    re.search(rf"#define\s+{name}\b", mutant.before)
                ):
                    names.add(name)
        while True:
            more = {
                name
                for text in self.headers.values()
                for name, body in bodies_of(text)
                if name not in names
                and any(re.search(rf"\b{n}\b", body) for n in names)
            }
            if not more:
                return names or {r"\w+"}
            names |= more

    def judge(self, mutant, source, job, seen, lines=None):
        """Compiles a mutant and runs what is here and takes little time. The
        result is "alive" if nothing of this kills it. job: the caller's; seen:
        digest of objects -> the mutant that had them first, or None for a
        mutant that was here before: then what takes long is run."""
        (job.tree / mutant.path).write_text(mutant.apply(source))
        try:
            return self._judge(mutant, job, seen, lines)
        finally:
            (job.tree / mutant.path).write_text(source)

    def compare(self, mutant, source, job, seen):
        """The verdict on a mutant that cheap judges let live, by its code:
        "equal", "duplicate" or "alive". seen: as for judge."""
        (job.tree / mutant.path).write_text(mutant.apply(source))
        try:
            return self._compare(mutant, job, seen)[1]
        finally:
            (job.tree / mutant.path).write_text(source)

    def _compare(self, mutant, job, seen):
        """Built, and the verdict by its code, of the mutant in the tree."""
        try:
            built, same = self._changed(self.users_of(mutant)[0], job)
        except Broken:
            return None, Verdict("no-compile")
        if not built.changed:
            return built, Verdict("equal")
        if seen is not None:
            first = seen.setdefault(same, mutant.id)
            if first != mutant.id:
                return built, Verdict("duplicate", f"of {first}")
        return built, Verdict("alive")

    def _is_heavy(self, run, mutant):
        return wing_of(mutant.path) == "cmd" and run.cpu_s > HEAVY_S

    def _judge(self, mutant, job, seen, lines):
        built, verdict = self._compare(mutant, job, seen)
        if verdict.result != "alive":
            return verdict
        users = self.users_of(mutant)[1]
        # A header has its source's tests, whoever else uses it, and those that
        # have its code.
        sources = [*built.changed, mutant.path]
        sources += [path for _, path, _ in users if path.startswith("lib/")]
        for run in self.runs_of(sources, lines):
            if self._is_heavy(run, mutant) == (seen is not None):
                continue
            verdict = self.try_run(run, job, built, users)
            if verdict is not None:
                return verdict
        return Verdict("alive")

    def _changed(self, sources, job):
        """The plain objects of a mutant: Built, and a name for their code."""
        built = Built([])
        same = []
        for source in sources:
            out = job.path / f"plain-{label_of(source)}.o"
            self.compile(source, out, PLAIN, job.tree)
            code = digest(out)
            if code != self.plain[source]:
                built.changed.append(source)
                built.objects["plain", source] = str(out)
                same.append((source, code))
        return built, tuple(same)

    def mutated(self, program, job, built):
        """The objects of a mutant that a program takes."""
        objects = []
        for source in built.changed:
            # A header's code changes more than a program has in it.
            if label_of(source) not in program.taken:
                continue
            kind = next(
                (
                    kind
                    for wing, kind in program.archives
                    if source in self.archived[wing, kind]
                ),
                None,
            )
            if kind is None:
                continue
            if (kind, source) not in built.objects:
                out = job.path / f"{kind}-{label_of(source)}.o"
                self.compile(source, out, KINDS[kind], job.tree)
                built.objects[kind, source] = str(out)
            objects.append(built.objects[kind, source])
        return objects

    def link_mutant(self, program, job, built, users):
        """A program with the mutant in it."""
        if program.name in built.programs:
            return built.programs[program.name]
        theirs = {out: (source, flags) for out, source, flags in users}
        parts = program.objects
        if theirs.keys() & set(program.parts):
            parts = program.parts
        wanted = [out for out in parts if out in theirs]
        # Of the archive of models, which has to be among the flags.
        if str(self.build / "model-san.a") in program.flags:
            wanted += [o for o in theirs if "/san/fuzz-model-" in o]
        anew = {}
        for out in wanted:
            source, flags = theirs[out]
            anew[out] = str(job.path / f"user-{pathlib.Path(out).name}")
            self.compile(source, anew[out], flags, job.tree)
        objects = [anew.pop(out, out) for out in parts] + list(anew.values())
        out = job.path / program.name
        self.link(program, objects, self.mutated(program, job, built), out)
        built.programs[program.name] = out
        return out

    def try_run(self, run, job, built, users):
        """One run with the mutant in the job's tree; the verdict if it was
        killed."""
        line = [str(self.link_mutant(run.program, job, built, users))]
        log = job.path / "log"
        status = limited([*line, *run.args], run, log)
        return None if status == 0 else judge(status, run, read_log(log))

    def try_alone(self, run, mutant, source, job):
        """One run with a mutant; the verdict if it was killed."""
        (job.tree / mutant.path).write_text(mutant.apply(source))
        try:
            sources, users = self.users_of(mutant)
            built, _ = self._changed(sources, job)
            return self.try_run(run, job, built, users)
        finally:
            (job.tree / mutant.path).write_text(source)

    def build_server(self, mutant, source, job, out):
        """Links the server with a mutant in it; false if it has none of it."""
        (job.tree / mutant.path).write_text(mutant.apply(source))
        try:
            built, _ = self._changed(self.users_of(mutant)[0], job)
            program = self.programs["server"]
            objects = self.mutated(program, job, built)
            if not objects:
                return False
            there = out.with_suffix(".new")
            self.link(program, [], objects, there)
            there.replace(out)
            return True
        finally:
            (job.tree / mutant.path).write_text(source)

    def _all_code(self):
        """The (path, line) pairs of the twins that have code."""
        if self.code is not None:
            return self.code
        made_of = [digest(twin) for twin in self.twins.values()]
        if not self.kept.has("code", made_of):
            code = set()
            for twin in self.twins.values():
                code |= self._blocks_of(twin).code
            self.kept.keep("code", made_of, sorted(code))
            self.kept.save()
        self.code = {tuple(pair) for pair in self.kept.value("code")}
        return self.code

    def place_of(self, mutant, text):
        """The (path, line) pairs one of which a run must take to meet the
        mutant; None if that cannot be told."""
        code = self._all_code()
        if not code or mutant.function in ("macro", "table"):
            return None
        # Of the library the tests have it, where nobody looks.
        if wing_of(mutant.path) == "lib" and mutant.path.endswith(".h"):
            return None
        first = text.count("\n", 0, mutant.start) + 1
        last = text.count("\n", 0, mutant.end) + 1
        here = {(mutant.path, n) for n in range(first, last + 1)} & code
        while not here and first > 1:
            first -= 1
            here = {(mutant.path, first)} & code
        return here or None


def plain_line(row):
    """A line without its continuation and space around it."""
    return " ".join(row.replace("\\", " ").split())
