"""Open what is published of a client, without the warehouse: a reader waits for nobody."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from pipelines.published.version_folders import current, manifest, versions_of
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
        define(opened, client, versions_of(client) / shown.version, tables)
        yield opened
