"""The lines that are shown below errors and warnings of a configuration."""

import re

HEAD = re.compile(r"(.+?):(\d+):(\d+): (error|warning): .+")


def shown(text):
    """As [CFG-101] says, for text that is UTF-8."""
    def one(char):
        if char == "\t":
            return "    "
        if " " <= char <= "~":
            return char
        code = ord(char)
        return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"
    return "".join(map(one, text))


def check(stderr, texts):
    """Each message has its line and caret below; texts are by path."""
    lines = stderr.splitlines()
    assert len(lines) % 3 == 0, lines
    for head, line, caret in zip(lines[::3], lines[1::3], lines[2::3]):
        found = HEAD.fullmatch(head)
        assert found, head
        row, column = int(found[2]), int(found[3])
        whole = (texts[found[1]].split("\n") + [""])[row - 1].rstrip("\r")
        number, cut = re.fullmatch(r" +(\d+) \| (.*)", line).groups()
        assert int(number) == row, line
        assert len(cut) <= 72 and cut.isascii() and cut.isprintable() \
            or cut == "", cut
        assert line.index("|") == caret.index("|"), (line, caret)
        assert re.fullmatch(r" +\| +\^", caret), caret
        at = len(caret) - (caret.index("|") + 2) - 1
        before, after = shown(whole[:column - 1]), shown(whole[column - 1:])
        assert at <= 48 and at <= len(cut), (line, caret)
        left, right = cut[:at], cut[at:]
        if left.startswith("...") and not before.startswith(left):
            left = left[3:]
            assert len(before) > len(left) > 30, line
        else:
            assert left == before, (line, before)
        assert before.endswith(left), (line, before)
        if right.endswith("...") and right != after:
            right = right[:-3]
        else:
            assert right == after, (line, after)
        assert after.startswith(right), (line, after)
