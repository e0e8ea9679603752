"""Say what one client's file may hold: every setting, with its default."""

from datetime import date, datetime, timedelta, timezone
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from pipelines.settings.alerts import Alerts
from pipelines.settings.attribution import Attribution
from pipelines.settings.base import Settings
from pipelines.settings.conversions import (
    Types,
    know_their_columns,
    know_their_models,
    with_every_model,
)
from pipelines.settings.currencies import known
from pipelines.settings.event_columns import event_columns
from pipelines.settings.exclusions import Exclude
from pipelines.settings.exclusions import know_their_columns as know_what_is_excluded
from pipelines.settings.kept_days import KeptDays
from pipelines.settings.kept_versions import PublishedFiles
from pipelines.settings.limits import Limits, next_deadline
from pipelines.settings.needs import missing
from pipelines.settings.path_rules import ChannelRule
from pipelines.settings.sources import Sources
from pipelines.settings.time_zones import did_you_mean, time_zones

PathEnds = Literal["first_touch_attribution", "last_touch_attribution", "channel_performance"]
Table = Literal[PathEnds, "attribution_customer_journey", "channel_reporting"]


class Quality(Settings):
    """How bad an export may be, how many rows it may take away, and whether nothing may come of them."""

    may_be_empty: bool = Field(
        False,
        description="Whether all published tables may be empty although rows were loaded, as of a client that"
        " has sold nothing yet.",
    )

    quarantine_limit: float = Field(
        0.05,
        ge=0,
        le=1,
        description="Share of an export's rows that may be bad; above it the whole export is refused.",
    )
    deletion_limit: float = Field(
        0.2,
        ge=0,
        le=1,
        description="Share of the known rows that a full export may lack. One that lacks more, and at least ten rows,"
        " or more than half, or all of them, at once or within seven days, holds the client until `make accept` confirms it."
        " With 1, none does.",
    )
    dominant_id: Literal["warns", "holds"] = Field(
        "warns",
        description="What happens if one visitor or customer owns too many touchpoints or conversions, as one called"
        " `test` may: a line in `make daily` and in `freshness_v1`, or the client is held.",
    )
    dominant_id_share: float = Field(
        0.2,
        gt=0,
        le=1,
        description="Share of all touchpoints, or of all conversions, above which one id owns too many.",
    )
    dominant_id_rows: int = Field(
        100, ge=1, description="Touchpoints or conversions that it must own at least."
    )


