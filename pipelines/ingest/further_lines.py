"""Find the further lines of an order, which hold its items and none of its own fields: they are skipped, and that is said.

An export of orders may have a line for each item, with the order's id on all of them and its total, time and
customer on the first alone. A line is one of these if it lacks what every row needs, its id is that of a good row
above it, and whatever else it says is what that row says.
"""

from collections.abc import Sequence

import duckdb

from pipelines.ingest.judged_rows import Judged

KIND = "further lines of an order"

_IS_MISSING = "[a-z_]+ is missing(; [a-z_]+ is missing)*"


def further_lines(connection: duckdb.DuckDBPyConnection, judged: Judged) -> Sequence[int]:
    """Return the ordinals of the further lines of orders."""
    contract = judged.contract
    if contract.converts != "TRUE" or len(contract.key) != 1:
        return []
    names = [name for name in contract.columns if name not in contract.key]
    lacking = " OR ".join(
        f"line.{name} IS NULL" for name in names if contract.columns[name].required
    )
    agrees = " AND ".join(
        f"COALESCE(line.{name} = first.{name}, line.{name} IS NULL)" for name in names
    )
    query = f"""
      WITH line AS (
        FROM {judged.rows} WHERE REGEXP_FULL_MATCH(reason, '{_IS_MISSING}') AND row_key IS NOT NULL
      ), first AS (
        FROM {judged.rows} WHERE reason IS NULL AND row_key IN (SELECT row_key FROM line)
        QUALIFY ROW_NUMBER() OVER (PARTITION BY row_key ORDER BY ordinal) = 1
      )
      SELECT line.ordinal FROM line JOIN first ON line.row_key = first.row_key
      WHERE line.ordinal > first.ordinal AND ({lacking}) AND {agrees} ORDER BY line.ordinal"""
    return [ordinal for (ordinal,) in connection.execute(query).fetchall()]
