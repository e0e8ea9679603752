"""Withdraw deals that the CRM deleted and no longer shows, as a full export does with what it lacks."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import duckdb

from pipelines.contracts.salesforce_ids import whole_id
from pipelines.ingest.table import Table
from pipelines.sources.batches import Batch, Coverage, Rows
from pipelines.sql import identifier, literal


def withdrawn(table: Table, ids: Sequence[str], place: str) -> Batch | None:
    """Return the newest versions of deals as deleted ones; None where none of them is known.

    A record that was purged from the recycle bin is in no answer of the org: what is known of it
    is the lake's, and the word that it is gone is the event's.
    """
    if not ids or not table.is_stored:
        return None
    covers = Coverage("withdrawn", place, place)
    name = f"{table.log.source}/{table.name}/withdrawn/{place}"
    return Batch(table.name, name, "", None, partial(_opened, table, ids), covers)


@contextmanager
def _opened(
    table: Table, ids: Sequence[str], connection: duckdb.DuckDBPyConnection
) -> Iterator[Rows]:
    (key,) = table.delivery.contract.identity
    names = [identifier(name) for name in table.columns]
    listed = ", ".join(literal(one) for one in ids)
    newest = f"""(
      SELECT {", ".join(names)} FROM {table.stored} AS log
      WHERE {whole_id(key)} IN ({listed})
      QUALIFY ROW_NUMBER() OVER (PARTITION BY row_key ORDER BY loaded_at DESC, ordinal DESC) = 1
    )"""
    columns = dict(zip(table.columns, names)) | {"is_deleted": "'true'"}
    yield Rows(newest, columns)
