"""fuzz/REPORT.md: what was fuzzed, and how fast.

ci/fuzz and ci/fuzz-afl hold a run against the rates in it; ci/fuzz-long, and
ci/fuzz-afl with --record, write it. A table is found by its first words and a
cell by the head of its column, so a report without a column can be read too.
"""

import datetime
import fcntl
import os
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
REPORT = ROOT / "fuzz/REPORT.md"

# The targets of which an input is one value, and those of which it is a whole
# exchange that others take apart, at a hundredth of their rate. In all others
# it is a sequence of operations on something that has a state.
STATELESS = ("config", "hello", "identity", "pem", "proxy", "serial",
             "toml")
COMPOSITE = ("roundtrip", "server", "tls")
GOALS = {"stateless": 10**9, "stateful": 10**8, "composite": 10**6}

COLUMNS = (
    "target",
    "class",
    "last run",
    "commit",
    "seconds",
    "executions",
    "per second",
    "mean bytes",
    "edges",
    "inputs",
    "findings",
    "in all",
    "missing",
)
AFL_COLUMNS = (
    "AFL++ target",
    "last run",
    "commit",
    "seconds",
    "executions",
    "per second",
    "sanitized",
    "sanitized per second",
    "stability",
    "findings",
)
TEXT = ("target", "class", "last run", "commit", "AFL++ target")

HEAD = """# Fuzzing: what was run

Written by `make fuzz-long`: libFuzzer, with ASan and UBSan. "in all" adds up
the executions of every recorded run of a target, "missing" is what they lack
of the goal: 10^9 for a stateless target, 10^8 for a stateful one, 10^6 for a
composite one. The other columns are of the last run. "edges" are those that it
reached and the corpus before it did not; "inputs" is the committed corpus
after it. README.md says more of the numbers. `make fuzz` fails below a tenth of
"per second".

"""
AFL_HEAD = """
Written by `make fuzz-afl RECORD=1`: AFL++, a fuzzer with a fast build and one
with the sanitizers. `make fuzz-afl` fails below a tenth of a rate here.

"""


def class_of(name):
    """What an input of a target is."""
    if name in COMPOSITE:
        return "composite"
    return "stateless" if name in STATELESS else "stateful"


def number(text):
    """A number of the report; 0 for what is none."""
    found = re.fullmatch(r"[+-]?[\d,]+", text.strip())
    return int(found[0].replace(",", "")) if found else 0


def rows(first):
    """The rows of the table whose first column is so called, by target; each
    a dictionary by column."""
    heads = None
    found = {}
    lines = REPORT.read_text().splitlines() if REPORT.exists() else []
    for line in lines:
        if not line.startswith("|"):
            heads = None
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if heads is None:
            heads = cells
        elif heads[0] == first and re.fullmatch(r"[a-z_]+", cells[0]):
            found[cells[0]] = dict(zip(heads, cells))
    return found


def table(columns, by_name):
    """The lines of a table."""
    marks = ["---" if c in TEXT else "---:" for c in columns]
    lines = [columns, marks]
    for name in sorted(by_name):
        lines.append([by_name[name].get(c, "-") for c in columns])
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def write(by_name, afl):
    """Writes the report anew; the old one stays until the new one is whole."""
    for name, row in by_name.items():
        kind = class_of(name)
        row["class"] = kind
        row["missing"] = f"{max(GOALS[kind] - number(row['in all']), 0):,}"
    text = HEAD + table(COLUMNS, by_name)
    if afl:
        text += AFL_HEAD + table(AFL_COLUMNS, afl)
    clang = subprocess.run(
        ["clang", "--version"], capture_output=True, text=True, check=False
    ).stdout.split("\n", maxsplit=1)[0]
    text += (
        f"\nOn {os.cpu_count()} cores, {clang}. A commit with + had changes"
        " on top.\n"
    )
    new = REPORT.with_suffix(".new")
    new.write_text(text)
    new.replace(REPORT)


def update(name, row, add=0, afl=False):
    """Replaces a target's row; add: executions more in all. Several runs at
    a time may do so."""
    lock = ROOT / "build/fuzz/report.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with open(lock, "w", encoding="utf-8") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        tables = [rows("target"), rows("AFL++ target")]
        before = tables[afl].get(name, {})
        if not afl:
            row["in all"] = f"{number(before.get('in all', '')) + add:,}"
        tables[afl][name] = row
        write(*tables)


def git(*args):
    """The output of a git command, or nothing."""
    result = subprocess.run(
        ["git", "-C", ROOT, *args], capture_output=True, text=True, check=False
    )
    return result.stdout.strip()


def commit():
    """The commit that was run, marked if the tree differs from it."""
    changed = git("status", "--porcelain", "--", "lib", "cmd", "fuzz/*.[ch]")
    return (git("rev-parse", "--short", "HEAD") or "-") + "+" * bool(changed)


def today():
    """The date."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return now.strftime("%Y-%m-%d")


PARTS = {10: "a tenth", 100: "a hundredth"}


def too_slow(
    name, rate, what=("target", "per second"), mend="fuzz-long", part=10
):
    """Why a rate is none to pass with; nothing if it is one. what: where the
    recorded rate is, mend: what records one, part: of PARTS."""
    again = f"`make {mend} TARGET={name} FUZZ_SECONDS=60` records one"
    row = rows(what[0]).get(name, {})
    recorded = number(row.get(what[1], ""))
    if recorded == 0:
        return f"{name} has no recorded rate in fuzz/REPORT.md; {again}"
    if rate * part < recorded:
        return (
            f"{name}: {rate:,}/s is below {PARTS[part]} of the recorded"
            f" {recorded:,}/s; if it has to be so slow, {again}"
        )
    return ""
