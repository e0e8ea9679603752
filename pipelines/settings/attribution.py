"""Say by which rules credit is shared."""

import difflib
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from pipelines.attribution.library import MODELS, NOT_ADDITIVE
from pipelines.settings.b2b import Contacts, FullPath, Milestones, WShaped
from pipelines.settings.base import Settings
from pipelines.settings.ihc import Ihc
from pipelines.settings.learning import Learning, Markov, Shapley
from pipelines.settings.path_rules import PathStep


def _read_weight(text: str) -> str:
    from pipelines.settings.expressions import read_weight  # here: few clients need sqlglot

    return read_weight(text)


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$"), "a name in lower case"]
Weight = Annotated[str, AfterValidator(_read_weight), "an SQL expression"]


class PositionBased(Settings):
    """Settings of the model `position_based`; the touchpoints between share the rest equally."""

    first: float = Field(0.4, ge=0, le=1, description="Share of the first touchpoint.")
    last: float = Field(0.4, ge=0, le=1, description="Share of the last touchpoint.")

    @model_validator(mode="after")
    def _leave_something(self) -> "PositionBased":
        if not 0 < self.first + self.last <= 1:
            raise ValueError("first + last must be above 0 and at most 1")
        return self


class TimeDecay(Settings):
    """Settings of the model `time_decay`."""

    half_life_days: float = Field(7, gt=0, description="Days after which a touchpoint weighs half.")


class Attribution(Settings):
    """Which touchpoints count, and how a conversion's credit is shared among them."""

    custom: dict[Name, Weight] = Field(
        {},
        description="Models of the client's own, by name: the weight of a touchpoint, in SQL. docs/models.md"
        " says what it may hold.",
    )
    model: str = Field(
        "linear", description="The model that shares credit; docs/models.md describes each."
    )
    compare: list[str] = Field(
        [],
        description="Models shown beside it in `model_comparison`; `participation` may stand here only.",
    )
    lookback_days: int = Field(
        30,
        ge=1,
        le=3650,
        description="Days of 24 hours before a conversion in which touchpoints count.",
    )
    direct_touches: Literal["fallback", "include", "exclude"] = Field(
        "fallback",
        description="Whether direct visits earn credit: only where a path has nothing else, like any other, or never.",
    )
    identity: Literal["next_seen", "last_seen"] = Field(
        "next_seen",
        description="Whose an anonymous session of a browser is, where customers were seen on it: the next one's after"
        " the session and not after the conversion, without one the last one's before it; or always the one's who was"
        " last seen there, even after the conversion.",
    )
    path: list[PathStep] = Field(
        [],
        description="Steps that shorten a path before its credit is shared, in order, as in Snowplow's package:"
        " `exposure` (repeats of a channel in a row count once), `first` (the first of each channel),"
        " `once_per_campaign` (the first of each campaign of a channel),"
        " `unique` (as it is), `remove_if_not_all: [Direct]` and `remove_if_last_and_not_all: [Direct]`.",
    )
    position_based: PositionBased = PositionBased()
    time_decay: TimeDecay = TimeDecay()
    ihc: Ihc = Ihc()
    w_shaped: WShaped = WShaped()
    full_path: FullPath = FullPath()
    milestones: Milestones = Milestones()
    journeys: Literal["customer", "account"] = Field(
        "customer",
        description="Whose touchpoints lead to a deal: its customer's, or those of all contacts of its account.",
    )
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
        if "custom" in others.data:  # or it is wrong itself, and says so
            check_active(model, others.data["custom"])
        return model

    @field_validator("compare")
    @classmethod
    def _exist(cls, models: list[str], others: ValidationInfo) -> list[str]:
        if "custom" in others.data:
            _find(models, others.data["custom"])
        return models


def check_active(model: str, custom: Iterable[str]) -> None:
    """Raise ValueError for a model by which no conversion can be shared: not there, or not additive.

    `custom` are the names of the client's own models.
    """
    _find([model], custom)
    if model in NOT_ADDITIVE:
        raise ValueError(
            f"{model} gives every channel the whole conversion, so its credit sums to more than"
            " one; list it under `compare:` instead"
        )


def _find(models: list[str], custom: Iterable[str]) -> None:
    """Raise ValueError for a model that is neither in the library nor under `custom:`."""
    known = [*MODELS, *custom]
    for model in models:
        if model not in known:
            nearest = difflib.get_close_matches(model, known, 1)
            meant = f"did you mean '{nearest[0]}'? " if nearest else ""
            raise ValueError(
                f"there is no model '{model}'; {meant}"
                f"choose one of {', '.join(known)}, or write it under `custom:`"
            )
