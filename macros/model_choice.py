"""The models that a client asks for, as its models in SQL need them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from macros.attribution_models import MODELS, NOT_ADDITIVE
from macros.learned_models import SCORED

if TYPE_CHECKING:
    from pipelines.settings.attribution import Attribution


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


def fallback(settings: Attribution) -> str:
    """Return the weight of a touchpoint by the model that stands in for one that learns."""
    return " ".join(MODELS[settings.learning.fallback](settings).split())


def weight(settings: Attribution) -> str:
    """Return the weight of a touchpoint by its row's `model`, on one line."""
    weights = {model: _weight(model, settings) for model in asked(settings)}
    if len(weights) == 1:
        return weights[settings.model]
    branches = " ".join(f"WHEN '{model}' THEN {weight}" for model, weight in weights.items())
    return f"CASE models.model {branches} END"


def _weight(model: str, settings: Attribution) -> str:
    """Return one model's weight; a client's own is 0 where it is NULL, fails, is negative or endless."""
    if own := settings.custom.get(model):
        number = f"TRY(CAST({own} AS DOUBLE))"
        return f"CASE WHEN {number} BETWEEN 0 AND 1e15 THEN {number} ELSE 0 END"
    return " ".join(MODELS[model](settings).split())
