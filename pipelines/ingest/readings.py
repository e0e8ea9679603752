"""Keep with each file how it was read, and say whether the client's file reads it otherwise now.

A reading is all of the settings that decide which rows a file's bytes become. It is kept as JSON in the
lake's table `readings`, a row for each batch of a load, with what was found of it by its values. What a lake from before this table holds counts
as read by the settings of the first ingest that keeps them.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.ingest.source_log import SourceLog
from pipelines.ingest.table import Table
from pipelines.settings.client import Client
from pipelines.settings.exports import Export
from pipelines.settings.ready_made import formats
from pipelines.sources.batches import Batch
from pipelines.sources.deliveries import delivery_of
from pipelines.sources.files.header_zones import zones

# What says where an export lies, or how often it comes, and not what its bytes mean.
_ELSEWHERE = {"files", "bucket", "postgres", "expected_every"}

# What is kept as what comes of it, together with what the names of columns say.
_SETTLED = {"zones"}

_SCHEMA = pa.schema(
    [
        (name, pa.string())
        for name in (
            *("table_name", "export_file", "fingerprint", "reading", "first_loaded_at"),
            "found",
        )
    ]
)


def reading_of(table: Table) -> str:
    """Return how a table's exports are read by the client's file, as JSON; '' if an API is asked."""
    if not table.export:
        return ""
    settings = table.export.model_dump(
        mode="json", exclude=_ELSEWHERE | _SETTLED, exclude_defaults=True
    )
    named = zones(table.export, table.delivery.contract, table.client.timezone)
    by_name = {"zones": named} if named else {}
    return json.dumps(
        {"export": settings} | _of_client(table) | by_name | _of_format(table), sort_keys=True
    )


def _of_format(table: Table) -> dict[str, Any]:
    """Return the names by which a ready-made format knows the columns: with others a file is read otherwise."""
    if not table.export or not table.export.is_ready_made:
        return {}
    columns = formats()[str(table.export.format)].columns(table.delivery.contract)
    return {
        "names": {
            column: [name for each in readings for names in each.values() for name in names]
            for column, readings in columns.items()
        }
    }


def _of_client(table: Table) -> dict[str, Any]:
    """Return the client's own settings by which rows of the table are good or bad."""
    contract, client = table.delivery.contract, table.client
    found: dict[str, Any] = {}
    if hasattr(contract, "nothing"):
        found["nothing"] = sorted(contract.nothing)
    if "currency" in contract.columns:
        found["currency"] = client.currency
        found["rates"] = bool(client.sources.rates)
    return found


def known(log: SourceLog, table: str) -> dict[str, str]:
    """Return how each batch of a table was read when it was read last; of old ones that is unknown."""
    return {name: reading for (of, name), reading in log.readings().items() if of == table}


def has_numbers(reading: str) -> bool:
    """Return whether a setting said how numbers are written, by a reading."""
    return "numbers" in json.loads(reading).get("export", {})


def changed(table: Table, batches: Iterable[Batch]) -> dict[str, str]:
    """Return the batches that were read otherwise than they would be now, each with that reading.

    One without a fingerprint is a table that every run looks at, under a name that may change.
    """
    now, before = reading_of(table), known(table.log, table.name)
    fingerprints = table.log.loaded(table.name).fingerprints
    found: dict[str, str] = {}
    for batch in batches:
        if batch.fingerprint and fingerprints.get(batch.name) != batch.fingerprint:
            continue
        reading = before.get(batch.name) if batch.fingerprint else next(iter(before.values()), None)
        if reading not in (None, now):
            found[batch.name] = str(reading)
    return found


def is_changed(table: Table) -> bool:
    """Return whether the newest that was loaded of a table was read otherwise than it would be now."""
    newest = next(iter(known(table.log, table.name).values()), None)
    return bool(table.export) and newest not in (None, reading_of(table))


def to_be_read_again(client: Client) -> list[str]:
    """Return the client's tables whose files the next ingest reads again, each with what has changed."""
    found = []
    for source, name, feed in client.sources.feeds():
        if isinstance(feed, Export):
            table = Table(
                client, name, delivery_of(client, source, name), SourceLog(client.id, source)
            )
            if is_changed(table):
                before = next(iter(known(table.log, name).values()))
                found.append(f"{source}.{name} ({difference(before, reading_of(table))})")
    return found


def unknown(table: Table) -> dict[str, str]:
    """Return the loaded files of which nobody knows how they were read, each with its fingerprint."""
    before = known(table.log, table.name)
    loaded = table.log.loaded(table.name).fingerprints
    return {name: content or "" for name, content in loaded.items() if name not in before}


def kept(
    table: Table,
    batches: dict[str, str],
    first_loaded: dict[str, str],
    file: Path,
    found: Mapping[str, str | None] = {},
) -> Path:
    """Write how batches were read, each with its fingerprint, and when a known one was first loaded.

    Beside it stands what was `found` of a batch by its values: later ones are read by it, too.
    """
    reading = reading_of(table)
    rows = [
        dict(zip(_SCHEMA.names, (table.name, name, content, reading, *rest)))
        for name, content in batches.items()
        for rest in [(first_loaded.get(name), found.get(name))]
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema=_SCHEMA), file)
    return file


def difference(before: str, now: str) -> str:
    """Return what of a reading differs, by setting: `columns.campaign: cmp, now came_from`."""
    old, new = _flat(json.loads(before)), _flat(json.loads(now))
    names = [name for name in sorted(old | new) if old.get(name) != new.get(name)]
    return "; ".join(
        f"{name.removeprefix('export.')}: {_said(old.get(name))}, now {_said(new.get(name))}"
        for name in names
    )


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        return {prefix.removesuffix("."): value}
    flat: dict[str, Any] = {}
    for name, each in value.items():
        flat |= _flat(each, f"{prefix}{name}.")
    return flat


def _said(value: Any) -> str:
    if value in (None, "", []):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
