"""Write a value as SQL."""

import re
from pathlib import Path

BLANKS = " \t\r\n\u00a0"


def literal(value: str) -> str:
    """Return a text as SQL."""
    return "'" + value.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Return a name as SQL."""
    return '"' + name.replace('"', '""') + '"'


def file_literal(path: Path) -> str:
    """Return a file's path for DuckDB's readers, to which `[1]` is a pattern: `[[]1]` is not."""
    return literal(re.sub(r"([*?[])", r"[\1]", str(path)))
