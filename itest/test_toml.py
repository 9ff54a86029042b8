"""toml-json against tomllib, an independent parser. Source: SPEC TOM-*.

Where the two are known to differ, DIFFERENCES says by what and who is right by
TOML 1.0; a test shows that each entry still is one. compare() meets them so:
- a byte order mark is removed before tomllib sees the text;
- an integer beyond 64 bits counts as rejected by tomllib;
- the fraction of a second is cut to microseconds;
- second 60 and year 0000 become 59 and 0004 if tomllib refuses them;
- a tree deeper than [TOM-24] allows counts as rejected by tomllib.
"""

import datetime
import json
import math
import os
import random
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from harness.pieces import run_in_pieces

ROOT = Path(__file__).resolve().parent.parent
TOOL = Path(os.environ.get("LBP_TOML_JSON", ROOT / "build" / "toml-json"))
LIMIT_S = 60
DEPTH_MAX = 128
SEEDS = range(8)
DOCUMENTS = 60  # for each seed
BOM = b"\xef\xbb\xbf"
INT_MIN, INT_MAX = -2**63, 2**63 - 1
ERROR_LINE = re.compile(r"([1-9][0-9]*):([1-9][0-9]*): error: (.+)\n")


def run(text, *args):
    return subprocess.run([str(TOOL), *args], input=text, capture_output=True,
                          timeout=LIMIT_S)


def decode(text):
    """What toml-json makes of a text; None if it rejects it."""
    done = run(text)
    if done.returncode == 0:
        assert done.stderr == b""
        return plain(json.loads(done.stdout))
    assert (done.returncode, done.stdout) == (1, b"")
    found = ERROR_LINE.fullmatch(done.stderr.decode())
    assert found, done.stderr
    check_place(text, int(found[1]), int(found[2]))
    return None


def check_place(text, line, column):
    """[TOM-26] the place of a fault is inside the text"""
    lines = text.removeprefix(BOM).split(b"\n")
    assert line <= len(lines), (text, line)
    width = sum(byte & 0xC0 != 0x80 for byte in lines[line - 1])
    assert column <= width + 1, (text, line, column)


def real(value):
    return ("float", "nan" if math.isnan(value) else value.hex())


def moment(kind, text):
    if kind == "date-local":
        return datetime.date.fromisoformat(text)
    if kind == "time-local":
        return datetime.time.fromisoformat(text)
    return datetime.datetime.fromisoformat(text)


def cut(text):
    """A date or time of ours as tomllib can have it."""
    text = re.sub(r"(\.\d{6})\d+", r"\1", text)
    return re.sub(r":60(?=$|[.Z+-])", ":59", re.sub("^0000-", "0004-", text))


def plain(node):
    """Tagged JSON as values that compare equal only if type and value do."""
    if isinstance(node, list):
        return [plain(item) for item in node]
    if node.keys() != {"type", "value"} or isinstance(node["type"], dict):
        return {key: plain(value) for key, value in node.items()}
    kind, text = node["type"], node["value"]
    if kind == "integer":
        return (kind, int(text))
    if kind == "float":
        return real(float(text))
    if kind == "bool":
        return (kind, {"true": True, "false": False}[text])
    if kind == "string":
        return (kind, text)
    return (kind, moment(kind, cut(text)).isoformat())


KINDS = {str: "string", bool: "bool", int: "integer",
         datetime.date: "date-local", datetime.time: "time-local"}


def tagged(value):
    """The same for what tomllib gives."""
    if isinstance(value, dict):
        return {key: tagged(item) for key, item in value.items()}
    if isinstance(value, list):
        return [tagged(item) for item in value]
    if isinstance(value, float):
        return real(value)
    if isinstance(value, datetime.datetime):
        kind = "datetime-local" if value.tzinfo is None else "datetime"
        return (kind, value.isoformat())
    if isinstance(value, (datetime.date, datetime.time)):
        return (KINDS[type(value)], value.isoformat())
    if type(value) is int and not INT_MIN <= value <= INT_MAX:
        raise ValueError("an integer beyond 64 bits")
    return (KINDS[type(value)], value)


