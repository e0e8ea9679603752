"""Show what is behind one conversion's numbers, from the published and settled files alone."""

from datetime import datetime
from typing import Any, NamedTuple

import duckdb

from pipelines.explaining.bringing_loads import Load, Row, loads_by_moment, rows_of
from pipelines.explaining.conversion_states import state_of, unknown
from pipelines.explaining.path_touches import Touch, left_out_touches, path_touches
from pipelines.explaining.version_tables import define_version
from pipelines.published.settings_file import settings_of
from pipelines.published.version_folders import base_of, current, is_provisional
from pipelines.settings.client import Client


class ExplainError(Exception):
    """A conversion that cannot be explained; the text names the client, why, and what would help."""


class Version(NamedTuple):
    """A version of the conversion itself, as a load brought it or another load restated it."""

    loaded_at: datetime
    converted_at: datetime | None
    revenue: Any  # in the client's currency; NULL where no rate is known
    original_currency: str
    original_revenue: Any
    is_withdrawn: bool
    excluded_by: str | None


class Explanation(NamedTuple):
    """What one conversion's published numbers were made of."""

    client: str
    conversion_id: str
    version: str  # the published one that is shown
    loaded_until: datetime | None
    credit: list[dict[str, Any]]  # its rows of attribution_v1; none where it has no credit
    versions: list[Version]  # as far as they are settled
    touches: list[Touch]
    left_out: list[Touch]
    reasons: list[str]  # why it has no credit, or is in no total
    loads: dict[datetime, Load]
    rows: list[Row]


def explain(client: Client, conversion_id: str) -> Explanation:
    """Return what is behind a conversion's published numbers.

    Reads the version that is shown and the lake, and takes no lock on the warehouse. Raise
    ExplainError if nobody knows the conversion, with ids that are like it.
    """
    if not (shown := current(client.id)):
        raise ExplainError(f"{client.id}: nothing is published yet; run make daily")
    settings = settings_of(client.id, base_of(client.id, shown.version)) or client
    conversion_id = conversion_id.strip()
    with duckdb.connect() as opened:
        define_version(opened, client.id, client.id, shown.version)
        opened.execute(f"SET schema = '{client.id}_publish'")
        credit = _dictionaries(
            opened,
            "FROM attribution_v1 WHERE conversion_id = $id ORDER BY position",
            conversion_id,
        )
        loads = loads_by_moment(client.id)
        versions = _versions(opened, client.id, conversion_id)
        if not versions and not credit:
            raise ExplainError(unknown(opened, client.id, conversion_id, loads))
        touches = path_touches(opened, settings, credit)
        left_out = left_out_touches(opened, settings, conversion_id)
        reasons = state_of(opened, settings, conversion_id, credit, left_out)
        ((until,),) = opened.execute("SELECT MAX(loaded_until) FROM freshness_v1").fetchall()
    moments = {version.loaded_at for version in versions}
    moments |= {at for touch in touches for at in (touch.loaded_at, touch.owner_known_at) if at}
    if is_provisional(shown.version):  # loads that no run has settled may have brought any of it
        moments |= {at for at in loads if not until or at > until}
    keys = [conversion_id, *(touch.row_key for touch in touches)]
    rows = rows_of(client.id, [loads[at] for at in sorted(moments) if at in loads], keys)
    return Explanation(
        client.id,
        conversion_id,
        shown.version,
        until,
        credit,
        versions,
        touches,
        left_out,
        reasons,
        loads,
        rows,
    )


def _versions(opened: duckdb.DuckDBPyConnection, client: str, conversion_id: str) -> list[Version]:
    columns = ", ".join(Version._fields)
    return [
        Version(*row)
        for row in opened.execute(
            f"""SELECT {columns} FROM {client}_journeys.conversions
            WHERE conversion_id = $id ORDER BY loaded_at""",
            {"id": conversion_id},
        ).fetchall()
    ]


def _dictionaries(
    opened: duckdb.DuckDBPyConnection, query: str, conversion_id: str
) -> list[dict[str, Any]]:
    """Return rows by column: which columns a version has depends on the release that wrote it."""
    result = opened.execute(query, {"id": conversion_id})
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
