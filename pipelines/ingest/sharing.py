"""Name the clients that read from one place, or deliver one content: a slip of copy and paste."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path

import duckdb

from pipelines.files import write_atomically
from pipelines.home import lake_folder
from pipelines.ingest.load_counts import ROWS_THAT_COUNT
from pipelines.ingest.source_log import SourceLog
from pipelines.lake.append import source_folder
from pipelines.settings.client import Client
from pipelines.settings.exports import Export
from pipelines.settings.reader import named_by_files
from pipelines.sources.batches import Batch
from pipelines.sources.files.places import roots
from pipelines.sql import literal, only_row

# Clients may well have the same rates.
MAY_BE_SHARED = ("rates",)


def note_contents(client: Client, source: str, batches: Iterable[Batch]) -> None:
    """Note the content of each file that a client's source was read from, for comparison with others'."""
    contents = {
        batch.fingerprint: batch.name
        for batch in batches
        if source not in MAY_BE_SHARED and re.fullmatch("[0-9a-f]{64}", batch.fingerprint)
    }
    file = _file(client.id, source)
    text = json.dumps(contents, indent=0, sort_keys=True)
    if contents and not (file.exists() and file.read_bytes() == text.encode()):
        write_atomically(file, text)


def shared(clients: list[Client]) -> list[tuple[str, str]]:
    """Return each of the clients that shares a place or a content with another, and what it shares."""
    chosen = {client.id for client in clients}
    found = [*_overlaps(clients), *_same_contents()]
    return sorted((client, what) for client, what in set(found) if client in chosen)


def _overlaps(clients: list[Client]) -> Iterator[tuple[str, str]]:
    """Yield both clients of every two of which one reads what lies in a place of the other's.

    Sorted, the places within a place follow it: those that are open are all around the next.
    """
    around: list[tuple[str, str]] = []
    for place, client in sorted(set(chain.from_iterable(map(_places, clients)))):
        around = [each for each in around if place.startswith(each[0])]
        for outer, other in around:
            if other != client:
                yield client, f"its files lie in {place}, which {other} reads, too, by {outer}"
                yield other, f"its files lie in {outer}, of which {client} reads {place}, too"
        around.append((place, client))


def _places(client: Client) -> Iterator[tuple[str, str]]:
    """Yield the folders of a client's files, and the beginnings of its objects' names in buckets."""
    for root in roots(client):
        yield f"{root.as_posix().rstrip('/')}/", client.id
    for _, _, feed in client.sources.feeds():
        if isinstance(feed, Export) and feed.in_bucket:
            yield re.split(r"[*?\[]", feed.pattern)[0], client.id


def _same_contents() -> Iterator[tuple[str, str]]:
    """Yield the clients that delivered a file of the same content, with rows in it: once a file.

    Each is told of one other's, and of how many there are, so that what is said grows with the files,
    not with every two of them.
    """
    owners: defaultdict[str, list[tuple[str, str, str]]] = defaultdict(list)
    there = named_by_files()
    files_of_all = sorted(lake_folder().glob("*/*/contents.json"))
    for file in (each for each in files_of_all if each.parent.parent.name in there):
        if not file.with_name("status.json").exists():  # the client has given the source up
            continue
        with suppress(OSError, ValueError, AttributeError):  # torn: the next ingest writes it again
            for content, name in json.loads(file.read_text(encoding="utf-8")).items():
                owners[content].append((file.parent.parent.name, file.parent.name, name))
    for content, files in owners.items():
        if len({client for client, *_ in files}) > 1 and _has_rows(content, *files[0][:2]):
            for client, _, name in files:
                others = [(other, its) for other, _, its in files if other != client]
                yield client, f"{name} has the same content as {_named(others)}"


def _named(others: list[tuple[str, str]]) -> str:
    """Return which files of other clients one is like: the first of them, and how many more."""
    (other, its), *more = others
    if not more:
        return f"{its} of {other}; correct one"
    files = "1 other" if len(more) == 1 else f"{len(more)} others"
    return f"{its} of {other} and {files}, all of other clients; correct all but one"


def _has_rows(content: str, client: str, source: str) -> bool:
    """Return whether rows were read from a content: the header of an empty table is like any other."""
    log = SourceLog(client, source)
    if not log.has("exports"):
        return False
    with duckdb.connect() as connection:
        exports = log.rows("exports", ["rows_skipped"])
        query = f"FROM {exports} AS log WHERE fingerprint = {literal(content)}"
        rows = f"SELECT COALESCE(MAX({ROWS_THAT_COUNT}), 0) {query}"
        return bool(only_row(connection.execute(rows))[0])


def _file(client: str, source: str) -> Path:
    return source_folder(client, source) / "contents.json"
