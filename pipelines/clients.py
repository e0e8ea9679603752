"""Read and check the settings of every client; nobody else reads `clients/`."""

import os
import re
from datetime import date
from pathlib import Path
from typing import Literal, NamedTuple
from zoneinfo import available_timezones

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from pipelines.contracts import CONTRACTS
from pipelines.home import clients_folder, lake_folder

ModelName = Literal[
    "first_touch", "last_touch", "last_non_direct", "linear", "position_based", "time_decay"
]
Table = Literal["first_touch_attribution", "last_touch_attribution", "channel_performance"]


class Settings(BaseModel):
    """A part of a client's file: no unknown keys, no silent conversions of words to numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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
    lookback_days: int = Field(30, ge=1, le=3650)
    direct_touches: Literal["fallback", "include", "exclude"] = "fallback"
    position_based: PositionBased = PositionBased()
    time_decay: TimeDecay = TimeDecay()


class Quality(Settings):
    """How much dirt an export may hold before it is refused."""

    quarantine_limit: float = Field(0.05, ge=0, le=1)


class Export(Settings):
    """The files of one table, and how they are delivered."""

    files: str = Field(min_length=1)
    delivery: Literal["increment", "full"] = "increment"
    table: str | None = None
    columns: dict[str, str] = {}


class Web(Settings):
    """Web sessions, or the events and clients of a shop."""

    sessions: Export | None = None
    events: Export | None = None
    clients: Export | None = None


class Salesforce(Settings):
    """Opportunities; a won one is a conversion."""

    opportunities: Export


class AdPlatform(Settings):
    """Spend by day and campaign, and the channel it belongs to."""

    spend: Export
    channel: str


class GoogleAds(AdPlatform):
    """Spend at Google."""

    channel: str = "Paid Search"


class FacebookAds(AdPlatform):
    """Spend at Facebook."""

    channel: str = "Paid Social"


class Sources(Settings):
    """What the client delivers; a source that is left out is a source it does not have."""

    web: Web | None = None
    salesforce: Salesforce | None = None
    google_ads: GoogleAds | None = None
    facebook_ads: FacebookAds | None = None

    @model_validator(mode="after")
    def _know_the_columns(self) -> "Sources":
        for source, table, export in self.exports():
            known = CONTRACTS[source][table].columns
            for column in export.columns.keys() - known.keys():
                raise ValueError(
                    f"{source}.{table}.columns: unknown column '{column}'; "
                    f"use one of {', '.join(known)}"
                )
        return self

    def exports(self) -> list[tuple[str, str, Export]]:
        """Return (source, table, export) of everything that is delivered."""
        return [
            (source, table, export)
            for source, tables in CONTRACTS.items()
            if (settings := getattr(self, source))
            for table in tables
            if (export := getattr(settings, table))
        ]


class Client(Settings):
    """One client's settings, checked."""

    id: str = Field(pattern=r"^[a-z][a-z0-9]*$")
    name: str
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    timezone: str = "UTC"
    start: date = date(2026, 1, 1)
    shard: str = Field("home", pattern=r"^[a-z][a-z0-9]*$")
    attribution: Attribution = Attribution()
    quality: Quality = Quality()
    publish: list[Table] = []
    sources: Sources

    @field_validator("timezone")
    @classmethod
    def _exists(cls, zone: str) -> str:
        if zone not in available_timezones():
            raise ValueError(f"'{zone}' is no IANA time zone; write one like Europe/Berlin")
        return zone


class Problem(NamedTuple):
    """A client file that cannot be used, and why; `fallback` says what runs instead."""

    client: str
    message: str
    fallback: str

    def __str__(self) -> str:
        return f"{self.client}: {self.message}\n  {self.fallback}"


class ClientError(Exception):
    """A client's settings are wrong; the text names file, key and remedy."""


def parse(path: Path) -> Client:
    """Return the settings in one file. Raise ClientError if they are wrong."""
    shown = f"clients/{path.name}"
    if not re.fullmatch(r"[a-z][a-z0-9]*", path.stem):
        raise ClientError(f"{shown}: a client's name is one word, a-z and 0-9: rename the file")
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ClientError(f"{shown}: not readable as YAML: {error}") from None
    if not isinstance(settings, dict):
        raise ClientError(f"{shown}: no settings; start from a copy of clients/acme.yaml")
    try:
        return Client(id=path.stem, **settings)
    except (ValidationError, TypeError) as error:
        raise ClientError(f"{shown}: {_explain(error)}") from None


def _explain(error: ValidationError | TypeError) -> str:
    if isinstance(error, TypeError):
        return f"{error}; keys are words, and `id` is the file's name"
    return "; ".join(
        f"{'.'.join(str(part) for part in item['loc']) or 'settings'}: "
        f"{item['msg'].removeprefix('Value error, ')}{_remedy(item)}"
        for item in error.errors()
    )


def _remedy(item: dict) -> str:
    if item["type"] == "extra_forbidden":
        return "; remove it, or see clients/acme.yaml for every key there is"
    if item["type"] == "missing":
        return "; add it as in clients/acme.yaml"
    return f" (it is {item['input']!r})" if item["type"] != "value_error" else ""


def read(shard: str | None = None) -> tuple[list[Client], list[Problem]]:
    """Return every client, and the problems met; a broken file yields its last good settings."""
    clients, problems = [], []
    for path in sorted(clients_folder().glob("*.yaml")):
        try:
            clients.append(parse(path))
        except ClientError as error:
            kept = _kept(path.stem)
            if kept.exists():
                clients.append(parse(kept))
            problems.append(
                Problem(path.stem, str(error), "its last good settings stay in force" if kept.exists()
                        else "it is left out, it never had good ones")
            )
    return [client for client in clients if shard in (None, client.shard)], problems


def keep(client: Client) -> None:
    """Keep a copy of a client's good settings, to run on if the file breaks."""
    kept, current = _kept(client.id), clients_folder() / f"{client.id}.yaml"
    text = current.read_text(encoding="utf-8")
    if not kept.exists() or kept.read_text(encoding="utf-8") != text:
        kept.parent.mkdir(parents=True, exist_ok=True)
        fresh = kept.with_suffix(".new")
        fresh.write_text(text, encoding="utf-8")
        os.replace(fresh, kept)


def _kept(client: str) -> Path:
    return lake_folder() / client / "_settings" / f"{client}.yaml"
