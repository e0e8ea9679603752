"""Write a value as SQL, and read the one row of an answer."""

import re
from pathlib import Path

import duckdb

BLANKS = " \t\r\n\u00a0"


def only_row(result: duckdb.DuckDBPyConnection) -> tuple:
    """Return the one row that a query answers with, such as `SELECT COUNT(*) …`."""
    (row,) = result.fetchall()
    return row


def literal(value: str) -> str:
    """Return a text as SQL."""
    return "'" + value.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Return a name as SQL."""
    return '"' + name.replace('"', '""') + '"'


def file_literal(path: Path) -> str:
    """Return a file's path for DuckDB's readers, to which `[1]` is a pattern: `[[]1]` is not."""
    return literal(re.sub(r"([*?[])", r"[\1]", str(path)))
