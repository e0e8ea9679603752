"""Read and check the settings of every client; nobody else reads `clients/`."""

import os
import re
from contextlib import suppress
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, get_args
from urllib.parse import urlsplit
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


class Bucket(Settings):
    """How a bucket is reached: its region, its address where it is not the cloud's own, by what keys."""

    region: str = Field("us-east-1", min_length=1)
    endpoint: str | None = None
    access: Literal["keys", "ambient", "anonymous"] = "keys"

    @field_validator("endpoint")
    @classmethod
    def _is_an_address(cls, url: str | None) -> str | None:
        return url and private(url)


class Postgres(Settings):
    """A table or a view in Postgres, and the time by which its new and changed rows are found."""

    table: str = Field(pattern=r"^[^.]+([.][^.]+)?$")
    cursor: str | None = Field(None, min_length=1)
    overlap_minutes: int = Field(60, ge=0)


class Export(Settings):
    """What one table is read from, and how it is delivered."""

    files: str | None = Field(None, min_length=1)
    bucket: Bucket | None = None
    postgres: Postgres | None = None
    delivery: Literal["increment", "full"] = "increment"
    format: Literal["ga4", "snowplow"] | None = None
    table: str | None = None
    columns: dict[str, str] = {}

    @field_validator("files")
    @classmethod
    def _is_a_glob(cls, pattern: str) -> str:
        if "://" in pattern:
            return _bucket_glob(pattern)
        try:
            any(Path(os.devnull).glob(pattern))
        except (NotImplementedError, ValueError) as error:
            remedy = "write a glob from the project's root"
            raise ValueError(f"'{pattern}': {error}; {remedy}") from None
        return pattern

    @model_validator(mode="after")
    def _has_one_way_in(self) -> "Export":
        if bool(self.files) == bool(self.postgres):
            raise ValueError("write either `files:` or `postgres:`")
        if self.bucket and not self.in_bucket:
            raise ValueError(
                "`bucket:` goes with `files:` that begin with s3://, gs:// or abfss://"
            )
        if self.postgres and self.postgres.cursor and self.delivery == "full":
            raise ValueError(
                "a cursor reads what changed, `delivery: full` needs all rows; leave out one"
            )
        return self

    @property
    def in_bucket(self) -> bool:
        """Return whether the files are objects in a bucket."""
        return "://" in (self.files or "")


def _bucket_glob(pattern: str) -> str:
    scheme, _, path = pattern.partition("://")
    if scheme not in ("s3", "gs", "abfss"):
        raise ValueError(f"'{pattern}': write s3://, gs:// or abfss://, or a glob in the project")
    bucket, _, name = path.partition("/")
    if not bucket or not name or set(bucket) & set("*?[]"):
        raise ValueError(
            f"'{pattern}': write {scheme}://bucket/name, without a pattern in the bucket"
        )
    if scheme == "abfss" and not re.fullmatch("[^@]+@[^@.]+[.][^@]+", bucket):
        raise ValueError(f"'{pattern}': write abfss://container@account.dfs.core.windows.net/name")
    if "**" in name:
        raise ValueError(f"'{pattern}': ** is not known in buckets; write * for each folder")
    return pattern


def private(url: str) -> str:
    """Return an address without a slash at its end. Raise ValueError if who listens can read it."""
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost"):
        raise ValueError(f"'{url}' is not private; write an address that begins with https://")
    return url.rstrip("/")


class Api(Settings):
    """A platform's own API; what is secret stands in the environment or `.dlt/secrets.toml`."""

    base_url: str
    version: str = Field(pattern=r"^v[0-9]+([.][0-9]+)?$")

    @field_validator("base_url", "token_url", check_fields=False)
    @classmethod
    def _is_private(cls, url: str) -> str:
        return private(url)


class AdsApi(Api):
    """Spend by day; the newest days are asked for again, because platforms restate them."""

    restate_days: int = Field(ge=1, le=400)
    days_per_request: int = Field(ge=1, le=366)


Account = Annotated[str, Field(pattern=r"^[0-9]+$")]


class GoogleAdsApi(AdsApi):
    """Google Ads accounts, by their customer ids without dashes, and the manager above them."""

    base_url: str = "https://googleads.googleapis.com"
    token_url: str = "https://oauth2.googleapis.com/token"
    version: str = "v23"
    customers: list[Account] = Field(min_length=1)
    manager: Account | None = None
    restate_days: int = 30
    days_per_request: int = 31


