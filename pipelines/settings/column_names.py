"""Name the columns of an export that one of ours is made of."""

from typing import Annotated, Any

Names = Annotated[tuple[str, ...], "a name, a list of names, or null"]


def column_names(column: str, written: Any) -> tuple[str, ...]:
    """Return the names that are written for a column. Raise ValueError if they name none."""
    if written is None:
        return ()
    if isinstance(written, bool | int | float):
        written = str(written).upper()
    names = written if isinstance(written, list | tuple) else [written]
    if not names or not all(isinstance(name, str) and name for name in names):
        raise ValueError(
            f"{column}: {written!r} names no column; write a name, a list of names, or null if the export has none"
        )
    return tuple(names)