def depth(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 0


def model_once(text):
    try:
        return tagged(tomllib.loads(text.removeprefix(BOM).decode()))
    except (ValueError, RecursionError):
        return None


def model(text):
    """What tomllib makes of a text; None if it rejects it."""
    result = model_once(text)
    if result is None:
        easier = re.sub(rb"(?<=\d\d:\d\d:)60", b"59", text)
        easier = re.sub(rb"(?<!\d)0000-(?=\d\d-\d\d)", b"0004-", easier)
        result = model_once(easier) if easier != text else None
    if result is not None and depth(result) - 1 > DEPTH_MAX:
        return None
    return result


def compare(text):
    ours, theirs = decode(text), model(text)
    assert ours == theirs, text
    return ours is not None


# Generated documents: valid ones mostly, of every construct.

KEYS = ("a", "b", "c", "d-1", "_", "42", '"q k"', "'l.k'", '""', '"\\u00e9"',
        '"a"', "'b'")
STRINGS = ('""', '"abc"', '"\\t\\"\\\\\\b\\f\\n\\r"', '"\\u00E9\\U0001F600"',
           "''", "'a\\b'", '"""\nline\n  two"""', '"""a\\\n   \n  b"""',
           "'''\n'x' ''y'''''", '""""q"" """', '"é\t€😀"', '"""\\  \r\n x"""',
           '"""a\r\nb"""', "''''''", '"""a\\\\"""')
NUMBERS = ("0", "+0", "-0", "42", "-17", "1_000", "0xDEAD_beef", "0o17",
           "0b1_0", "9223372036854775807", "-9223372036854775808", "0x0",
           "0x7fffffffffffffff", "1.5", "-0.0", "6.02e23", "1e-7", "5E+2",
           "1_0.0_1e1_0", "inf", "-inf", "+nan", "0.1", "2.2250738585072011e-308",
           "1.7976931348623157e308", "4.9e-324", "1e400", "0e0",
           "9007199254740993.0")
MOMENTS = ("1979-05-27", "07:32:00", "00:00:00.5", "1979-05-27T07:32:00",
           "1979-05-27 07:32:00.123456", "1979-05-27T07:32:00Z",
           "2000-02-29t23:59:59z", "1979-05-27T00:32:00.999999-07:00",
           "9999-12-31T23:59:59+23:59", "07:32:00.1234567899",
           "1990-12-31T23:59:60Z", "0000-01-01")
BAD = ("9223372036854775808", "01", "1__0", "_1", "1_", "1.", ".5", "1e", "0x",
       "+0x1", "1979-02-29", "24:00:00", "07:32", "True", '"\\x"', "{a=1,}",
       '"\\uD800"', "[1 2]", "{a=1, a=2}", "1979-05-27T07:32:00+24:00",
       "'''a''''''", '"""b""""""', "", "nope", "[,]", "1e1.0", "0b2")


class Writer:
    """Draws one document; strange says how often a value is a bad one."""

    def __init__(self, draw, strange=0.0):
        self.draw, self.strange = draw, strange

    def blank(self):
        return self.draw.choice(("", "", " ", "\t"))

    def key(self):
        parts = self.draw.choices(KEYS, k=self.draw.choice((1, 1, 1, 2, 3)))
        return (self.blank() + "." + self.blank()).join(parts)

    def gap(self):
        return self.draw.choice(("", "", " ", "\n", "\r\n\t", " # c, ]\n"))

    def array(self, nesting):
        items = [self.gap() + self.value(nesting + 1) + self.gap()
                 for _ in range(self.draw.randrange(4))]
        tail = "," if items and self.draw.random() < 0.3 else ""
        return "[" + ",".join(items) + tail + self.gap() + "]"

    def inline(self, nesting):
        pairs = [self.pair(nesting + 1) + self.blank()
                 for _ in range(self.draw.randrange(4))]
        return "{" + ",".join(self.blank() + pair for pair in pairs) + "}"

    def value(self, nesting=0):
        draw = self.draw
        if draw.random() < self.strange:
            return draw.choice(BAD)
        if nesting < 4 and draw.random() < 0.25:
            return draw.choice((self.array, self.inline))(nesting)
        kind = draw.choice((STRINGS, NUMBERS, MOMENTS, ("true", "false")))
        return draw.choice(kind)

    def pair(self, nesting=0):
        return (self.key() + self.blank() + "=" + self.blank() +
                self.value(nesting))

    def header(self):
        inner = self.blank() + self.key() + self.blank()
        return f"[[{inner}]]" if self.draw.random() < 0.4 else f"[{inner}]"

    def document(self):
        lines = []
        for _ in range(self.draw.randrange(1, 10)):
            line = self.header() if self.draw.random() < 0.35 else self.pair()
            lines.append(self.blank() + line + self.draw.choice(
                ("", "", " # é", "\t#")) + self.draw.choice(("\n", "\r\n")))
            if self.draw.random() < 0.9 and model("".join(lines).encode()) is None \
                    and not self.strange:
                lines.pop()
        return "".join(lines).encode()


PIECES = (b"\n", b"\r", b"\r\n", b"[", b"]", b"[[", b"]]", b"{", b"}", b",",
          b"=", b".", b'"', b"'", b'"""', b"'''", b"\\", b"#", b"_", b"-",
          b"+", b":", b"0", b"9", b"e", b"T", b"Z", b" ", b"\t", b"\0",
          b"\x7f", b"\x1f", b"\xff", b"\xc3", b"\xc0\x80", b"\xed\xa0\x80",
          b"\xf4\x90\x80\x80", b"\xe2\x82", BOM, b"a", b"a.b", b"true",
          b"\\u0000", b"\\U00110000", b"[a]\n", b"[[a]]\n", b"a={}\n")


def mutate(draw, text):
    text = bytearray(text)
    for _ in range(draw.choice((1, 1, 2, 4))):
        at = draw.randrange(len(text) + 1)
        end = min(len(text), at + draw.choice((0, 1, 1, 3, 8)))
        if draw.random() < 0.2:
            other = draw.randrange(len(text) + 1)
            text[at:at] = text[other:other + draw.randrange(30)]
        else:
            text[at:end] = draw.choice((b"", *PIECES))
    return bytes(text)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.spec("TOM-1", "TOM-33")
def test_generated_documents(seed):
    """Valid documents give what tomllib gives."""
    draw = random.Random(seed)
    accepted = sum(compare(Writer(draw).document()) for _ in range(DOCUMENTS))
    assert accepted > DOCUMENTS / 2


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.spec("TOM-1", "TOM-34")
def test_strange_documents(seed):
    """Documents with bad values and keys meet one verdict."""
    draw = random.Random(1000 + seed)
    accepted = sum(compare(Writer(draw, 0.1).document())
                   for _ in range(DOCUMENTS))
    assert 0 < accepted < DOCUMENTS


@pytest.mark.once
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.spec("TOM-1", "TOM-34")
def test_mutated_documents(seed):
    """A changed document meets one verdict."""
    draw = random.Random(2000 + seed)
    accepted = sum(compare(mutate(draw, Writer(draw).document()))
                   for _ in range(2 * DOCUMENTS))
    assert 0 < accepted < 2 * DOCUMENTS


# Example, what we and what tomllib make of it (None: rejected), the verdict.
DIFFERENCES = {
    "byte order mark": (
        "\ufeffa = 1", {"a": ("integer", 1)}, None,
        "Ours. TOML 1.0 does not name the mark; its 'valid UTF-8 encoded Unicode"
        " document' was written to allow one (toml-lang/toml issue 437)."),
    "integer beyond 64 bits": (
        "a = 9223372036854775808", None, {"a": ("integer", 2**63)},
        "Both. 64 bits are asked for, and an error if an integer cannot be"
        " represented losslessly: Python's can, ours cannot."),
    "digits below a microsecond": (
        "a = 07:32:00.1234567899", {"a": "07:32:00.123456789"},
        {"a": "07:32:00.123456"},
        "Both. Beyond milliseconds the precision is the implementation's, and"
        " the rest is cut off, not rounded."),
    "second 60": (
        "a = 1990-12-31T23:59:60Z", {"a": "1990-12-31T23:59:60Z"}, None,
        "Ours. Times are those of RFC 3339, which has leap seconds; Python's"
        " datetime has none."),
    "year 0000": (
        "a = 0000-01-01", {"a": "0000-01-01"}, None,
        "Ours. RFC 3339 has years 0000 to 9999; Python's datetime begins with"
        " 0001."),
    "deep nesting": (
        "a = " + "[" * (DEPTH_MAX + 1) + "]" * (DEPTH_MAX + 1), None, ...,
        "tomllib's. TOML 1.0 has no bound; ours is [TOM-24]'s, on purpose, and"
        " tomllib's is the Python stack, some thousand levels deeper."),
}


def shown(value):
    """A tagged value of ours, moments as they are written."""
    if isinstance(value, dict) and value.keys() == {"type", "value"}:
        kind, text = value["type"], value["value"]
        return (kind, int(text)) if kind == "integer" else text
    return {key: shown(item) for key, item in value.items()}


@pytest.mark.parametrize("name", DIFFERENCES)
@pytest.mark.spec("TOM-9", "TOM-11", "TOM-15", "TOM-16", "TOM-24")
def test_known_difference(name):
    """What is listed as a difference is one."""
    text, want, other, _ = DIFFERENCES[name]
    done = run(text.encode())
    assert done.returncode == (1 if want is None else 0)
    if want is not None:
        assert shown(json.loads(done.stdout)) == want
    try:
        theirs = tomllib.loads(text)
    except ValueError:
        theirs = None
    if other is ...:
        assert theirs is not None
    elif other is None:
        assert theirs is None
    else:
        value = theirs["a"]
        assert other["a"] == (("integer", value) if type(value) is int
                              else value.isoformat())


def corpus(name):
    """The inputs of a fuzz target, and those of its past findings."""
    return [path for kind in ("corpus", "regress")
            for path in sorted((ROOT / "fuzz" / kind / name).glob("*"))]


@pytest.mark.once
@pytest.mark.long(15)
@pytest.mark.parametrize("name", ("toml", "config"))
@pytest.mark.spec("TOM-1")
def test_corpus(name):
    """Every text of the fuzzers meets one verdict, as its name says if it is
    one of ours and not one that the fuzzer found."""
    paths = corpus(name)
    assert len(paths) >= 100
    for path in paths:
        good = compare(path.read_bytes())
        if path.name.startswith(("ok_", "bad_")):
            assert path.name.startswith("ok_") == good, path


@pytest.mark.parametrize("value", STRINGS + NUMBERS + MOMENTS)
@pytest.mark.spec("TOM-1")
def test_value_that_is_valid(value):
    """Each kind of value by itself."""
    assert compare(f"a = {value}".encode())


@pytest.mark.parametrize("value", BAD)
@pytest.mark.spec("TOM-1", "TOM-11")
def test_value_that_is_not(value):
    """Each kind of bad value by itself."""
    assert not compare(f"a = {value}".encode())


@pytest.mark.spec("TOM-12")
def test_random_floats():
    """Every float is the nearest double, of any length."""
    draw = random.Random(3)
    lines = []
    for i in range(3000):
        digits = "".join(draw.choices("0123456789", k=draw.choice(
            (1, 5, 17, 30, 800))))
        lines.append(f"k{i} = {draw.randrange(10)}.{digits}"
                     f"e{draw.randrange(-345, 312)}\n")
    for i in range(1000):  # halfway between two doubles
        bits = draw.randrange(2**52, 2**53)
        lines.append(f"h{i} = {2 * bits + 1}.0e0\n")
    assert compare("".join(lines).encode())


@pytest.mark.once
@pytest.mark.spec("TOM-33", "TOM-31")
def test_big_document():
    """A document of many megabytes is read in full."""
    count = 200_000
    text = "".join(f"[t{i}]\nkey = 'value {i}'\n" for i in range(count))
    done = run(text.encode())
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert len(result) == count
    last = f"t{count - 1}"
    assert result[last]["key"] == {"type": "string",
                                   "value": f"value {count - 1}"}


@pytest.mark.parametrize("levels", (1, 2, DEPTH_MAX - 1, DEPTH_MAX,
                                    DEPTH_MAX + 1, 100_000))
@pytest.mark.spec("TOM-24")
def test_nesting(levels):
    """Every way to nest ends at the same depth."""
    good = levels <= DEPTH_MAX
    for text in ("a = " + "[" * levels + "]" * levels,
                 "a = " + "{a=" * levels + "1" + "}" * levels,
                 ".".join("a" * levels) + ".b = 1",
                 "[" + ".".join("a" * levels) + "]\nb = 1"):
        assert (decode(text.encode()) is not None) == good


@pytest.mark.spec("TOM-33", "TOM-34")
def test_exit_status():
    """The status and the streams tell success from failure."""
    done = run(b"a = 1\n")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == b'{"a":{"type":"integer","value":"1"}}\n'
    done = run(b"a = 1\nb ! 2\n")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr == (b"2:3: error: expected '=' after the key, "
                           b"found '!'\n")
    done = run(b"", "extra")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"usage: ")


