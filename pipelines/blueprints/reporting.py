"""The variables of marts and published tables: what is totalled, and which tables a client wants."""

from typing import get_args

from pydantic import Field

from pipelines.blueprints.conversion_types import is_counted
from pipelines.blueprints.variables import Sql, Variables
from pipelines.settings.client import Client, PathEnds
from pipelines.settings.conversions import BUILT_IN, Rules


class Reporting(Variables):
    """Which conversions are totalled, and which tables the client wants beside the standard ones."""

    is_counted: Sql = Field(
        description="Whether conversions are in campaigns and totals, by `conversion_type`."
    )
    has_types: bool = Field(description="Whether the client has types of conversions of its own.")
    compares: bool = Field(description="Whether it compares models.")
    publishes_path_ends: bool = Field(
        description="Whether it publishes a table of first or last touchpoints."
    )
    publishes_first_touch: bool = Field(
        description="Whether it publishes `first_touch_attribution`."
    )
    publishes_last_touch: bool = Field(description="Whether it publishes `last_touch_attribution`.")
    publishes_channels: bool = Field(description="Whether it publishes `channel_performance`.")
    publishes_customer_journey: bool = Field(
        description="Whether it publishes `attribution_customer_journey`."
    )
    publishes_channel_reporting: bool = Field(
        description="Whether it publishes `channel_reporting`."
    )


def reporting(client: Client, types: dict[str, Rules]) -> Reporting:
    """Return what is totalled and published."""
    return Reporting(
        is_counted=is_counted(types),
        has_types=bool(client.conversions.keys() - BUILT_IN.keys()),
        compares=bool(client.attribution.compare),
        publishes_path_ends=not set(get_args(PathEnds)).isdisjoint(client.publish),
        publishes_first_touch="first_touch_attribution" in client.publish,
        publishes_last_touch="last_touch_attribution" in client.publish,
        publishes_channels="channel_performance" in client.publish,
        publishes_customer_journey="attribution_customer_journey" in client.publish,
        publishes_channel_reporting="channel_reporting" in client.publish,
    )
