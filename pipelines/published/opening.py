"""Open what is published of a client, without the warehouse: a reader waits for nobody."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from pipelines.published.version_folders import (
    current,
    manifest,
    settled_beneath,
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
    """Open the settled version, with what it was made of: views `<client>_journeys.touchpoints`, and so on."""
    if not (shown := current(client)):
        yield None
        return
    with duckdb.connect() as opened:
        define_settled(opened, client, settled_beneath(client, shown.version))
        yield opened


def define_settled(opened: duckdb.DuckDBPyConnection, client: str, version: str) -> None:
    """Define the views of a version's published and settled tables. Raise PublishedFileError if it is gone."""
    for layer, tables in manifest(client, version).items():
        folder = versions_of(client) if layer == "publish" else settled_of(client)
        define(opened, f"{client}_{layer}", folder / version, tables)
