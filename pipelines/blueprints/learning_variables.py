"""Turn what a client's models learn into variables: which models learn, and by which versions."""

from pipelines.attribution.learned_models import LEARNED_MODELS
from pipelines.blueprints.model_choice import fallback
from pipelines.home import home
from pipelines.learning.learners import learner_of, learning
from pipelines.learning.versions import first_version
from pipelines.settings.attribution import Attribution


def variables(client: str, settings: Attribution) -> dict[str, object]:
    """Return the blueprint variables of the model `channel_scores`."""
    models = of_channels(settings)
    return {
        "learns_channels": bool(models),
        "learning_models": relation(models),
        "channel_learners": versions(client, settings, models),
        "fallback": settings.learning.fallback,
        "fallback_weight": fallback(settings),
    }


def of_channels(settings: Attribution) -> list[str]:
    """Return the models asked for that have learnt a value of each channel."""
    return [
        model for model in learning(settings) if LEARNED_MODELS[model].scores == "channel_scores"
    ]


def versions(client: str, settings: Attribution, models: list[str]) -> str:
    """Return where the versions of some models are, as `@learned` reads it.

    `markov=markov_order_1/20261101T060000000000 shapley=shapley_conversions/`: each model, the folder
    of its versions, and the first of them, if there is one.
    """
    folders = {model: learner_of(model).folder(settings) for model in models}
    return " ".join(
        f"{model}={folder}/{first_version(str(home()), client, folder)}"
        for model, folder in folders.items()
    )


def relation(models: list[str]) -> str:
    """Return a relation of models, `model`, with a row each."""
    rows = " UNION ALL ".join(f"SELECT '{model}' AS model" for model in models)
    return f"({rows or 'SELECT NULL::TEXT AS model WHERE FALSE'})"
