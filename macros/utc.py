"""Times are UTC from staging on."""

from sqlmesh import macro


@macro()
def utc(evaluator, text, timezone):
    """Return a delivered time as a UTC timestamp, in whole seconds.

    `@utc(started_at, @timezone)`: a time with an offset (…Z, …+02:00) is converted by it, one
    without is in the client's time zone.
    """
    name, zone = text.sql("duckdb"), timezone.sql("duckdb")
    return f"""DATE_TRUNC('second', CASE
        WHEN REGEXP_MATCHES({name}, ':[0-9][0-9]([.][0-9]+)? *(Z|UTC|[+-][0-9][0-9](:?[0-9][0-9])?)$')
        THEN {name}::TIMESTAMPTZ AT TIME ZONE 'UTC'
        ELSE ({name}::TIMESTAMP AT TIME ZONE {zone}) AT TIME ZONE 'UTC'
    END)"""
