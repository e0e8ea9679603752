"""Refuse a batch whose rows are bad, with every kind of fault and the settings that would read it."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import duckdb

from pipelines.contracts.contract import Contract
from pipelines.ingest import date_marks, flag_remedies, other_marks
from pipelines.ingest.bad_rows import Kind, kinds, of_mixed_encodings, said
from pipelines.ingest.compared_values import in_two_ways
from pipelines.ingest.judged_rows import Judged
from pipelines.ingest.number_marks import Marks, either, marks
from pipelines.ingest.row_faults import NO_DATA
from pipelines.ingest.rows_of_no_data import short_lines, sums
from pipelines.settings.apis import Api
from pipelines.settings.exports import Export
from pipelines.sources.batches import Batch, ExportError, Remedy
from pipelines.sources.numbers import Reading
from pipelines.sql import only_row

_FEW = 0.1  # of a batch's rows; more are no accident, and no limit is the remedy


class Share(NamedTuple):
    """How many of a batch's rows, or lines, are bad."""

    bad: int
    of: int
    what: str

    @property
    def rounded_up(self) -> float:
        """Return the least limit, in whole per cent, that lets them pass."""
        return math.ceil(100 * self.bad / self.of) / 100


def refuse_bad_rows(
    connection: duckdb.DuckDBPyConnection,
    judged: Judged,
    count: int,
    lines_read: int | None,
    unsure: Marks | None,
) -> None:
    """Raise ExportError if a batch's bad rows are more than some rows to look at later.

    They are if they are more than the client's quality.quarantine_limit allows, of its rows or of
    its lines: one row may hold most of them. They are if they are all rows; or if a setting would
    read them, as it would `1,010.00`: no limit is the remedy for that, it would leave out each
    amount of a thousand and more. Numbers of the others that are `unsure` are told with them.
    """
    totals = [(count, "rows"), (lines_read or 0, "lines")]
    found = _shares(connection, judged.bad, judged.rejects, totals)
    if not found[0].bad:
        return
    over, written = _over(judged, found), _marks(connection, judged)
    if over or written.is_other:
        by_setting = judged.still_bad(written.possible[0] if written.is_other else None)
        rest = _shares(connection, *by_setting, totals)
        error = (connection, judged, [*over, found[0]][0], rest)
        raise _refused(*error, written, unsure)


def _shares(
    connection: duckdb.DuckDBPyConnection, bad: str, rejects: str, totals: list[tuple[int, str]]
) -> list[Share]:
    """Return how many rows and how many lines are bad."""
    query = f"""SELECT COUNT(*), COALESCE(SUM(COALESCE(lines, 1)), 0) FROM (
      SELECT lines FROM {bad} AS judged UNION ALL SELECT lines FROM {rejects} AS rejects
    )"""
    return [
        Share(bad, of, what) for bad, (of, what) in zip(only_row(connection.execute(query)), totals)
    ]


def _over(judged: Judged, shares: Sequence[Share]) -> list[Share]:
    """Return which shares of bad rows, or lines, are more than the client allows, or all there are."""
    is_poll = bool(judged.batch.covers.first)  # one may bring one row alone
    limit, at_least = judged.client.quality.quarantine_limit, 1 if is_poll else 0
    over = [each for each in shares if each.of and each.bad > max(limit * each.of, at_least)]
    return over + [shares[0]] * (shares[0].bad == shares[0].of and not is_poll)


def numbers_written(
    connection: duckdb.DuckDBPyConnection, judged: Judged, typed: str
) -> Marks | None:
    """Return how a batch's numbers may be read; None if they are plain, or a setting says it.

    `typed` is a query for the names of the export's columns that hold numbers by their type.
    """
    if isinstance(judged.feed, Api) or judged.reading.numbers:
        return None
    two = _may_be_two(connection, judged)
    if not two and not _has_bad_numbers(connection, judged):
        return None
    numbers = {name for (name,) in connection.execute(typed).fetchall()}
    by_type = {name for name in judged.contract.columns if numbers & set(judged.feed.names(name))}
    reading = judged.reading._replace(typed=frozenset(by_type))
    open_ = [*either(judged.contract, reading), *(two & judged.compared_numbers.keys())]
    found = _marks(connection, judged._replace(reading=reading), open_)
    return found if found.in_two_ways or found.examples else None


def typed_columns(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    feed: Export | Api,
    reading: Reading,
    typed: str,
) -> frozenset[str]:
    """Return the columns of ours whose values are numbers by their type, where some are read by a setting."""
    columns = contract.columns.items()
    if isinstance(feed, Api) or not any(reading.changes(each, name) for name, each in columns):
        return frozenset()
    numbers = {name for (name,) in connection.execute(typed).fetchall()}
    return frozenset(name for name in contract.columns if numbers & set(feed.names(name)))


