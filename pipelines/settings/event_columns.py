"""Say which columns of an event a setting may name: those of the contract, and the client's own."""

from pipelines.contracts.catalog import CONTRACTS
from pipelines.settings.exports import Export
from pipelines.sql import identifier

EVENTS = CONTRACTS["web"]["events"]
_OWN = [name for name, column in EVENTS.columns.items() if column.gathered]
_TIMES = [name for name, column in EVENTS.columns.items() if column.type == "timestamp"]


def event_columns(export: Export | None) -> dict[str, str]:
    """Return the columns of `web.events` that a condition may read, each with its SQL in staging."""
    plain = [name for name in EVENTS.columns if name not in (*_OWN, *_TIMES)]
    own = export.properties if export else {}
    return {name: identifier(name) for name in plain} | {name: property_of(name) for name in own}


def property_of(name: str) -> str:
    """Return SQL for one of an event's further columns."""
    return f"JSON_EXTRACT_STRING(properties, '$.{name}')"


def is_property(sql: str) -> bool:
    """Return whether SQL reads one of an event's further columns."""
    return "JSON_EXTRACT_STRING(properties" in sql


def check_properties(source: str, table: str, export: Export) -> None:
    """Raise ValueError where further columns are named of a table that keeps none, or have its names."""
    place = f"{source}.{table}.properties"
    if (source, table) != ("web", "events"):
        raise ValueError(f"{place}: only web.events keeps further columns; remove it")
    for name in export.properties:
        if name in EVENTS.columns:
            raise ValueError(
                f"{place}.{name}: {name} is a column of web.events; map it under `columns:`, or give"
                " this one another name"
            )
