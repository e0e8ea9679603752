"""Say how a deal's journey is found in the CRM: its people, and the milestones on the way."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipelines.settings.base import Settings

Share = Annotated[float, Field(ge=0, le=1)]
CrmDate = Literal["milestone_1", "milestone_2", "milestone_3"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$"), "a name in lower case"]

BUILT_IN = ("first", "lead", "opportunity", "closing")


class Contacts(Settings):
    """Which contacts take part in a deal; only with `journeys: account`."""

    match: Literal["contact_id", "email"] = Field(
        "email", description="What sessions have as `customer_id`; upper and lower case are alike."
    )
    roles: Literal["any", "primary"] | list[str] | None = Field(
        None,
        description="Which contacts of the account count: all of them, those with any role on the deal, its primary"
        " contact, or those with one of these roles.",
    )
    campaign_members: bool = Field(
        False,
        description="Whether a campaign member's response is a touchpoint, with the campaign's type as channel.",
    )

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
    """Settings of the model `w_shaped`; all other touchpoints share the rest."""

    first: Share = Field(0.3, description="Share of the first touchpoint.")
    lead: Share = Field(0.3, description="Share of the last touchpoint before the lead was made.")
    opportunity: Share = Field(
        0.3, description="Share of the last touchpoint before the deal was opened."
    )


class FullPath(_Shares):
    """Settings of the model `full_path`; all other touchpoints share the rest."""

    first: Share = Field(0.225, description="Share of the first touchpoint.")
    lead: Share = Field(0.225, description="Share of the last touchpoint before the lead was made.")
    opportunity: Share = Field(
        0.225, description="Share of the last touchpoint before the deal was opened."
    )
    closing: Share = Field(
        0.225, description="Share of the last touchpoint before the deal was closed."
    )


class Milestones(_Shares):
    """Settings of the model `milestones`; all other touchpoints share the rest."""

    shares: dict[Name, Share] = Field(
        {"first": 0.3, "lead": 0.3, "opportunity": 0.3},
        description="Share of each milestone: `first`, `lead`, `opportunity`, `closing`, or one under `dates`.",
    )
    dates: dict[Name, CrmDate] = Field(
        {},
        description="By milestone of the client's own, the column of opportunities that has its date.",
    )

    @property
    def by_milestone(self) -> dict[str, float]:
        """Return the share of each milestone, of those that have one."""
        return {name: share for name, share in self.shares.items() if share}

    @model_validator(mode="after")
    def _are_dated(self) -> "Milestones":
        if taken := sorted(self.dates.keys() & set(BUILT_IN)):
            raise ValueError(
                f"dates.{taken[0]}: this milestone is built in, with its date; choose another name"
            )
        known = [*BUILT_IN, *self.dates]
        if unknown := sorted(self.shares.keys() - set(known)):
            raise ValueError(
                f"shares.{unknown[0]}: there is no such milestone; use one of {', '.join(known)}, or name"
                " under `dates:` the column of opportunities that has its date"
            )
        return self
