"""Say in SQL which models a client asks for, and what a touchpoint weighs by each of them."""

import inspect
from typing import Any

from pipelines.attribution.learned_models import LEARNED_MODELS
from pipelines.attribution.library import MODELS, NOT_ADDITIVE
from pipelines.settings.attribution import Attribution
from pipelines.settings.conversions import Rules
from pipelines.sql import literal


def models_by_type(types: dict[str, Rules]) -> str:
    """Return a relation of the models that each type of conversions is credited by.

    `('deal', 'linear', TRUE, TRUE)`: `conversion_type`, `model`, `is_active`, `is_additive`.
    """
    rows = ", ".join(
        f"({literal(name)}, '{model}', {model == type_.attribution.model}, {model not in NOT_ADDITIVE})"
        for name, type_ in types.items()
        for model in type_.attribution.models
    )
    columns = "conversion_type, model, is_active, is_additive"
    return f"(SELECT {columns} FROM (VALUES {rows}) AS models({columns}))"


def model_names(settings: Attribution) -> str:
    """Return the names of the models asked for: `('linear', 'markov')`."""
    return f"({', '.join(literal(model) for model in settings.models)})"


def score_tables(settings: Attribution) -> str:
    """Return the tables with the scores of the models asked for, blanks between them."""
    tables = {LEARNED_MODELS[model].scores for model in settings.models if model in LEARNED_MODELS}
    return " ".join(sorted(tables))


def fallback(settings: Attribution) -> str:
    """Return the weight of a touchpoint by the model that stands in for one that learns."""
    return _formula(settings.learning.fallback, settings)


def weight(settings: Attribution) -> str:
    """Return the weight of a touchpoint by its row's `model`, on one line."""
    weights = {model: _weight(model, settings) for model in settings.models}
    if len(weights) == 1:
        return weights[settings.model]
    branches = " ".join(f"WHEN '{model}' THEN {weight}" for model, weight in weights.items())
    return f"CASE models.model {branches} END"


def own_faults(settings: Attribution) -> str:
    """Return what is wrong with a touchpoint's weights by the client's own models, as a list of structs.

    `[{'model': 'mine', 'fault': CASE … END}]`; the fault of a good weight, or of NULL, is NULL.
    """
    faults = (
        f"{{'model': {literal(model)}, 'fault': {_fault(settings.custom[model])}}}"
        for model in own_models(settings)
    )
    return f"[{', '.join(faults)}]"


def own_models(settings: Attribution) -> list[str]:
    """Return the models asked for that are the client's own."""
    return [model for model in settings.models if model in settings.custom]


def _fault(own: str) -> str:
    """Return why a weight of the client's own is none. Nothing is compared with NaN but NaN: it is above all."""
    return (
        f"CASE WHEN TRY(CAST({own} AS DOUBLE) IS NULL) IS NULL THEN 'fails'"
        f" WHEN {_number(own)} < 0 THEN 'is negative'"
        f" WHEN {_number(own)} > 1e15 THEN 'is not below 10^15, as after a division by zero' END"
    )


def _number(own: str) -> str:
    return f"TRY(CAST({own} AS DOUBLE))"


def _weight(model: str, settings: Attribution) -> str:
    """Return one model's weight; a client's own is 0 where it is NULL, or no weight: then the gate holds."""
    if own := settings.custom.get(model):
        number = _number(own)
        return f"CASE WHEN {number} BETWEEN 0 AND 1e15 THEN {number} ELSE 0 END"
    return _formula(model, settings)


def _formula(model: str, settings: Attribution) -> str:
    """Return a library model's weight on one line; its parameters are the settings of its name.

    The parameter `shares` takes the shares of milestones: `w_shaped(shares)` gets those of
    `attribution.w_shaped`.
    """
    function = MODELS[model]
    own: Any = getattr(settings, model, None)  # of a model with parameters it is there
    arguments = {
        name: own.by_milestone if name == "shares" else getattr(own, name)
        for name in inspect.signature(function).parameters
    }
    return " ".join(function(**arguments).split())
