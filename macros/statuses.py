"""The status that ingest kept of each source."""

from sqlglot import exp
from sqlmesh import macro

from pipelines.home import home
from pipelines.lake.kept_status import kept_status
from pipelines.lake.loads import READING_STAGES


@macro()
def statuses(evaluator, client):
    """Return a row for each source that was ever asked: `FROM @statuses(@client)`.

    `source`, `code`, `problem`, `retry_at`, `days_missing`, `missing_from`, `newest_day`, `warnings`;
    NULL where there is none.
    """
    rows = []
    if evaluator.runtime_stage in READING_STAGES:
        for file in sorted((home() / "lake" / client.name).glob("[a-z]*/status.json")):
            status = kept_status(file)
            days = status.get("days_missing") or []
            row = [status["source"], status["code"], status["problem"] or None]
            row += [status.get("retry_at") or None, len(days), days[0] if days else None]
            row += [max(status.get("newest", {}).values(), default=None)]
            row += ["; ".join(status.get("warnings", [])) or None]
            rows.append(f"({', '.join(exp.convert(value).sql('duckdb') for value in row)})")
    values = ", ".join(rows) or f"({', '.join(['NULL'] * 8)})"
    return (
        "(SELECT source::TEXT AS source, code::TEXT AS code, problem::TEXT AS problem,"
        " retry_at::TIMESTAMP AS retry_at, days_missing::INT AS days_missing,"
        " missing_from::DATE AS missing_from, newest_day::DATE AS newest_day,"
        f" warnings::TEXT AS warnings FROM (VALUES {values}) AS statuses"
        "(source, code, problem, retry_at, days_missing, missing_from, newest_day, warnings)"
        " WHERE NOT source IS NULL)"
    )
