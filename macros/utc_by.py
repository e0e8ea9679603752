"""Dates of the CRM that may lack the time of day."""

from sqlmesh import macro


@macro()
def utc_by(evaluator, text, timezone):
    """Return by when something was so, UTC: a delivered time, or the end of a delivered day.

    `@utc_by(milestone_1, @timezone)`; what happened on a day may have followed any touchpoint of it.
    """
    name, zone = text.sql("duckdb"), timezone.sql("duckdb")
    whole = f"CASE WHEN LENGTH({name}) = 10 THEN {name} || ' 23:59:59' ELSE {name} END"
    return f"@utc({whole}, {zone})"
