"""Write the condition that leaves out rows without a key: `Total: Account, --, --, 3352.21` is a sum.

How many an export has depends on nothing but how it is made, so a limit that lets them pass today
refuses a shorter file tomorrow. A condition reads both.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

import duckdb

from pipelines.contracts.contract import Contract
from pipelines.ingest.bad_rows import Kind
from pipelines.ingest.judged_rows import Judged
from pipelines.settings.exports import Export
from pipelines.sources.batches import Batch, Remedy
from pipelines.sources.files.line_beginnings import skipping
from pipelines.sources.nothing import something
from pipelines.sources.yaml_texts import condition
from pipelines.sql import BLANKS, identifier, literal

_MOST_WORDS = 8  # for nothing, in one condition
_MOST_LINES = 100


class Sums(NamedTuple):
    """How many rows are without a key, and the line that leaves them out."""

    rows: int = 0
    remedies: list[Remedy] = []


def sums(
    connection: duckdb.DuckDBPyConnection,
    judged: Judged,
    found: Sequence[Kind],
    rows: int,
    are_few: bool,
) -> Sums:
    """Return the line that leaves out rows without a key, if these are no more than half of a batch's.

    More are no sums: then a column is mapped to something else, or the export lacks its ids. Nor are
    a few in which nothing else is wrong: they have lost their id.
    """
    feed = judged.feed
    if not isinstance(feed, Export) or feed.format:
        return Sums()
    missing = {name: kind for kind in found if 2 * kind.rows <= rows for name in _missing(kind)}
    keys = [name for name in missing if name in judged.contract.identifying]
    if not keys or len(feed.names(keys[0])) != 1:
        return Sums()
    kind = missing[keys[0]]
    if are_few and not any(kind != each and kind[:2] == each[:2] for each in found):
        return Sums()
    (column,) = feed.names(keys[0])
    words = words_for_nothing(connection, judged.batch, judged.contract, keys[0])
    if len(words) > _MOST_WORDS:
        return Sums()
    has_key = f"NOT IN ({', '.join(map(literal, words))})" if words else "IS NOT NULL"
    where = f"({identifier(column)} {has_key})"
    where = f"({feed.where}) AND {where}" if feed.where else where
    meaning = f"rows without {column} are sums or notes"
    return Sums(kind.rows, [Remedy(f"where: {condition(where)}", meaning=meaning)])


def short_lines(connection: duckdb.DuckDBPyConnection, judged: Judged) -> Sums:
    """Return the line that skips lines of few values by how they begin; of a row that was cut, that is a number."""
    feed = judged.feed
    if not isinstance(feed, Export):
        return Sums()
    found = connection.execute(
        f"""SELECT LEFT(content, 200) FROM (
          SELECT *, REGEXP_EXTRACT(reason, '^it has (\\d+) values, not (\\d+)$', ['found', 'width']) AS count
          FROM {judged.rejects} AS rejects
        ) WHERE 2 * TRY_CAST(count.found AS BIGINT) <= TRY_CAST(count.width AS BIGINT)
        ORDER BY line LIMIT {_MOST_LINES}"""
    ).fetchall()
    lines = [content or "" for (content,) in found]
    remedies = skipping(feed.skip, lines) if len(lines) < _MOST_LINES else []
    return Sums(len(lines) if remedies else 0, remedies)


def _missing(kind: Kind) -> list[str]:
    return re.findall(r"^(\w+) is missing$", kind.example)


def words_for_nothing(
    connection: duckdb.DuckDBPyConnection, batch: Batch, contract: Contract, name: str
) -> list[str]:
    """Return what the export writes in a column for nothing, but for empty texts: a condition sees these words."""
    with batch.open(connection) as rows:
        written = (
            f"SELECT NULLIF(TRIM(({rows.columns[name]})::TEXT), '') AS word FROM {rows.relation}"
        )
        meant = something(f"NULLIF(TRIM(word, '{BLANKS}'), '')", name, contract)
        found = connection.execute(
            f"""SELECT DISTINCT word FROM ({written}) WHERE word IS NOT NULL AND ({meant}) IS NULL
            ORDER BY word LIMIT {_MOST_WORDS + 1}"""
        ).fetchall()
    return [word for (word,) in found]
