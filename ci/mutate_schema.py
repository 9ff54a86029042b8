"""All mutants of some sources in one text: mutant schemata.

Each mutant of an expression or a statement stands beside the original, and a
number that the program is given at its start (ci/mutate_fork.c) says which of
them is carried out: none, or one. So a program is built once for thousands of
mutants. The smallest part that has all of a change in it is a region:

  statement   a; becomes { if (none of these) { a; } else if ... }
  condition   of if, while, do, for, as !!(a) ? :, as every scalar may be one
  value       of switch, of a declaration with an initializer, of an element
              between its braces: (a) ? :, whose type must be that of all
  step        the third part of a for, likewise, whose value nobody wants

What is in no region (macros, tables, labels of cases, sizes of arrays), and
what does not compile so, has to be built by itself.
"""

import dataclasses
import pathlib
import re
import subprocess
import tempfile

from mutants import Source, mutants_of

# As many of a source at most.
MUTANTS = 1000
REGIONS = 500
# Mutants have lines of their own, by which the compiler tells of them.
LINES = 1000000
PREFIX = (
    "extern int lbp_mutant; extern unsigned char lbp_seen[];"
    "\n#define LBP_AT(region, first, last)"
    " (lbp_seen[region] = 1,"
    " (unsigned)lbp_mutant - (first) <= (unsigned)(last) - (first))"
)


@dataclasses.dataclass
class Region:
    """A part of a source, of which there is a copy for each mutant in it."""

    kind: str
    start: int
    end: int
    mutants: list = dataclasses.field(default_factory=list)
    number: int = 0


class Regions(Source):
    """The regions of a source, in the order of the text."""

    def __init__(self, path, text):
        super().__init__(path, text, {})
        self.regions = []
        self.scan()

    def add(self, kind, first, last):
        """A region from token first to token last."""
        if first <= last:
            self.regions.append(
                Region(kind, self.tokens[first].start, self.tokens[last].end)
            )

    def _function(self, first, body):
        i = body + 1
        while i < self.match[body]:
            i = self._part(i)

    def _values(self, first, last):
        """Of what stands outside of functions nothing can be chosen."""

    _swaps = _values

    def _macros(self):
        """Nor of macros."""

    def _part(self, i):
        """Collects the regions of the statement at i; where the next is."""
        word = self.tokens[i].text
        if word == "{":
            return self._braces(i)
        if word in ("if", "while", "switch"):
            kind = "value" if word == "switch" else "condition"
            self.add(kind, i + 2, self.match[i + 1] - 1)
            i = self._part(self.match[i + 1] + 1)
            if word == "if" and self.is_at(i, "else"):
                i = self._part(i + 1)
            return i
        if word == "do":
            i = self._part(i + 1)
            self.add("condition", i + 2, self.match[i + 1] - 1)
            return self.match[i + 1] + 2
        if word == "for":
            return self._for(i + 1)
        if word in ("case", "default"):
            return self._until(i, ":") + 1
        if self.is_at(i + 1, ":"):
            return i + 2
        return self._simple(i)

    def _braces(self, opening):
        i = opening + 1
        while i < self.match[opening]:
            i = self._part(i)
        return self.match[opening] + 1

    def _for(self, opening):
        first = self._until(opening + 1, ";")
        second = self._until(first + 1, ";")
        if self._is_declaration(opening + 1):
            self._declaration(opening + 1, first)
        else:
            self.add("step", opening + 1, first - 1)
        self.add("condition", first + 1, second - 1)
        self.add("step", second + 1, self.match[opening] - 1)
        return self._part(self.match[opening] + 1)

    def _simple(self, i):
        end = self._until(i, ";")
        if self._is_declaration(i):
            self._declaration(i, end)
        elif self.is_at(end, ";"):
            self.add("statement", i, end)
        return end + 1

    def _declaration(self, i, end):
        """The initializers between two tokens."""
        if self.is_at(i, "static"):
            return
        while i < end:
            if self.is_at(i, "="):
                i = self._initializer(i + 1, end)
            elif self.is_at(i, "(", "[", "{"):
                i = self.match[i] + 1
            else:
                i += 1

    def _initializer(self, i, end):
        """One that begins at token i, up to a comma or the end."""
        if self.is_at(i, "{"):
            self._elements(i)
            return self.match[i] + 1
        last = i
        while last < end and not self.is_at(last, ","):
            last = self.match[last] if self.is_at(last, "(", "[", "{") else last
            last += 1
        self.add("value", i, last - 1)
        return last

    def _elements(self, opening):
        i = opening + 1
        end = self.match[opening]
        while i < end:
            while self.is_at(i, ".", "["):
                i = self.match[i] + 1 if self.is_at(i, "[") else i + 2
            i = self._initializer(i + self.is_at(i, "="), end) + 1


def one_line(text):
    """Code without comments and ends of lines."""
    text = re.sub(r"/\*.*?\*/|\\\n", " ", text, flags=re.S)
    return " ".join(row.strip() for row in text.splitlines())


