"""The library of attribution models: each is the weight of one touchpoint of a path, in SQL.

A weight is an expression over the columns of `journeys.paths`, and over `score` for a model that
learns; a touchpoint's credit is its weight over the sum of its conversion's weights. A function
marked `@model` is one that clients may choose, by its name. Only the client's own formula travels
into its models, as text: a new entry here rebuilds nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from macros.milestone_models import full_path, milestones, w_shaped

if TYPE_CHECKING:  # the settings ask this library which models there are
    from pipelines.settings.attribution import Attribution

Model = Callable[["Attribution"], str]
MODELS: dict[str, Model] = {}


def model(weight: Model) -> Model:
    """Enter a model into the library."""
    MODELS[weight.__name__] = weight
    return weight


@model
def first_touch(settings: Attribution) -> str:
    """All to the first touchpoint."""
    return "CASE WHEN position = 1 THEN 1 ELSE 0 END"


@model
def last_touch(settings: Attribution) -> str:
    """All to the last touchpoint."""
    return "CASE WHEN position = path_length THEN 1 ELSE 0 END"


@model
def last_non_direct(settings: Attribution) -> str:
    """All to the last touchpoint that is not direct; to the last one if all are (GA4)."""
    return """CASE
        WHEN path_is_direct THEN CASE WHEN position = path_length THEN 1 ELSE 0 END
        WHEN NOT is_direct AND non_direct_after = 0 THEN 1
        ELSE 0
    END"""


@model
def linear(settings: Attribution) -> str:
    """The same to every touchpoint."""
    return "1"


@model
def position_based(settings: Attribution) -> str:
    """Fixed shares to both ends, the rest to those between; ends alone are renormalised (Adobe)."""
    return _ends(settings.position_based.first, settings.position_based.last)


@model
def j_shaped(settings: Attribution) -> str:
    """20 % to the first touchpoint, 60 % to the last, the rest to those between (Adobe, Mixpanel)."""
    return _ends(0.2, 0.6)


@model
def inverse_j(settings: Attribution) -> str:
    """60 % to the first touchpoint, 20 % to the last, the rest to those between (Adobe, Mixpanel)."""
    return _ends(0.6, 0.2)


@model
def time_decay(settings: Attribution) -> str:
    """Half for every half-life before the conversion, by continuous age: 2^(-age / half-life).

    Ages are taken from the newest touchpoint on: the shares are the same, and never underflow.
    """
    days = settings.time_decay.half_life_days
    return f"POWER(2::DOUBLE, -(age_seconds - newest_age_seconds) / ({days} * 86400::DOUBLE))"


@model
def participation(settings: Attribution) -> str:
    """The whole conversion to every touchpoint: what it took part in, which is not additive."""
    return "1"


@model
def ihc(settings: Attribution) -> str:
    """What the service or the local model says of initializer, holder and closer."""
    return "score"


@model
def ihc_local(settings: Attribution) -> str:
    """What the local model says of them, whoever computes `ihc`: to compare."""
    return "score"


def _ends(first: float, last: float) -> str:
    return f"""CASE
        WHEN path_length = 1 THEN 1
        WHEN path_length = 2 AND position = 1 THEN {first}
        WHEN path_length = 2 THEN {last}
        WHEN position = 1 THEN {first}
        WHEN position = path_length THEN {last}
        ELSE {round(1 - first - last, 9)}::DOUBLE / NULLIF(path_length - 2, 0)
    END"""


for each in (w_shaped, full_path, milestones):  # of B2B
    model(each)


# The models that learn, and the table of the attribution layer that holds their scores.
SCORED: dict[str, str] = {"ihc": "ihc_scores", "ihc_local": "ihc_local"}

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
    weights = {model: _weight(model, settings) for model in asked(settings)}
    if len(weights) == 1:
        return weights[settings.model]
    branches = " ".join(f"WHEN '{model}' THEN {weight}" for model, weight in weights.items())
    return f"CASE models.model {branches} END"


def _weight(model: str, settings: Attribution) -> str:
    """Return one model's weight; a client's own counts nothing where it is NULL, fails or is negative."""
    if own := settings.custom.get(model):
        return f"COALESCE(GREATEST(TRY(CAST({own} AS DECIMAL(33, 18))), 0), 0)"
    return " ".join(MODELS[model](settings).split())
