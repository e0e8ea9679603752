"""Validate every row of a batch: its key, and why it is bad."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import duckdb

from pipelines.contracts.contract import Contract
from pipelines.contracts.salesforce_ids import whole_id
from pipelines.ingest import compared_values, decimal_ids, listed_ids, named_units
from pipelines.ingest.accounting import Taken, accounted
from pipelines.ingest.day_keys import key_of
from pipelines.ingest.found_readings import Found, found_by_itself
from pipelines.ingest.header_again import leave_out_headers
from pipelines.ingest.judged_rows import Judged
from pipelines.ingest.number_marks import Marks
from pipelines.ingest.other_currencies import ask_about_currency
from pipelines.ingest.refund_remedies import refuse_both_signs
from pipelines.ingest.refunds import ask_about_refunds
from pipelines.ingest.refused_rows import numbers_written, refuse_bad_rows, typed_columns
from pipelines.ingest.row_faults import Fault, faults, reason
from pipelines.ingest.row_periods import refuse_periods
from pipelines.ingest.skipped_lines import Skipped, notes_of_reading, skip
from pipelines.ingest.summary_rows import ask_about_sums
from pipelines.ingest.uncounting import refuse_uncounting
from pipelines.ingest.unknown_stages import Stages, stages_of
from pipelines.settings.apis import Api
from pipelines.settings.client import Client
from pipelines.settings.exports import Export
from pipelines.sources.batches import Batch, ExportError, Rows
from pipelines.sources.currency_marks import code_of
from pipelines.sources.files.header_zones import zones
from pipelines.sources.nothing import something
from pipelines.sources.numbers import (
    Reading,
    beside,
    currency_of_row,
    kept_beside,
    read,
    reading_of,
)
from pipelines.sources.times import read as read_times
from pipelines.sql import BLANKS, literal, only_row


class Validated(NamedTuple):
    """A batch after validation: a file of its rows, one of what is no row, and how many they are.

    A good row has no `reason`. `left_out` counts what is knowingly not read, and `lines_read` the
    lines of a text file. Of numbers that are `unsure`, such as `1.250`, other batches may say how
    they are read. Rows that do not count, by the export's `where:`, are in a file of their own.
    `local_times` has, by ordinal, the times that were read by another zone's clock, as `local_…`.
    `notes` say what is to be known of rows that were taken. `export` has the settings by which its header
    says that it is read, where that is so. `nowhere` is that of `Rows`. What is no data was `skipped`:
    `skipped_rows` of those that are counted, some lines that are none, and what is above the header. Where values prove a reading that
    nobody has said, it is `found`, and the rows are not judged to the end: they are to be read by it. Where a format
    tells by their `stages` which deals are won, those are judged with the other batches'.
    """

    rows: Path
    rejects: Path
    row_count: int
    reject_count: int
    left_out: int
    lines_read: int | None
    unsure: Marks | None = None
    uncounted: Path | None = None
    uncounted_rows: int = 0
    local_times: Path | None = None
    notes: list[str] = []
    export: Export | None = None
    nowhere: dict[str, ExportError] = {}
    skipped: int = 0
    skipped_rows: int = 0
    found: Found | None = None
    stages: Stages | None = None

    @property
    def is_empty(self) -> bool:
        """Return whether there is nothing in it, neither good nor bad, nor what is no data."""
        return not self.row_count + self.reject_count


def validate(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    client: Client,
    feed: Export | Api,
    batch: Batch,
    ordinals_used: int,
    target: Path,
    forms: Iterable[str] = (),
    words: Mapping[str, str] = {},
) -> Validated:
    """Write a batch's rows to a Parquet file, each with its key, and the reason if it is bad.

    They are numbered on from the ordinals that batches before it have used. Of the columns in `forms`,
    `id_forms` says which form of an id is kept: see `decimal_ids`. Flags are read by the `words` of lists,
    by column. Raise ExportError if the batch cannot be read, or if its rows are bad: too many of them,
    or all for one reason that a setting would mend.
    """
    rows_file, rejects_file = (
        target.with_name(f"{target.name}.{part}.parquet") for part in ("rows", "rejects")
    )
    all_file = target.with_name(f"{target.name}.all.parquet")
    uncounted_file = target.with_name(f"{target.name}.uncounted.parquet")
    with batch.open(connection) as rows:
        feed = rows.export or feed
        values, where = compared_values.values_read(rows), rows.where
        named = zones(feed, contract, client.timezone) if isinstance(feed, Export) else {}
        clocks = [f"local_{name}" for name, zone in named.items() if zone[0] not in "+-"]
        plain = reading_of(feed, contract, client)._replace(words=words)
        kept = [*kept_beside(contract, plain).values()]
        apart = [*compared_values.names(rows), *clocks, *kept]
        judged_file = all_file if apart else rows_file

        def taken(rows: Rows) -> Taken:
            query = _validated(contract, reading, wrong, batch, rows, named, ordinals_used, forms)
            row_count = _write(connection, query, judged_file)
            parts = {"counts": rows_file, "NOT counts": uncounted_file} if rows.where else {}
            own = " AND NOT is_apart" if rows.apart else ""
            for condition, file in (parts or {"TRUE": rows_file} if apart else parts).items():
                part = f"* EXCLUDE ({', '.join(apart)}) FROM read_parquet({literal(str(all_file))})"
                _write(connection, f"SELECT {part} WHERE {condition}{own}", file)
            reject_count = _write(connection, _rejects(batch, rows), rejects_file)
            return Taken(rows, row_count, reject_count)

        typed = rows.typed  # a text that is read with more care does not know it
        by_type = typed_columns(connection, contract, feed, plain, typed)
        reading = plain._replace(typed=by_type)
        wrong = faults(_delivered(contract, rows), client, reading)
        wrong = compared_values.spared(wrong, values)
        wrong += compared_values.faults(
            values, reading.numbers, currency_of_row(contract, reading)
        ) + listed_ids.faults(contract, feed)
        rows, row_count, reject_count = accounted(connection, batch, rows, taken)
        refuse_periods(connection, batch, rows)
        headers, notes, skipped = list[int](), notes_of_reading(batch, rows), Skipped()
        judged = Judged(
            *(
                contract,
                client,
                feed,
                batch,
                wrong,
                rows_file,
                rejects_file,
                judged_file,
                reading,
                where,
                values,
                bool(rows.apart),
            )
        )
        written = numbers_written(connection, judged, typed)
        if found := found_by_itself(connection, judged, rows, written):
            read = (rows_file, rejects_file)
            return Validated(*read, row_count, reject_count, 0, None, written, found=found)
        if isinstance(feed, Export):
            if not reading.numbers:
                named_units.doubt(connection, judged)
            files = [judged_file, rows_file, *[uncounted_file] * bool(where)]
            files = list(dict.fromkeys(files))
            place = (rows, files, rejects_file, ordinals_used)
            headers, said = leave_out_headers(connection, contract, feed, batch, *place)
            skipped = skip(connection, judged, rows, files, headers, ordinals_used)
            notes += [*said, *skipped.notes]
        (left_out,) = only_row(connection.execute(rows.left_out))
        uncounted = _count(connection, uncounted_file) if rows.where else 0
        others = judged.others(connection)
        notes += [f"{batch.shown}: {others} of its rows are read as web.refunds"] * bool(others)
    says_what_is_deleted = isinstance(feed, Export) and "is_deleted" in feed.columns
    if isinstance(feed, Export) and not where and (contract.converts or not says_what_is_deleted):
        refuse_uncounting(connection, contract, batch, rows_file, rows.unread, ordinals_used)
    if isinstance(feed, Export) and contract.converts:
        notes += ask_about_refunds(
            connection, contract, feed, batch, rows_file, rows.unread, ordinals_used
        )
    if isinstance(feed, Export):
        notes += named_units.said(contract, feed, batch)
        notes += ask_about_currency(
            connection, client, contract, feed, batch, rows, rows_file, ordinals_used
        )
    refuse_both_signs(connection, contract, batch, rows_file)
    notes += ask_about_sums(connection, judged, rows, ordinals_used)
    no_data = skipped.rows + skipped.rejects
    counting = row_count + reject_count - uncounted - others - len(headers) - no_data
    marks = written if written and written.is_unsure else None
    refuse_bad_rows(connection, judged, counting, rows.lines_read, marks)
    left_out = (left_out or 0) + uncounted + others + len(headers)
    counted = (row_count, reject_count, left_out, rows.lines_read)
    left = uncounted_file if uncounted else None
    local = all_file if clocks else None
    done = Validated(
        rows_file, rejects_file, *counted, marks, left, uncounted, local, notes, rows.export
    )
    if rows.open_stages is not None and rows.export:
        by_stage = stages_of(connection, batch, rows.export, rows_file, rows.open_stages)
        done = done._replace(stages=by_stage)
    return done._replace(
        nowhere=rows.nowhere, skipped=no_data + rows.skipped, skipped_rows=skipped.rows
    )


def _delivered(contract: Contract, rows: Rows) -> Contract:
    """Return a contract without the columns that rows lack and need not have: nothing is wrong with those."""
    columns = {
        name: column
        for name, column in contract.columns.items()
        if name in rows.columns or column.required
    }
    return contract._replace(columns=columns)


def _count(connection: duckdb.DuckDBPyConnection, file: Path) -> int:
    return only_row(connection.execute("SELECT COUNT(*) FROM read_parquet(?)", [str(file)]))[0]


def _write(connection: duckdb.DuckDBPyConnection, query: str, target: Path) -> int:
    copy = f"COPY ({query}) TO {literal(str(target))} (FORMAT parquet)"
    return only_row(connection.execute(copy))[0]


def _validated(
    contract: Contract,
    reading: Reading,
    wrong: list[Fault],
    batch: Batch,
    rows: Rows,
    named: Mapping[str, str],
    ordinals_used: int,
    forms: Iterable[str],
) -> str:
    """Return SQL for the rows with their key, place and reason; a good one needs no line.

    A bad row keeps its numbers as they were delivered, for whoever reads quarantine.
    """
    delivered = beside(contract, reading)
    kept = ", ".join(
        f"IF(reason IS NULL, {name}, {was}) AS {name}"
        for name, was in delivered.items()
        if name != "is_deleted"
    )
    left_out = delivered.keys() - kept_beside(contract, reading).keys()
    trimmed = f"""(
      SELECT {rows.number} AS number, {rows.line} AS place, {rows.lines} AS span,
      {_trimmed(rows, contract)}{compared_values.columns(rows)}
      FROM {rows.relation}
    )"""
    known = f"""(
      SELECT *{_known(contract, rows)}, {_row_key(contract)}
      FROM {_tidy(contract, reading.currency, read_times(contract, reading.date_format, trimmed), named, forms)}
    )"""
    return f"""
      SELECT * EXCLUDE ({", ".join(["number", "place", "span", *(delivered[name] for name in delivered if name in left_out)])})
      {f"REPLACE ({kept})" if kept else ""}, {ordinals_used} + number AS ordinal,
      CASE WHEN reason IS NOT NULL THEN place END AS line,
      CASE WHEN reason IS NOT NULL THEN span END AS lines FROM (
        SELECT {_is_deleted(contract)},
        {literal(batch.name)} AS export_file, {reason(wrong)} AS reason
        FROM {read(contract, reading, known)}
      )"""


def _rejects(batch: Batch, rows: Rows) -> str:
    return f"""
      SELECT {literal(batch.name)} AS export_file, line::BIGINT AS line, content::TEXT AS content,
      reason::TEXT AS reason, lines::BIGINT AS lines
      FROM ({rows.rejects}) AS rejects(line, content, reason, lines)"""


def _trimmed(rows: Rows, contract: Contract) -> str:
    """Return SQL for the contract's columns, as text without blanks around it; NULL if it is empty.

    Few values have blanks around them, and looking is cheaper than trimming.
    """
    selected = []
    for column in contract.columns:
        if column not in rows.columns:
            selected.append(f"NULL::TEXT AS {column}")
            continue
        value = f"{rows.columns[column]}::TEXT"
        ends = " OR ".join(f"ENDS_WITH({value}, '{blank}')" for blank in BLANKS)
        selected.append(
            f"CASE WHEN {value} < '!' OR {value} >= '\u00a0' OR {ends}"
            f" THEN NULLIF(TRIM({value}, '{BLANKS}'), '') ELSE {value} END AS {column}"
        )
    return ", ".join(selected)


def _tidy(
    contract: Contract,
    own_currency: str,
    relation: str,
    named: Mapping[str, str],
    forms: Iterable[str],
) -> str:
    """Return rows with currencies by their codes, and offsets without the blank that DuckDB stops at.

    Ids are in the form that is kept of them.

    A time without an offset gets that of its column's zone; in a zone of IANA's it is brought to UTC.
    """
    tidy = {"currency": code_of("currency", own_currency)}
    tidy |= {
        name: f"IF(CONTAINS({name}, ' +') OR CONTAINS({name}, ' -') OR ENDS_WITH({name}, ' Z'),"
        f" REGEXP_REPLACE({name}, ' +([+-]|Z$)', '\\1'), {name})"
        for name, column in contract.columns.items()
        if column.type in ("timestamp", "date")
    }
    tidy |= {name: decimal_ids.kept(name) for name in forms}
    for name, zone in named.items():
        tidy[name] = f"IF({_is_bare(name)}, {_zoned(name, zone)}, {tidy[name]})"
    values = [f"{value} AS {name}" for name, value in tidy.items() if name in contract.columns]
    if not values:
        return relation
    local = "".join(
        f", IF({_is_bare(name)}, {name}, NULL) AS local_{name}"
        for name, zone in named.items()
        if zone[0] not in "+-"
    )
    return f"(SELECT * REPLACE ({', '.join(values)}){local} FROM {relation})"


# A time of day without an offset: 2026-11-03 14:30, 2026-11-03T14:30:00.5.
_BARE_TIME = ".*[0-9][T ][0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?"


def _is_bare(name: str) -> str:
    return f"REGEXP_FULL_MATCH({name}, {literal(_BARE_TIME)})"


def _zoned(name: str, zone: str) -> str:
    """Return SQL for a time of day in a zone: with its distance from UTC, or in UTC."""
    if zone[0] in "+-":
        return f"{_with_seconds(name)} || {literal(zone)}"
    local = f"TRY_CAST({name} AS TIMESTAMP) AT TIME ZONE {literal(zone)}"
    return f"COALESCE(({local} AT TIME ZONE 'UTC')::TEXT || '+00:00', {name})"


def _with_seconds(name: str) -> str:
    """Return SQL for a time with seconds: an offset stands after them alone."""
    return f"IF(REGEXP_FULL_MATCH({name}, '.*:[0-9]{{2}}:.*'), {name}, {name} || ':00')"


def _known(contract: Contract, rows: Rows) -> str:
    """Return SQL that replaces the columns, NULL where a text stands for nothing; what SQL writes is meant.

    Those that the rows lack stay as they are: DuckDB computes once for all rows what is NULL in all.

    Keys are made of what was delivered: they stay as they are when a client's words change, or how
    its numbers are read.
    """
    names = [name for name in contract.columns if name in rows.columns and name not in rows.by_sql]
    known = ", ".join(f"{something(name, name, contract)} AS {name}" for name in names)
    return f" REPLACE ({known})" if known else ""


def _is_deleted(contract: Contract) -> str:
    """Return SQL for every column, and whether the source marks the row as deleted."""
    if "is_deleted" in contract.columns:
        return "* REPLACE (COALESCE(TRY_CAST(is_deleted AS BOOLEAN), FALSE) AS is_deleted)"
    return "*, FALSE AS is_deleted"


def _row_key(contract: Contract) -> str:
    """Return SQL for the key of a row: a column, or a hash of several, however a day is written.

    An id of Salesforce's is one key, in 15 characters or 18; staging takes it for one, too. A row
    with an id of its own has that for its key, and its hash as `content_key`: see `own_ids`.
    """
    if len(contract.identity) == 1:
        return f"{whole_id(contract.identity[0])} AS row_key"
    if not contract.own_id:
        return f"{key_of(contract)} AS row_key"
    own = something(contract.own_id, contract.own_id, contract)
    return (
        f"COALESCE({own}, {key_of(contract)}) AS row_key,"
        f" IF({own} IS NOT NULL, {key_of(contract)}, NULL) AS content_key"
    )
