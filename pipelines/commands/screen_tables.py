"""Make the tables that commands show.

A table takes the width of the terminal: where that is narrow, cells are folded. Nothing is ever cut;
where there is no terminal, as in a pipe, nothing is folded either.
"""

from rich.table import Table

from pipelines.commands import screen

_NARROW = 110  # columns, up to which a table has no space beside its cells


def new_table(*columns: str, title: str | None = None) -> Table:
    """Return a table without rows, of these columns."""
    table = Table(title=title, padding=(0, 1 if screen.screen.width > _NARROW else 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
