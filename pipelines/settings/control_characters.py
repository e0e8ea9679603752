"""Find characters in a client's file that no name, and no SQL, can hold."""

import re
import unicodedata
from collections.abc import Iterator

# A weight is SQL, which may be written in several lines.
_SEVERAL_LINES = "attribution.custom."

# What an export calls its columns is not ours to choose: a name may hold a tab, or end its line.
_OF_AN_EXPORT = re.compile(r"sources\.\w+\.\w+\.(columns|properties|where|ordered_by)\b")


def control_characters(settings: object) -> str:
    """Return what is wrong with the texts of a client's file, keys and values alike; '' if nothing is.

    Of `channels: [{channel: "a\\0b"}]`: `channels.0.channel: it holds the control character U+0000 …`.
    """
    problems = []
    for key, text in _texts(settings, "", set()):
        if found := [each for each in text if _is_control(each) and not _may_be(each, key)]:
            problems.append(
                f"{''.join('?' if _is_control(each) else each for each in key)}: it holds the control"
                f" character U+{ord(found[0]):04X}; write it on one line, without such characters"
            )
    return "; ".join(problems)


def _may_be(character: str, key: str) -> bool:
    """Return whether what is under a key may hold a control character."""
    if _OF_AN_EXPORT.match(key):
        return character != "\0" and unicodedata.category(character) != "Cs"
    return character in "\n\t" and key.startswith(_SEVERAL_LINES)


def _is_control(character: str) -> bool:
    """Return whether a character is a control, half of a pair, or the end of a line."""
    return unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")


def _texts(value: object, key: str, seen: set[int]) -> Iterator[tuple[str, str]]:
    """Yield every text, with the key under which it is; what YAML repeats by an alias, once."""
    if isinstance(value, str):
        yield key, value
    if not isinstance(value, dict | list) or id(value) in seen:
        return
    seen.add(id(value))
    for name, part in value.items() if isinstance(value, dict) else enumerate(value):
        below = f"{key}.{name}" if key else str(name)
        if isinstance(name, str):
            yield below, name
        yield from _texts(part, below, seen)