class FacebookAdsApi(AdsApi):
    """Facebook ad accounts, by their ids without `act_`, and the actions that are conversions."""

    base_url: str = "https://graph.facebook.com"
    version: str = "v24.0"
    accounts: list[Account] = Field(min_length=1)
    conversions: list[str] = ["purchase", "lead"]
    restate_days: int = 28
    days_per_request: int = 28


SalesforceTable = Literal["opportunities", "contacts", "contact_roles", "leads", "campaign_members"]
FieldName = Annotated[str, Field(pattern=r"^[A-Za-z]\w*([.][A-Za-z]\w*)*$")]


class SalesforceApi(Api):
    """An org, by its own address, as https://acme.my.salesforce.com.

    `columns` names the org's own fields for columns of opportunities; changes before `since` are
    not asked for.
    """

    version: str = "v62.0"
    since: date | None = None
    tables: list[SalesforceTable] = Field(list(get_args(SalesforceTable)), min_length=1)
    columns: dict[str, FieldName] = {}

    @field_validator("columns")
    @classmethod
    def _are_known(cls, columns: dict[str, str]) -> dict[str, str]:
        known = CONTRACTS["salesforce"]["opportunities"].columns
        if unknown := sorted(columns.keys() - known.keys()):
            raise ValueError(
                f"unknown column '{unknown[0]}' of opportunities; use one of {', '.join(known)}"
            )
        return columns


class Web(Settings):
    """Web sessions, or the events and clients of a shop."""

    sessions: Export | None = None
    events: Export | None = None
    clients: Export | None = None


class Platform(Settings):
    """A source that is either exported to files, or asked by its API."""

    @model_validator(mode="after")
    def _has_one_way_in(self) -> "Platform":
        tables = [name for name in type(self).model_fields if name not in ("api", "channel")]
        if bool(self.api) == any(getattr(self, table) for table in tables):
            raise ValueError(f"write either `{tables[0]}:` for exports, or `api:`")
        return self


class Salesforce(Platform):
    """Opportunities, of which a won one is a conversion; and who they are about."""

    opportunities: Export | None = None
    contacts: Export | None = None
    contact_roles: Export | None = None
    leads: Export | None = None
    campaign_members: Export | None = None
    api: SalesforceApi | None = None


class GoogleAds(Platform):
    """Spend at Google by day, and the channel it belongs to."""

    spend: Export | None = None
    api: GoogleAdsApi | None = None
    channel: str = "Paid Search"


class FacebookAds(Platform):
    """Spend at Facebook by day, and the channel it belongs to."""

    spend: Export | None = None
    api: FacebookAdsApi | None = None
    channel: str = "Paid Social"


class Sources(Settings):
    """What the client delivers; a source that is left out is a source it does not have."""

    web: Web | None = None
    salesforce: Salesforce | None = None
    google_ads: GoogleAds | None = None
    facebook_ads: FacebookAds | None = None

    @model_validator(mode="after")
    def _know_the_columns(self) -> "Sources":
        for source, table, feed in self.feeds():
            known = CONTRACTS[source][table].columns
            columns = feed.columns if isinstance(feed, Export) else {}
            if isinstance(feed, Export) and feed.format and (source, table) != ("web", "sessions"):
                raise ValueError(
                    f"{source}.{table}.format: {feed.format} gives sessions; leave it out"
                )
            for column in columns.keys() - known.keys():
                raise ValueError(
                    f"{source}.{table}.columns: unknown column '{column}'; "
                    f"use one of {', '.join(known)}"
                )
        return self

    def feeds(self) -> list[tuple[str, str, Export | Api]]:
        """Return (source, table, way in) of everything that is delivered."""
        return [
            (source, table, feed)
            for source, tables in CONTRACTS.items()
            if (settings := getattr(self, source))
            for table in tables
            if (feed := getattr(settings, "api", None) or getattr(settings, table, None))
        ]

    def of(self, source: str) -> dict[str, Export | Api]:
        """Return a source's tables, each with its way in."""
        return {table: feed for name, table, feed in self.feeds() if name == source}


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
    if item["loc"] == ("deadline",):
        return f"; write it like '08:00', quoted (it is {item['input']!r})"
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
