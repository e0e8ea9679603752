"""Map what an export has to the columns of its contract."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial

import duckdb

from pipelines.contracts.contract import Contract
from pipelines.settings.column_expressions import names_in
from pipelines.settings.conditions import Condition, UnknownColumns, columns_of, condition_over
from pipelines.settings.exports import Export
from pipelines.settings.written_numbers import Numbers
from pipelines.sources.batches import ExportError, Rows
from pipelines.sources.files import event_formats
from pipelines.sources.files.asked_units import ask_for_units
from pipelines.sources.files.called_columns import as_read
from pipelines.sources.files.header_zones import ask_for_zones
from pipelines.sources.files.made_columns import compared_bare, of_compared, with_bare, with_made
from pipelines.sources.files.missing_columns import missing_columns, shown, within_shown
from pipelines.sources.files.names_to_read import delivered, wanted
from pipelines.sources.files.nested_paths import Found, with_nested
from pipelines.sources.files.overlooked import ask_for_overlooked
from pipelines.sources.files.ready_made_columns import resolved
from pipelines.sources.files.url_values import queried, url_column, with_ids
from pipelines.sources.nothing import something
from pipelines.sources.numbers import PLAIN, POINTS
from pipelines.sources.times import as_time
from pipelines.sql import BLANKS, literal


def shaped(
    connection: duckdb.DuckDBPyConnection,
    rows: Rows,
    export: Export,
    contract: Contract,
    refused: Callable[..., ExportError],
    open_files: ExitStack,
) -> Rows:
    """Return the rows with the contract's columns; what is exported as events, as sessions.

    Raise ExportError, as `refused` words it, if a column is missing.
    """
    if export.is_ready_made:
        return _by_its_header(connection, rows, export, contract, refused, open_files)
    asked_for = wanted(export, contract)
    columns, called = as_read(refused, export, asked_for, rows.columns)
    rows = rows._replace(columns=columns, called=called, typed=_typed(rows.typed, called))
    if export.is_of_events:
        return event_formats.shaped(connection, rows, export, contract, refused, open_files)
    read = asked_for.held(rows.columns)
    paths = {name for name in asked_for.names if url_column(name) == name}
    found = with_nested(connection, rows, paths, contract)
    rows = with_made(connection, found.rows, export, contract)
    columns = _named(refused, contract, export, queried(export, rows.columns), found)
    unread = found.rows.columns.keys() - read - asked_for.names
    ask_for_overlooked(refused, export, contract, columns, unread)
    ask_for_units(refused, contract, export, columns)
    ask_for_zones(refused, export, contract, columns)
    bares = compared_bare(rows, (export.where, export.apart))
    rows = with_bare(rows, bares)
    return rows._replace(
        columns=with_ids(columns, [name for name in contract.columns if not export.names(name)]),
        unread=_unread(found.rows, read | asked_for.names),
        nowhere=_nowhere(refused, export, contract, found),
        where=_where(refused, export, rows.columns, bares),
        apart=_apart(export, rows.columns, bares),
        compared=_compared(export, rows.columns),
    )


def _by_its_header(
    connection: duckdb.DuckDBPyConnection,
    rows: Rows,
    export: Export,
    contract: Contract,
    refused: Callable[..., ExportError],
    open_files: ExitStack,
) -> Rows:
    """Return the rows of a download of a platform's own page, by the columns that its header has."""
    found = resolved(refused, export, contract, rows.columns)
    read = shaped(connection, rows, found.export, contract, refused, open_files)
    said = {"currency": literal(found.currency)} if found.currency else {}
    days = tuple(rows.columns[name] for name in found.days) if found.days else ()
    columns = read.columns | said
    notes = [*rows.notes, *found.notes]
    return read._replace(
        columns=columns,
        export=found.export,
        days=days,
        notes=notes,
        open_stages=found.open_stages,
    )


def _typed(query: str, called: dict[str, str]) -> str:
    """Return the query for columns that hold numbers, by the names that they are read by."""
    if not called:
        return query
    names = "".join(f" WHEN {literal(its)} THEN {literal(name)}" for name, its in called.items())
    return f"SELECT CASE name{names} ELSE name END FROM ({query}) AS typed(name)"


def _compared(export: Export, present: dict[str, str]) -> dict[str, str]:
    """Return the columns that `where:` compares."""
    return {name: present[name] for name in columns_of(export.where)} if export.where else {}


def _where(
    refused: Callable[..., ExportError],
    export: Export,
    present: dict[str, str],
    bares: Mapping[str, str],
) -> Condition | None:
    """Return which rows count. Raise ExportError if a column of `where:` is missing."""
    if not export.where:
        return None
    try:
        found = _condition(export.where, export, present, bares, export.numbers or PLAIN)
    except UnknownColumns as error:
        raise refused(
            f"`where:` names the column {error}, which it lacks; it has {shown(present)}. Correct"
            " `where:`; a name of several words stands in double quotes"
        ) from None
    if export.numbers or not any(value.kind == "number" for value in found.values):
        return found
    return found._replace(otherwise=_condition(export.where, export, present, bares, POINTS).counts)


