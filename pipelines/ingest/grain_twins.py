"""Refuse spend that comes by campaign where it is loaded by ad, or by name where it is loaded by id.

Such rows have other keys than those that are loaded, so each of their days would count once more. Within one
file a campaign may have both: not every campaign has ad groups.
"""

import duckdb

from pipelines.ingest.pending import Round
from pipelines.ingest.table import Table
from pipelines.sources.batches import ExportError
from pipelines.sql import only_row

_FINER = ("ad_group_id", "ad_id")


def refuse_other_grain(connection: duckdb.DuckDBPyConnection, table: Table, round_: Round) -> None:
    """Raise ExportError if a campaign's day is loaded at another grain, or comes at two in two files."""
    identity = {*table.delivery.contract.identity}
    if table.delivery.mode != "increment" or not {"campaign_id", *_FINER} <= identity:
        return
    connection.execute(f"CREATE OR REPLACE TEMP TABLE came_grains AS {_CAME}")
    if table.is_stored:
        connection.execute(f"INSERT INTO came_grains {_had(table.stored)}")
    (grains,) = only_row(connection.execute("SELECT COUNT(DISTINCT grain) FROM came_grains"))
    if grains < 2 or not (found := connection.execute(_FOUND).fetchone()):
        return
    day, campaign, file, came, had = found
    batch = next(each for each in round_.batches if each.name == file)
    raise ExportError(
        f"spend of {day} of the campaign '{campaign}' comes {_said(came)}, and is there {_said(had)} already: it would"
        " count twice. Export it with the same columns as before; or withdraw what is loaded:"
        f" make withdraw CLIENT={table.client.id} LOAD=…",
        batch.path,
        batch.shown,
    )


def _said(grain: str) -> str:
    return {"name": "by its name alone", "id": "by campaign"}.get(grain, f"by {grain}")


# What tells at which grain a row is: a campaign whose id is its name, or the finest id that it has.
_GRAIN = """CASE WHEN ad_id IS NOT NULL THEN 'ad' WHEN ad_group_id IS NOT NULL THEN 'ad group'
  WHEN campaign_id = campaign THEN 'name' ELSE 'id' END"""


_CAME = f"""SELECT DISTINCT spend_date AS day, COALESCE(account_id, '') AS account, campaign_id,
      COALESCE(campaign, campaign_id) AS campaign, {_GRAIN} AS grain, export_file AS file
      FROM delivered WHERE reason IS NULL AND NOT is_deleted"""


def _had(stored: str) -> str:
    return f"""SELECT DISTINCT spend_date, COALESCE(account_id, ''), campaign_id,
      COALESCE(campaign, campaign_id), {_GRAIN}, '' FROM (
        SELECT *, ROW_NUMBER() OVER (PARTITION BY row_key ORDER BY loaded_at DESC, ordinal DESC) AS place
        FROM {stored} AS log WHERE spend_date IN (SELECT day FROM came_grains)
      ) WHERE place = 1 AND NOT is_deleted
      AND row_key NOT IN (SELECT row_key FROM delivered WHERE reason IS NULL)"""


# A campaign is the same by its id, or by its name where that is all that one file has of it. Files that have
# it at the same grains are one row here, and each join is by equality: a name of many campaigns is no cross join.
_FOUND = """
WITH files AS (
  SELECT day, account, campaign_id, campaign, file, LIST_SORT(LIST(DISTINCT grain)) AS grains
  FROM came_grains GROUP BY ALL
), grained AS (
  SELECT day, account, campaign_id, campaign, grains, MIN(file) AS first, MAX(file) AS last
  FROM files GROUP BY ALL
), named AS (
  FROM grained WHERE campaign_id = campaign
), by_id AS (
  FROM grained WHERE campaign_id <> campaign
), pairs AS (
  SELECT came, had FROM grained AS came JOIN grained AS had USING (day, campaign_id)
  UNION ALL
  SELECT came, had FROM named AS came JOIN by_id AS had USING (day, campaign)
  UNION ALL
  SELECT came, had FROM by_id AS came JOIN named AS had USING (day, campaign)
)
SELECT came.day, came.campaign, came.last, came.grains[1], had.grains[1] FROM pairs
WHERE came.last > had.first AND NOT LIST_HAS_ANY(came.grains, had.grains)
AND (came.account = had.account OR '' IN (came.account, had.account))
ORDER BY came.day, came.campaign LIMIT 1
"""
