"""Refuse files of which it matters which is newer, where that cannot be told.

It matters if they have a key in common, with different content: the newer one wins. Files that share
nothing, as of two regions, are loaded in any order.
"""

import duckdb

from pipelines.ingest.content import content as content_of
from pipelines.ingest.pending import Round
from pipelines.ingest.table import Table
from pipelines.sources.batches import ExportError


def refuse_conflicts(connection: duckdb.DuckDBPyConnection, table: Table, round_: Round) -> None:
    """Raise ExportError if files whose order is untold contradict each other in `delivered`.

    Versions that are merged, as of sessions that are made of events, contradict nothing.
    """
    if table.delivery.merge:
        return
    batches = {batch.name: batch for batch in round_.batches}
    identity = [name for name in table.delivery.contract.identifying if name in table.columns]
    for group in round_.untold:
        found = connection.execute(
            f"""SELECT MIN(export_file), MAX(export_file), COUNT(*) OVER (),
            ANY_VALUE(CONCAT_WS(' ', {", ".join(identity)}))
            FROM delivered WHERE reason IS NULL AND export_file IN (SELECT UNNEST(?))
            GROUP BY row_key HAVING COUNT(DISTINCT export_file) > 1
            AND COUNT(DISTINCT {content_of(table.delivery.contract, table.columns)}) > 1
            ORDER BY row_key LIMIT 1""",
            [group.names],
        ).fetchone()
        if found:
            older, newer, count, example = found
            raise ExportError(
                f"which of {batches[older].shown} and {batches[newer].shown} is newer cannot be told:"
                f" {group.why}. They differ in {count} rows, such as {example}",
                remedies=group.orders,
            )
