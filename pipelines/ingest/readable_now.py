"""Find what a platform is asked for again: rows of its answers in quarantine that can be read now.

Rows in another currency are in quarantine until `sources.rates` come, and so on: a row that is judged
by today's settings and has no fault any more is asked for again, with its day, or with all that changed
since. Its own text is not taken: the platform may say something else by now. Once an answer covers
it, it is not asked for any more, whatever that answer says.
"""

import duckdb

from pipelines.contracts.contract import Contract
from pipelines.ingest.row_faults import faults, reason
from pipelines.ingest.source_log import SourceLog
from pipelines.settings.client import Client
from pipelines.sources.batches import Coverage
from pipelines.sources.deliveries import delivery_of
from pipelines.sources.numbers import read, reading_of
from pipelines.sql import literal


def readable_now(client: Client, log: SourceLog) -> dict[str, list[Coverage]]:
    """Return, by table of a platform, what is to be asked for again: days of spend, or batches."""
    if not log.has("quarantine"):
        return {}
    found = {name: _of_table(client, log, name) for name in client.sources.of(log.source)}
    return {name: each for name, each in found.items() if each}


def said(again: dict[str, list[Coverage]]) -> list[str]:
    """Say what is asked for again, and why."""
    return [
        f"{table}: rows in quarantine can be read now:"
        f" {', '.join(dict.fromkeys(each.first for each in found[:3]))}"
        f"{' and more' if len(found) > 3 else ''} {'is' if len(found) == 1 else 'are'} asked for again"
        for table, found in again.items()
    ]


def _of_table(client: Client, log: SourceLog, name: str) -> list[Coverage]:
    delivery = delivery_of(client, log.source, name)
    contract = delivery.contract
    reading = reading_of(client.sources.of(log.source)[name], contract, client)
    is_daily = delivery.mode == "days"
    query = f"""
      WITH answers AS (
        SELECT load_id, export_file, loaded_at, COALESCE(account, '') AS account,
        covers_from AS first, covers_until AS last
        FROM {log.rows("exports")} AS log WHERE table_name = {literal(name)}
      ), waiting AS (
        SELECT answers.* {_row(contract)}
        FROM {log.rows("quarantine")} AS log JOIN answers USING (load_id, export_file)
        WHERE log.table_name = {literal(name)} AND TRY(json_type(content)) = 'OBJECT'
      ), readable AS (
        SELECT loaded_at, account, {"spend_date AS first, spend_date AS last" if is_daily else "first, last"}
        FROM {read(contract, reading, "waiting")}
        WHERE ({reason(faults(contract, client, reading))}) IS NULL
      )
      SELECT DISTINCT account, first, last FROM readable WHERE NOT EXISTS (
        FROM answers WHERE answers.account = readable.account
        AND answers.loaded_at > readable.loaded_at AND answers.first <= readable.first
        AND answers.last >= readable.first
      ) ORDER BY ALL"""
    with duckdb.connect() as connection:
        return [Coverage(*each) for each in connection.execute(query).fetchall()]


def _row(contract: Contract) -> str:
    """Return SQL for the columns of a row in quarantine, a comma before each: those that its key needs, too."""
    kept = [name for name in contract.columns if name not in ("account", "first", "last")]
    return "".join(f", json_extract_string(content, '$.{name}') AS {name}" for name in kept)
