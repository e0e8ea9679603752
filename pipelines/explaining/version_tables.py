"""Open versions of a client's published files beside each other."""

from datetime import datetime
from typing import Any

import duckdb

from pipelines.published.version_folders import base_of, manifest, settled_of, versions_of
from pipelines.published.views import define
from pipelines.sql import only_row


def define_version(
    opened: duckdb.DuckDBPyConnection, prefix: str, client: str, version: str
) -> dict[str, Any]:
    """Define the views of a version's tables: `then_publish.campaigns_v1`, by the prefix `then`.

    A provisional version has published tables of its own, and the settled ones of the version that it
    stands on. Return its manifest. Raise PublishedFileError if its files are gone.
    """
    base = base_of(client, version)
    held = manifest(client, base) | {"publish": manifest(client, version)["publish"]}
    for layer, tables in held.items():
        is_published = layer == "publish"
        folder = versions_of(client) / version if is_published else settled_of(client) / base
        define(opened, f"{prefix}_{layer}", folder, tables)
    return held


def loaded_until(opened: duckdb.DuckDBPyConnection, prefix: str) -> datetime:
    """Return when the newest row that a version holds was committed, UTC; long ago where it holds none."""
    query = f"SELECT MAX(loaded_until) FROM {prefix}_publish.freshness_v1"
    (until,) = only_row(opened.execute(query))
    return until or datetime.min
