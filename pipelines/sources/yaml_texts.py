"""Write a text as YAML has it, for a line to paste."""

import json
import re


def scalar(text: str) -> str:
    """Return a text as YAML: in quotes, if it is more than words of letters."""
    is_plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9_.]*( [A-Za-z0-9_.]+)*", text)
    is_word = text.lower() in ("null", "true", "false", "yes", "no", "on", "off", "y", "n")
    return text if is_plain and not is_word else json.dumps(text, ensure_ascii=False)


def condition(text: str) -> str:
    """Return an SQL condition as YAML; one that YAML would take apart stands in quotes."""
    is_plain = text[:1].isalpha() or text.startswith("(")
    is_whole = is_plain and not re.search(": |:$| #|[\\n\\t]", text)
    return text if is_whole else json.dumps(text, ensure_ascii=False)
