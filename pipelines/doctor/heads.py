"""Read the beginning of a file by ingest's own readers: its columns, and some of their values."""

from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from pipelines.doctor.known_names import is_known
from pipelines.ingest.remedies import setting_of
from pipelines.settings.client import Client
from pipelines.settings.exports import Export
from pipelines.sources.batches import ExportError, Reading
from pipelines.sources.files import header_lines, places, snowplow_columns, workbooks
from pipelines.sources.files.physical_lines import BLOCK, blocks
from pipelines.sources.files.plain_files import DELIMITED, kind_of
from pipelines.sources.files.reading import as_delivered, fingerprint
from pipelines.sources.files.wanted_names import Wanted

ROWS = 2_000  # of a file, by which its columns are judged
_LINES = 50  # among which the header is
_COLUMNS = 300
_TRIES = 4  # lines that a file may need to be opened at all, as its encoding


class Head(NamedTuple):
    """How a file begins: its columns, their first values, and the settings by which it opens.

    `choices` are the tables of a SQLite file, or the sheets of a workbook, of which one is to be read.
    """

    path: Path
    names: tuple[str, ...]
    values: dict[str, list[str]]
    settings: dict[str, Any]
    choices: tuple[str, ...] = ()

    def distinct(self, name: str) -> list[str]:
        """Return the values of a column, each once, in their order."""
        return list(dict.fromkeys(self.values.get(name, ())))


def heads_of(client: Client, path: Path, folder: Path) -> list[Head]:
    """Return how a file begins; each table of a SQLite file by itself. Raise ExportError if it cannot be read."""
    settings: dict[str, Any] = {}
    for _ in range(_TRIES):
        try:
            return [_head(client, path, folder, settings)]
        except ExportError as error:
            lines = [setting_of(each) for each in error.remedies if not each.below]
            if tables := [line["table"] for line in lines if "table" in line]:
                each_by_itself = (settings | {"table": str(table)} for table in tables)
                return [_head(client, path, folder, its) for its in each_by_itself]
            if len(lines) != 1 or lines[0].keys() <= settings.keys():
                raise
            settings |= lines[0]
    return []


def _head(client: Client, path: Path, folder: Path, settings: dict[str, Any]) -> Head:
    with duckdb.connect() as connection, ExitStack() as held:
        connection.execute(f"SET temp_directory = '{folder / 'spill'}'")
        file = held.enter_context(places.opened(client, path))
        changed, _ = fingerprint(file)
        link = held.enter_context(places.as_path(file, path, folder))
        if kind_of(path) == ".tsv" and _is_of_snowplow(link):
            settings = settings | {"format": "snowplow"}
        export = Export(files=path.name, **settings)
        open_as = partial(as_delivered, link, export, client.limits, changed, connection)
        with open_as(lambda reading: Wanted.all_of(_likely(reading))) as (_, rows):
            names = tuple(name for name in rows.columns if name)[:_COLUMNS]
            once = _once(rows.header or names)
        names = tuple(name for name in names if name in once)
        with open_as(lambda _: Wanted.all_of(once)) as (_, rows):
            columns = [f"({rows.columns[name]})::TEXT" for name in names]
            query = f"SELECT {', '.join(columns) or 'NULL'} FROM {rows.relation} LIMIT {ROWS}"
            found = connection.execute(query).fetchall()
    texts = {
        name: [text for row in found if (text := (row[place] or "").strip())]
        for place, name in enumerate(names)
    }
    return Head(path, names, texts, settings)


def _is_of_snowplow(path: Path) -> bool:
    """Return whether a file's first line has as many values as Snowplow's events, and is no header."""
    first = next(blocks(path), b"").partition(b"\n")[0]
    values = first.decode(errors="replace").rstrip("\r").split("\t")
    return len(values) == len(snowplow_columns.COLUMNS) and not _known_in(values)


def _likely(reading: Reading) -> set[str]:
    """Return the names in what is most likely the header of a text or a workbook."""
    kind = kind_of(reading.path)
    if kind == ".xlsx":
        tops = [row for rows in workbooks.tops(reading.path).values() for row in rows]
        return _once(map(str.strip, max(tops, key=_known_in, default=[])))
    if kind in DELIMITED:
        lines = next(blocks(reading.path), b"")[:BLOCK].splitlines()[:_LINES]
        texts = [line.decode("utf-8-sig", errors="replace") for line in lines]
        split = [header_lines.values(text, mark) for text in texts for mark in header_lines.MARKS]
        best = max(split, key=_known_in, default=[])
        if _known_in(best):
            return _once(best)
        first = next(filter(str.strip, texts), "")
        widest = max((header_lines.values(first, mark) for mark in header_lines.MARKS), key=len)
        return _once(widest)
    return set()


def _once(names: Iterable[str]) -> set[str]:
    """Return the names that are there once: one that is there twice can be read as neither."""
    return {name for name, count in Counter(names).items() if name and count == 1}


def _known_in(names: Iterable[str]) -> int:
    return sum(map(is_known, set(names)))
