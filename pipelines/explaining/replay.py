"""Show the numbers that were published at a time, from the files that were kept of them."""

from datetime import datetime
from typing import NamedTuple

import duckdb

from pipelines.explaining.bringing_loads import loads_by_moment
from pipelines.explaining.compared_campaigns import Compared, compared
from pipelines.explaining.steps import GoneVersion, shown_at
from pipelines.explaining.version_tables import define_version, loaded_until
from pipelines.published.settings_file import settings_of
from pipelines.settings.client import Client


class Replayed(NamedTuple):
    """What was published of a client at a time."""

    version: str
    loaded_until: datetime
    models: list[str]  # by which credit was shared then
    settings: Client | None  # by which it was published; None where they were not kept
    campaigns: list[Compared]  # `after` has the numbers; they are compared with nothing


def replay(client: Client, moment: datetime) -> Replayed:
    """Return the numbers that were published at a UTC time. Raise GoneVersion if they are not kept."""
    try:
        version = shown_at(client, moment)
    except GoneVersion as error:
        raise GoneVersion(f"{error}. {_what_is_left(client.id, moment)}") from None
    with duckdb.connect() as opened:
        define_version(opened, "then", client.id, version)
        models = opened.execute(
            "SELECT DISTINCT model FROM then_publish.attribution_v1 ORDER BY ALL"
        ).fetchall()
        table = "then_publish.campaigns_v1"
        nothing = f"(FROM {table} LIMIT 0)"
        return Replayed(
            version,
            loaded_until(opened, "then"),
            [model for (model,) in models],
            settings_of(client.id, version),
            compared(lambda query: opened.execute(query).fetchall(), nothing, table),
        )


def _what_is_left(client: str, moment: datetime) -> str:
    """Return what the numbers of then were made of, and who could make them again."""
    loads = [load for load in loads_by_moment(client).values() if load.committed_at <= moment]
    if not loads:
        return "No load was committed until then"
    return (
        f"The {len(loads)} loads that were committed until then are in the lake: a copy of clients/ with the"
        " settings of then and of those loads, in an ATTRIBUTION_HOME of its own, gives the numbers again"
        " by make daily, with the code of today"
    )
