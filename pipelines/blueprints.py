"""Turn the clients' settings into the variables that models are made of."""

import os

from macros.attribution_models import asked, scored_by, weight
from macros.channel import channel_rules, renamed
from macros.conversion_types import event_types, is_counted, models_by_type, window_days
from macros.path_transforms import transformed
from pipelines import crm
from pipelines.clients import Client, read
from pipelines.home import clients_folder, home
from pipelines.ihc.variables import variables as ihc
from pipelines.learning.versions import first_versions
from pipelines.settings.conversions import BUILT_IN, rules, with_every_model
from pipelines.settings.sources import Ads

MINOR_DIGITS = {"JPY": 0, "KRW": 0, "CLP": 0, "VND": 0, "ISK": 0, "BHD": 3, "KWD": 3, "TND": 3}


def blueprints() -> str:
    """Return the variables of every client of the shard in use, as SQLMesh reads them.

    A broken client file is named and runs on its last good settings. Raise ValueError without any
    usable client: SQLMesh would take that for a project without models, and drop every view.
    """
    from sqlmesh.core.console import get_console  # here: it loads all of SQLMesh

    chosen, problems = read(os.environ.get("SHARD", "home"))
    for problem in problems:
        get_console().log_warning(str(problem))
    if not chosen:
        raise ValueError(f"no usable client in {clients_folder()}; start from clients/acme.yaml")
    return "(" + ", ".join(blueprint(client) for client in chosen) + ")"


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
        "transformed": transformed(attribution.path, "candidates"),
        "models": models_by_type(types),
        "first_versions": first_versions(str(home()), client.id, asked(every_model)),
        "scored_by": scored_by(every_model),
        "weight": weight(every_model),
        "channel_rules": channel_rules(client.channels),
        "aliases": renamed(sources.web.aliases if sources.web else {}, "campaign"),
        **_platform("google", sources.google_ads),
        **_platform("facebook", sources.facebook_ads),
        "has_clients": bool(sources.web and sources.web.clients),
        "compares": bool(attribution.compare),
        **crm.variables(every_model),
        "publishes_path_ends": bool(client.publish),
        "publishes_first_touch": "first_touch_attribution" in client.publish,
        "publishes_last_touch": "last_touch_attribution" in client.publish,
        "publishes_channels": "channel_performance" in client.publish,
        **ihc(client.model_copy(update={"attribution": every_model}), str(home())),
    }
    return f"(client := {client.id}, {', '.join(map(_assignment, variables.items()))})"


def _platform(name: str, ads: Ads | None) -> dict[str, str]:
    ads = ads or Ads.model_construct()
    return {
        f"{name}_channel": ads.channel or "",
        f"{name}_campaigns": renamed(ads.campaigns, "campaign_id", "campaign"),
    }


def _assignment(variable: tuple[str, object]) -> str:
    name, value = variable
    if isinstance(value, str):
        quoted = value.replace("'", "''")
        return f"{name} := '{quoted}'"
    return f"{name} := {str(value).lower()}"
