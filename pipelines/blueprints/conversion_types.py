"""Write what differs between types of conversions as SQL over `conversion_type`.

Only a client's own types are written into its models, as text.
"""

from pipelines.settings.conditions import Condition, condition_over
from pipelines.settings.conversions import Rules
from pipelines.settings.event_columns import event_columns, is_property
from pipelines.settings.exports import Export
from pipelines.sources.numbers import PLAIN, as_double
from pipelines.sql import literal


def event_types(types: dict[str, Rules], export: Export | None) -> str:
    """Return the type of conversion that an event is by its `event_type`; NULL if none."""
    events = {name: rules for name, rules in types.items() if rules.event}
    if not any(rules.where for rules in events.values()):
        branches = (
            f"WHEN {literal(str(rules.event))} THEN {literal(name)}"
            for name, rules in events.items()
        )
        return f"CASE event_type {' '.join(branches)} END"
    branches = (
        f"WHEN {_is_one(rules, export)} THEN {literal(name)}" for name, rules in events.items()
    )
    return f"CASE {' '.join(branches)} END"


def undecided_events(types: dict[str, Rules], export: Export | None) -> str:
    """Return the type of which a value of an event cannot be read that decides; NULL if all can."""
    branches = [
        f"WHEN event_type = {literal(str(rules.event))} AND ({value.unreadable})"
        f" THEN {literal(name)}"
        for name, rules in types.items()
        if rules.where
        for value in _condition(rules.where, export).values
    ]
    return f"CASE {' '.join(branches)} END" if branches else "NULL::TEXT"


def _is_one(rules: Rules, export: Export | None) -> str:
    """Return SQL for whether an event is of a type."""
    is_named = f"event_type = {literal(str(rules.event))}"
    return f"{is_named} AND {_condition(rules.where, export).counts}" if rules.where else is_named


def _condition(where: str, export: Export | None) -> Condition:
    """Return which events count; numbers in properties are as the export writes them."""

    def number(text: str) -> str:
        written = export and export.numbers if is_property(text) else None
        return as_double(text, numbers=written or PLAIN)

    return condition_over(where, event_columns(export), number)


def counts_first(types: dict[str, Rules]) -> str:
    """Return whether only a customer's first conversion of a `conversion_type` counts."""
    return _by_type({name: str(rules.counting == "first").upper() for name, rules in types.items()})


def window_days(types: dict[str, Rules]) -> str:
    """Return the days of the window of a `conversion_type`."""
    return _by_type({name: str(rules.attribution.lookback_days) for name, rules in types.items()})


def is_counted(types: dict[str, Rules]) -> str:
    """Return whether a `conversion_type` is in campaigns and totals."""
    return _by_type({name: str(rules.counts).upper() for name, rules in types.items()})


def _by_type(values: dict[str, str]) -> str:
    if len(set(values.values())) == 1:
        return next(iter(values.values()))
    branches = " ".join(f"WHEN {literal(name)} THEN {value}" for name, value in values.items())
    return f"CASE conversion_type {branches} END"