@pytest.mark.parametrize("text, size", [
    (b"a = [1, 2]\r\n[b]\nc = '\xe2\x82\xac'\n", 1),
    (b"a = 1\nb = '\xe2\x82'\n", 1),
    (b"a = '" + b"x" * 70_000 + b"'\n", 32_749)])
@pytest.mark.spec("TOM-33", "TOM-34")
def test_input_in_pieces(text, size):
    """However the text arrives, it is the same text."""
    whole, pieces = run(text), run_in_pieces([str(TOOL)], text, size)
    assert (pieces.returncode, pieces.stderr) == (whole.returncode,
                                                  whole.stderr)
    assert pieces.stdout == whole.stdout


@pytest.mark.spec("TOM-33")
@pytest.mark.parametrize("lines", [1, 20_000])
def test_output_that_cannot_be_written(lines):
    """A full disk is not success."""
    text = b"".join(b"a%d = 1\n" % n for n in range(lines))
    with open("/dev/full", "wb") as full:
        done = subprocess.run([str(TOOL)], input=text, stdout=full,
                              stderr=subprocess.PIPE, timeout=LIMIT_S)
    assert done.returncode == 1
    assert done.stderr == b"toml-json: cannot write the output\n"


def test_input_that_cannot_be_read():
    directory = os.open("/", os.O_RDONLY)
    try:
        done = subprocess.run([str(TOOL)], stdin=directory,
                              capture_output=True, timeout=LIMIT_S)
    finally:
        os.close(directory)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr == b"toml-json: cannot read the input\n"


@pytest.mark.parametrize("text,said", [
    (b"#" * (3 << 20), b"cannot read the input"),
    (b"a = '" + b'"' * 700_000 + b"'\n", b"out of memory")],
    ids=["input", "output"])
def test_out_of_memory(text, said):
    """AddressSanitizer refuses a block of more than a megabyte; without it
    there is enough."""
    done = subprocess.run(
        [str(TOOL)], input=text, capture_output=True, timeout=LIMIT_S,
        env={**os.environ, "ASAN_OPTIONS":
             "max_allocation_size_mb=1:allocator_may_return_null=1",
             "UBSAN_OPTIONS": ""})
    if b"__asan_init" in TOOL.read_bytes():
        assert (done.returncode, done.stdout) == (1, b"")
        assert b"toml-json: " + said in done.stderr, done.stderr
    else:
        assert (done.returncode, done.stderr) == (0, b"")
