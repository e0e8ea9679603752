"""Turn what a client asks of its CRM into the variables that models are made of."""

from pipelines.settings.attribution import Attribution
from pipelines.settings.needs import milestones
from pipelines.sql import literal


def variables(attribution: Attribution) -> dict[str, object]:
    """Return the blueprint variables of journeys by account, and of milestones."""
    names = milestones(attribution)
    dates = {"opportunity": "opened_at", "closing": "converted_at"} | attribution.milestones.dates
    dated = {name: dates[name] for name in names if name in dates}
    return {
        "by_account": attribution.journeys == "account",
        "matches_email": attribution.contacts.match == "email",
        "takes_all_contacts": attribution.contacts.roles is None,
        "role_counts": _role_counts(attribution.contacts.roles),
        "milestones": " ".join(names),
        "has_milestones": bool(names),
        "has_lead_milestone": "lead" in names,
        "dated_milestones": f"[{', '.join(repr(name) for name in dated)}]",
        "milestone_dates": f"[{', '.join(dated.values())}]",
    }


def _role_counts(roles: str | list[str] | None) -> str:
    """Return SQL for whether a contact's role on a deal makes it take part."""
    if isinstance(roles, list):
        names = ", ".join(literal(role.lower()) for role in roles)
        return f"LOWER(role) IN ({names})"
    return {None: "FALSE", "any": "TRUE", "primary": "COALESCE(is_primary, FALSE)"}[roles]
