"""Say how a deal's journey is found in the CRM: its people, and the milestones on the way."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from pipelines.settings.base import Settings

if TYPE_CHECKING:
    from pipelines.settings.attribution import Attribution
    from pipelines.settings.sources import Sources

Share = Annotated[float, Field(ge=0, le=1)]
CrmDate = Literal["milestone_1", "milestone_2", "milestone_3"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]

KNOWN = ("first", "lead", "opportunity", "closing")


class Contacts(Settings):
    """How the site names a contact, and which contacts take part in a deal.

    Without `roles`, all contacts of the deal's account do; with `any`, a list, or `primary`, those
    that have a role on the deal, one of these roles, or the primary one.
    """

    match: Literal["contact_id", "email"] = "email"
    roles: Literal["any", "primary"] | list[str] | None = None
    campaign_members: bool = False

    @model_validator(mode="after")
    def _names_a_role(self) -> "Contacts":
        if self.roles == []:
            raise ValueError("roles: an empty list leaves nobody; name a role, or leave it out")
        return self


class _Shares(Settings):
    """Shares of a conversion by milestone; the touchpoints that hold none share the rest."""

    @model_validator(mode="after")
    def _leave_something(self) -> "_Shares":
        total = sum(shares(self).values())
        if not 0 < total <= 1 + 1e-9:
            raise ValueError("the shares together must be above 0 and at most 1")
        return self


class WShaped(_Shares):
    """Shares of the first touchpoint, and of those that made the lead and the opportunity."""

    first: Share = 0.3
    lead: Share = 0.3
    opportunity: Share = 0.3


class FullPath(_Shares):
    """Those of the W, and the share of the touchpoint that closed the deal."""

    first: Share = 0.225
    lead: Share = 0.225
    opportunity: Share = 0.225
    closing: Share = 0.225


class Milestones(_Shares):
    """Shares by milestones of the client's own; `dates` says where the CRM has their dates."""

    shares: dict[Name, Share] = {"first": 0.3, "lead": 0.3, "opportunity": 0.3}
    dates: dict[Name, CrmDate] = {}

    @model_validator(mode="after")
    def _are_dated(self) -> "Milestones":
        if taken := sorted(self.dates.keys() & set(KNOWN)):
            raise ValueError(f"dates.{taken[0]}: this milestone has its date; choose another name")
        known = [*KNOWN, *self.dates]
        if unknown := sorted(self.shares.keys() - set(known)):
            raise ValueError(
                f"shares.{unknown[0]}: no such milestone; use one of {', '.join(known)}, or say"
                " under `dates:` which column of opportunities has its date"
            )
        return self


def shares(chosen: WShaped | FullPath | Milestones) -> dict[str, float]:
    """Return the share of each milestone, of those that have one."""
    known = chosen.shares if isinstance(chosen, Milestones) else chosen.model_dump()
    return {name: share for name, share in known.items() if share}


def milestones(attribution: "Attribution") -> list[str]:
    """Return the milestones, without the first touchpoint, that the models asked for count."""
    asked = {attribution.model, *attribution.compare} & {"w_shaped", "full_path", "milestones"}
    counted = {name for model in asked for name in shares(getattr(attribution, model))}
    known = [*KNOWN, *sorted(attribution.milestones.dates)]
    return [name for name in known if name in counted and name != "first"]


def tables(attribution: "Attribution") -> list[str]:
    """Return Salesforce's tables, beside opportunities, that the settings have a use for."""
    by_account = attribution.journeys == "account"
    members = by_account and attribution.contacts.campaign_members
    return (
        ["contacts", "contact_roles"] * by_account
        + ["leads"] * (by_account or "lead" in milestones(attribution))
        + ["campaign_members"] * members
    )


def missing(attribution: "Attribution", sources: "Sources") -> str | None:
    """Return what the settings ask for and the client does not deliver, and the remedy."""
    contacts = attribution.contacts
    needs = {
        "opportunities": attribution.journeys == "account" and "`journeys: account`",
        "contacts": attribution.journeys == "account" and "`journeys: account`",
        "contact_roles": attribution.journeys == "account" and contacts.roles and "`roles:`",
        "leads": "lead" in milestones(attribution) and "the milestone `lead`",
        "campaign_members": contacts.campaign_members and "`campaign_members: true`",
    }
    feeds = sources.of("salesforce").items()
    delivered = [table for table, feed in feeds if table in getattr(feed, "tables", [table])]
    for table, reason in needs.items():
        if reason and table not in delivered:
            return (
                f"{reason} needs salesforce.{table}, which is not delivered; add it under"
                " `sources:`, or leave that setting out"
            )
    if contacts.campaign_members and attribution.journeys != "account":
        return "`campaign_members: true` needs `journeys: account`; add it, or leave it out"
    return None
