"""Note in the ledger what a published version was made of, so that it can be computed when its files are gone."""

from contextlib import suppress
from typing import Any

import duckdb

from pipelines.home import lake_folder
from pipelines.lake.loads import committed_loads
from pipelines.learning.in_force import learnt_versions
from pipelines.ledger.run_events import Run
from pipelines.settings.reader import promoted_settings, promoted_text
from pipelines.settings.settings_versions import keep_version

_STATUSES = """
SELECT source, code, problem, retry_at::TEXT AS retry_at, COALESCE(days, []) AS days_missing,
  newest_day::TEXT AS newest_day, warnings
FROM {client}_marts.source_status LEFT JOIN (
  SELECT platform AS source, LIST(DISTINCT date::TEXT ORDER BY date::TEXT) AS days
  FROM {client}_marts.spend_gaps GROUP BY platform
) AS gaps USING (source)
ORDER BY source
"""


def note_settings(run: Run, client: str) -> None:
    """Note by which settings a client is published, and keep them."""
    if text := promoted_text(client):
        run.settings = keep_version(client, text)


def note_made_of(run: Run, warehouse: duckdb.DuckDBPyConnection, client: str) -> None:
    """Note the loads, learnt versions and statuses of sources behind a client's tables.

    A load that came while the tables were made counts in the next version.
    """
    if settings := promoted_settings(client):
        run.models = learnt_versions(settings)
    with suppress(duckdb.CatalogException, duckdb.BinderException):  # models of older releases
        run.loads = _loads(warehouse, client)
        run.statuses = _statuses(warehouse, client)


def _loads(warehouse: duckdb.DuckDBPyConnection, client: str) -> dict[str, str]:
    """Return the newest load of each source that is in the published numbers."""
    query = f"SELECT MAX(loaded_until) FROM {client}_publish.freshness_v1"
    ((until,),) = warehouse.execute(query).fetchall()
    folders = sorted(marks.parent for marks in (lake_folder() / client).glob("*/_dlt_loads"))
    seen = {
        folder.name: [
            load for load, at in committed_loads(str(folder)).items() if until and at <= until
        ]
        for folder in folders
    }
    return {source: loads[-1] for source, loads in seen.items() if loads}


def _statuses(warehouse: duckdb.DuckDBPyConnection, client: str) -> list[dict[str, Any]]:
    """Return what the models were told of each source: of ad platforms, which days were missing, too."""
    found = warehouse.execute(_STATUSES.format(client=client))
    names = [column[0] for column in found.description or []]
    return [dict(zip(names, row)) for row in found.fetchall()]
