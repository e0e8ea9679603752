"""Say what one client's file may hold: every setting, with its default."""

from datetime import date
from functools import cache
from typing import Literal
from zoneinfo import available_timezones

from pydantic import Field, ValidationInfo, field_validator, model_validator

from pipelines.settings.attribution import Attribution
from pipelines.settings.base import Settings
from pipelines.settings.conversions import Types, know_their_models, with_every_model
from pipelines.settings.needs import missing
from pipelines.settings.paths import ChannelRule
from pipelines.settings.sources import Sources

PathEnds = Literal["first_touch_attribution", "last_touch_attribution", "channel_performance"]
Table = Literal[PathEnds, "attribution_customer_journey", "channel_reporting"]

_time_zones = cache(available_timezones)


class Quality(Settings):
    """How much dirt an export may hold before it is refused."""

    quarantine_limit: float = Field(0.05, ge=0, le=1)


class Client(Settings):
    """One client's settings, checked."""

    id: str = Field(pattern=r"^[a-z][a-z0-9]*$")
    name: str
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    timezone: str = "UTC"
    start: date = date(2026, 1, 1)
    deadline: str = Field("08:00", pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")
    patience_minutes: float = Field(10, ge=0, le=600)
    shard: str = Field("home", pattern=r"^[a-z][a-z0-9]*$")
    channels: list[ChannelRule] = []
    attribution: Attribution = Attribution()
    conversions: Types = {}
    quality: Quality = Quality()
    publish: list[Table] = []
    sources: Sources

    @field_validator("conversions")
    @classmethod
    def _know_their_models(cls, types: Types, others: ValidationInfo) -> Types:
        if "attribution" in others.data:  # or it is wrong itself, and says so
            know_their_models(types, others.data["attribution"])
        return types

    @field_validator("timezone")
    @classmethod
    def _exists(cls, zone: str) -> str:
        if zone not in _time_zones():
            raise ValueError(f"'{zone}' is no IANA time zone; write one like Europe/Berlin")
        return zone

    @model_validator(mode="after")
    def _delivers_what_it_asks_for(self) -> "Client":
        if problem := missing(with_every_model(self.conversions, self.attribution), self.sources):
            raise ValueError(f"attribution: {problem}")
        return self
