"""Say how the models that learn are trained, and what stands in while they know too little."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from pipelines.attribution.library import FALLBACKS
from pipelines.settings.base import Settings


def _usable(model: str) -> str:
    if model not in FALLBACKS:
        raise ValueError(
            f"{model} cannot stand in for a model that learns; choose one of {', '.join(FALLBACKS)}"
        )
    return model


class Learning(Settings):
    """When the models that learn are trained, and what stands in for them until then."""

    retrain_days: int = Field(
        30,
        ge=1,
        le=3650,
        description="Days after which the next morning trains a new version; credit given before stays.",
    )
    minimum_conversions: int = Field(
        100, ge=1, description="Conversions that training needs; with fewer the fallback stands in."
    )
    fallback: Annotated[str, AfterValidator(_usable), ", ".join(FALLBACKS)] = Field(
        "linear", description="The model that stands in; `method` beside each credit says so."
    )


class Markov(Settings):
    """Settings of the model `markov`."""

    order: Annotated[int, Field(ge=1, le=4)] | Literal["auto"] = Field(
        1,
        description="Channels that a state of the chain remembers, 1 to 4; `auto` takes the order by which journeys"
        " held out of training are likeliest.",
    )
    worth: Literal["conversions", "revenue"] = Field(
        "conversions",
        description="What is lost without a channel: conversions, or their revenue.",
    )


class Shapley(Settings):
    """Settings of the model `shapley`."""

    worth: Literal["conversions", "conversion_rate"] = Field(
        "conversions",
        description="What a set of channels is worth: the conversions of paths inside it, or the conversion rate of"
        " paths of exactly these channels.",
    )
    exact_channels: int = Field(
        12,
        ge=1,
        le=15,
        description="With `conversion_rate`: paths with more channels than this are sampled.",
    )
    permutations: int = Field(
        1000,
        ge=2,
        le=100_000,
        description="Orders of channels that are drawn for each sampled path.",
    )
