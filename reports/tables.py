"""Write a published table of a client as CSV; it is read from the published files, so no run waits."""

from datetime import date
from pathlib import Path
from typing import NamedTuple

import duckdb

from pipelines.files import replacing
from pipelines.published.opening import published
from pipelines.published.version_folders import PublishedFileError
from pipelines.settings.client import Client
from pipelines.sql import identifier, literal, only_row

# Ratios of sums, nothing where the denominator is 0, before what else the table has.
_COLUMNS = {
    "channel_reporting": """channel_name, date, cost, ihc, ihc_revenue,
    cost::DOUBLE / NULLIF(ihc, 0) AS CPO, ihc_revenue::DOUBLE / NULLIF(cost::DOUBLE, 0) AS ROAS,
    * EXCLUDE (channel_name, date, cost, ihc, ihc_revenue)"""
}


class ReportError(Exception):
    """A table that cannot be written; the text names client, table and remedy."""


class Days(NamedTuple):
    """The days of a report, in the client's time zone, both included; None is without end."""

    since: date | None = None
    until: date | None = None


def write(client: Client, table: str, days: Days, target: Path) -> int:
    """Write a published table's rows of some days to a CSV file, in order; return how many.

    The file is there whole or not at all. Raise ReportError if it cannot be made.
    """
    if days.since and days.until and days.since > days.until:
        raise ReportError(
            f"{client.id}: {table}: {days.since} is after {days.until}; swap --since and --until"
        )
    if not target.absolute().parent.is_dir():
        raise ReportError(f"{client.id}: {table}: there is no folder {target.parent}; make it")
    try:
        with published(client.id) as opened, replacing(target) as unfinished:
            if not opened:
                raise ReportError(f"{client.id}: {table}: nothing is published yet; run make daily")
            return _copy(opened, client, table, days, unfinished)
    except PublishedFileError as error:
        raise ReportError(f"{client.id}: {table}: {error}") from None
    except duckdb.Error as error:
        line = str(error).strip().splitlines()[0]
        raise ReportError(f"{client.id}: {table}: not written: {line}; run it again") from None
    except OSError as error:
        raise ReportError(
            f"{client.id}: {table}: {target} is not writable: {error.strerror}; write to another --to"
        ) from None


def _copy(
    opened: duckdb.DuckDBPyConnection, client: Client, table: str, days: Days, target: Path
) -> int:
    columns = _columns_of(opened, client, table)
    conditions = [
        f"date {comparison} DATE '{day}'"
        for comparison, day in ((">=", days.since), ("<=", days.until))
        if day
    ]
    if conditions and "date" not in columns:
        raise ReportError(f"{client.id}: {table} has no column date; leave out --since and --until")
    copy = f"""COPY (
      SELECT {_COLUMNS.get(table, "*")} FROM {identifier(f"{client.id}_publish")}.{identifier(table)}
      WHERE {" AND ".join(conditions) or "TRUE"} ORDER BY ALL
    ) TO {literal(str(target))} (FORMAT csv, HEADER)"""
    return only_row(opened.execute(copy))[0]


def _columns_of(opened: duckdb.DuckDBPyConnection, client: Client, table: str) -> set[str]:
    """Return a table's columns. Raise ReportError, with those there are, if it is not published."""
    tables: dict[str, set[str]] = {}
    for name, column in opened.execute(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = $schema",
        {"schema": f"{client.id}_publish"},
    ).fetchall():
        tables.setdefault(name, set()).add(column)
    if table in tables:
        return tables[table]
    raise ReportError(
        f"{client.id}: {table} is not published; choose one of {', '.join(sorted(tables))}, or list it"
        f" under `publish:` in clients/{client.id}.yaml and run make promote CLIENT={client.id}"
    )
