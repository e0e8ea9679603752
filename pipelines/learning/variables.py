"""Say which models of a client learn values of channels, and where their versions lie.

A version's folder carries the settings that make it another model: a chain of order 2 has a first
version of its own, and a change of the order is a change like any other, previewed and promoted.
"""

from macros.learned_models import SCORED
from macros.model_choice import asked, fallback
from pipelines.clients import Client
from pipelines.settings.attribution import Attribution
from pipelines.settings.conversions import with_every_model


def learning(settings: Attribution) -> dict[str, str]:
    """Return the models asked for that learn values of channels, each with its versions' folder."""
    folders = {
        "markov": f"markov_order_{settings.markov.order}",
        "shapley": f"shapley_{settings.shapley.worth}",
    }
    return {
        model: folders[model] for model in asked(settings) if SCORED.get(model) == "channel_scores"
    }


def learners(client: Client) -> dict[str, str]:
    """Return the same of a client, with the models that its types of conversions ask for."""
    return learning(with_every_model(client.conversions, client.attribution))


def folders(settings: Attribution) -> list[str]:
    """Return the folder of each model asked for: its name, where no setting makes it another."""
    own = learning(settings)
    return [own.get(model, model) for model in asked(settings)]


def variables(settings: Attribution) -> dict[str, object]:
    """Return the blueprint variables of the model `channel_scores`."""
    models = learning(settings)
    names = " UNION ALL ".join(f"SELECT '{model}' AS model" for model in models)
    nothing = "SELECT NULL::TEXT AS model WHERE FALSE"
    return {
        "learns_channels": bool(models),
        "learning_models": f"({names or nothing})",
        "markov_versions": models.get("markov", "markov"),
        "shapley_versions": models.get("shapley", "shapley"),
        "fallback": settings.learning.fallback,
        "fallback_weight": fallback(settings),
    }
