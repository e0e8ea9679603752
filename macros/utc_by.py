"""Convert times of conversions and milestones, which may be a day without an hour, to UTC."""

from sqlmesh import macro

from macros.utc import utc


@macro()
def utc_by(evaluator, text, timezone):
    """Return the latest time at which something happened, UTC: the delivered time, or the day's end.

    `@utc_by(closed_at, @timezone)`; what happened on some day may have followed any touchpoint of that
    day, so a day without an hour, such as 2026-11-01 or 2026/11/1, counts as its last second. Where a
    zone's clocks go forward over midnight, as in Nuuk from 23:00 to 0:00, that is 22:59:59.
    """
    name, zone = text.sql("duckdb"), timezone.sql("duckdb")
    last, next_day = (
        f"({moment} AT TIME ZONE {zone}) AT TIME ZONE 'UTC'"
        for moment in (
            f"({name} || ' 23:59:59')::TIMESTAMP",
            f"({name}::TIMESTAMP + INTERVAL 1 DAY)",
        )
    )
    return f"""CASE
        WHEN {name} LIKE '%:%' THEN {utc(evaluator, text, timezone)}
        ELSE LEAST({last}, {next_day} - INTERVAL 1 SECOND)
    END"""
