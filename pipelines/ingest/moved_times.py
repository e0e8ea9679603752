"""Say that the times of known rows came moved by the same hours: their export's zone was changed.

An export that begins to write summer time, or another zone, moves each row by an hour or more. It is taken,
as its rows are newer, and it is told: touches and deals near midnight, or near each other, may count
otherwise. Times with an offset are compared as moments, so another way to write one moves nothing.
"""

import duckdb

from pipelines.ingest.table import Table

_AT_LEAST = 10  # rows: fewer may have been corrected by hand
_SHARE = 0.9
_FARTHEST = 14 * 3600  # of any zone from UTC, in seconds

_CHANGED = """
CREATE OR REPLACE TEMP TABLE changed AS
SELECT * FROM delivered ANTI JOIN unchanged USING (ordinal)
WHERE reason IS NULL AND NOT is_deleted AND row_key IN (SELECT row_key FROM stored WHERE NOT is_deleted)
"""

_MOVED = """
WITH newest AS (
  SELECT row_key, ARG_MAX({name}, (loaded_at, ordinal)) AS was FROM {stored} AS log
  WHERE row_key IN (SELECT row_key FROM changed) GROUP BY row_key
), moved AS (
  SELECT EPOCH(TRY_CAST(changed.{name} AS TIMESTAMPTZ)) - EPOCH(TRY_CAST(was AS TIMESTAMPTZ)) AS seconds
  FROM changed JOIN newest USING (row_key)
  WHERE CONTAINS({name}, ':') AND CONTAINS(was, ':')
  AND REGEXP_MATCHES({name}, '{offset}') = REGEXP_MATCHES(was, '{offset}')
), usual AS (
  SELECT seconds, COUNT(*) AS rows FROM moved GROUP BY seconds ORDER BY rows DESC, seconds LIMIT 1
)
SELECT seconds, rows FROM usual WHERE seconds <> 0 AND ABS(seconds) <= {farthest} AND seconds % 900 = 0
AND rows >= {at_least} AND rows >= {share} * (SELECT COUNT(*) FROM moved WHERE seconds IS NOT NULL)
"""
_OFFSET = "(Z|[+-][0-9]{2}(:?[0-9]{2})?)$"


def notes(connection: duckdb.DuckDBPyConnection, table: Table) -> list[str]:
    """Return what is said of times that moved; it reads `stored`, `delivered` and `unchanged`."""
    columns = table.delivery.contract.columns
    times = [name for name in table.columns if columns[name].type == "timestamp"]
    if not times or not table.is_stored or not table.export:
        return []
    connection.execute(_CHANGED)
    if (connection.execute("SELECT COUNT(*) FROM changed").fetchone() or (0,))[0] < _AT_LEAST:
        return []
    said = []
    for name in times:
        bounds = {"farthest": _FARTHEST, "at_least": _AT_LEAST, "share": _SHARE}
        query = _MOVED.format(name=name, stored=table.stored, offset=_OFFSET, **bounds)
        for seconds, rows in connection.execute(query).fetchall():
            hours = f"{abs(seconds) / 3600:g} hour{'s' * (abs(seconds) != 3600)}"
            how = "later" if seconds > 0 else "earlier"
            said.append(
                f"{table.name}: {name} of {rows} known rows is {hours} {how} than it was loaded before: was the zone"
                " of the export changed? Export times in UTC or with an offset to have them exact"
            )
    return said
