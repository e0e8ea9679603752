"""Say which tables and milestones a client's settings need."""

from pipelines.contracts.catalog import tables as every_table
from pipelines.settings.apis import Api
from pipelines.settings.attribution import Attribution
from pipelines.settings.b2b import BUILT_IN
from pipelines.settings.sources import Sources


def milestones(attribution: Attribution) -> list[str]:
    """Return the milestones, without the first touchpoint, that the models asked for count."""
    asked = {attribution.model, *attribution.compare} & {"w_shaped", "full_path", "milestones"}
    counted = {name for model in asked for name in getattr(attribution, model).by_milestone}
    names = [*BUILT_IN, *sorted(attribution.milestones.dates)]
    return [name for name in names if name in counted and name != "first"]


def tables(attribution: Attribution) -> list[str]:
    """Return Salesforce's tables, beside opportunities, that the settings have a use for."""
    by_account = attribution.journeys == "account"
    members = by_account and attribution.contacts.campaign_members
    return (
        ["contacts", "contact_roles"] * by_account
        + ["leads"] * (by_account or "lead" in milestones(attribution))
        + ["campaign_members"] * members
    )


def staged(attribution: Attribution, sources: Sources) -> list[tuple[str, str]]:
    """Return (source, table) of what a client stages, of the tables that only some clients do."""
    stage = {
        "delivering": {(source, table) for source, table, _ in sources.feeds()},
        "asking": {("salesforce", table) for table in tables(attribution)},
    }
    return [
        (source, table)
        for source, table, contract in every_table()
        if contract.is_optional and (source, table) in stage[contract.staged_for]
    ]


def missing(attribution: Attribution, sources: Sources) -> str | None:
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
    asks_api = any(isinstance(feed, Api) for _, feed in feeds)
    place = "sources.salesforce.api.tables" if asks_api else "sources"
    for table, reason in needs.items():
        if reason and table not in delivered:
            return (
                f"{reason} needs salesforce.{table}, which is not delivered; add it under"
                f" `{place}:`, or leave that setting out"
            )
    if contacts.campaign_members and attribution.journeys != "account":
        return "`campaign_members: true` needs `journeys: account`; add it, or leave it out"
    return None
