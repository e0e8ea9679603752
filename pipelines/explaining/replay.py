"""Show the numbers that were published at a time, from the files that were kept of them."""

from datetime import datetime
from typing import NamedTuple

import duckdb

from pipelines.explaining.compared_campaigns import Compared, compared
from pipelines.explaining.shown_then import shown_then
from pipelines.explaining.steps import GoneVersion, shown_at
from pipelines.explaining.version_tables import define_version
from pipelines.published.settings_file import settings_of
from pipelines.published.version_folders import whole_versions
from pipelines.settings.client import Client
from pipelines.sql import only_row


class Numbers(NamedTuple):
    """What a client's published tables say in sum."""

    loaded_until: datetime | None  # None where they hold nothing
    models: list[str]  # by which credit was shared
    campaigns: list[Compared]  # `after` has the numbers; they are compared with nothing


class Replayed(NamedTuple):
    """What was published of a client at a time."""

    version: str
    settings: Client | None  # by which it was published; None where they were not kept
    numbers: Numbers


def replay(client: Client, moment: datetime) -> Replayed:
    """Return the numbers that were published at a UTC time. Raise GoneVersion if they are not kept."""
    version = _version(client, moment)
    with duckdb.connect() as opened:
        define_version(opened, "then", client.id, version)
        return Replayed(version, settings_of(client.id, version), numbers(opened, "then_publish"))


def _version(client: Client, moment: datetime) -> str:
    """Return the version that the ledger says was shown then, or else the newest of then."""
    shown = shown_then(client.id, moment)
    if not shown:
        return shown_at(client, moment)
    if shown.version in whole_versions(client.id):
        return shown.version
    raise GoneVersion(
        f"{client.id}: the version {shown.version}, shown at {moment:%Y-%m-%d %H:%M} UTC, is gone: as"
        f" published_files.keep_days: {client.published_files.keep_days:g} in its file says"
    )


def numbers(opened: duckdb.DuckDBPyConnection, schema: str) -> Numbers:
    """Return what the published tables in a schema say in sum."""
    (until,) = only_row(opened.execute(f"SELECT MAX(loaded_until) FROM {schema}.freshness_v1"))
    models = opened.execute(f"SELECT DISTINCT model FROM {schema}.attribution_v1 ORDER BY ALL")
    table = f"{schema}.campaigns_v1"
    return Numbers(
        until,
        [model for (model,) in models.fetchall()],
        compared(lambda query: opened.execute(query).fetchall(), f"(FROM {table} LIMIT 0)", table),
    )
