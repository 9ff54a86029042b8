"""The mutants of a C source file: small changes that a test should notice.

Works on tokens: comments and preprocessor lines stay as they are, except for
the numbers and strings of object-like macros and the rows of a table that is
a macro, NAME_MAP(X). Outside of functions only initializers are changed. Never
changed are the arguments of assert, of sizeof and of _Static_assert, array
designators, and declarations as a whole.

Kinds of mutants, as they stand in their ids:
  rel  relational operator        log  && and ||
  ari  arithmetic operator        bit  bitwise operator
  inc  ++ and --                  una  unary !, ~ or - taken away
  num  number, one more or less   chr  character, the next one
  enu  constant of an enum, or true and false, to the next one
  con  whole condition to 0 or 1  cls  operand of && or || to its neutral value
  del  statement deleted          ret  another value returned
  str  one letter of a string     swp  two strings of a table, of one column
                                       and next to each other, swapped
A loop's condition is not made 1: a loop without an end dies at any test.
"""

import dataclasses
import hashlib
import re

# One token of each kind; what no kind matches is white space.
TOKENS = re.compile(
    r"""
    (?P<comment>/\*.*?\*/|//[^\n]*)
    |(?P<pre>(?<![^\n])[ \t]*\#(?:[^\n\\]|\\.)*)
    |(?P<str>(?:u8|[uUL])?"(?:[^"\\\n]|\\.)*")
    |(?P<chr>(?:[uUL])?'(?:[^'\\\n]|\\.)+')
    |(?P<num>\.?[0-9](?:[eEpP][+-]|[\w.])*)
    |(?P<id>[A-Za-z_]\w*)
    |(?P<op>\.\.\.|<<=|>>=|->|\+\+|--|<<|>>|[<>=!]=|&&|\|\||[-+*/%&|^]=|[^\s])
    """,
    re.S | re.X,
)
STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')
# What stays in a string: escapes, and conversions of printf.
FIXED = re.compile(
    r"\\(?:x[0-9a-fA-F]+|[0-7]{1,3}|.)"
    r"|%[-+ #0']*(?:\*|[0-9]+)?(?:\.(?:\*|[0-9]*))?(?:hh|h|ll|l|z|j|t)?"
    r"[a-zA-Z%]"
)
INTEGER = re.compile(r"(0[xX][0-9a-fA-F]+|[0-9]+)([uUlL]*)")
PAIRS = {"(": ")", "[": "]", "{": "}"}
SWAPS = {
    "rel": {
        "<": ("<=", ">="),
        "<=": ("<", ">"),
        ">": (">=", "<="),
        ">=": (">", "<"),
        "==": ("!=",),
        "!=": ("==",),
    },
    "log": {"&&": ("||",), "||": ("&&",)},
    "ari": {
        "+": ("-",),
        "-": ("+",),
        "*": ("/",),
        "/": ("*",),
        "%": ("/",),
        "+=": ("-=",),
        "-=": ("+=",),
        "*=": ("/=",),
        "/=": ("*=",),
        "%=": ("/=",),
    },
    "bit": {
        "&": ("|",),
        "|": ("&",),
        "^": ("&",),
        "<<": (">>",),
        ">>": ("<<",),
        "&=": ("|=",),
        "|=": ("&=",),
        "^=": ("&=",),
        "<<=": (">>=",),
        ">>=": ("<<=",),
    },
    "inc": {"++": ("--",), "--": ("++",)},
}
ASSIGNMENTS = set("= += -= *= /= %= &= |= ^= <<= >>=".split())
TYPE_WORDS = set(
    "void char short int long float double signed unsigned bool _Bool struct"
    " union enum const volatile static inline extern register auto typedef"
    " restrict FILE".split()
)
KEYWORDS = TYPE_WORDS | set(
    "if else for while do switch case default break continue goto return"
    " sizeof".split()
)
INTEGER_TYPES = re.compile(
    r"(u?int(8|16|32|64|ptr|max)?_t|s?size_t|ptrdiff_t|time_t|int|unsigned"
    r"|long|short|char|double|signed)"
)
UNTOUCHED_CALLS = {"assert", "sizeof", "_Static_assert", "static_assert"}


