"""Leave out, as they are delivered, the rows of persons who were erased: an old file brings nobody back.

They are known by marks, as `tombstones` says. Where a row is another one's and its text names them, as an
address in a referrer's parameters, the row stays and the words are blotted out. A torn line that names
them is left out, too: nothing of it would be used. Their orders stay: a new one as `kept_money` says, an
old one as `erased_orders` does.
"""

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

import duckdb

from pipelines.contracts.people import NAMING, PEOPLE, REFUND, VISITOR, is_event
from pipelines.ingest.erased_orders import cancelled, known_again
from pipelines.ingest.kept_money import has_money, nobody_instead, note_known
from pipelines.ingest.table import Table, is_order
from pipelines.ingest.validation import Validated
from pipelines.lake.tombstones import (
    SHARED,
    Tombstones,
    marked,
    marked_words,
    tombstones,
    without_words,
)
from pipelines.sql import literal, only_row

_MARKS = "GETVARIABLE('tombstones')"
_KEPT = "ordinal IN (SELECT ordinal FROM kept)"


class Left(NamedTuple):
    """What is left of a batch, and how many rows named somebody who was erased, or are too old to be taken."""

    done: Validated
    rows_erased: int = 0
    rows_aged: int = 0
    rows_kept: int = 0  # new orders of erased persons, which name nobody


def leave_out(connection: duckdb.DuckDBPyConnection, table: Table, done: Validated) -> Left:
    """Return what is left of a batch without the rows of erased persons, and those that are too old."""
    done, aged = _without_old(connection, table, done)
    stones = tombstones(table.client.id)
    if not stones:
        return Left(done, 0, aged)
    connection.execute("SET VARIABLE tombstones = ?", [sorted(stones.marks)])
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE tombstones AS SELECT UNNEST({_MARKS}) AS mark"
    )
    names = NAMING.get((table.log.source, table.name), {})
    texts = [name for name in table.columns if name not in names]
    done = known_again(connection, table, stones, done)
    new, is_any = _keep_money(connection, table, stones, done)
    is_gone = _is_gone(stones, names, texts, _KEPT if is_any else "FALSE")
    said_instead = _values(stones, names, texts)
    if is_any:
        note_known(connection, table)
        said_instead |= nobody_instead(table, stones.salt, _KEPT, said_instead)
    values = (
        f"* REPLACE ({', '.join(f'{value} AS {name}' for name, value in said_instead.items())})"
    )
    rows, gone = _left(connection, done.rows, values, is_gone)
    uncounted = done.uncounted
    if uncounted:  # such a row may be deleted, with what it says
        uncounted, _ = _left(connection, uncounted, values, is_gone)
    said = _said(stones, ["content", "reason"])
    rejects, torn = _left(connection, done.rejects, "*", said)
    done = done._replace(rows=rows, rejects=rejects, uncounted=uncounted)
    return Left(cancelled(connection, done), gone + torn, aged, new)


def left_out_notes(table: Table, erased: int, aged: int, kept: int) -> list[str]:
    """Say how many rows of a table were left out, and why; and how many stay without their person."""
    rows = "1 row of an erased person is" if erased == 1 else f"{erased} rows of erased persons are"
    old = f"{aged} {'row is' if aged == 1 else 'rows are'} older than retention_days, and not taken"
    new = (
        "1 new row of an erased person counts, and names"
        if kept == 1
        else f"{kept} new rows of erased persons count, and name"
    )
    notes = [f"{rows} left out"] * bool(erased) + [old] * bool(aged)
    notes += [f"{new} nobody"] * bool(kept)
    return [f"{table.name}: {note}" for note in notes]


def _without_old(
    connection: duckdb.DuckDBPyConnection, table: Table, done: Validated
) -> tuple[Validated, int]:
    """Leave out events that are older than `retention_days` and not known: they were aged, or never came."""
    contract, days = table.delivery.contract, table.client.retention_days
    columns = NAMING.get((table.log.source, table.name), {})
    if days is None or not is_event(columns) or not contract.dated_by:
        return done, 0
    oldest = datetime.now(timezone.utc).date() - timedelta(days=days)
    newest = ", ".join(f"TRY_CAST(LEFT({name}, 10) AS DATE)" for name in contract.dated_by)
    known = f"SELECT row_key FROM {table.stored} AS log" if table.is_stored else "SELECT ''"
    is_old = f"reason IS NULL AND GREATEST({newest}) < DATE '{oldest}' AND row_key NOT IN ({known})"
    rows, aged = _left(connection, done.rows, "*", is_old)
    return done._replace(rows=rows), aged


