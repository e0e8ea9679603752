"""Read and check the settings of every client; nobody else reads `clients/`."""

import os
import re
from contextlib import suppress
from datetime import date
from functools import cache
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

_time_zones = cache(available_timezones)


class Settings(BaseModel):
    """A part of a client's file: no unknown keys, no silent conversions of words to numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


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

    @field_validator("files")
    @classmethod
    def _is_a_glob(cls, pattern: str) -> str:
        try:
            any(Path(os.devnull).glob(pattern))
        except (NotImplementedError, ValueError) as error:
            remedy = "write a glob from the project's root"
            raise ValueError(f"'{pattern}': {error}; {remedy}") from None
        return pattern


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
        if zone not in _time_zones():
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
    try:
        return _checked(path.stem, path.read_bytes())
    except OSError as error:
        raise ClientError(f"clients/{path.name}: not readable: {error.strerror}; mend it") from None


def _checked(client: str, content: bytes) -> Client:
    shown = f"clients/{client}.yaml"
    if not re.fullmatch(r"[a-z][a-z0-9]*", client):
        raise ClientError(f"{shown}: a client's name is one word, a-z and 0-9: rename the file")
    try:
        settings = yaml.load(content.decode(), _UniqueKeys)
    except UnicodeDecodeError as error:
        raise ClientError(f"{shown}: not readable: {error}; save it as UTF-8") from None
    except Exception as error:  # a value like 2026-13-45 raises what it likes, not a YAMLError
        raise ClientError(f"{shown}: not readable as YAML: {error}; correct it") from None
    if not isinstance(settings, dict):
        raise ClientError(f"{shown}: no settings; start from a copy of clients/acme.yaml")
    if "id" in settings:
        raise ClientError(f"{shown}: id: the file's name is the id; remove it")
    try:
        return Client.model_validate(settings | {"id": client})
    except ValidationError as error:
        raise ClientError(f"{shown}: {_explain(error)}") from None


class _UniqueKeys(yaml.SafeLoader):
    """YAML in which a key that stands twice is an error: the first would be lost."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise ValueError(f"line {key.start_mark.line + 1}: '{key.value}' is there twice")
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _explain(error: ValidationError) -> str:
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
    if item["type"] == "date_type":
        return f"; write it like 2026-09-01, unquoted (it is {item['input']!r})"
    return f" (it is {item['input']!r})" if item["type"] != "value_error" else ""


def read(shard: str | None = None) -> tuple[list[Client], list[Problem]]:
    """Return every client, and the problems met; a broken file yields its last good settings."""
    clients, problems = [], []
    for path in sorted(clients_folder().glob("*.yaml")):
        try:
            clients.append(parse(path))
        except ClientError as error:
            kept, fallback = _last_good(path.stem)
            clients += kept
            problems.append(Problem(path.stem, str(error), fallback))
    return [client for client in clients if shard in (None, client.shard)], problems


def keep(client: Client) -> None:
    """Keep a copy of a client's good settings, to run on if the file breaks."""
    kept = _kept(client.id)
    with suppress(ClientError, OSError):  # it was broken or removed since it was read
        content = (clients_folder() / kept.name).read_bytes()
        is_kept = kept.exists() and kept.read_bytes() == content
        if not is_kept and _checked(client.id, content) == client:
            kept.parent.mkdir(parents=True, exist_ok=True)
            fresh = kept.with_suffix(".new")
            fresh.write_bytes(content)
            os.replace(fresh, kept)


def _last_good(client: str) -> tuple[list[Client], str]:
    kept = _kept(client)
    if not kept.exists():
        return [], "it is left out, it never had good ones"
    try:
        return [parse(kept)], "its last good settings stay in force"
    except ClientError:
        return [], "it is left out, its last good settings are no longer readable"


def _kept(client: str) -> Path:
    return lake_folder() / client / "_settings" / f"{client}.yaml"
