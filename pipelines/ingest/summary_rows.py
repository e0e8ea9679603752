"""Ask about rows that are sums of the others: `Total` as a campaign, or the cost of all ads without an ad.

Such a row has a date and an amount like any other, so it would count what is there once more. A word
alone is reason enough to ask: what is called `Total` is hardly a campaign.
"""

from collections.abc import Iterable
from typing import NamedTuple

import duckdb

from pipelines.ingest import called_sums
from pipelines.ingest.judged_rows import Judged
from pipelines.ingest.rows_of_no_data import words_for_nothing
from pipelines.ingest.summary_sums import Sums, adds_up, sums_without_a_word
from pipelines.ingest.total_amounts import amounts_of
from pipelines.settings.exports import Export
from pipelines.sources.batches import ExportError, Remedy, Rows
from pipelines.sources.yaml_texts import condition
from pipelines.sql import identifier, literal

_MOST_WORDS = 20  # in one condition
_SHOWN = 3


class _Named(NamedTuple):
    """The rows that a column calls sums: by which words, and as which ordinals."""

    column: str
    words: list[str]
    ordinals: list[int]


def ask_about_sums(
    connection: duckdb.DuckDBPyConnection, judged: Judged, rows: Rows, ordinals_used: int
) -> list[str]:
    """Return what is to be said of rows that are called sums, where the client's `where:` lets them count.

    Those that are totals for sure were skipped before: see `total_rows`. Raise ExportError if nothing says
    that the others count.
    """
    contract, feed = judged.contract, judged.feed
    if not isinstance(feed, Export) or feed.format or not amounts_of(contract, rows):
        return []
    good = f"(FROM {judged.rows} AS rows WHERE reason IS NULL)"
    amounts = amounts_of(contract, rows)
    found: Sums | None
    called_sums.forget_others(connection, good)
    if named := _named(connection, called_sums.texts_of(contract, rows)):
        found = _by_words(connection, judged, named, good, amounts)
    else:
        found = sums_without_a_word(connection, contract, rows.columns, good, amounts)
    if not found:
        return []
    said = f"{found.said} ({_places(connection, judged, found.ordinals, ordinals_used)})"
    if feed.where and (feed.where.strip().lower() == "true" or not found.is_sure):
        return [f"{judged.batch.shown}: {said}; `where:` lets it count"]
    raise _refusal(connection, judged, said, found)


def _named(connection: duckdb.DuckDBPyConnection, texts: Iterable[str]) -> list[_Named]:
    """Return the columns that call rows sums."""
    found = []
    for name in texts:
        words = connection.execute(
            f"SELECT {name}, LIST(ordinal) FROM called_sums WHERE {name} IS NOT NULL GROUP BY ALL ORDER BY 1"
        ).fetchall()
        if words:
            ordinals = sorted(ordinal for _, all_ in words for ordinal in all_)
            found.append(_Named(name, [word for word, _ in words], ordinals))
    return found


def _by_words(
    connection: duckdb.DuckDBPyConnection,
    judged: Judged,
    named: list[_Named],
    good: str,
    amounts: list[str],
) -> Sums:
    """Return the rows that are called sums, and the fewest columns that tell them apart."""
    chosen, left = list[_Named](), {ordinal for each in named for ordinal in each.ordinals}
    ordinals = sorted(left)
    while left:
        best = max(named, key=lambda each: len(left & {*each.ordinals}))
        chosen.append(best)
        left -= {*best.ordinals}
    said = "; ".join(
        f"{each.column} is {', '.join(map(_quoted, each.words[:_SHOWN]))}" for each in chosen
    )
    are_sums = adds_up(connection, judged.contract, good, amounts[0])
    rows = f"{len(ordinals)} {'row is' if len(ordinals) == 1 else 'rows are'} called like a sum: {said}"
    if are_sums:
        rows += f", and {amounts[0]} there is the sum of the others"
    kept = {each.column: each.words for each in chosen if len(each.words) <= _MOST_WORDS}
    return Sums(rows, ordinals, are_sums, kept if len(kept) == len(chosen) else {})


def _quoted(word: str) -> str:
    return f"'{word[:40]}'"


def _refusal(
    connection: duckdb.DuckDBPyConnection, judged: Judged, said: str, found: Sums
) -> ExportError:
    """Return the error that asks which rows count."""
    feed = judged.feed
    assert isinstance(feed, Export)
    remedies = []
    if found.apart and all(len(feed.names(name)) == 1 for name in found.apart):
        parts = [
            _without(connection, judged, feed.names(name)[0], name, words)
            for name, words in found.apart.items()
        ]
        where = " AND ".join(([f"({feed.where})"] if feed.where else []) + parts)
        remedies.append(
            Remedy(
                f"where: {condition(where)}", meaning="what it says there is a sum of other rows"
            )
        )
    remedies.append(Remedy("where: true", meaning="all rows count"))
    return judged.batch.refused(
        f"{said}: so the same would count twice. Say which rows count", remedies
    )


def _without(
    connection: duckdb.DuckDBPyConnection, judged: Judged, column: str, name: str, words: list[str]
) -> str:
    """Return the condition for rows that are no sums; without words a sum is a row without the column's value."""
    if words:
        listed = ", ".join(map(literal, words))
        is_other = f"{identifier(column)} NOT IN ({listed})"
        is_needed = judged.contract.columns[name].required
        return f"({is_other})" if is_needed else f"({is_other} OR {identifier(column)} IS NULL)"
    nothing = words_for_nothing(connection, judged.batch, judged.contract, name)
    if not nothing:
        return f"({identifier(column)} IS NOT NULL)"
    return f"({identifier(column)} NOT IN ({', '.join(map(literal, nothing))}))"


def _places(
    connection: duckdb.DuckDBPyConnection, judged: Judged, ordinals: list[int], ordinals_used: int
) -> str:
    """Return where rows are in the file: `lines 4 and 7`."""
    numbers = [ordinal - ordinals_used for ordinal in ordinals[:_SHOWN]]
    with judged.batch.open(connection) as opened:
        rows = opened.with_care()
        found = connection.execute(
            f"""SELECT line FROM (SELECT {rows.number} AS number, {rows.line} AS line FROM {rows.relation})
            WHERE number IN ({", ".join(map(str, numbers))}) ORDER BY line"""
        ).fetchall()
    more = f" and {len(ordinals) - _SHOWN} more" if ordinals[_SHOWN:] else ""
    plural = "s" if len(ordinals) > 1 else ""
    return f"{judged.place}{plural} {', '.join(str(line) for (line,) in found)}{more}"
