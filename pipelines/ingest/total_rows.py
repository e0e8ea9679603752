"""Find the rows that are totals, wherever they stand in a file: they are skipped, and that is said.

A row is a total if what it must have, its day and its id, is empty or says `Total`, and some value of it
says so. A row without a key in which no word does is one if its amount is that of all others together, as
the summary row of an ad platform. Where its id says `Total`, and a day is there, all of its amounts must be
sums of the others. What is less sure is asked about: see `summary_rows`.
"""

from collections.abc import Sequence

import duckdb

from pipelines.contracts.contract import Contract
from pipelines.ingest import called_sums
from pipelines.ingest.judged_rows import Judged
from pipelines.ingest.summary_words import says_sum
from pipelines.ingest.total_amounts import amounts_of, summing
from pipelines.settings.exports import Export
from pipelines.sources.batches import Rows

_MOST = 10_000  # rows that are looked at


def totals(
    connection: duckdb.DuckDBPyConnection, judged: Judged, rows: Rows, ordinals_used: int
) -> list[int]:
    """Return the ordinals of the rows that are totals."""
    feed, contract = judged.feed, judged.contract
    keys = _keys(contract, rows)
    if not isinstance(feed, Export) or feed.format or not keys:
        return []
    amounts, all_count = amounts_of(contract, rows), (feed.where or "").strip().lower() == "true"
    if amounts:
        called_sums.find(connection, judged, rows)
    without_key = _without_key(connection, judged, keys, rows)
    if len(keys) == 1 and not all_count:  # to an id a word is one like any other, and no fault
        without_key += _called_by_id(connection, judged, keys[0], bool(amounts))
    named = _saying_so(connection, rows, without_key, ordinals_used)
    if not amounts:
        return named
    says_so = _saying(contract, keys, rows)
    left = sorted({*without_key} - {*named})
    found = summing(connection, judged, left, amounts[:1], _any_says(says_so))
    if not all_count:
        called = called_sums.called(connection, says_so)
        found += summing(connection, judged, called, amounts, _any_says(says_so), are_good=True)
    return sorted({*named, *found})


def _keys(contract: Contract, rows: Rows) -> list[str]:
    """Return the columns of the key that every row must have."""
    return [
        name
        for name in contract.identity
        if name in rows.columns and contract.columns[name].required
    ]


def _without_key(
    connection: duckdb.DuckDBPyConnection, judged: Judged, keys: Sequence[str], rows: Rows
) -> list[int]:
    """Return the bad rows whose key is empty, or says that they are totals; its account may be there."""
    finer = [
        name for name in judged.contract.identity if name in rows.columns and name != "account_id"
    ]
    are_empty = " AND ".join(
        f"({name} IS NULL OR {says_sum(name)})" for name in dict.fromkeys([*keys, *finer])
    )
    return _ordinals(connection, f"{judged.rows} AS rows WHERE reason IS NOT NULL AND {are_empty}")


def _called_by_id(
    connection: duckdb.DuckDBPyConnection, judged: Judged, key: str, has_amounts: bool
) -> list[int]:
    """Return the good rows whose id says that they are totals; no row is good that lacks all else it must have."""
    if has_amounts:
        return called_sums.called(connection, [key])
    if [name for name, each in judged.contract.columns.items() if each.required] != [key]:
        return []
    return _ordinals(connection, f"{judged.rows} AS rows WHERE reason IS NULL AND {says_sum(key)}")


def _ordinals(connection: duckdb.DuckDBPyConnection, rows: str) -> list[int]:
    query = f"SELECT ordinal FROM {rows} ORDER BY ordinal LIMIT {_MOST}"
    return [ordinal for (ordinal,) in connection.execute(query).fetchall()]


def _saying_so(
    connection: duckdb.DuckDBPyConnection, rows: Rows, ordinals: Sequence[int], ordinals_used: int
) -> list[int]:
    """Return the rows of which some value says that they are totals, be it one that nobody reads."""
    if not ordinals:
        return []
    values = [f"c{place}" for place in range(len(rows.header))] or [*rows.columns.values()]
    texts = ", ".join(f"TRIM(({value})::TEXT)" for value in values)
    numbers = ", ".join(str(ordinal - ordinals_used) for ordinal in ordinals)
    found = connection.execute(
        f"""SELECT DISTINCT number FROM (
          SELECT number, UNNEST(texts) AS text FROM (
            SELECT {rows.number} AS number, [{texts}] AS texts FROM {rows.relation}
          ) WHERE number IN ({numbers})
        ) WHERE text IS NOT NULL AND {says_sum("text")} ORDER BY number"""
    ).fetchall()
    return [number + ordinals_used for (number,) in found]


def _saying(contract: Contract, keys: Sequence[str], rows: Rows) -> list[str]:
    """Return the columns of the id, and of the name that belongs to it: they say that a row is a total."""
    names = [*keys, *(name.removesuffix("_id") for name in keys if name.endswith("_id"))]
    return [name for name in called_sums.texts_of(contract, rows) if name in names]


def _any_says(names: Sequence[str]) -> str:
    return " OR ".join(f"COALESCE({says_sum(name)}, FALSE)" for name in names) or "FALSE"
