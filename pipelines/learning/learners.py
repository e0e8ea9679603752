"""Find which of the models that a client asks for learn, and how each is trained."""

from importlib import import_module

from pipelines.attribution.learned_models import LEARNED_MODELS
from pipelines.learning.lesson import Learner
from pipelines.settings.attribution import Attribution
from pipelines.settings.client import Client
from pipelines.settings.conversions import with_every_model


def learners(client: Client) -> dict[str, Learner]:
    """Return the learner of each model that learns, of those that the client or a type asks for.

    Two models that share a learner, as `ihc` and `ihc_local` do, are trained once, as the first.
    """
    models = learning(with_every_model(client.conversions, client.attribution))
    first = {LEARNED_MODELS[model].learner: model for model in reversed(models)}
    return {model: learner_of(model) for model in models if model in first.values()}


def learning(settings: Attribution) -> list[str]:
    """Return those of the models asked for that learn."""
    return [model for model in settings.models if model in LEARNED_MODELS]


def learner_of(model: str) -> Learner:
    """Return how a model learns: the `LEARNER` of the module that its entry names."""
    return import_module(f"pipelines.learning.{LEARNED_MODELS[model].learner}").LEARNER