def _is_gone(
    stones: Tombstones, names: dict[str, tuple[str, ...]], texts: list[str], is_kept: str
) -> str:
    """Return SQL for whether a row is of somebody who was erased; a bad row also by a word of it."""
    named = f"({_is_old(stones, names)} OR {_is_theirs(stones, names)})"
    bad = f"(reason IS NOT NULL AND ({_said(stones, ['reason', *names, *texts])}))"
    return f"({named} AND NOT ({is_kept})) OR {bad}"


def _keep_money(
    connection: duckdb.DuckDBPyConnection, table: Table, stones: Tombstones, done: Validated
) -> tuple[int, bool]:
    """Fill `kept` with the orders of erased persons; return how many that count are new, and whether there is any."""
    names = NAMING.get((table.log.source, table.name), {})
    is_new = " AND ".join(
        [
            _is_theirs(stones, names),
            f"NOT {_is_old(stones, names)} AND NOT ({is_order('row_key')})",
            has_money(table),
        ]
    )
    files = ", ".join(literal(str(file)) for file in (done.rows, done.uncounted) if file)
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE kept AS
        SELECT ordinal, row_key, {is_new} AS is_new, filename = {literal(str(done.rows))} AS counts
        FROM read_parquet([{files}], filename = TRUE, union_by_name = TRUE)
        WHERE {is_new} OR reason IS NULL AND {is_order("row_key")}"""
    )
    count, is_any = only_row(
        connection.execute("SELECT COUNT(*) FILTER (is_new AND counts), COUNT(*) > 0 FROM kept")
    )
    return int(count), bool(is_any)


def _is_old(stones: Tombstones, names: dict[str, tuple[str, ...]]) -> str:
    """Return SQL for whether a row itself was there when its person was erased."""
    own = next(iter(names), "")
    known = {name: names[own] for name in (own, "row_key") if own}
    if names.get(own) == (REFUND,):  # of an order that is left out
        known["conversion_id"] = names["conversion_id"]
    return _is_marked(stones, known)


def _is_theirs(stones: Tombstones, names: dict[str, tuple[str, ...]]) -> str:
    """Return SQL for whether a row names somebody who was erased."""
    return _is_marked(stones, {name: kinds for name, kinds in names.items() if kinds[0] in PEOPLE})


def _is_marked(stones: Tombstones, names: dict[str, tuple[str, ...]]) -> str:
    marks = [marked(stones.salt, kind, name) for name, kinds in names.items() for kind in kinds]
    known = [f"COALESCE({each} IN (SELECT mark FROM tombstones), FALSE)" for each in marks]
    return f"({' OR '.join(known) or 'FALSE'})"


def _said(stones: Tombstones, texts: list[str]) -> str:
    """Return SQL for whether one of some texts has a word that names somebody."""
    return " OR ".join(
        f"COALESCE(LIST_HAS_ANY({marked_words(stones.salt, f'{name}::TEXT')}, {_MARKS}), FALSE)"
        for name in texts
    )


def _values(
    stones: Tombstones, names: dict[str, tuple[str, ...]], texts: list[str]
) -> dict[str, str]:
    """Return SQL for what rows say that are left: no word of an erased person, no device of theirs."""
    values = {
        name: f"IF({_said(stones, [name])}, {without_words(stones.salt, name, _MARKS)}, {name})"
        for name in texts
    }
    shared = f"[{', '.join(map(literal, sorted(stones.shared)))}]::TEXT[]"
    for name, kinds in names.items():
        if VISITOR in kinds and stones.shared:
            known = marked(stones.salt, VISITOR, name)
            new = f"'{SHARED}' || LEFT({known}, 16)"
            values[name] = f"IF(LIST_CONTAINS({shared}, {known}), {new}, {name})"
    return values


def _left(
    connection: duckdb.DuckDBPyConnection, before: Path, values: str, is_gone: str
) -> tuple[Path, int]:
    """Write what is left of a file; return how many rows are not."""
    target = before.with_name(f"{before.stem}.left.parquet")
    reading = f"FROM read_parquet({literal(str(before))}) AS rows"
    connection.execute(
        f"COPY (SELECT {values} {reading} WHERE NOT COALESCE({is_gone}, FALSE))"
        f" TO {literal(str(target))} (FORMAT parquet)"
    )
    (rows,) = only_row(connection.execute(f"SELECT COUNT(*) {reading}"))
    (left,) = only_row(
        connection.execute(f"SELECT COUNT(*) FROM read_parquet({literal(str(target))})")
    )
    return target, int(rows - left)
