"""Name the delivered files that still hold somebody: they are the client's, and nobody edits them here."""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

import duckdb

from pipelines.erasing.plan import Plan
from pipelines.home import home
from pipelines.lake.tombstones import blotted, marked_words, salt_of
from pipelines.settings.client import Client
from pipelines.sql import file_literal, identifier, literal

_PIECE = 16 << 20


def holding(connection: duckdb.DuckDBPyConnection, client: Client, plan: Plan) -> list[str]:
    """Return the delivered files, from the data's home on, in which a word names somebody."""
    salt, words = salt_of(plan.client), frozenset(plan.words)
    folders = [home() / "exports" / client.id, *(home() / folder for folder in client.folders)]
    found: list[str] = []
    if not words:
        return found
    for file in sorted(
        {each for folder in folders for each in folder.rglob("*") if each.is_file()}
    ):
        is_table = file.suffix == ".parquet"
        if _in_table(connection, file, salt, words) if is_table else _in_text(file, salt, words):
            name = str(file.relative_to(home()) if file.is_relative_to(home()) else file)
            found.append(blotted(salt, words, name))
    return found


def _in_text(file: Path, salt: str, words: frozenset[str]) -> bool:
    texts = (piece.decode("utf-8", errors="replace") for piece in _pieces(file))
    return any(blotted(salt, words, text) != text for text in texts)


def _pieces(file: Path) -> Iterator[bytes]:
    """Yield what a file holds, unpacked, in pieces that end with a line."""
    with file.open("rb") as begun:
        is_packed = begun.read(2) == b"\x1f\x8b"
    rest = b""
    try:
        with gzip.open(file) if is_packed else file.open("rb") as content:
            while piece := content.read(_PIECE):
                whole, line_end, last = (rest + piece).rpartition(b"\n")
                yield whole + line_end
                rest = last
    except (OSError, EOFError, zlib.error):  # it is torn: what could be read was searched
        pass
    yield rest


def _in_table(
    connection: duckdb.DuckDBPyConnection, file: Path, salt: str, words: frozenset[str]
) -> bool:
    relation = f"read_parquet({file_literal(file)})"
    try:
        columns = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
        marks = f"[{', '.join(map(literal, sorted(words)))}]::TEXT[]"
        named = " OR ".join(
            f"LIST_HAS_ANY({marked_words(salt, f'{identifier(name)}::TEXT')}, {marks})"
            for name, *_ in columns
        )
        return bool(
            connection.execute(f"SELECT 1 FROM {relation} WHERE {named} LIMIT 1").fetchall()
        )
    except duckdb.Error:  # no table after all
        return _in_text(file, salt, words)
