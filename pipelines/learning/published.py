"""Open what a client has published, to learn from it."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from pipelines.home import warehouse_folder
from pipelines.settings.client import Client
from pipelines.sql import only_row
from pipelines.warehouse_files import TornWarehouse, half_built, why_unusable


class TrainingError(Exception):
    """A client's model could not be trained; the text names it and the remedy."""


@contextmanager
def published(client: Client) -> Iterator[duckdb.DuckDBPyConnection | None]:
    """Open the client's warehouse to read; None before its first morning, and while it is half built.

    Raise TrainingError while another process holds the file.
    """
    file = warehouse_folder() / f"{client.shard}.duckdb"
    if not file.exists() or half_built(client.shard, client.id).exists():
        yield None
        return
    try:
        connection = duckdb.connect(str(file), read_only=True)
    except duckdb.Error as error:
        why = why_unusable(client.shard, error) or one_line(error)
        is_busy = not isinstance(why, TornWarehouse)
        remedy = "; try again when its morning has ended" if is_busy else ""
        raise TrainingError(f"{client.id}: {why}{remedy}") from None
    with connection:
        views = connection.execute(
            "SELECT COUNT(*) FROM duckdb_views() WHERE schema_name = ? AND view_name = 'current_paths'",
            [f"{client.id}_journeys"],
        )
        (paths,) = only_row(views)
        yield connection if paths else None


def one_line(error: Exception) -> str:
    """Return an error's text on one line."""
    return " ".join(str(error).split())
