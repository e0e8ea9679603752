"""Turn a client's IHC settings into variables of its models: what changes a number, and no more."""

import json

from pipelines.blueprints.learning_variables import versions
from pipelines.settings.attribution import Attribution
from pipelines.settings.client import Client
from pipelines.settings.ihc import Phases
from pipelines.sql import literal

REQUEST = ("base_url", "conv_type_id", "redistribution")
CAPS = ("journeys_per_request", "sessions_per_request")


def variables(client: Client) -> dict[str, object]:
    """Return the blueprint variables of the models of IHC.

    How the service is asked, such as how patiently, is none: an edit of it rebuilds nothing.
    """
    settings = client.attribution.ihc
    chosen = {client.attribution.model, *client.attribution.compare}
    return {
        "asks_ihc": "ihc" in chosen,
        "asks_ihc_local": bool({"ihc", "ihc_local"} & chosen),
        "ihc_by": settings.by,
        "ihc_request": json.dumps(settings.model_dump(include={*REQUEST, *CAPS}), sort_keys=True),
        "ihc_initializer": settings.weights.initializer,
        "ihc_holder": settings.weights.holder,
        "ihc_closer": settings.weights.closer,
        "ihc_channels": channels(client.attribution),
        "curve_learners": versions(client.id, client.attribution, ["ihc_local"]),
    }


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
