"""Write a version with provisional rows beside the settled one that it stands on, and show it."""

from typing import Any

import duckdb

from pipelines.lake.newest_loads import newest_loads
from pipelines.ledger.recording import recorded
from pipelines.published.old_versions import prune_provisional
from pipelines.published.shown_tables import Column, Shown, row_count
from pipelines.published.version_folders import (
    base_of,
    current,
    is_provisional,
    manifest,
    next_version,
)
from pipelines.published.view_files import show
from pipelines.published.writing import Before, describe, write_version

# It says how new the loads are, too: a load that changes no number makes no version.
_HOW_NEW = "freshness_v1"


def write_provisional(computed: duckdb.DuckDBPyConnection, client: str, base: str) -> str | None:
    """Write the published tables of a connection, and show them; return the version, None if it is shown already.

    The connection has all tables that the settled version `base` publishes. The caller writes `alone`.
    """
    settled = manifest(client, base)
    tables = [_table(name, held) for name, held in settled["publish"].items()]
    now = describe(computed, client, tables)
    known = [Before(base, settled, is_shown=False)]
    if (shown := current(client)) and is_provisional(shown.version):
        before = Before(shown.version, manifest(client, shown.version), shown.is_here(client))
        is_on_base = base_of(client, shown.version) == base
        if is_on_base and before.is_shown and _numbers(before.manifest) == _numbers(now):
            return None
        known.append(before)
    with recorded(client, "stream") as run:
        run.loads = newest_loads(client)
        version = next_version(client, provisional=True)
        write_version(computed, client, version, tables, now, known, base=base)
        show(client, version)
        prune_provisional(client)
        run.outcome, run.made = "published", {"published": version}
        run.rows = sum(row_count(table["digests"]) for table in now["publish"].values())
        return version


def _table(name: str, held: dict[str, Any]) -> Shown:
    columns = tuple(Column(*column) for column in held["columns"])
    return Shown("publish", name, held["behind"], held["comment"], columns)


def _numbers(held: dict[str, Any]) -> dict[str, Any]:
    return {name: table for name, table in held["publish"].items() if name != _HOW_NEW}
