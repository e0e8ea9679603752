"""The variables of journeys that the CRM knows: whose touchpoints a deal has, and its milestones."""

from pydantic import Field

from pipelines.blueprints.variables import Sql, Variables
from pipelines.settings.attribution import Attribution
from pipelines.settings.needs import milestones
from pipelines.sql import literal


class Deals(Variables):
    """Whose touchpoints count for a deal, and the milestones on its way."""

    by_account: bool = Field(
        description="Whether the touchpoints of all contacts of a deal's account count, not only its customer's."
    )
    matches_email: bool = Field(
        description="Whether sessions name a contact by e-mail address; if not, by contact id."
    )
    takes_all_contacts: bool = Field(
        description="Whether all contacts of the account take part in a deal, with or without a role."
    )
    role_counts: Sql = Field(
        description="Whether a contact takes part in a deal, by its `role` and `is_primary`."
    )
    milestones: str = Field(
        description="The milestones that the models asked for count, but for the first touchpoint: `lead opportunity`."
    )
    has_milestones: bool = Field(description="Whether there are any.")
    has_lead_milestone: bool = Field(
        description="Whether `lead` is one: its date comes from the deal's leads, not from the deal."
    )
    dated_milestones: Sql = Field(
        description="A list of the milestones whose dates a conversion itself has."
    )
    milestone_dates: Sql = Field(description="A list of the columns with these dates, in order.")


def deals(attribution: Attribution) -> Deals:
    """Return what is asked of the CRM."""
    names = milestones(attribution)
    dates = {"opportunity": "opened_at", "closing": "converted_at"} | attribution.milestones.dates
    dated = {name: dates[name] for name in names if name in dates}
    return Deals(
        by_account=attribution.journeys == "account",
        matches_email=attribution.contacts.match == "email",
        takes_all_contacts=attribution.contacts.roles is None,
        role_counts=role_counts(attribution.contacts.roles),
        milestones=" ".join(names),
        has_milestones=bool(names),
        has_lead_milestone="lead" in names,
        dated_milestones=f"[{', '.join(map(literal, dated))}]",
        milestone_dates=f"[{', '.join(dated.values())}]",
    )


def role_counts(roles: str | list[str] | None) -> str:
    """Return SQL for whether a contact's role on a deal makes it take part."""
    if isinstance(roles, list):
        names = ", ".join(literal(role.lower()) for role in roles)
        return f"LOWER(role) IN ({names})"
    return {None: "FALSE", "any": "TRUE", "primary": "COALESCE(is_primary, FALSE)"}[roles]
