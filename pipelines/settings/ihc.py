"""Say how IHC (initializer, holder, closer) is computed: by the service, or by the local model."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from pipelines.settings.base import Settings, private

Weight = Annotated[float, Field(gt=0)]


class Phases(Settings):
    """What each phase of a journey weighs."""

    initializer: Weight = 1
    holder: Weight = 1
    closer: Weight = 1


class Redistribution(Settings):
    """Which channels give their part of a phase to other sessions, and to which."""

    direction: Literal["earlier_sessions_only", "later_sessions_only", "any_session"]
    receive_threshold: float = Field(ge=0, le=1)
    redistribution_channel_labels: list[str] = Field(min_length=1)


class Ihc(Settings):
    """Who computes IHC, and by what; the service's key is a secret, `api_key` of `ihc`."""

    by: Literal["local", "service"] = "local"
    weights: Phases = Phases(initializer=0.33, holder=0.38, closer=0.29)
    channel_weights: dict[str, Phases] = {}
    conv_type_id: str | None = None
    base_url: str = "https://api.ihc-attribution.com/v1"
    redistribution: dict[Literal["initializer", "holder", "closer"], Redistribution] = {}
    journeys_per_request: int = Field(100, ge=1, le=100)
    sessions_per_request: int = Field(3000, ge=1, le=3000)
    concurrency: int = Field(4, ge=1, le=16)
    patience_minutes: float = Field(2, gt=0, le=600)
    calls_per_month: int | None = Field(None, ge=0)

    @field_validator("base_url")
    @classmethod
    def _is_private(cls, url: str) -> str:
        return private(url)

    @model_validator(mode="after")
    def _says_what_its_computer_needs(self) -> "Ihc":
        if self.by == "service" and not self.conv_type_id:
            raise ValueError(
                "`by: service` needs `conv_type_id`, as the service's own pages name it"
            )
        if self.by == "local" and self.redistribution:
            raise ValueError("`redistribution` is the service's; remove it, or write `by: service`")
        return self
