"""Bring back what the CRM says today of people who age, where journeys are those of accounts.

Their contact and its roles link the account's next deal with whoever comes to the site again, so they stay as
long as the CRM has them. What they had in the past stands for nobody, and has a contact of its own that stands
for nobody, too: so each past deal keeps the journey that it had. A load of its own brings the newest rows
back, before anything is rewritten: whoever is killed in between brings them once more, which says the same.
"""

from pathlib import Path

import duckdb

from pipelines.contracts.people import NAMING
from pipelines.erasing.plan import Plan
from pipelines.ingest.source_log import RETURNED, SourceLog
from pipelines.lake.append import scratch
from pipelines.lake.tombstones import marked, salt_of
from pipelines.sql import literal, only_row

_SOURCE = "salesforce"
_TABLES = ("contacts", "leads", "contact_roles")


def bring_back(connection: duckdb.DuckDBPyConnection, plan: Plan) -> str:
    """Append the rows of a plan's people that the CRM has, as they are; return the load, if there is any.

    The caller has the locks of the log, and has made the table `renames`.
    """
    log = SourceLog(plan.client, _SOURCE)
    with scratch(plan.client, "returning") as folder:
        written: dict[str, list[Path]] = {}
        counts = []
        for table in _TABLES:
            if log.has(table) and (file := _newest(connection, plan, log, table, folder)):
                written[table] = [file]
                counts.append(_counted(log, table, file))
        if not written:
            return ""
        exports = folder / "exports.parquet"
        connection.execute(
            f"COPY ({' UNION ALL '.join(counts)}) TO {literal(str(exports))} (FORMAT parquet)"
        )
        log.append(written | {"exports": [exports]})
    return max(log.loads, key=lambda load: log.loads[load])


def _newest(
    connection: duckdb.DuckDBPyConnection, plan: Plan, log: SourceLog, table: str, folder: Path
) -> Path | None:
    """Write the newest rows of a table that a plan renames and that are not deleted; None if there is none."""
    own, kinds = next(iter(NAMING[_SOURCE, table].items()))
    is_renamed = f"{marked(salt_of(plan.client), kinds[0], own)} IN (SELECT mark FROM renames)"
    file = folder / f"{table}.parquet"
    (rows,) = only_row(
        connection.execute(
            f"""COPY (
              SELECT * EXCLUDE (load_id, loaded_at) FROM (
                FROM {log.rows(table)} AS log WHERE {is_renamed}
                QUALIFY ROW_NUMBER() OVER (PARTITION BY row_key ORDER BY loaded_at DESC, ordinal DESC) = 1
              ) WHERE NOT is_deleted ORDER BY row_key
            ) TO {literal(str(file))} (FORMAT parquet)"""
        )
    )
    return file if rows else None


def _counted(log: SourceLog, table: str, file: Path) -> str:
    """Return SQL for the load counts of rows that come back, by the file that had brought them."""
    nothing = ", ".join(
        f"0::BIGINT AS {name}"
        for name in ("rows_read", "rows_quarantined", "rows_unchanged", "rows_superseded")
    )
    return f"""
      SELECT {literal(table)} AS table_name, rows.export_file, ANY_VALUE(fingerprint) AS fingerprint,
      '{RETURNED}' AS delivery, {nothing}, ANY_VALUE(rows)::BIGINT AS rows_appended, 0::BIGINT AS rows_deleted
      FROM (
        SELECT export_file, COUNT(*) AS rows FROM read_parquet({literal(str(file))}) GROUP BY ALL
      ) AS rows LEFT JOIN (
        SELECT export_file, ARG_MAX(fingerprint, loaded_at) AS fingerprint
        FROM {log.rows("exports", ["fingerprint"])} AS log WHERE table_name = {literal(table)} GROUP BY ALL
      ) AS before USING (export_file) GROUP BY rows.export_file"""
