"""Read files as they were read before: by the settings that are kept with each file."""

import json
from pathlib import Path

import duckdb

from pipelines.ingest.fetching import fetch_request
from pipelines.ingest.found_readings import Found, read_by_values, remembered
from pipelines.ingest.pending import Round
from pipelines.ingest.readings import reading_of
from pipelines.ingest.table import Table
from pipelines.ingest.validation import Validated, validate
from pipelines.settings.client import Client
from pipelines.settings.exports import Export
from pipelines.settings.time_zones import OWN
from pipelines.sources.batches import Batch, ExportError
from pipelines.sources.deliveries import delivery_of, exported


def rows_before(
    connection: duckdb.DuckDBPyConnection, table: Table, round_: Round, folder: Path
) -> list[Path]:
    """Return files of the rows that the batches had as they were read before."""
    found: list[Path] = []
    by_reading: dict[str, list[str]] = {}
    for name, before in (round_.again or {}).items():
        if before != reading_of(table):
            by_reading.setdefault(before, []).append(name)
    for before, names in by_reading.items():
        for batch in _batches_before(table, before, folder):
            if batch.name in names:
                target = folder / f"{table.name}.before.{len(found)}"
                found += _read_before(connection, table, before, batch, target)
    return found


def _batches_before(table: Table, before: str, folder: Path) -> list[Batch]:
    """Return the batches as they are read by a reading from before; none if it can be used no more."""
    try:
        client = _client_before(table, before)
    except ValueError:  # a setting that this version of the product does not have
        return []
    request = fetch_request(client, table.log, folder)
    request = request._replace(coverage=request.coverage | {table.name: []})
    return exported(request, table.log.source, table.name)


def _read_before(
    connection: duckdb.DuckDBPyConnection, table: Table, before: str, batch: Batch, target: Path
) -> list[Path]:
    client = _client_before(table, before)
    contract = delivery_of(client, table.log.source, table.name).contract
    feed = client.sources.of(table.log.source)[table.name]
    assert isinstance(feed, Export)
    known = table.log.found(table.name).get(batch.name)

    def by(found: Found) -> Validated:
        settings = found.settings(feed)
        each = (contract, client, settings, batch.by(settings), 0, target)
        return validate(connection, *each, words=found.words)

    try:
        return [read_by_values(by, remembered(known) if known else Found())[0].rows]
    except ExportError:  # it has not these columns any more, and was loaded by others
        return []


def _client_before(table: Table, before: str) -> Client:
    """Return the client with the export as it was read before, and no limit of bad rows."""
    client, source, export = table.client, table.log.source, table.export
    assert export
    places = {"files", "bucket", "postgres"}
    where = export.model_dump(mode="json", include=places, exclude_none=True)
    written = where | json.loads(before)["export"]
    written["zones"] = _zones_before(table, before)
    written["columns"] = {name: each or None for name, each in written.get("columns", {}).items()}
    old = Export.model_validate_json(json.dumps(written))
    return client.model_copy(
        update={
            "sources": client.sources.reading(source, table.name, old),
            "quality": client.quality.model_copy(update={"quarantine_limit": 1.0}),
        }
    )


def _zones_before(table: Table, before: str) -> dict[str, str]:
    """Return the zone of every column of times, as it was known then; it is not asked for again."""
    columns = table.delivery.contract.columns.items()
    times = [name for name, column in columns if column.type == "timestamp"]
    return dict.fromkeys(times, OWN) | json.loads(before).get("zones", {})