class Client(Settings):
    """One client's settings, checked."""

    id: str = Field(pattern=r"^[a-z][a-z0-9]*$")
    name: str = Field(description="What reports and alerts call the client.")
    currency: Annotated[str, AfterValidator(known)] = Field(
        pattern=r"^[A-Z]{3}$",
        description="ISO 4217 code of all published money; rows in others need `sources.rates`.",
    )
    timezone: str = Field(
        "UTC",
        description="IANA name. Times without an offset in the exports are read in it, and dates are its days.",
    )
    start: date = Field(
        date(2026, 1, 1),
        description="UTC date of the first load ever made; older loads are not read.",
    )
    deadline: str = Field(
        "08:00",
        pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$",
        description="Local time by which the morning's numbers must be there; no platform is waited for after it.",
    )
    patience_minutes: float = Field(
        10,
        ge=0,
        le=600,
        description="Minutes to wait for a platform that does not answer, never past the deadline.",
    )
    retention_days: int | None = Field(
        None,
        ge=1,
        le=36500,
        description="Days after which a person's rows stand for nobody, counted from their newest event; totals"
        " stay. Older events are not taken, and what is in quarantine goes after as many. Without it, nothing ages.",
    )
    shard: str = Field(
        "home",
        pattern=r"^[a-z][a-z0-9]*$",
        description="Warehouse file that holds the client: `warehouse/<shard>.duckdb`.",
    )
    channels: list[ChannelRule] = Field(
        [],
        description="The client's own channel rules, tried before GA4's default channel groups. The first that"
        " matches counts, for sessions and spend alike; a channel that the site itself names stays.",
    )
    attribution: Attribution = Attribution()
    conversions: Types = Field(
        {},
        description="By type of conversion, what differs from `attribution`. Built-in types are `deal` (won"
        " deals), `purchase` (purchases in `web.events`) and `site` (`web.conversions`); others are"
        " the client's own and are published in `conversions_by_type`.",
    )
    exclude: Exclude = Field(
        {},
        description="Whom and what to leave out, such as test accounts: by column, a value, a pattern with `*`, or a"
        " list of them; case is ignored. `customer_id` and `email` leave out all of a customer, any other column, also"
        " one under `properties`, the rows that have the value.",
    )
    quality: Quality = Quality()
    nothing: list[str] = Field(
        [
            *(r"\N", "NULL", "(null)", "<null>", "[null]", "None", "nil", "NaN", "NaT", "<NA>"),
            *("n/a", "N.A.", "#N/A", "#REF!", "#VALUE!", "#NAME?"),
            *("-", "--", "---", "\u2013", "\u2014"),
            *("(not set)", "undefined", "0"),
        ],
        description="What exports write for nothing, in capitals or not; a value that is one of these is no"
        " value. `0` stands for ids of zeros only, and means nobody where a column has the id of a"
        " visitor, a customer, a contact or an account; numbers stay.",
    )
    folders: list[Annotated[str, Field(min_length=1)]] = Field(
        [],
        description="Folders beside `exports/<client>/` in which its files may lie, from the data's home or"
        " absolute. No one else may write to them: what lies there is read as the client's.",
    )
    limits: Limits = Limits()
    publish: list[Table] = Field(
        [], description="Tables to publish beside the standard ones; docs/tables.md describes each."
    )
    published_files: PublishedFiles = PublishedFiles()
    kept_days: KeptDays = KeptDays()
    alerts: Alerts = Alerts()
    sources: Sources

    @field_validator("nothing", mode="before")
    @classmethod
    def _are_words(cls, written: Any) -> Any:
        """Take what YAML reads without quotes, as NULL or 0, as it was written."""
        if not isinstance(written, list):
            return written
        return ["NULL" if each is None else str(each) if each == 0 else each for each in written]

    @field_validator("conversions")
    @classmethod
    def _know_their_models(cls, types: Types, others: ValidationInfo) -> Types:
        if "attribution" in others.data:  # or it is wrong itself, and says so
            know_their_models(types, others.data["attribution"])
        return types

    @model_validator(mode="after")
    def _know_the_columns(self) -> "Client":
        events = self.sources.web.events if self.sources.web else None
        own = events.properties if events else {}
        for key, check in (
            (
                "conversions",
                lambda: know_their_columns(self.conversions, event_columns(events), own),
            ),
            ("exclude", lambda: know_what_is_excluded(self.exclude, self.sources)),
        ):
            try:
                check()
            except ValueError as error:
                raise ValueError(f"{key}: {error}") from None
        return self

    @field_validator("timezone")
    @classmethod
    def _exists(cls, zone: str) -> str:
        if zone not in time_zones():
            raise ValueError(
                f"'{zone}' is no IANA time zone; write one like Europe/Berlin{did_you_mean(zone)}"
            )
        return zone

    @field_validator("start")
    @classmethod
    def _has_begun(cls, start: date) -> date:
        today = datetime.now(timezone.utc).date()
        if start > today + timedelta(days=1):  # it may be tomorrow already where the client is
            raise ValueError(
                f"{start} is yet to come, today is {today}: no load would be read before it;"
                " write the day of the first load, or leave it out"
            )
        return start

    @model_validator(mode="after")
    def _delivers_what_it_asks_for(self) -> "Client":
        if problem := missing(with_every_model(self.conversions, self.attribution), self.sources):
            raise ValueError(f"attribution: {problem}")
        return self

    @model_validator(mode="after")
    def _keeps_what_credit_needs(self) -> "Client":
        days, attribution = self.retention_days, self.attribution
        if days is None:
            return self
        windows = [attribution.lookback_days]
        windows += [each.lookback_days for each in self.conversions.values() if each.lookback_days]
        if days <= max(windows):
            raise ValueError(
                f"retention_days: {days} days are no more than lookback_days: {max(windows)}: journeys would be"
                " cut; write more"
            )
        return self

    def deadline_after(self, now: datetime) -> datetime:
        """Return when the client's deadline comes next."""
        return next_deadline(self.deadline, self.timezone, now)
