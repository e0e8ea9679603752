"""Say how a platform's own API is asked."""

from datetime import date
from typing import Annotated, Literal, get_args

from pydantic import Field, field_validator

from pipelines.contracts.catalog import CONTRACTS
from pipelines.settings.api_versions import NEWEST
from pipelines.settings.base import Settings, secure
from pipelines.settings.expected_every import EVERY, MEANING
from pipelines.settings.stream import Stream

VERSION = r"^v[0-9]+([.][0-9]+)?$"
ADDRESS, OF_VERSION = "Address of the API.", "Version of the API."
RESTATED = "Newest days that are asked for again each morning, because platforms restate them."


class Api(Settings):
    """A platform's own API; what is secret is in the environment or in `.dlt/secrets.toml`."""

    base_url: str = Field(description=ADDRESS)
    version: str = Field(pattern=VERSION, description=OF_VERSION)
    expected_every: str | None = Field(None, pattern=EVERY, description=MEANING)

    @field_validator("base_url", "token_url", check_fields=False)
    @classmethod
    def _is_secure(cls, url: str) -> str:
        return secure(url)


class AdsApi(Api):
    """Spend by day; the newest days are asked for again, because platforms restate them."""

    restate_days: int = Field(ge=1, le=400, description=RESTATED)
    days_per_request: int = Field(ge=1, le=366, description="Days that one request asks for.")


Account = Annotated[str, Field(pattern=r"^[0-9]+$"), "an id of digits, quoted"]


class GoogleAdsApi(AdsApi):
    """Google Ads accounts, by their customer ids without dashes, and the manager above them."""

    customers: list[Account] = Field(
        min_length=1, description="Customer ids of the accounts, quoted, without dashes."
    )
    manager: Account | None = Field(
        None, description="Customer id of the manager account above them, if there is one."
    )
    restate_days: int = Field(30, ge=1, le=400, description=RESTATED)
    days_per_request: int = Field(31, ge=1, le=366, description="Days that one request asks for.")
    version: str = Field(NEWEST["google_ads"], pattern=VERSION, description=OF_VERSION)
    base_url: str = Field("https://googleads.googleapis.com", description=ADDRESS)
    token_url: str = Field(
        "https://oauth2.googleapis.com/token", description="Address that gives access tokens."
    )


class FacebookAdsApi(AdsApi):
    """Facebook ad accounts, by their ids without `act_`, and the actions that are conversions."""

    accounts: list[Account] = Field(
        min_length=1, description="Ids of the ad accounts, quoted, without `act_`."
    )
    conversions: list[str] = Field(
        ["purchase", "lead"], description="Actions that count as the platform's own conversions."
    )
    restate_days: int = Field(28, ge=1, le=400, description=RESTATED)
    days_per_request: int = Field(
        28,
        ge=1,
        le=366,
        description="Days that one request asks for; above 7, Facebook prepares a report first.",
    )
    version: str = Field(NEWEST["facebook_ads"], pattern=VERSION, description=OF_VERSION)
    base_url: str = Field("https://graph.facebook.com", description=ADDRESS)


SalesforceTable = Literal["opportunities", "contacts", "contact_roles", "leads", "campaign_members"]
FieldName = Annotated[str, Field(pattern=r"^[A-Za-z]\w*([.][A-Za-z]\w*)*$")]


class SalesforceApi(Api):
    """A Salesforce org and what is read of it."""

    base_url: str = Field(description="The org's own address, as `https://acme.my.salesforce.com`.")
    version: str = Field("v62.0", pattern=VERSION, description=OF_VERSION)
    since: date | None = Field(
        None, description="Changes before this date are not asked for; left out, all are."
    )
    tables: list[SalesforceTable] = Field(
        list(get_args(SalesforceTable)), min_length=1, description="Tables to read."
    )
    columns: dict[str, FieldName] = Field(
        {},
        description="By column of opportunities, the org's field; the rest have Salesforce's own.",
    )
    stream: Stream = Stream()

    @field_validator("columns")
    @classmethod
    def _are_known(cls, columns: dict[str, str]) -> dict[str, str]:
        known = CONTRACTS["salesforce"]["opportunities"].columns
        if unknown := sorted(columns.keys() - known.keys()):
            raise ValueError(
                f"unknown column '{unknown[0]}' of opportunities; use one of {', '.join(known)}"
            )
        return columns
