"""Have SQLMesh's janitor remove what no environment needs any more, once a day, when everybody is served.

It works in the process that runs a warehouse's clients, as one process alone may write the file; published
files are read meanwhile. What is promoted, and what `make rollback` can go back to, is in an environment and
stays; a table that is in none goes a week after it left the last one. What goes wrong is a note.
"""

from contextlib import closing
from datetime import datetime, timezone
from time import monotonic
from typing import NamedTuple

from pipelines.processes import Process, heard
from pipelines.serving import memory
from pipelines.serving.disk_use import note_shares, noted_at
from pipelines.serving.report import error_text
from pipelines.serving.warehouse import Warehouse
from pipelines.sql import only_row
from pipelines.torn_blocks import doubt, is_doubted
from pipelines.warehouse_files import wait_until_free, why_unusable

_SECONDS = 120  # that it may take; ended in the middle, the next one goes on


class Tidied(NamedTuple):
    """That a warehouse was tidied, and what is to be said of it; nothing if nothing was to be removed."""

    line: str = ""


def is_due(shard: str) -> bool:
    """Return whether a warehouse was not tidied today, UTC."""
    before, now = noted_at(shard), datetime.now(timezone.utc)
    return not is_doubted(shard) and (not before or before.date() != now.date())


def tidy(shard: str, warehouse: Warehouse | None = None) -> Tidied:
    """Tidy a warehouse in this process: remove old tables, and note which share of the file each client has."""
    name = f"warehouse/{shard}.duckdb"
    try:
        wait_until_free(shard, datetime.now(timezone.utc), lambda line: None)
        with closing(warehouse or Warehouse(shard)) as opened:
            count = _remove_expired(opened)
            note_shares(shard, opened.connection(), datetime.now(timezone.utc))
    except Exception as error:
        problem = why_unusable(shard, error) or error_text(error)
        return Tidied(f"{name}: old tables stay until another morning: {problem}")
    return Tidied(f"{name}: removed {count} old table{'s' if count > 1 else ''}" if count else "")


def _remove_expired(warehouse: Warehouse) -> int:
    """Remove the tables of models that are in no environment, and environments that have expired."""
    before = _tables(warehouse)
    warehouse.context.run_janitor(ignore_ttl=False)  # it raises an error if some stay
    return before - _tables(warehouse)


def _tables(warehouse: Warehouse) -> int:
    found = warehouse.connection().execute("SELECT COUNT(*) FROM DUCKDB_TABLES()")
    (count,) = only_row(found)
    return count


def have_tidied(shard: str, process: Process) -> Tidied:
    """Have the process of a warehouse tidy it; end it where it takes too long, or died.

    The clients of the warehouse stay as they are remembered: none of their numbers changes.
    """
    until = monotonic() + _SECONDS
    with memory.unchanged_for_others(shard):
        process.send(None)
        try:
            while heard([process], max(0, until - monotonic())):
                if isinstance(said := process.hear(), Tidied):
                    return said
        except EOFError:
            doubt(shard)
            return Tidied(f"warehouse/{shard}.duckdb: the process that removed old tables died")
        process.end()
        return Tidied(
            f"warehouse/{shard}.duckdb: removing old tables took too long: goes on another morning"
        )
