"""Read Parquet files into DuckDB."""

import re

from pipelines.sources.batches import Reading, Rows, typed
from pipelines.sql import file_literal, identifier

_NUMBERS = r"(U?(TINY|SMALL|BIG|HUGE)?INT|INTEGER|UINTEGER|DECIMAL|DOUBLE|FLOAT)\b(?!.*\[)"


def read(reading: Reading) -> Rows:
    """Return the rows of a file; what is nested is JSON, and as it is in `native`."""
    path = file_literal(reading.path)
    relation = f"read_parquet({path})"
    columns = reading.connection.execute(f"DESCRIBE FROM {relation}").fetchall()
    is_numbered = "file_row_number" in (name.lower() for name, *_ in columns)
    return Rows(
        relation if is_numbered else f"read_parquet({path}, file_row_number = true)",
        {
            name: f"to_json({identifier(name)})" if _is_nested(kind) else identifier(name)
            for name, kind, *_ in columns
        },
        typed=typed(name for name, kind, *_ in columns if re.match(_NUMBERS, kind)),
        number="ROW_NUMBER() OVER ()" if is_numbered else "file_row_number + 1",
        native={name: identifier(name) for name, kind, *_ in columns if _is_nested(kind)},
    )


def _is_nested(kind: str) -> bool:
    return bool(re.search(r"STRUCT\(|MAP\(|UNION\(|\[", kind))
