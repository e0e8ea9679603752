"""Say how the models that learn are trained, and what stands in while they know too little."""

from typing import Literal

from pydantic import Field

from pipelines.settings.base import Settings


class Learning(Settings):
    """When the models that learn are trained, and which one stands in while they know too little."""

    retrain_days: int = Field(30, ge=1, le=3650)
    minimum_conversions: int = Field(100, ge=1)
    fallback: Literal[
        "first_touch", "last_touch", "last_non_direct", "linear", "position_based", "time_decay"
    ] = "linear"


class Markov(Settings):
    """How many channels a state of the chain remembers."""

    order: int = Field(1, ge=1, le=4)


class Shapley(Settings):
    """What a set of channels is worth, and up to which number of channels that is summed exactly."""

    worth: Literal["conversions", "conversion_rate"] = "conversions"
    exact_channels: int = Field(12, ge=1, le=15)
    permutations: int = Field(1000, ge=2, le=100_000)
