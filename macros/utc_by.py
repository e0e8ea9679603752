"""Convert times of conversions and milestones, which may be a day without an hour, to UTC."""

from sqlglot import parse_one
from sqlmesh import macro

from macros.utc import utc


@macro()
def utc_by(evaluator, text, timezone):
    """Return the latest time at which something happened, UTC: the delivered time, or the day's end.

    `@utc_by(closed_at, @timezone)`; what happened on some day may have followed any touchpoint of that
    day, so a day without an hour, such as 2026-11-01 or 2026/11/1, counts as its last second.
    """
    name = text.sql("duckdb")
    whole = f"CASE WHEN {name} LIKE '%:%' THEN {name} ELSE {name} || ' 23:59:59' END"
    return utc(evaluator, parse_one(whole, dialect="duckdb"), timezone)
