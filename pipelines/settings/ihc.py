"""Say how IHC (initializer, holder, closer) is computed: by the service, or by the local model."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from pipelines.settings.base import Settings, secure

Weight = Annotated[float, Field(gt=0)]


class Phases(Settings):
    """The weight of each phase of a journey."""

    initializer: Weight = Field(1, description="Weight of the phase that begins the journey.")
    holder: Weight = Field(1, description="Weight of the phase that keeps it going.")
    closer: Weight = Field(1, description="Weight of the phase that ends in the conversion.")


class Redistribution(Settings):
    """Which channels give their part of a phase to other sessions, as the service names it."""

    direction: Literal["earlier_sessions_only", "later_sessions_only", "any_session"] = Field(
        description="Which sessions receive it."
    )
    receive_threshold: float = Field(
        ge=0, le=1, description="Least share of the phase that a session must have to receive."
    )
    redistribution_channel_labels: list[str] = Field(
        min_length=1, description="Channels that give."
    )


class Ihc(Settings):
    """Settings of the models `ihc` and `ihc_local`; the service's key is the secret `api_key` of `ihc`."""

    by: Literal["local", "service"] = Field(
        "local", description="Who computes `ihc`: the local model, or the vendor's service."
    )
    weights: Phases = Field(
        Phases(initializer=0.33, holder=0.38, closer=0.29),
        description="Local model: the weight of each phase.",
    )
    channel_weights: dict[str, Phases] = Field(
        {}, description="Local model: by channel, its own weight in each phase; 1 where left out."
    )
    conv_type_id: str | None = Field(
        None, description="Service: its id of the conversion type; `by: service` needs it."
    )
    base_url: str = Field("https://api.ihc-attribution.com/v1", description="Service: its address.")
    redistribution: dict[Literal["initializer", "holder", "closer"], Redistribution] = Field(
        {}, description="Service: by phase, which channels give their part away."
    )
    journeys_per_request: int = Field(
        100, ge=1, le=100, description="Service: journeys in one request."
    )
    sessions_per_request: int = Field(
        3000,
        ge=1,
        le=3000,
        description="Service: sessions in one request, 200 on a free account. A longer journey is cut, or computed locally.",
    )
    concurrency: int = Field(4, ge=1, le=16, description="Service: requests at the same time.")
    patience_minutes: float = Field(
        2,
        gt=0,
        le=600,
        description="Service: minutes that its shard waits for it each morning; then the client is held.",
    )
    calls_per_month: int | None = Field(
        None,
        ge=0,
        description="Service: requests in a calendar month (UTC) above which the client is held; no limit if null.",
    )

    @field_validator("base_url")
    @classmethod
    def _is_secure(cls, url: str) -> str:
        return secure(url)

    @model_validator(mode="after")
    def _says_what_its_computer_needs(self) -> "Ihc":
        if self.by == "service" and not self.conv_type_id:
            raise ValueError(
                "`by: service` needs `conv_type_id`; add the id that the service gives the conversion type"
            )
        if self.by == "local" and self.redistribution:
            raise ValueError(
                "`redistribution` works with `by: service` only; remove it, or write `by: service`"
            )
        return self
