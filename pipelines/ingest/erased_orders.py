"""Know an old order of an erased person again, by its mark, and its refunds: they still lower its money.

In the lake its row has another id, names nobody, and keeps its journey. A delivery has it under the id of
before: the row gets the lake's id here, and is compared, changed or cancelled as any other. What it would
tell of the person is what the lake has instead. A delivery that lacks it deletes nothing: see `comparison`.
"""

from pathlib import Path

import duckdb

from pipelines.contracts.people import CONVERSION, NAMING, REFUND
from pipelines.ingest.table import Table, is_order
from pipelines.ingest.validation import Validated
from pipelines.lake.tombstones import Tombstones, marked
from pipelines.sql import literal, only_row


def known_again(
    connection: duckdb.DuckDBPyConnection, table: Table, stones: Tombstones, done: Validated
) -> Validated:
    """Return a batch in which old orders of erased persons have the ids that the lake has."""
    names = NAMING.get((table.log.source, table.name), {})
    own, kinds = next(iter(names.items()), ("", ()))
    if not stones.orders or not {CONVERSION, REFUND} & {*kinds}:
        return done
    named = {own: kinds[-1], "row_key": kinds[-1]}
    if kinds == (REFUND,):
        named["conversion_id"] = CONVERSION
    connection.execute("CREATE OR REPLACE TEMP TABLE orders (mark TEXT, new TEXT)")
    connection.execute(
        "INSERT INTO orders SELECT UNNEST(?), UNNEST(?)",
        [list(stones.orders), list(stones.orders.values())],
    )
    rows = _renamed(connection, stones.salt, named, done.rows)
    uncounted = done.uncounted and _renamed(connection, stones.salt, named, done.uncounted)
    return done._replace(rows=rows, uncounted=uncounted)


def _renamed(
    connection: duckdb.DuckDBPyConnection, salt: str, named: dict[str, str], file: Path
) -> Path:
    """Write the rows of a file with the ids of the lake, by column and the kind of what it names."""
    target = file.with_name(f"{file.stem}.known.parquet")
    new = {
        name: f"IF(reason IS NULL, COALESCE(by_{name}.new, rows.{name}), rows.{name})"
        for name in named
    }
    values = ", ".join(f"{value} AS {name}" for name, value in new.items())
    joined = " ".join(
        f"LEFT JOIN orders AS by_{name} ON by_{name}.mark = {marked(salt, kind, f'rows.{name}')}"
        for name, kind in named.items()
    )
    connection.execute(
        f"""COPY (
          SELECT rows.* REPLACE ({values}) FROM read_parquet({literal(str(file))}) AS rows {joined}
        ) TO {literal(str(target))} (FORMAT parquet)"""
    )
    return target


def cancelled(connection: duckdb.DuckDBPyConnection, done: Validated) -> Validated:
    """Return a batch in which an order that does not count any more, by `where:`, is deleted.

    That its row is lacking would not do it.
    """
    if not done.uncounted:
        return done
    rows, uncounted = (
        f"read_parquet({literal(str(file))})" for file in (done.rows, done.uncounted)
    )
    is_cancelled = f"""reason IS NULL AND {is_order("row_key")}
      AND row_key NOT IN (SELECT row_key FROM {rows} WHERE reason IS NULL)"""
    (count,) = only_row(
        connection.execute(f"SELECT COUNT(*) FROM {uncounted} WHERE {is_cancelled}")
    )
    if not count:
        return done
    target = done.rows.with_name(f"{done.rows.stem}.cancelled.parquet")
    others = done.uncounted.with_name(f"{done.uncounted.stem}.others.parquet")
    for query, file in (
        (
            f"FROM {rows} UNION ALL BY NAME"
            f" SELECT * REPLACE (TRUE AS is_deleted) FROM {uncounted} WHERE {is_cancelled}",
            target,
        ),
        (f"FROM {uncounted} WHERE NOT ({is_cancelled})", others),
    ):
        connection.execute(f"COPY ({query}) TO {literal(str(file))} (FORMAT parquet)")
    return done._replace(
        rows=target,
        uncounted=others,
        uncounted_rows=done.uncounted_rows - count,
        left_out=done.left_out - count,
    )
