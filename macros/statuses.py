"""How each source stood after it was last asked, as ingest says it."""

import json
import os
from pathlib import Path

from sqlglot import exp
from sqlmesh import macro

from pipelines.lake.loads import READING_STAGES


@macro()
def statuses(evaluator, client):
    """Return a row for each source that was ever asked: `FROM @statuses(@client)`.

    `source`, `code`, `problem`, `retry_at`, `days_missing`, `missing_from`; NULL where there is none.
    """
    rows = []
    if evaluator.runtime_stage in READING_STAGES:
        home = os.environ.get("ATTRIBUTION_HOME", ".")
        for file in sorted(Path(home, "lake", client.name).glob("[a-z]*/status.json")):
            said = json.loads(file.read_text(encoding="utf-8"))
            days = said.get("days_missing") or [None]
            told = [said["source"], said["code"], said["problem"] or None]
            told += [said.get("retry_at") or None, len(said.get("days_missing", [])), days[0]]
            rows.append(f"({', '.join(exp.convert(value).sql('duckdb') for value in told)})")
    values = ", ".join(rows) or "(NULL, NULL, NULL, NULL, NULL, NULL)"
    return (
        "(SELECT source::TEXT AS source, code::TEXT AS code, problem::TEXT AS problem,"
        " retry_at::TIMESTAMP AS retry_at, days_missing::INT AS days_missing,"
        f" missing_from::DATE AS missing_from FROM (VALUES {values})"
        " AS said(source, code, problem, retry_at, days_missing, missing_from)"
        " WHERE NOT source IS NULL)"
    )
