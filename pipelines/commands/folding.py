"""Fold lines for a terminal at their words, so that what is to be copied stays in one piece.

A line to paste, which stands between backquotes, and a command such as `make accept CLIENT=acme` are
words that are not folded: one that is longer than the terminal is folded by that, and is copied whole.
"""

import re

_WORDS = re.compile(r"(\s*)(\S*`[^`]*`\S*|make [a-z-]+(?: [A-Z]+=\S+)+|\S+)")
_INDENT = "  "  # of the lines that go on


def folded(text: str, width: int) -> str:
    """Return a text of one or several lines, none longer than a width, but for words that are."""
    return "\n".join(_folded(line, width) for line in text.split("\n"))


def _folded(line: str, width: int) -> str:
    if len(line) <= width:
        return line
    lines, indent = [""], line[: len(line) - len(line.lstrip())] + _INDENT
    for space, word in _WORDS.findall(line):
        if lines[-1].strip() and len(lines[-1]) + len(space) + len(word) > width:
            lines.append(indent + word)
        else:
            lines[-1] += space + word
    return "\n".join(lines)
