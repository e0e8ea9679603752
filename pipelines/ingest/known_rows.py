"""Say from how many known rows a full export came down, delivery by delivery.

An export that loses 15 % every day never loses more than its limit at once. So what would be left is
compared with the most rows that were known in the last days, too. Rows that come make up for rows that
go: an export of the last ninety days shrinks only if less comes than goes.
"""

from datetime import datetime, timedelta

import duckdb

from pipelines.ingest.shrinkage import Shrinkage
from pipelines.ingest.table import Table

DAYS = timedelta(days=7)
DELIVERIES = 7  # where they are rarer than daily
_LOADS = 1000  # that are looked at


def most_known(table: Table, limit: float) -> tuple[datetime, int] | None:
    """Return when most rows were known of late, and how many; None if no load has counted them.

    What came down further than the limit was confirmed by somebody: what was known before it is past.
    """
    since: list[tuple[datetime, int]] = []
    for at, known in _history(table):
        if since and _came_down(since, known, limit):
            since = []
        since.append((at, known))
        since = [each for each in since[:-DELIVERIES] if at - each[0] < DAYS] + since[-DELIVERIES:]
    return max(since, key=lambda each: each[1], default=None)


def _came_down(since: list[tuple[datetime, int]], known: int, limit: float) -> bool:
    most = max(rows for _, rows in since)
    return Shrinkage(most, known, most - known).is_suspicious(limit)


def _history(table: Table) -> list[tuple[datetime, int]]:
    """Return how many rows were known after each load that was not taken back, oldest first."""
    if not table.log.has("exports"):
        return []
    rows = table.log.rows("exports", ["rows_known", "withdraws"])
    with duckdb.connect() as connection:
        found = connection.execute(
            f"""SELECT loaded_at, known FROM (
              SELECT MAX(loaded_at) AS loaded_at, MAX(rows_known) AS known FROM {rows} AS log
              WHERE table_name = $table AND rows_known IS NOT NULL
              AND load_id NOT IN (SELECT withdraws FROM {rows} AS log WHERE withdraws IS NOT NULL)
              GROUP BY load_id ORDER BY 1 DESC LIMIT {_LOADS}
            ) ORDER BY 1""",
            {"table": table.name},
        )
        return [(at, int(known)) for at, known in found.fetchall()]
