"""Count the conversions that a run has settled otherwise than they were shown."""

from pipelines.fastpath.computing import Provisional
from pipelines.published.version_folders import manifest, versions_of
from pipelines.published.views import define
from pipelines.sql import only_row

_NUMBERS = "* EXCLUDE (is_provisional, provisional_since)"


def settled_otherwise(new: Provisional, shown: str) -> int:
    """Return how many conversions a version with provisional rows has otherwise than the settled one beneath `new`.

    Those that are still provisional are none of them, nor those that were taken back. Such a
    conversion was shared otherwise, as where the IHC service has answered since, or a load came late.
    """
    tables = manifest(new.client, shown)["publish"]
    define(new.connection, "shown_before", versions_of(new.client) / shown, tables)
    (count,) = only_row(
        new.connection.execute(
            f"""SELECT COUNT(DISTINCT conversion_id) FROM (
              SELECT {_NUMBERS} FROM shown_before.attribution_v1 WHERE is_provisional
              EXCEPT ALL SELECT {_NUMBERS} FROM {new.settled("attribution_v1")}
            ) WHERE NOT conversion_id IN (SELECT conversion_id FROM {new.changed})"""
        )
    )
    return count
