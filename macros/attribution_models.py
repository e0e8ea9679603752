"""The library of attribution models: each is the weight of one touchpoint of a path, in SQL.

A weight is an expression over the columns of `journeys.paths`; a touchpoint's credit is its weight
over the sum of its conversion's weights. Only the client's own formula travels into its models,
as text: a new entry here rebuilds nobody.
"""

from collections.abc import Callable

from pipelines.settings.attribution import Attribution


def first_touch(settings: Attribution) -> str:
    """All to the first touchpoint."""
    return "CASE WHEN position = 1 THEN 1 ELSE 0 END"


def last_touch(settings: Attribution) -> str:
    """All to the last touchpoint."""
    return "CASE WHEN position = path_length THEN 1 ELSE 0 END"


def last_non_direct(settings: Attribution) -> str:
    """All to the last touchpoint that is not direct; to the last one if all are (GA4)."""
    return """CASE
        WHEN path_is_direct THEN CASE WHEN position = path_length THEN 1 ELSE 0 END
        WHEN NOT is_direct AND non_direct_after = 0 THEN 1
        ELSE 0
    END"""


def linear(settings: Attribution) -> str:
    """The same to every touchpoint."""
    return "1"


def position_based(settings: Attribution) -> str:
    """Fixed shares to both ends, the rest to those between; ends alone are renormalised (Adobe)."""
    first, last = settings.position_based.first, settings.position_based.last
    return f"""CASE
        WHEN path_length = 1 THEN 1
        WHEN path_length = 2 AND position = 1 THEN {first}
        WHEN path_length = 2 THEN {last}
        WHEN position = 1 THEN {first}
        WHEN position = path_length THEN {last}
        ELSE {round(1 - first - last, 9)}::DOUBLE / NULLIF(path_length - 2, 0)
    END"""


def time_decay(settings: Attribution) -> str:
    """Half for every half-life before the conversion, by continuous age: 2^(-age / half-life).

    Ages are taken from the newest touchpoint on: the shares are the same, and never underflow.
    """
    days = settings.time_decay.half_life_days
    return f"POWER(2::DOUBLE, -(age_seconds - newest_age_seconds) / ({days} * 86400::DOUBLE))"


MODELS: dict[str, Callable[[Attribution], str]] = {
    model.__name__: model
    for model in (first_touch, last_touch, last_non_direct, linear, position_based, time_decay)
}


def weight(settings: Attribution) -> str:
    """Return the weight of the model that the client chose, on one line."""
    return " ".join(MODELS[settings.model](settings).split())
