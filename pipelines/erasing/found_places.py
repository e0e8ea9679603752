"""Name where somebody was found: the table, the files, and how many rows."""

from typing import NamedTuple


class Place(NamedTuple):
    """Where rows that name somebody lie, such as `lake/acme/web` and `sessions`."""

    where: str
    table: str
    files: int
    rows: int
