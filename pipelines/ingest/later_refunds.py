"""Refuse a refund that comes under the id of its order in a later delivery, where nothing says that it is one.

Else it would be the newest version of the order, which then was worth -30.00 and had its touchpoints again.
"""

import duckdb

from pipelines.ingest.pending import Round
from pipelines.ingest.refund_remedies import as_refunds
from pipelines.ingest.table import Table
from pipelines.sources.batches import ExportError, Remedy


def refuse_later_refunds(
    connection: duckdb.DuckDBPyConnection, table: Table, round_: Round
) -> None:
    """Raise ExportError if a conversion was above 0 and is below it, or the other way round."""
    contract, export = table.delivery.contract, table.export
    if not export or contract.converts != "TRUE":
        return
    if export.grain in ("newest", "refunds"):
        return
    stored = f"UNION ALL {_NEWEST.format(rows=table.stored)}" if table.is_stored else ""
    if not (found := connection.execute(_FOUND.format(stored=stored)).fetchone()):
        return
    count, key, before, after, file = found
    batch = next((each for each in round_.batches if each.name == file), None)
    others = f" and {count - 1} others" if count > 1 else ""
    raise ExportError(
        f"conversion_id '{key}'{others} has a row of {before:.2f} and one of {after:.2f}: a refund under the id of its order"
        " would take its place",
        batch.path if batch else None,
        batch.shown if batch else file,
        [
            as_refunds(),
            Remedy("grain: newest", meaning="the newest row of an order is what it is worth"),
        ],
    )


_AMOUNT = "TRY_CAST(revenue AS DECIMAL(18, 6))"

_NEWEST = f"""SELECT row_key, {_AMOUNT} AS amount, '' AS file, 0 AS place FROM (
  SELECT row_key, revenue, is_deleted FROM {{rows}} AS log
  QUALIFY ROW_NUMBER() OVER (PARTITION BY row_key ORDER BY loaded_at DESC, ordinal DESC) = 1
) WHERE NOT is_deleted"""

_FOUND = f"""WITH known AS (
  SELECT row_key, {_AMOUNT} AS amount, export_file AS file, ordinal AS place FROM delivered
  WHERE reason IS NULL AND NOT is_deleted
  {{stored}}
), of_both AS (
  SELECT row_key, ARG_MIN(amount, place) AS before, ARG_MAX(amount, place) AS after, MAX(file) AS file
  FROM known WHERE row_key IN (SELECT row_key FROM known WHERE amount < 0) AND amount <> 0
  GROUP BY row_key HAVING MIN(amount) < 0 AND MAX(amount) > 0 AND MAX(place) > 0
)
SELECT COUNT(*), MIN(row_key), ARG_MIN(before, row_key), ARG_MIN(after, row_key), ARG_MIN(file, row_key)
FROM of_both HAVING COUNT(*) > 0"""
