"""Write what differs between types of conversions as SQL over `conversion_type`.

Only a client's own types are written into its models, as text.
"""

from pipelines.settings.conversions import Rules
from pipelines.sql import literal


def event_types(types: dict[str, Rules]) -> str:
    """Return the type of conversion that an event is by its `event_type`; NULL if none."""
    branches = " ".join(
        f"WHEN {literal(rules.event)} THEN {literal(name)}"
        for name, rules in types.items()
        if rules.event
    )
    return f"CASE event_type {branches} END"


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
