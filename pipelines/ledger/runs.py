"""Read the ledger as a table: a row for each run, also for one that has not ended."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

import duckdb

from pipelines.home import runs_folder
from pipelines.ledger.processes_alive import is_alive
from pipelines.sql import literal

_FACET = "STRUCT(version STRUCT(datasetVersion VARCHAR))"
_DATASETS = f"STRUCT(name VARCHAR, facets {_FACET})[]"
_STATUS = (
    "STRUCT(source VARCHAR, code VARCHAR, problem VARCHAR, retry_at VARCHAR, days_missing VARCHAR[],"
    " newest_day VARCHAR, warnings VARCHAR)"
)
_OWN = (
    "STRUCT(step VARCHAR, source VARCHAR, process BIGINT, outcome VARCHAR, reason VARCHAR,"
    ' "rows" BIGINT, cpuSeconds DOUBLE, learntVersions MAP(VARCHAR, VARCHAR), settings VARCHAR,'
    f" statuses {_STATUS}[])"
)
_PARENT = "STRUCT(run STRUCT(runId VARCHAR))"
_COLUMNS = {
    "eventType": "VARCHAR",
    "eventTime": "TIMESTAMPTZ",
    "producer": "VARCHAR",
    "run": f"STRUCT(runId VARCHAR, facets STRUCT(attribution_run {_OWN}, parent {_PARENT}))",
    "job": "STRUCT(namespace VARCHAR)",
    "inputs": _DATASETS,
    "outputs": _DATASETS,
}
_RUNS = """
WITH events AS (
  SELECT *, run.facets.attribution_run AS own FROM read_json(
    {files}, format = 'newline_delimited', ignore_errors = TRUE, columns = {columns}
  ) WHERE run.runId IS NOT NULL /* a line that was cut off has nothing */
), ends AS (
  FROM events WHERE eventType <> 'START'
), starts AS (
  FROM events WHERE eventType = 'START'
)
SELECT
  starts.job.namespace AS client, starts.own.step AS step, starts.own.source AS source,
  starts.eventTime AT TIME ZONE 'UTC' AS started_at, ends.eventTime AT TIME ZONE 'UTC' AS ended_at,
  COALESCE(ends.own.outcome, 'unfinished') AS outcome, COALESCE(ends.own.reason, '') AS reason,
  COALESCE(ends.eventType <> 'COMPLETE', FALSE) AS has_failed,
  ends.own.rows AS "rows", ends.own.cpuSeconds AS cpu_seconds,
  SPLIT_PART(starts.producer, ':', -1) AS code_version,
  COALESCE(ends.own.learntVersions, MAP()) AS learnt_versions,
  COALESCE(ends.own.settings, '') AS settings_version, COALESCE(ends.own.statuses, []) AS statuses,
  {inputs} AS loads_read, {outputs} AS made, starts.run.runId AS run_id,
  starts.run.facets.parent.run.runId AS within, starts.own.process AS process
FROM starts LEFT JOIN ends ON ends.run.runId = starts.run.runId
"""


class Recorded(NamedTuple):
    """A run as the ledger has it. Times are UTC; `outcome` is `running` or `interrupted` without an end."""

    client: str
    step: str
    source: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str
    reason: str
    has_failed: bool
    rows: int | None
    cpu_seconds: float | None
    code_version: str
    learnt_versions: dict[str, str]
    settings_version: str
    statuses: list[dict[str, Any]]
    loads_read: dict[str, str]
    made: dict[str, str]
    run_id: str
    within: str | None
    process: int


def runs(
    client: str | None = None,
    steps: Iterable[str] = (),
    since: datetime | None = None,
) -> list[Recorded]:
    """Return runs that started since a time, UTC, the oldest first: of a client, of some steps."""
    if not (files := _files(since)):
        return []
    chosen = [f"client = {literal(client)}"] if client else []
    chosen += [f"step IN ({', '.join(map(literal, steps))})"] if (steps := [*steps]) else []
    chosen += [f"started_at >= TIMESTAMP '{since:%F %T.%f}'"] if since else []
    with duckdb.connect() as connection:
        query = f"FROM ({runs_query(files)}) WHERE {' AND '.join(chosen or ['TRUE'])}"
        found = connection.execute(f"{query} ORDER BY started_at, run_id").fetchall()
    return [_as_of_now(Recorded(*row)) for row in found]


def runs_query(files: str) -> str:
    """Return SQL for the runs in files, which are SQL, too: a literal or a list of them."""
    columns = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in _COLUMNS.items())
    pairs = (
        "MAP_FROM_ENTRIES([{{'k': each.name, 'v': each.facets.version.datasetVersion}}"
        " FOR each IN COALESCE(ends.{0}, [])])"
    )
    return _RUNS.format(
        files=files,
        columns=f"{{{columns}}}",
        inputs=pairs.format("inputs"),
        outputs=pairs.format("outputs"),
    )


def _files(since: datetime | None) -> str:
    """Return the files of the days since a time; an end may be in a later one than its start."""
    first = f"{since:%Y-%m-%d}" if since else ""
    files = [each for each in sorted(runs_folder().glob("*.jsonl")) if each.stem >= first]
    return f"[{', '.join(literal(str(each)) for each in files)}]" if files else ""


def _as_of_now(run: Recorded) -> Recorded:
    if run.outcome != "unfinished":
        return run
    return run._replace(outcome="running" if is_alive(run.process) else "interrupted")
