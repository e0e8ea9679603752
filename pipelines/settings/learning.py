"""Say how the models that learn are trained, and what stands in while they know too little."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from pipelines.attribution.library import FALLBACKS
from pipelines.settings.base import Settings


def _known(model: str) -> str:
    if model not in FALLBACKS:
        raise ValueError(
            f"{model} cannot stand in for a model that learns; choose one of {', '.join(FALLBACKS)}"
        )
    return model


class Learning(Settings):
    """When the models that learn are trained, and which one stands in while they know too little."""

    retrain_days: int = Field(30, ge=1, le=3650)
    minimum_conversions: int = Field(100, ge=1)
    fallback: Annotated[str, AfterValidator(_known)] = "linear"


class Markov(Settings):
    """How many channels a state of the chain remembers."""

    order: int = Field(1, ge=1, le=4)


class Shapley(Settings):
    """What a set of channels is worth, and up to which number of channels that is summed exactly."""

    worth: Literal["conversions", "conversion_rate"] = "conversions"
    exact_channels: int = Field(12, ge=1, le=15)
    permutations: int = Field(1000, ge=2, le=100_000)
