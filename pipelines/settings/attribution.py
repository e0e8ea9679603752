"""Say by which rules credit is shared."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from pipelines.settings.base import Settings
from pipelines.settings.paths import PathTransform

ModelName = Literal[
    "first_touch",
    "last_touch",
    "last_non_direct",
    "linear",
    "position_based",
    "time_decay",
    "participation",
]


class PositionBased(Settings):
    """Shares of the first and the last touchpoint; those between share the rest."""

    first: float = Field(0.4, ge=0, le=1)
    last: float = Field(0.4, ge=0, le=1)

    @model_validator(mode="after")
    def _leave_something(self) -> "PositionBased":
        if not 0 < self.first + self.last <= 1:
            raise ValueError("first + last must be above 0 and at most 1")
        return self


class TimeDecay(Settings):
    """The days after which a touchpoint weighs half."""

    half_life_days: float = Field(7, gt=0)


class Attribution(Settings):
    """Which touchpoints count, and how a conversion's credit is shared among them."""

    model: ModelName = "linear"
    compare: list[ModelName] = []
    lookback_days: int = Field(30, ge=1, le=3650)
    direct_touches: Literal["fallback", "include", "exclude"] = "fallback"
    path: list[PathTransform] = []
    position_based: PositionBased = PositionBased()
    time_decay: TimeDecay = TimeDecay()

    @field_validator("model")
    @classmethod
    def _is_additive(cls, model: str) -> str:
        if model == "participation":
            raise ValueError(
                "participation gives every touchpoint the whole conversion, so its sums exceed what"
                " there is; list it under `compare:`"
            )
        return model
