"""Say how each table of a client is delivered, and find what was exported of it."""

from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Literal, NamedTuple

import duckdb

from pipelines.contracts.catalog import CONTRACTS
from pipelines.contracts.contract import Contract
from pipelines.settings.apis import Api
from pipelines.settings.client import Client
from pipelines.settings.exports import Export
from pipelines.settings.ordered_by import DeliveryOrder
from pipelines.sources.batches import Batch, FetchRequest
from pipelines.sources.files import (
    buckets,
    column_times,
    event_formats,
    event_sales,
    event_sessions,
    postgres,
    reading,
    silent_sessions,
)

_ROOM = "pipelines.sources.platforms"
PLATFORMS: dict[str, ModuleType] = {  # a source whose API can be asked has a module of its name
    source: import_module(f"{_ROOM}.{source}")
    for source in CONTRACTS
    if find_spec(f"{_ROOM}.{source}")
}

# Writes to a file the rows of a delivery, each merged with the other versions of its key: those
# that came with it, and those that are stored. Both are relations in SQL; '' if none are stored.
Merge = Callable[[duckdb.DuckDBPyConnection, str, str, Path], None]


class TableDelivery(NamedTuple):
    """How a table is delivered: its columns, how much of it comes at once, how versions merge.

    An `increment` brings new and changed rows. A `full` export, or whole `days`, also deletes: what
    it lacks is gone. Without `merge`, the newest version of a key replaces the one before it.

    Within one file, a key stands for `one` row; or all its rows are added up, their `sum`; or they
    are versions, of which the `newest` counts, as in the answers of an API that is asked for pages.
    """

    contract: Contract
    mode: Literal["increment", "full", "days"]
    merge: Merge | None = None
    grain: Literal["one", "sum", "newest"] = "newest"


def grain_of(export: Export) -> Literal["one", "sum", "newest"]:
    """Return what several rows of one key are; refunds are rows of another table."""
    return "one" if export.grain is None or export.grain == "refunds" else export.grain


def delivery_of(client: Client, source: str, table: str) -> TableDelivery:
    """Return how a table is delivered; what is made of events is merged."""
    feed = client.sources.of(source)[table]
    contract = CONTRACTS[source][table]._replace(nothing=tuple(client.nothing))
    if isinstance(feed, Api):
        return TableDelivery(contract, PLATFORMS[source].DELIVERY)
    if feed.is_of_events:
        if table != "sessions":
            return TableDelivery(contract, feed.delivery, partial(event_sales.merge, contract))
        is_silent = event_formats.makes_silent_sessions(feed, table)
        make = silent_sessions if is_silent else event_sessions
        made = contract._replace(columns=make.COLUMNS)
        return TableDelivery(made, feed.delivery, make.merge)
    return TableDelivery(contract, feed.delivery, grain=grain_of(feed))


class Platform(NamedTuple):
    """A platform's API with one client's settings: what to fetch, and which days the lake lacks."""

    fetch: Callable[[FetchRequest], Iterator[Batch]]
    missing: Callable[[FetchRequest], list[date]]


def platform_of(client: Client, source: str) -> Platform | None:
    """Return the platform whose API is asked for a source; None if it is exported."""
    for feed in client.sources.of(source).values():
        if isinstance(feed, Api):
            module = PLATFORMS[source]
            return Platform(partial(module.fetch, api=feed), partial(module.missing, api=feed))
    return None


def exported(request: FetchRequest, source: str, table: str) -> list[Batch]:
    """Return an export's batches: files, objects in a bucket, or a table in Postgres.

    Raise ExportError if there is none, PlatformError if bucket or database does not answer.
    """
    export = request.client.sources.of(source)[table]
    if isinstance(export, Api):
        raise TypeError(f"{source} is asked by its API, and exports nothing")
    contract = delivery_of(request.client, source, table).contract
    if export.postgres:
        return postgres.batches(request, source, table, export, export.postgres, contract)
    batches = _of_files(request, source, table, export, contract)
    if isinstance(export.ordered_by, DeliveryOrder) and (column := export.ordered_by.column):
        plain = export.model_copy(update={"columns": {"time": (column,)}, "format": None})
        timed = _of_files(request, source, table, plain, column_times.CONTRACT)
        times = {each.name: partial(column_times.newest, each, column) for each in timed}
        return [each._replace(column_time=times.get(each.name)) for each in batches]
    return batches


def _of_files(
    request: FetchRequest, source: str, table: str, export: Export, contract: Contract
) -> list[Batch]:
    if export.in_bucket:
        return buckets.batches(request, source, table, export, contract)
    return reading.batches(request, export, table, contract)
