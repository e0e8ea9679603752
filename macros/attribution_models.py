"""The library of attribution models: each is the weight of one touchpoint of a path, in SQL.

A weight is an expression over the columns of `journeys.paths`, and over `score` for a model that
learns; a touchpoint's credit is its weight over the sum of its conversion's weights. Only the client's own formula travels into its models,
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


def participation(settings: Attribution) -> str:
    """The whole conversion to every touchpoint: what it took part in, which is not additive."""
    return "1"


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
    for model in (
        first_touch,
        last_touch,
        last_non_direct,
        linear,
        position_based,
        time_decay,
        participation,
    )
}


# The models that learn, and the table of the attribution layer that holds their scores.
SCORED: dict[str, str] = {}

NOT_ADDITIVE = {"participation"}


def asked(settings: Attribution) -> list[str]:
    """Return the models that the client asks for, the active one first."""
    return list(dict.fromkeys([settings.model, *settings.compare]))


def models(settings: Attribution) -> str:
    """Return a relation of the models asked for: `model`, `is_active`, `is_additive`."""
    rows = (
        f"SELECT '{model}' AS model, {model == settings.model} AS is_active,"
        f" {model not in NOT_ADDITIVE} AS is_additive"
        for model in asked(settings)
    )
    return f"({' UNION ALL '.join(rows)})"


def scored_by(settings: Attribution) -> str:
    """Return the tables with the scores of the models asked for, blanks between them."""
    return " ".join(sorted({SCORED[model] for model in asked(settings) if model in SCORED}))


def weight(settings: Attribution) -> str:
    """Return the weight of a touchpoint by its row's `model`, on one line."""
    weights = {model: " ".join(MODELS[model](settings).split()) for model in asked(settings)}
    if len(weights) == 1:
        return weights[settings.model]
    branches = " ".join(f"WHEN '{model}' THEN {weight}" for model, weight in weights.items())
    return f"CASE models.model {branches} END"
