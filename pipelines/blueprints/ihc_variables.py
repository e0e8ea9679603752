"""The variables of IHC: what changes a number, and no more.

How the service is asked, such as how patiently, is not among them: an edit of it rebuilds nothing.
"""

import json

from pydantic import Field

from pipelines.blueprints.learning_variables import versions
from pipelines.blueprints.variables import Sql, Variables
from pipelines.settings.attribution import Attribution
from pipelines.settings.ihc import Phases
from pipelines.sql import literal

REQUEST = ("base_url", "conv_type_id", "redistribution")
CAPS = ("journeys_per_request", "sessions_per_request")


class Ihc(Variables):
    """Who computes IHC, and what its phases weigh."""

    asks_ihc: bool = Field(description="Whether the client asks for `ihc`.")
    asks_ihc_local: bool = Field(
        description="Whether it asks for `ihc` or `ihc_local`: the local model stands in for the service."
    )
    ihc_by: str = Field(description="Who computes `ihc`: the `service` or the `local` model.")
    ihc_request: str = Field(description="What the service is asked with, and its caps, as JSON.")
    ihc_initializer: float = Field(description="What beginning a journey weighs.")
    ihc_holder: float = Field(description="What holding the customer weighs.")
    ihc_closer: float = Field(description="What ending the journey weighs.")
    ihc_channels: Sql = Field(
        description="A row for each channel with weights of its own: `channel`, a weight for each phase."
    )
    curve_learners: str = Field(
        description="The folder of the client's own curves, and the first of them if there are any."
    )


def ihc(client: str, attribution: Attribution) -> Ihc:
    """Return what changes a number of IHC."""
    settings = attribution.ihc
    return Ihc(
        asks_ihc="ihc" in attribution.models,
        asks_ihc_local=bool({"ihc", "ihc_local"} & set(attribution.models)),
        ihc_by=settings.by,
        ihc_request=json.dumps(settings.model_dump(include={*REQUEST, *CAPS}), sort_keys=True),
        ihc_initializer=settings.weights.initializer,
        ihc_holder=settings.weights.holder,
        ihc_closer=settings.weights.closer,
        ihc_channels=channels(attribution),
        curve_learners=versions(client, attribution, ["ihc_local"]),
    )


def channels(attribution: Attribution) -> str:
    """Return a relation of the channels with weights of their own: `channel`, a column a phase."""
    weights = attribution.ihc.channel_weights
    rows = [_row(literal(channel), phases) for channel, phases in weights.items()]
    return f"({' UNION ALL '.join(rows or [_row('NULL::TEXT', Phases()) + ' WHERE FALSE'])})"


def _row(channel: str, phases: Phases) -> str:
    return (
        f"SELECT {channel} AS channel, {phases.initializer}::DOUBLE AS initializer_weight,"
        f" {phases.holder}::DOUBLE AS holder_weight, {phases.closer}::DOUBLE AS closer_weight"
    )