@dataclasses.dataclass(frozen=True)
class Token:
    """A token that may be changed or that gives structure."""

    kind: str
    text: str
    start: int

    @property
    def end(self):
        """Where the next one may begin."""
        return self.start + len(self.text)


@dataclasses.dataclass(frozen=True)
class Mutant:
    """One change of one file."""

    id: str  # stem:line:column:kind and number
    path: str  # relative to the tree
    line: int
    function: str
    start: int
    end: int
    text: str  # what stands there instead
    before: str  # the source lines concerned, without the change
    after: str  # and with it
    key: str  # names it in a waiver, whatever its line number is

    def apply(self, source):
        """The changed source."""
        return source[: self.start] + self.text + source[self.end :]


def enums_of(texts):
    """Enumerator -> (tag, all enumerators of its enum), from C sources.

    An enum may be written out or be made by a macro NAME_MAP(X), whose lines
    are X(ENUMERATOR, ...).
    """
    found = {}
    for text in texts:
        text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
        maps = {}
        for macro in re.finditer(
            r"#define\s+(\w+_MAP)\((\w+)\)((?:[^\n\\]|\\.)*)", text, re.S
        ):
            maps[macro[1]] = re.findall(rf"\b{macro[2]}\((\w+)", macro[3])
        for enum in re.finditer(r"\benum\s+(\w+)\s*\{([^}]*)\}", text):
            names = re.findall(r"(?:^|,)\s*([A-Z]\w*)\s*(?=[,=]|$)", enum[2])
            for name in re.findall(r"(\w+_MAP)\(", enum[2]):
                names = maps.get(name, [])
            for name in names:
                found[name] = (enum[1], names)
    return found


