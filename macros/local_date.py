"""Dates are in the client's time zone."""

from sqlmesh import macro


@macro()
def local_date(evaluator, moment, timezone):
    """Return the date of a UTC timestamp in the client's time zone: `@local_date(touched_at, @timezone)`."""
    return (
        f"(({moment.sql('duckdb')}) AT TIME ZONE 'UTC' AT TIME ZONE {timezone.sql('duckdb')})::DATE"
    )
