"""Say which columns may hold numbers, by the statistics that files of rows have of their own values.

They cost no pass over the rows. What looks at numbers that were written in odd ways, as ids that a
spreadsheet has rounded, needs to look at these columns alone: `session-1` begins with no digit.
"""

from collections.abc import Iterable
from pathlib import Path

import duckdb

from pipelines.sql import literal

_AFTER_DIGITS = ":"  # the sign after 9: what begins with a digit comes before it


def number_like(
    connection: duckdb.DuckDBPyConnection, files: Iterable[Path], names: list[str]
) -> list[str]:
    """Return those columns of Parquet files of which some value may begin with a digit."""
    if not names or not (listed := ", ".join(literal(str(file)) for file in files)):
        return []
    found = connection.execute(
        f"""SELECT DISTINCT path_in_schema FROM parquet_metadata([{listed}])
        WHERE stats_null_count IS DISTINCT FROM num_values
        AND COALESCE(stats_min_value, '') < '{_AFTER_DIGITS}'"""
    ).fetchall()
    return [name for name in names if (name,) in found]