def _apart(export: Export, present: dict[str, str], bares: Mapping[str, str]) -> str:
    """Return which rows are another table's; none are, where the export lacks what tells: that table says so."""
    if not export.apart or columns_of(export.apart) - present.keys():
        return ""
    return _condition(export.apart, export, present, bares, export.numbers or PLAIN).counts


def _condition(
    text: str,
    export: Export,
    present: dict[str, str],
    bares: Mapping[str, str],
    numbers: Numbers,
) -> Condition:
    """Return which rows count if numbers are written so."""
    number = of_compared(bares, numbers)
    time = partial(as_time, date_format=export.date_format)
    return condition_over(text, present, number, time)


def _named(
    refused: Callable[..., ExportError],
    contract: Contract,
    export: Export,
    present: dict[str, str],
    found: Found,
) -> dict[str, str]:
    """Return the contract's columns with their SQL. Raise ExportError if one is missing.

    Of a path that leads nowhere only a column that every row needs is missing: see `_nowhere`.
    """
    asked = {column: export.names(column) for column in delivered(contract)}
    missing: dict[str, list[str]] = {}
    for column, names in asked.items():
        if column in export.columns or not contract.columns[column].optional:
            for name in names:
                is_lost = name in found.nowhere and contract.columns[column].required
                lacking = names_in(name) - present.keys() if name not in present else set()
                for part in sorted(lacking) or [name] * is_lost:
                    missing.setdefault(part, []).append(column)
    if missing:
        raise missing_columns(refused, export, contract, missing, present, found.within)
    columns = {
        column: _joined([present[name] for name in names])
        for column, names in asked.items()
        if names and present.keys() >= set(names)
    }
    return (
        columns
        | _in_currency(export, contract, columns)
        | _gathered(refused, contract, export, present)
    )


def _in_currency(export: Export, contract: Contract, columns: dict[str, str]) -> dict[str, str]:
    """Return the column of the currency where the client's file says which all money is in."""
    if not export.in_currency or "currency" not in contract.columns:
        return {}
    said = f"{_text(columns['currency'])}, " if "currency" in columns else ""
    return {"currency": f"COALESCE({said}{literal(export.in_currency)})"}


def _nowhere(
    refused: Callable[..., ExportError], export: Export, contract: Contract, found: Found
) -> dict[str, ExportError]:
    """Return, by column of ours or setting, what is to be said if its path leads nowhere in any delivery.

    In one of them it may: on some days no visit has a campaign.
    """
    present, lost = found.rows.columns, found.nowhere
    errors = {
        column: missing_columns(refused, export, contract, {name: [column]}, present, found.within)
        for column in delivered(contract)
        for name in export.names(column)
        if name in lost
    }
    there = ", ".join(within_shown(found.within))
    for setting, names in _others(export).items():
        for name in sorted(lost.keys() & names):
            errors[setting] = refused(
                f"`{setting}:` names {name}, which it lacks; it has {there}. Correct `{setting}:`"
            )
    return errors


def _others(export: Export) -> dict[str, set[str]]:
    """Return the names of columns that settings beside `columns:` read."""
    where = columns_of(export.where) if export.where else set()
    return {"where": where, "properties": {*export.properties.values()}}


def _gathered(
    refused: Callable[..., ExportError],
    contract: Contract,
    export: Export,
    present: dict[str, str],
) -> dict[str, str]:
    """Return the column that holds those under `properties:`, as JSON. Raise ExportError if one is missing.

    Names are in their order, so that the same values are the same text.
    """
    if missing := {k: v for k, v in export.properties.items() if v not in present}:
        named = ", ".join(f"{column} (for properties.{name})" for name, column in missing.items())
        raise refused(
            f"missing column {named}; it has {shown(present)}. Correct `properties:`, or export it"
        )
    columns = [name for name, column in contract.columns.items() if column.gathered]
    values = ", ".join(
        f"{literal(name)}: {something(_text(present[column]), columns[0], contract)}"
        for name, column in sorted(export.properties.items())
    )
    return {columns[0]: f"to_json({{{values}}})"} if values else {}


def _unread(rows: Rows, read: set[str]) -> dict[str, str]:
    """Return the columns that no column of ours is made of, where the reader can read them."""
    return {
        name: value for name, value in rows.columns.items() if name not in read and value != "NULL"
    }


def _joined(parts: list[str]) -> str:
    """Return SQL for a value that is made of several, a blank between them; of nothing, nothing."""
    if len(parts) == 1:
        return parts[0]
    return f"NULLIF(CONCAT_WS(' ', {', '.join(map(_text, parts))}), '')"


def _text(value: str) -> str:
    """Return SQL for a value as text without blanks around it; an empty one is NULL."""
    return f"NULLIF(TRIM({value}::TEXT, {literal(BLANKS)}), '')"
