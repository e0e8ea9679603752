"""Open what is published of a client, without the warehouse: a reader waits for nobody."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from pipelines.published.version_folders import (
    base_of,
    current,
    manifest,
    settled_of,
    versions_of,
)
from pipelines.published.views import define


@contextmanager
def published(client: str) -> Iterator[duckdb.DuckDBPyConnection | None]:
    """Open the version that is shown of a client: views `<client>_publish.*`; None before the first.

    The files are read where the data's home is now, wherever it was when the `.duckdb` was made.
    Raise PublishedFileError if they cannot be read.
    """
    if not (shown := current(client)):
        yield None
        return
    tables = manifest(client, shown.version)["publish"]
    with duckdb.connect() as opened:
        define(opened, f"{client}_publish", versions_of(client) / shown.version, tables)
        yield opened


@contextmanager
def settled(client: str) -> Iterator[duckdb.DuckDBPyConnection | None]:
    """Open the same, with what the version was made of: views `<client>_journeys.touchpoints`, and so on."""
    if not (shown := current(client)):
        yield None
        return
    with duckdb.connect() as opened:
        define_settled(opened, client, shown.version)
        yield opened


def define_settled(opened: duckdb.DuckDBPyConnection, client: str, version: str) -> None:
    """Define the views of a version's published tables, and of the settled ones that it was made of, or stands on.

    Raise PublishedFileError if it is gone.
    """
    base = base_of(client, version)
    published = manifest(client, version)["publish"]
    for layer, tables in manifest(client, base).items():
        is_published = layer == "publish"
        folder = versions_of(client) / version if is_published else settled_of(client) / base
        define(opened, f"{client}_{layer}", folder, published if is_published else tables)