def _may_be_two(connection: duckdb.DuckDBPyConnection, judged: Judged) -> set[str]:
    """Return what holds a number that may be read in two ways: columns, and what `where:` compares."""
    found: set[str] = set()
    if asked := either(judged.contract, judged.reading):
        seen = ", ".join(f"COALESCE(BOOL_OR({is_it}), FALSE)" for is_it in asked.values())
        row = only_row(connection.execute(f"SELECT {seen} FROM {judged.delivered} AS numbers"))
        found = {name for name, is_seen in zip(asked, row) if is_seen}
    compared = judged.compared_numbers.items()
    return found | {
        name for name, relation in compared if connection.execute(in_two_ways(relation)).fetchall()
    }


def _has_bad_numbers(connection: duckdb.DuckDBPyConnection, judged: Judged) -> bool:
    """Return whether a row is bad for a number that plain reading does not take."""
    conditions = [fault.condition for fault in judged.faults if fault.is_number]
    if not conditions:
        return False
    query = f"SELECT 1 FROM {judged.bad} AS bad WHERE {' OR '.join(conditions)} LIMIT 1"
    return bool(connection.execute(query).fetchall())


def _marks(
    connection: duckdb.DuckDBPyConnection, judged: Judged, open_: Sequence[str] = ()
) -> Marks:
    feed = (judged.contract, judged.client, judged.reading)
    return marks(connection, *feed, judged.delivered, judged.compared_numbers, open_)


def refused_as_unsure(batch: Batch, written: Marks) -> ExportError:
    """Return the error that asks how a batch's numbers are read."""
    return batch.refused(f"its {_in_two_ways(written)}", written.remedies())


def _in_two_ways(written: Marks) -> str:
    columns = "; ".join(
        f"{column} {', '.join(map(repr, dict.fromkeys(values)))}"
        for column, values in written.in_two_ways.items()
    )
    return f"numbers can be read in two ways, and no number of this export decides: {columns}"


def _refused(
    connection: duckdb.DuckDBPyConnection,
    judged: Judged,
    share: Share,
    rest: Sequence[Share],
    written: Marks,
    unsure: Marks | None,
) -> ExportError:
    """Return the error that names every kind of fault, and the settings that would read the rows.

    What settings do not read is the `rest`: a limit lets it go to quarantine, if it is little.
    """
    numbers = written.remedies()
    found = kinds(connection, judged.faults, judged.bad, judged.rejects)
    texts = [name for name, column in judged.contract.columns.items() if column.type == "text"]
    found = of_mixed_encodings(connection, found, judged.rows, texts)
    found = [_of_most(kind) if 2 * kind.rows > share.of else kind for kind in found]
    remedies = [*numbers, *date_marks.remedies(connection, judged), *_by_kind(found)]
    remedies += other_marks.remedies(connection, judged)
    remedies += flag_remedies.remedies(connection, judged)
    if numbers:  # a setting says how the numbers are read: nobody has to write them otherwise
        found = [kind._replace(advice="") if kind.is_number else kind for kind in found]
    elif said_of_numbers := written.contradiction:
        found = [
            kind._replace(advice=said_of_numbers) if kind.is_number else kind for kind in found
        ]
    text = f"{share.bad} of {share.of} {share.what} are bad: {said(found, judged.place)}"
    if unsure and not numbers:
        text += f". Unless another file of it decides, its {_in_two_ways(unsure)}"
        remedies = [*unsure.remedies(), *remedies]
    over = _over(judged, rest)
    is_little = all(each.bad <= _FEW * each.of for each in over)
    if share.what == "rows" and not any(each.meaning for each in remedies):
        for left_out in (
            sums(connection, judged, found, share.of, is_little),
            short_lines(connection, judged),
        ):
            remedies += left_out.remedies
            rest = [each._replace(bad=each.bad - left_out.rows) for each in rest]
        over = _over(judged, rest)
    if over and is_little and not any(kind.is_of_form for kind in found):
        rows = "the other rows" if remedies else "these rows"
        text += f". If {rows} may be left out, a limit lets them go to quarantine"
        limit = max(each.rounded_up for each in over)
        remedies.append(Remedy(f"quarantine_limit: {limit}", below="quality"))
    return judged.batch.refused(text, remedies)


def _of_most(kind: Kind) -> Kind:
    """Return a kind that most rows have: what they all lack makes none of them a sum."""
    return kind._replace(advice=_MAPPED) if kind.advice == NO_DATA else kind


_MAPPED = (
    "what is empty in most rows is mostly in another column: name that under `columns:`, or have the"
    " export fill it"
)


def _by_kind(found: Sequence[Kind]) -> list[Remedy]:
    """Return the lines that would read kinds of faults; of those of one key, the largest."""
    by_key: dict[str, Remedy] = {}
    for remedy in filter(None, (kind.remedy for kind in found)):
        key, _, value = remedy.setting.partition(": ")
        before = by_key.get(key, remedy).setting.partition(": ")[2]
        if len(value) > len(before) or (len(value) == len(before) and value >= before):
            by_key[key] = remedy
    return list(by_key.values())
