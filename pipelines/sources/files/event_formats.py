"""Read an export of events by its format: as sessions, as conversions, or as refunds."""

from collections.abc import Callable
from contextlib import ExitStack
from types import ModuleType

import duckdb

from pipelines.contracts.contract import Contract
from pipelines.settings.exports import Export
from pipelines.sources.batches import ExportError, Rows
from pipelines.sources.files import (
    event_sales,
    event_sessions,
    ga4,
    matomo,
    posthog,
    segment,
    silent_sessions,
    snowplow,
)
from pipelines.sources.files.missing_columns import missing_columns, shown
from pipelines.sources.files.nested_paths import path_of, with_nested
from pipelines.sources.files.wanted_names import Wanted
from pipelines.sql import identifier

FORMATS: dict[str, ModuleType] = {
    "ga4": ga4,
    "snowplow": snowplow,
    "segment": segment,
    "posthog": posthog,
    "matomo": matomo,
}

_WITHOUT_SESSIONS = ("segment",)  # silence cuts what a browser does into sessions


def wanted(export: Export, contract: Contract) -> Wanted:
    """Return the names of the columns that are worth reading."""
    form, own = _format(export), _own(export)
    return Wanted(form.USED[_table(contract)] | own, own, form.NEEDED | own, form.NEEDED)


def makes_silent_sessions(export: Export, table: str) -> bool:
    """Return whether sessions are cut by silence."""
    return table == "sessions" and export.format in _WITHOUT_SESSIONS


def shaped(
    connection: duckdb.DuckDBPyConnection,
    rows: Rows,
    export: Export,
    contract: Contract,
    refused: Callable[..., ExportError],
    open_files: ExitStack,
) -> Rows:
    """Return what events tell of a table. Raise ExportError, as `refused` words it, if a column is missing."""
    form, table = _format(export), _table(contract)
    found = with_nested(connection, rows, wanted(export, contract).names, contract)
    present = found.rows.columns
    if missing := sorted(form.NEEDED - present.keys()):
        raise refused(
            f"missing column {', '.join(missing)}; it has {shown(rows.columns)}. Correct"
            f" `format: {export.format}` or `columns:`, or export these columns, too"
        )
    named = {column: names[0] for column, names in export.columns.items()}
    absent = {
        name: [column]
        for column, name in named.items()
        if name not in present and path_of(name, present) is None
    }
    if absent:
        raise missing_columns(refused, export, contract, absent, rows.columns, found.within)
    of = "conversions" if table == "sessions" else table
    facts = form.facts(table, found.rows, (export.event,) if export.event else form.EVENTS[of])
    times = {name for name, each in contract.columns.items() if each.type == "timestamp"}
    own = {
        column: form.moment(identifier(name)) if column in times else identifier(name)
        for column, name in named.items()
    }
    facts = facts._replace(columns={**facts.columns, **own})
    lost = {name: [column] for column, name in named.items() if name in found.nowhere}
    nowhere = {
        column: missing_columns(refused, export, contract, {name: [column]}, present, found.within)
        for name, (column,) in lost.items()
    }
    rows = found.rows._replace(nowhere=nowhere)
    if table != "sessions":
        return event_sales.sales(connection, rows, facts, contract, open_files)
    make = silent_sessions if makes_silent_sessions(export, table) else event_sessions
    if not export.has_guests:
        facts = facts._replace(guest="NULL")
    return make.sessions(connection, rows, facts, contract, open_files)


def _format(export: Export) -> ModuleType:
    return FORMATS[str(export.format)]


def _own(export: Export) -> set[str]:
    return {name for names in export.columns.values() for name in names}


def _table(contract: Contract) -> str:
    return contract.staged_by.removeprefix("stg_")
