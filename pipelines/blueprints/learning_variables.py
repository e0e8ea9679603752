"""The variables of scores by models that learn: which they are, and by which versions they score."""

from pydantic import Field

from pipelines.attribution.learned_models import LEARNED_MODELS
from pipelines.blueprints.model_choice import fallback
from pipelines.blueprints.variables import Sql, Variables
from pipelines.home import home
from pipelines.learning.learners import learner_of, learning
from pipelines.learning.versions import first_version
from pipelines.settings.attribution import Attribution


class Learning(Variables):
    """Which models have learnt values of channels, and what stands in for them until they have."""

    learns_channels: bool = Field(description="Whether the client asks for such a model.")
    learning_models: Sql = Field(description="A row for each of these models: `model`.")
    channel_learners: str = Field(
        description="Each model, the folder of its versions, and the first of them if there is one."
    )
    fallback: str = Field(description="The model that stands in where one has learnt nothing yet.")
    fallback_weight: Sql = Field(description="The weight of a touchpoint by that model.")


def learning_variables(client: str, attribution: Attribution) -> Learning:
    """Return which models have learnt values of channels."""
    models = [
        model for model in learning(attribution) if LEARNED_MODELS[model].scores == "channel_scores"
    ]
    return Learning(
        learns_channels=bool(models),
        learning_models=_relation(models),
        channel_learners=versions(client, attribution, models),
        fallback=attribution.learning.fallback,
        fallback_weight=fallback(attribution),
    )


def versions(client: str, attribution: Attribution, models: list[str]) -> str:
    """Return where the versions of some models are, as `@learned` reads it.

    `markov=markov_order_1/20261101T060000000000 shapley=shapley_conversions/`: each model, the folder
    of its versions, and the first of them if there is one.
    """
    folders = {model: learner_of(model).folder(attribution) for model in models}
    return " ".join(
        f"{model}={folder}/{first_version(str(home()), client, folder)}"
        for model, folder in folders.items()
    )


def _relation(models: list[str]) -> str:
    rows = " UNION ALL ".join(f"SELECT '{model}' AS model" for model in models)
    return f"({rows or 'SELECT NULL::TEXT AS model WHERE FALSE'})"
