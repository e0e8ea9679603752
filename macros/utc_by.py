"""Convert dates of the CRM, which may lack the time of day, to UTC."""

from sqlmesh import macro


@macro()
def utc_by(evaluator, text, timezone):
    """Return the latest time at which something happened, UTC: the delivered time, or the day's end.

    `@utc_by(milestone_1, @timezone)`; what happened on some day may have followed any touchpoint of that day.
    """
    name, zone = text.sql("duckdb"), timezone.sql("duckdb")
    whole = f"CASE WHEN LENGTH({name}) = 10 THEN {name} || ' 23:59:59' ELSE {name} END"
    return f"@utc({whole}, {zone})"
