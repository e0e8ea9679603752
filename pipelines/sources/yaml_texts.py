"""Write a text as YAML has it, for a line to paste."""

import json
import re


def scalar(text: str) -> str:
    """Return a text as YAML: in quotes, if it is more than words of letters."""
    is_plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9_.]*( [A-Za-z0-9_.]+)*", text)
    is_word = text.lower() in ("null", "true", "false", "yes", "no", "on", "off", "y", "n")
    return text if is_plain and not is_word else _in_quotes(text)


def is_odd(text: str) -> bool:
    """Return whether a text has what no line shows: a blank that is none, or several in a row."""
    return not text.isprintable() or "  " in text


def condition(text: str) -> str:
    """Return an SQL condition as YAML; one that YAML would take apart stands in quotes."""
    is_plain = text[:1].isalpha() or text.startswith("(")
    is_whole = is_plain and not re.search(": |:$| #|[\\n\\t]", text)
    return text if is_whole and not is_odd(text) and "`" not in text else _in_quotes(text)


def _in_quotes(text: str) -> str:
    """Return a text in quotes, so that it can be copied: what no line shows is written as its number.

    So is the mark between which messages show a line to paste.
    """
    written = re.sub("(?<= ) ", r"\\x20", json.dumps(text, ensure_ascii=False))
    written = written.replace("`", r"\x60")
    return "".join(each if each.isprintable() else f"\\U{ord(each):08X}" for each in written)
