"""Leave out, as they are delivered, the rows of persons who were erased: an old file brings nobody back.

They are known by marks, as `tombstones` says. Where a row is another one's and its text names them, as an
address in a referrer's parameters, the row stays and the words are blotted out. A torn line that names
them is left out, too: nothing of it would be used.
"""

from pathlib import Path
from typing import NamedTuple

import duckdb

from pipelines.contracts.people import NAMING, VISITOR
from pipelines.ingest.table import Table
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


class Left(NamedTuple):
    """What is left of a batch, and how many of its rows named somebody who was erased."""

    done: Validated
    rows_erased: int = 0


def leave_out(connection: duckdb.DuckDBPyConnection, table: Table, done: Validated) -> Left:
    """Return what is left of a batch without the rows of erased persons."""
    stones = tombstones(table.client.id)
    if not stones:
        return Left(done)
    connection.execute("SET VARIABLE tombstones = ?", [sorted(stones.marks)])
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE tombstones AS SELECT UNNEST({_MARKS}) AS mark"
    )
    names = NAMING.get((table.log.source, table.name), {})
    reading = f"FROM read_parquet({literal(str(done.rows))}) AS rows"
    texts = [name for name in table.columns if name not in names]
    is_gone = _is_gone(stones, names, texts)
    values = _values(stones, names, texts)
    target = done.rows.with_name(f"{done.rows.name}.left.parquet")
    gone = _copied(
        connection,
        done.rows,
        f"SELECT * REPLACE ({values}) {reading} WHERE NOT ({is_gone})",
        target,
    )
    rejects = done.rejects.with_name(f"{done.rejects.name}.left.parquet")
    said = _said(stones, ["content", "reason"])
    torn = _copied(
        connection,
        done.rejects,
        f"FROM read_parquet({literal(str(done.rejects))}) AS rejects WHERE NOT ({said})",
        rejects,
    )
    return Left(done._replace(rows=target, rejects=rejects), gone + torn)


def _is_gone(stones: Tombstones, names: dict[str, tuple[str, ...]], texts: list[str]) -> str:
    """Return SQL for whether a row is of somebody who was erased; a bad row also by a word of it."""
    own = next(iter(names), "")
    marks = [
        marked(stones.salt, kind, name)
        for name, kinds in [*names.items(), *([("row_key", names[own])] if own else [])]
        for kind in kinds
        if name in (own, "row_key") or kind not in ("conversion", "touchpoint", "role")
    ]
    named = " OR ".join(
        f"COALESCE({each} IN (SELECT mark FROM tombstones), FALSE)" for each in marks
    )
    bad = f"(reason IS NOT NULL AND ({_said(stones, ['reason', *names, *texts])}))"
    return f"{named} OR {bad}" if named else bad


def _said(stones: Tombstones, texts: list[str]) -> str:
    """Return SQL for whether one of some texts has a word that names somebody."""
    return " OR ".join(
        f"COALESCE(LIST_HAS_ANY({marked_words(stones.salt, f'{name}::TEXT')}, {_MARKS}), FALSE)"
        for name in texts
    )


def _values(stones: Tombstones, names: dict[str, tuple[str, ...]], texts: list[str]) -> str:
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
    return ", ".join(f"{value} AS {name}" for name, value in values.items())


def _copied(connection: duckdb.DuckDBPyConnection, before: Path, query: str, target: Path) -> int:
    """Write what is left; return how many rows are not."""
    count = f"SELECT COUNT(*) FROM read_parquet({literal(str(before))})"
    (rows,) = only_row(connection.execute(count))
    connection.execute(f"COPY ({query}) TO {literal(str(target))} (FORMAT parquet)")
    (left,) = only_row(
        connection.execute(f"SELECT COUNT(*) FROM read_parquet({literal(str(target))})")
    )
    return int(rows - left)
