"""Take rows out of the files of a batch that was judged."""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from pipelines.sql import literal


def take_out(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[Path],
    numbers: Sequence[int],
    column: str = "ordinal",
) -> None:
    """Take rows out of files, by their numbers in a column."""
    if not numbers:
        return
    listed = ", ".join(map(str, numbers))
    for file in files:
        rest = file.with_suffix(".rest")
        kept = f"FROM read_parquet({literal(str(file))}) WHERE {column} NOT IN ({listed})"
        connection.execute(f"COPY ({kept}) TO {literal(str(rest))} (FORMAT parquet)")
        rest.replace(file)
