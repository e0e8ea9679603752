"""The variables of the layer of journeys: what converts, which touchpoints count, and for how long."""

from typing import Any

from pydantic import Field

from pipelines.attribution.path_transforms import transformed
from pipelines.blueprints.campaign_names import visits_renamed
from pipelines.blueprints.channels import channel_rules
from pipelines.blueprints.conversion_types import (
    counts_first,
    event_types,
    undecided_events,
    window_days,
)
from pipelines.blueprints.variables import Sql, Variables
from pipelines.settings.client import Client
from pipelines.settings.conversions import Rules
from pipelines.settings.exclusions import TABLES, excluded_customers, excluded_rows


class Journeys(Variables):
    """What converts, which touchpoints count, and what their channels and campaigns are called."""

    event_types: Sql = Field(
        description="The type of conversion that an event is, by its `event_type`; NULL for none."
    )
    has_conditions: bool = Field(description="Whether a type of conversions has a `where`.")
    undecided_events: Sql = Field(
        description="The type of which nothing says whether an event is one; NULL for none."
    )
    counts_first: Sql = Field(
        description="Whether only a customer's first conversion counts, by `conversion_type`."
    )
    has_first_conversions: bool = Field(description="Whether that is so of any type.")
    has_exclusions: bool = Field(description="Whether the client leaves out anything.")
    excluded_sessions: Sql = Field(
        description="The rule of `exclude:` that leaves out a session; NULL for none."
    )
    excluded_events: Sql = Field(description="The same of an event.")
    excluded_sales: Sql = Field(description="The same of one of the site's own conversions.")
    excluded_deals: Sql = Field(description="The same of a deal.")
    excluded_customers: Sql = Field(
        description="The rule that leaves out all of a customer, by `customer_id`; NULL for none."
    )
    excluded_people: Sql = Field(
        description="The same of a contact or lead, by `customer_id`, `contact_id` and `email`."
    )
    window_days: Sql = Field(description="Days of the lookback, by `conversion_type`.")
    channel_rules: Sql = Field(
        description="The client's own rules for channels: branches of a CASE, before GA4's rules."
    )
    aliases: Sql = Field(
        description="The name by which a `campaign` is reported, by `source` and `ad_network` where that decides;"
        " NULL for all others."
    )
    owner_is_last_seen: bool = Field(
        description="Whether an anonymous session is always that customer's who was last seen on its browser."
    )
    direct_touches: str = Field(
        description="Whether direct touchpoints count: `include`, `exclude`, or as a `fallback`."
    )
    transformed: Sql = Field(
        description="The touchpoints that the client's path transforms leave of `candidates`."
    )


def journeys(client: Client, types: dict[str, Rules]) -> Journeys:
    """Return what the layer of journeys reads."""
    web = client.sources.web
    return Journeys(
        event_types=event_types(types, web.events if web else None),
        has_conditions=any(rules.where for rules in types.values()),
        undecided_events=undecided_events(types, web.events if web else None),
        counts_first=counts_first(types),
        has_first_conversions=any(rules.counting == "first" for rules in types.values()),
        **_excluded(client),
        window_days=window_days(types),
        channel_rules=channel_rules(client.channels),
        aliases=visits_renamed(web.aliases if web else {}, client.sources.platforms),
        owner_is_last_seen=client.attribution.identity == "last_seen",
        direct_touches=client.attribution.direct_touches,
        transformed=transformed(client.attribution.path_steps, "candidates"),
    )


def _excluded(client: Client) -> dict[str, Any]:
    """Return what leaves out rows of each table, customers, and the CRM's people."""
    rows = {
        f"excluded_{kind}": excluded_rows(client.exclude, client.sources, kind) for kind in TABLES
    }
    people = ("customer_id", "contact_id", "email")
    return rows | {
        "has_exclusions": bool(client.exclude),
        "excluded_customers": excluded_customers(client.exclude),
        "excluded_people": excluded_customers(client.exclude, people),
    }
