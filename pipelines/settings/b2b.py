"""Say how a deal's journey is found in the CRM: its people, and the milestones on the way."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipelines.settings.base import Settings

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

    @property
    def by_milestone(self) -> dict[str, float]:
        """Return the share of each milestone, of those that have one."""
        return {name: share for name, share in self.model_dump().items() if share}

    @model_validator(mode="after")
    def _leave_something(self) -> "_Shares":
        total = sum(self.by_milestone.values())
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

    @property
    def by_milestone(self) -> dict[str, float]:
        """Return the share of each milestone, of those that have one."""
        return {name: share for name, share in self.shares.items() if share}

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
