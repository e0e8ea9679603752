"""Turn the clients' settings into the variables that models are made of."""

import os
from typing import get_args

from pipelines.attribution.path_transforms import transformed
from pipelines.blueprints import crm
from pipelines.blueprints.channels import channel_rules, renamed
from pipelines.blueprints.conversion_types import (
    event_types,
    is_counted,
    models_by_type,
    window_days,
)
from pipelines.blueprints.ihc_variables import variables as ihc
from pipelines.blueprints.learning_variables import variables as learned
from pipelines.blueprints.model_choice import scored_by, weight
from pipelines.blueprints.staging import variables as staging
from pipelines.home import clients_folder
from pipelines.settings.client import Client, PathEnds
from pipelines.settings.conversions import BUILT_IN, rules, with_every_model
from pipelines.settings.reader import read
from pipelines.sql import literal

MINOR_DIGITS = {"JPY": 0, "KRW": 0, "CLP": 0, "VND": 0, "ISK": 0, "BHD": 3, "KWD": 3, "TND": 3}


def blueprints() -> dict[str, str]:
    """Return the variables of every client of the shard in use, as SQLMesh reads them, by client.

    A broken client file is named and runs on its last good settings. Raise ValueError without any
    usable client: SQLMesh would take that for a project without models, and drop every view.
    """
    from sqlmesh.core.console import get_console  # here: it loads all of SQLMesh

    chosen, problems = read(os.environ.get("SHARD", "home"))
    for problem in problems:
        get_console().log_warning(str(problem))
    if not chosen:
        raise ValueError(
            f"no usable client in {clients_folder()}; start from a copy of docs/reference.yaml"
        )
    return {client.id: blueprint(client) for client in chosen}


def blueprint(client: Client) -> str:
    """Return one client's blueprint variables, as SQLMesh reads them."""
    attribution, sources = client.attribution, client.sources
    types = rules(client.conversions, attribution)
    every_model = with_every_model(client.conversions, attribution)
    digits = MINOR_DIGITS.get(client.currency, 2)
    variables = {
        "client_name": client.id,
        "start": str(client.start),
        "timezone": client.timezone,
        "currency": client.currency,
        "minor_digits": digits,
        "minor_units": 10**digits,
        "event_types": event_types(types),
        "window_days": window_days(types),
        "is_counted": is_counted(types),
        "has_types": bool(client.conversions.keys() - BUILT_IN.keys()),
        "direct_touches": attribution.direct_touches,
        "transformed": transformed(attribution.path_steps, "candidates"),
        "models": models_by_type(types),
        "scored_by": scored_by(every_model),
        "weight": weight(every_model),
        "channel_rules": channel_rules(client.channels),
        "aliases": renamed(sources.web.aliases if sources.web else {}, "campaign"),
        **staging(client, every_model),
        **learned(client.id, every_model),
        **crm.variables(every_model),
        **ihc(client.model_copy(update={"attribution": every_model})),
        "compares": bool(attribution.compare),
        "publishes_path_ends": not set(get_args(PathEnds)).isdisjoint(client.publish),
        "publishes_first_touch": "first_touch_attribution" in client.publish,
        "publishes_last_touch": "last_touch_attribution" in client.publish,
        "publishes_channels": "channel_performance" in client.publish,
        "publishes_customer_journey": "attribution_customer_journey" in client.publish,
        "publishes_channel_reporting": "channel_reporting" in client.publish,
    }
    return f"(client := {client.id}, {', '.join(map(_assignment, variables.items()))})"


def _assignment(variable: tuple[str, object]) -> str:
    name, value = variable
    if isinstance(value, str):
        return f"{name} := {literal(value)}"
    return f"{name} := {str(value).lower()}"
