"""Say how a platform's own API is asked."""

from datetime import date
from typing import Annotated, Literal, get_args

from pydantic import Field, field_validator

from pipelines.contracts.catalog import CONTRACTS
from pipelines.settings.base import Settings, private


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
