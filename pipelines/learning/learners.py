"""Say which models of a client learn values of channels, and where their versions lie.

A version's folder carries the settings that make it another model: a chain of order 2 has a first
version of its own, and a change of the order is a change like any other, previewed and promoted.
"""

from pipelines.attribution.learned_models import SCORE_TABLES
from pipelines.settings.attribution import Attribution
from pipelines.settings.client import Client
from pipelines.settings.conversions import with_every_model


def learning(settings: Attribution) -> dict[str, str]:
    """Return the models asked for that learn values of channels, each with its versions' folder."""
    folders = {
        "markov": f"markov_order_{settings.markov.order}",
        "shapley": f"shapley_{settings.shapley.worth}",
    }
    return {
        model: folders[model]
        for model in settings.models
        if SCORE_TABLES.get(model) == "channel_scores"
    }


def learners(client: Client) -> dict[str, str]:
    """Return the same of a client, with the models that its types of conversions ask for."""
    return learning(with_every_model(client.conversions, client.attribution))


def folders(settings: Attribution) -> list[str]:
    """Return the folder of each model asked for: its name, where no setting makes it another."""
    own = learning(settings)
    return [own.get(model, model) for model in settings.models]