class Schema:
    """A source with its mutants in it."""

    def __init__(self, path, text, mutants, first, region):
        """first, region: the first numbers of its mutants and regions."""
        last = region + REGIONS
        self.path = path
        self.text = text
        self.number = {}  # id of a mutant -> its number
        self.mutants = {}  # its number -> the mutant
        self.region_of = {}  # id of a mutant -> the number of its region
        self.regions = []
        for one in Regions(path, text).regions:
            one.mutants = [
                m for m in mutants if one.start <= m.start and m.end <= one.end
            ]
            if not one.mutants:
                continue
            one.number = region
            region += 1
            self.regions.append(one)
            for mutant in one.mutants:
                self.number[mutant.id] = first
                self.mutants[first] = mutant
                self.region_of[mutant.id] = one.number
                first += 1
        if region > last or len(self.number) > MUTANTS:
            raise ValueError(f"{path}: more mutants than there are numbers")

    def drop(self, lines):
        """Takes out what the compiler complained of, given the lines that it
        named; whether there was anything."""
        gone = {line - LINES for line in lines if line >= LINES}
        for one in self.regions:
            first = self.text.count("\n", 0, one.start) + 1
            last = self.text.count("\n", 0, one.end) + 1
            if any(first <= line <= last for line in lines) and not any(
                self.number[m.id] in gone for m in one.mutants
            ):
                gone |= {self.number[m.id] for m in one.mutants}
        known = {n for n in gone if n in self.mutants}
        for number in known:
            mutant = self.mutants.pop(number)
            del self.number[mutant.id]
            del self.region_of[mutant.id]
        for one in self.regions:
            one.mutants = [m for m in one.mutants if m.id in self.number]
        return bool(known)

    def source(self):
        """The text to compile."""
        out = []
        at = 0
        for one in self.regions:
            if one.mutants:
                out += [self.text[at : one.start], self._shown(one)]
                at = one.end
        name = self.path.rsplit("/", 1)[-1]
        return f'{PREFIX}\n#line 1 "{name}"\n' + "".join(out) + self.text[at:]

    def _shown(self, one):
        """A region with its copies."""
        numbers = [self.number[m.id] for m in one.mutants]
        here = f"LBP_AT({one.number}, {min(numbers)}, {max(numbers)})"
        whole = self.text[one.start : one.end]
        last = self.text.count("\n", 0, one.end) + 1
        copies = []
        for number, mutant in zip(numbers, one.mutants):
            changed = mutant.apply(self.text)
            end = one.end + len(changed) - len(self.text)
            copies.append((number, one_line(changed[one.start : end])))
        if one.kind == "statement":
            rows = [
                f"\n#line {LINES + n}\nelse if (lbp_mutant == {n}) {{ {copy} }}"
                for n, copy in copies
            ]
            # What a number in between stands for has been taken out.
            return (
                f"{{ if (!{here}) {{ {whole} }}" + "".join(rows)
                + f"\n#line {last}\n}}"
            )
        left, right = {
            "condition": ("!!(", ")"),
            "value": ("(", ")"),
            "step": ("(void)(", ")"),
        }[one.kind]
        rows = [
            f"\n#line {LINES + n}\nlbp_mutant == {n} ? {left}{copy}{right} :"
            for n, copy in copies
        ]
        return (
            f"(!{here} ? {left}{whole}{right} :" + "".join(rows)
            + f"\n#line {last}\n{left}{one_line(whole)}{right})"
        )


def schemata(found):
    """Path -> the schema of a source; found: path -> (text, its mutants).
    Each has a block of numbers, so that a change of one leaves the others."""
    paths = sorted(path for path in found if path.endswith(".c"))
    return {
        path: Schema(path, *found[path], 1 + i * MUTANTS, 1 + i * REGIONS)
        for i, path in enumerate(paths)
    }


# Every kind of region; what it prints tells each mutant from the others.
SAMPLE = r"""
#include <stdio.h>
struct pair {
	int first;
	const char *second;
};
static int sum(int a, int b)
{
	struct pair pair = {.first = a + 1, .second = a < b ? "less" : "more"};
	int up = a * 2, down = b - 1;
	char two[2] = {0, 1};

	for (int i = 3; i < 9; i++)
		up += i;
	do {
		down--;
	} while (down > 2 && up != 0);
	switch (a & 3) {
	case 1:
		up += two[1];
		break;
	default:
		goto out;
	}
	if (up == 4)
		return 1;
	else
		up--;
out:
	printf("%d %d %d %s\n", up, down, pair.first, pair.second);
	return up + down;
}
int main(void)
{
	printf("%d %d %d\n", sum(1, 2), sum(2, 9), sum(5, 5));
	return 0;
}
"""
MAIN = """
#include <stdlib.h>
int lbp_mutant;
unsigned char lbp_seen[65536];
__attribute__((constructor)) static void start(void)
{
	lbp_mutant = atoi(getenv("LBP_MUTANT"));
}
"""


def selftest():
    """Whether each mutant of a sample does with the others around it what it
    does alone; what is wrong."""
    mutants = list(mutants_of("sample.c", SAMPLE, {}))
    schema = Schema("sample.c", SAMPLE, mutants, 1, 1)
    with tempfile.TemporaryDirectory(prefix="lbp-mutate-") as name:
        path = pathlib.Path(name)

        def built(source, *more):
            (path / "sample.c").write_text(source)
            line = ["gcc", "-w", "-fwrapv", "sample.c", *more, "-o", "sample"]
            subprocess.run(line, cwd=path, check=True, capture_output=True)

        def told(number):
            done = subprocess.run(
                ["sh", "-c", "ulimit -t 1; ulimit -f 64; ./sample"],
                cwd=path,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={"LBP_MUTANT": str(number)},
                check=False,
            )
            return done.returncode, done.stdout

        (path / "main.c").write_text(MAIN)
        built(schema.source(), "main.c")
        together = {m.id: told(n) for n, m in schema.mutants.items()}
        faults = [] if len(together) > 60 else ["too few mutants"]
        for mutant in schema.mutants.values():
            built(mutant.apply(SAMPLE))
            # An endless one is cut somewhere.
            alone = told(0)
            if alone != together[mutant.id] and alone[0] == 0:
                faults.append(mutant.id)
    return faults
