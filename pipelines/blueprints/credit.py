"""The variables of credit: which models share each type of conversion, and by which weights."""

from pydantic import Field

from pipelines.blueprints.model_choice import (
    model_names,
    models_by_type,
    own_faults,
    own_models,
    score_tables,
    weight,
)
from pipelines.blueprints.variables import Sql, Variables
from pipelines.settings.attribution import Attribution
from pipelines.settings.conversions import Rules


class Credit(Variables):
    """Which models share each type of conversion, and what a touchpoint weighs by each of them."""

    models_by_type: Sql = Field(
        description="A row for each type and model: `conversion_type`, `model`, `is_active`, `is_additive`."
    )
    model_names: Sql = Field(description="The models' names: `('linear', 'markov')`.")
    weight: Sql = Field(description="The weight of a touchpoint of a path, by `models.model`.")
    has_own_weights: bool = Field(description="Whether a model asked for is the client's own.")
    own_faults: Sql = Field(
        description="What is wrong with a touchpoint's weights by these models: a list of `model` and `fault`."
    )
    score_tables: str = Field(
        description="The tables with scores of touchpoints, for the models that learn."
    )


def credit(attribution: Attribution, types: dict[str, Rules]) -> Credit:
    """Return by which models and weights credit is shared."""
    return Credit(
        models_by_type=models_by_type(types),
        model_names=model_names(attribution),
        weight=weight(attribution),
        has_own_weights=bool(own_models(attribution)),
        own_faults=own_faults(attribution),
        score_tables=score_tables(attribution),
    )