class Source:
    """A C file as tokens, with the places that matter in it."""

    def __init__(self, path, text, enums):
        self.path = path
        self.text = text
        self.enums = enums
        self.tokens = []
        self.macros = []
        for match in TOKENS.finditer(text):
            token = Token(match.lastgroup, match[0], match.start())
            if token.kind == "pre":
                self.macros.append(token)
            elif token.kind != "comment":
                self.tokens.append(token)
        self.match = {}  # index of a bracket -> index of its partner
        self.frozen = set()  # indices of tokens that stay
        self.function = ""
        self.changes = []  # (kind, start, end, new text, function)
        self._pair()
        self._freeze()

    def is_at(self, i, *texts):
        """Whether token i is one of these."""
        return 0 <= i < len(self.tokens) and self.tokens[i].text in texts

    def _pair(self):
        stack = []
        for i, token in enumerate(self.tokens):
            if token.kind == "op" and token.text in PAIRS:
                stack.append(i)
            elif token.kind == "op" and token.text in PAIRS.values():
                first = stack.pop()
                if PAIRS[self.tokens[first].text] != token.text:
                    raise ValueError(f"{self.path}: brackets do not match")
                self.match[first] = i
                self.match[i] = first
        if stack:
            raise ValueError(f"{self.path}: a bracket is not closed")

    def _freeze(self):
        for i, token in enumerate(self.tokens):
            call = token.text in UNTOUCHED_CALLS and self.is_at(i + 1, "(")
            designator = token.text == "[" and self.is_at(i - 1, "{", ",")
            if call:
                self.frozen.update(range(i, self.match[i + 1] + 1))
            elif designator:
                self.frozen.update(range(i, self.match[i] + 1))

    def change(self, kind, first, last, text):
        """Puts text in the place of tokens first to last."""
        if self.frozen.isdisjoint(range(first, last + 1)):
            start = self.tokens[first].start
            end = self.tokens[last].end
            # Lines below keep their numbers.
            text += "\n" * self.text.count("\n", start, end)
            self.changes.append((kind, start, end, text, self.function))

    # --- the file ---------------------------------------------------------

    def scan(self):
        """Collects the changes of the whole file."""
        i = 0
        first = 0  # token of the declaration that i is in
        while i < len(self.tokens):
            if self.is_at(i, "{") and self.is_at(i - 1, ")"):
                self._function(first, i)
            elif self.is_at(i, "{") and self.is_at(i - 1, "="):
                self.function = "table"
                self._values(i, self.match[i])
                self._swaps(i, self.match[i])
            if self.is_at(i, "{", "(", "["):
                i = self.match[i]
            if self.is_at(i, ";", "}"):
                first = i + 1
            i += 1
        self._macros()

    def _function(self, first, body):
        opening = self.match[body - 1]
        self.function = self.tokens[opening - 1].text
        words = [
            token.text
            for token in self.tokens[first : opening - 1]
            if token.text not in ("static", "inline", "const")
        ]
        self._block(body, words)
        self._values(body, self.match[body])
        for i in range(body + 1, self.match[body]):
            if self.is_at(i, "{") and self.is_at(i - 1, "="):
                self._swaps(i, self.match[i])

    def _macros(self):
        self.function = "macro"
        for macro in self.macros:
            self._map(macro)
            define = re.match(r"[ \t]*#[ \t]*define\s+\w+(?=\s)", macro.text)
            if define is None:
                continue
            for found in STRING.finditer(macro.text, define.end()):
                self._letter(macro.start + found.start(), found[0])
            for found in TOKENS.finditer(macro.text, define.end()):
                if found.lastgroup == "num":
                    start = macro.start + found.start()
                    for text in near_numbers(found[0]):
                        self.changes.append(
                            ("num", start, start + len(found[0]), text, "macro")
                        )

    # --- strings ----------------------------------------------------------

    def _map(self, macro):
        """The texts of a table that is a macro."""
        define = re.match(r"[ \t]*#[ \t]*define\s+\w+_MAP\(\w+\)", macro.text)
        if define is None:
            return
        columns = {}
        for row in re.finditer(r"\b\w+\(((?:[^()\"]|\"[^\"]*\")*)\)", macro.text):
            if row.start() < define.end():
                continue
            for column, found in enumerate(STRING.finditer(row[1])):
                start = macro.start + row.start(1) + found.start()
                self._letter(start, found[0])
                columns.setdefault(column, []).append((start, found[0]))
        for texts in columns.values():
            self._swap_neighbours(texts)

    def _letter(self, start, literal):
        """Changes the letter in the middle of a string that is printed."""
        fixed = [found.span() for found in FIXED.finditer(literal)]
        letters = [
            i
            for i, letter in enumerate(literal)
            if letter.isascii()
            and letter.isalnum()
            and not any(first <= i < last for first, last in fixed)
        ]
        if letters:
            i = letters[len(letters) // 2]
            other = {"z": "a", "Z": "A", "9": "0"}.get(literal[i])
            other = other or chr(ord(literal[i]) + 1)
            self.changes.append(
                ("str", start + i, start + i + 1, other, self.function)
            )

    def _swap_neighbours(self, texts):
        """Swaps each (start, string) with the next one."""
        for (one, first), (two, second) in zip(texts, texts[1:]):
            between = self.text[one + len(first) : two]
            self.changes.append(
                ("swp", one, two + len(second), second + between + first,
                 self.function)
            )

    def _swaps(self, first, last):
        """Strings of an initializer that can change places: the elements of
        an array of strings, or one column of an array of structures."""
        columns = {}
        open_at = []
        for i in range(first, last + 1):
            if self.is_at(i, "{", "(", "["):
                open_at.append([i, 0])
            elif self.is_at(i, "}", ")", "]"):
                open_at.pop()
            elif self.is_at(i, ","):
                open_at[-1][1] += 1
            token = self.tokens[i]
            if (
                token.kind != "str"
                or i in self.frozen
                or not self.is_at(i - 1, "{", ",", "=")
                or not self.is_at(i + 1, "}", ",")
            ):
                continue
            column = open_at[-1][1] if len(open_at) > 1 else None
            key = (len(open_at), column)
            columns.setdefault(key, []).append((token.start, token.text))
        for texts in columns.values():
            self._swap_neighbours(texts)

    # --- statements -------------------------------------------------------

    def _block(self, opening, returned):
        i = opening + 1
        while i < self.match[opening]:
            i = self._statement(i, returned)

    def _condition(self, opening, values):
        self._to_constants(opening + 1, self.match[opening] - 1, values)

    def _to_constants(self, first, last, values=("0", "1")):
        if first > last:
            return  # for (;;)
        if first == last and self.tokens[first].text in ("0", "1", "true"):
            return
        for value in values:
            self.change("con", first, last, value)

    def _statement(self, i, returned):
        """Collects what is in the statement at i; where the next begins."""
        word = self.tokens[i].text
        if word == "{":
            self._block(i, returned)
            return self.match[i] + 1
        if word in ("if", "while", "switch"):
            if word != "switch":
                self._condition(i + 1, ("0", "1") if word == "if" else ("0",))
            i = self._statement(self.match[i + 1] + 1, returned)
            if word == "if" and self.is_at(i, "else"):
                i = self._statement(i + 1, returned)
            return i
        if word == "do":
            i = self._statement(i + 1, returned)
            self._condition(i + 1, ("0",))
            return self.match[i + 1] + 2
        if word == "for":
            self._loop_header(i + 1)
            return self._statement(self.match[i + 1] + 1, returned)
        if word == "case":
            return self._until(i, ":") + 1
        if self.is_at(i + 1, ":"):
            return i + 2
        end = self._until(i, ";")
        if word == "return":
            self._return(i + 1, end - 1, returned)
        if word != ";" and not (word == "return" and end > i + 1):
            if not self._is_declaration(i):
                self.change("del", i, end - 1, "")
        return end + 1

    def _loop_header(self, opening):
        middle = self._until(opening + 1, ";")
        self._to_constants(
            middle + 1, self._until(middle + 1, ";") - 1, ("0",)
        )

    def _until(self, i, text):
        """The first such token from i on, outside of brackets; or the end
        of the block, which closes what a macro left without a semicolon."""
        while not self.is_at(i, text, "}"):
            i = self.match[i] if self.is_at(i, "(", "[", "{") else i
            i += 1
        return i

    def _is_declaration(self, i):
        first = self.tokens[i]
        if first.text in TYPE_WORDS or first.text in UNTOUCHED_CALLS:
            return True
        if first.kind != "id" or first.text in KEYWORDS:
            return False
        i += 1
        # STACK_OF(X509) *chain
        is_macro = self.is_at(i, "(") and self.is_at(self.match[i] + 1, "*")
        i = self.match[i] + 1 if is_macro else i
        while self.is_at(i, "*"):
            i += 1
        return self.tokens[i].kind == "id"

    def _return(self, first, last, returned):
        if first > last:
            return
        value = self.tokens[first].text if first == last else None
        if "*" in returned:
            others = [] if value == "NULL" else ["NULL"]
        elif "enum" in returned:
            others = self._other_enumerators(returned, value)
        elif "bool" in returned:
            others = [v for v in ("true", "false") if v != value]
        elif any(INTEGER_TYPES.fullmatch(word) for word in returned):
            number = first == last and self.tokens[first].kind == "num"
            others = [] if number else ["0", "1"]
        else:
            others = []
        for other in others:
            self.change("ret", first, last, other)

    def _other_enumerators(self, returned, value):
        tag = returned[returned.index("enum") + 1]
        names = next((n for t, n in self.enums.values() if t == tag), [])
        if value not in names:
            return names[:2]
        after = names[(names.index(value) + 1) % len(names)]
        return list(dict.fromkeys(n for n in (names[0], after) if n != value))

    # --- expressions ------------------------------------------------------

    def _values(self, first, last):
        """Every operator and constant between two tokens."""
        for i in range(first, last + 1):
            token = self.tokens[i]
            if token.kind == "num":
                for text in near_numbers(token.text):
                    self.change("num", i, i, text)
            elif token.kind == "chr":
                self.change("chr", i, i, f"({token.text} + 1)")
            elif token.kind == "str" and i not in self.frozen:
                self._letter(token.start, token.text)
            elif token.kind == "id":
                self._constant(i)
            elif token.kind == "op":
                self._operator(i)

    def _constant(self, i):
        name = self.tokens[i].text
        if name in ("true", "false"):
            names = ["true", "false"]
        elif name in self.enums:
            names = self.enums[name][1]
        else:
            return
        if self.is_at(i - 1, "return") and self.is_at(i + 1, ";"):
            return  # another value is returned already
        self.change("enu", i, i, names[(names.index(name) + 1) % len(names)])

    def _operator(self, i):
        text = self.tokens[i].text
        if text == "?":
            self._to_constants(self._operand_start(i), i - 1)
        if text in ("&&", "||"):
            neutral = "1" if text == "&&" else "0"
            self._clause(self._operand_start(i), i - 1, neutral)
            self._clause(i + 1, self._operand_end(i), neutral)
        if text in "!~-" and self._is_unary(i):
            self.change("una", i, i, "")
        elif text in "*&+-" and self._is_unary(i):
            return
        else:
            for kind, swaps in SWAPS.items():
                for other in swaps.get(text, ()):
                    self.change(kind, i, i, other)

    def _clause(self, first, last, neutral):
        if first != last or self.tokens[first].text not in ("0", "1"):
            self.change("cls", first, last, neutral)

    def _is_unary(self, i):
        before = self.tokens[i - 1]
        if before.kind in ("num", "chr", "str"):
            return False
        if before.kind == "id":
            return before.text in KEYWORDS
        if before.text == ")":
            return self._is_cast(self.match[i - 1], i - 1)
        return before.text != "]"

    def _is_cast(self, opening, closing):
        inside = self.tokens[opening + 1 : closing]
        return (
            self.tokens[opening - 1].kind != "id"
            and all(t.kind == "id" or t.text == "*" for t in inside)
            and any(
                t.text in TYPE_WORDS or t.text.endswith("_t") for t in inside
            )
        )

    def _stops(self, i, operator):
        """Whether the token at i ends an operand of the operator."""
        text = self.tokens[i].text
        if text in ASSIGNMENTS or text in (",", ";", "?", ":", "return"):
            return True
        if text in ("(", "[", "{", ")", "]", "}"):
            return True
        return (text == "||" and operator != "?") or (
            text == "&&" and operator == "&&"
        )

    def _operand_start(self, operator):
        """The first token of what stands left of ?, && or ||."""
        i = operator
        while True:
            if self.is_at(i - 1, ")", "]"):
                i = self.match[i - 1]
            elif self._stops(i - 1, self.tokens[operator].text):
                return i
            else:
                i -= 1

    def _operand_end(self, operator):
        """The last token of what stands right of && or ||."""
        i = operator + 1
        while True:
            if self.is_at(i, "(", "["):
                i = self.match[i] + 1
            elif self._stops(i, self.tokens[operator].text):
                return i - 1
            else:
                i += 1


def near_numbers(text):
    """An integer literal, one more and one less; nothing for a float."""
    found = INTEGER.fullmatch(text)
    if found is None:
        return []
    digits = found[1]
    is_hex = digits[:2] in ("0x", "0X")
    is_octal = not is_hex and len(digits) > 1 and digits[0] == "0"
    value = int(digits, 16 if is_hex else 8 if is_octal else 10)
    near = [value + 1] if value == 0 else [value + 1, value - 1]
    shown = "0x{:x}" if is_hex else "0{:o}" if is_octal else "{}"
    return [shown.format(number) + found[2] for number in near]


def lines_around(text, start, end):
    """The whole lines from start to end."""
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", end)
    return text[first : last if last >= 0 else len(text)]


def plain(text):
    """The same code with single spaces."""
    return " ".join(text.split())


def mutants_of(path, text, enums):
    """Every mutant of a file, in the order of the text.

    path: relative to the tree; enums: see enums_of.
    """
    source = Source(path, text, enums)
    source.scan()
    name = path.rsplit("/", 1)[-1]
    stem = name[:-2] if name.endswith(".c") else name
    seen = {}
    counts = {}
    keys = {}
    for change in sorted(source.changes, key=lambda c: (c[1], -c[2], c[0])):
        kind, start, end, new, function = change
        if (start, end, new) in seen or text[start:end] == new:
            continue
        seen[start, end, new] = True
        line = text.count("\n", 0, start) + 1
        column = start - text.rfind("\n", 0, start)
        place = f"{stem}:{line}:{column}:{kind}"
        counts[place] = counts.get(place, 0) + 1
        before = lines_around(text, start, end)
        changed = text[:start] + new + text[end:]
        after = lines_around(changed, start, start + len(new))
        context = "\0".join((stem, function, plain(before), plain(after)))
        keys[context] = keys.get(context, 0) + 1
        context += f"\0{keys[context]}"
        yield Mutant(
            id=f"{place}{counts[place]}",
            path=path,
            line=line,
            function=function,
            start=start,
            end=end,
            text=new,
            before=before,
            after=after,
            key=hashlib.sha256(context.encode()).hexdigest()[:12],
        )
