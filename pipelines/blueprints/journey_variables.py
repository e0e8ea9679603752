"""The variables of the layer of journeys: what converts, which touchpoints count, and for how long."""

from pydantic import Field

from pipelines.attribution.path_transforms import transformed
from pipelines.blueprints.campaign_names import visits_renamed
from pipelines.blueprints.channels import channel_rules
from pipelines.blueprints.conversion_types import event_types, window_days
from pipelines.blueprints.variables import Sql, Variables
from pipelines.settings.client import Client
from pipelines.settings.conversions import Rules


class Journeys(Variables):
    """What converts, which touchpoints count, and what their channels and campaigns are called."""

    event_types: Sql = Field(
        description="The type of conversion that an event is, by its `event_type`; NULL for none."
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
        event_types=event_types(types),
        window_days=window_days(types),
        channel_rules=channel_rules(client.channels),
        aliases=visits_renamed(web.aliases if web else {}, client.sources.platforms),
        owner_is_last_seen=client.attribution.identity == "last_seen",
        direct_touches=client.attribution.direct_touches,
        transformed=transformed(client.attribution.path_steps, "candidates"),
    )
