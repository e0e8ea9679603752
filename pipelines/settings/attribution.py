"""Say by which rules credit is shared."""

import difflib
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from pipelines.attribution.library import MODELS, NOT_ADDITIVE
from pipelines.settings.b2b import Contacts, FullPath, Milestones, WShaped
from pipelines.settings.base import Settings
from pipelines.settings.ihc import Ihc
from pipelines.settings.learning import Learning, Markov, Shapley
from pipelines.settings.paths import PathTransform


def _read_weight(text: str) -> str:
    from pipelines.settings.expressions import read_weight  # here: few clients need sqlglot

    return read_weight(text)


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Weight = Annotated[str, AfterValidator(_read_weight)]


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

    custom: dict[Name, Weight] = {}
    model: str = "linear"
    compare: list[str] = []
    lookback_days: int = Field(30, ge=1, le=3650)
    direct_touches: Literal["fallback", "include", "exclude"] = "fallback"
    path: list[PathTransform] = []
    position_based: PositionBased = PositionBased()
    time_decay: TimeDecay = TimeDecay()
    ihc: Ihc = Ihc()
    w_shaped: WShaped = WShaped()
    full_path: FullPath = FullPath()
    milestones: Milestones = Milestones()
    journeys: Literal["customer", "account"] = "customer"
    contacts: Contacts = Contacts()
    learning: Learning = Learning()
    markov: Markov = Markov()
    shapley: Shapley = Shapley()

    @property
    def models(self) -> list[str]:
        """Return the models that the client asks for, the active one first."""
        return list(dict.fromkeys([self.model, *self.compare]))

    @property
    def path_steps(self) -> list[tuple[str, list[str]]]:
        """Return the name and the channels of each step that shortens paths."""
        return [(step.name, step.channels) for step in self.path]

    @field_validator("custom")
    @classmethod
    def _have_names_of_their_own(cls, custom: dict[str, str]) -> dict[str, str]:
        for name in custom.keys() & MODELS.keys():
            raise ValueError(f"there is a model '{name}' in the library; choose another name")
        return custom

    @field_validator("model")
    @classmethod
    def _is_additive(cls, model: str, others: ValidationInfo) -> str:
        _find([model], others)
        if model in NOT_ADDITIVE:
            raise ValueError(
                f"{model} gives every touchpoint the whole conversion, so its sums exceed what"
                " there is; list it under `compare:`"
            )
        return model

    @field_validator("compare")
    @classmethod
    def _exist(cls, models: list[str], others: ValidationInfo) -> list[str]:
        _find(models, others)
        return models


def _find(models: list[str], others: ValidationInfo) -> None:
    """Raise ValueError for a model that is neither in the library nor under `custom:`."""
    if "custom" not in others.data:  # it is wrong itself, and says so
        return
    known = [*MODELS, *others.data["custom"]]
    for model in models:
        if model not in known:
            nearest = difflib.get_close_matches(model, known, 1)
            meant = f"did you mean '{nearest[0]}'? " if nearest else ""
            raise ValueError(
                f"there is no model '{model}'; {meant}"
                f"choose one of {', '.join(known)}, or write it under `custom:`"
            )
