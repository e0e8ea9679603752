"""Try a client's own weight on DuckDB, on a few touchpoints made up for it."""

import duckdb

NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL")

# One of each kind: alone and at the conversion's very moment, first, last, between, long ago.
TOUCHPOINTS = """
CREATE TABLE paths AS
SELECT position::BIGINT AS position, path_length::BIGINT AS path_length, channel, campaign,
  channel = 'Direct' AS is_direct, path_length = 1 AS path_is_direct,
  (path_length - position)::BIGINT AS non_direct_after, age::BIGINT AS age_seconds,
  newest_age::BIGINT AS newest_age_seconds, converted_at - TO_SECONDS(age) AS touched_at,
  converted_at, revenue::DECIMAL(18, 2) AS revenue
FROM (VALUES
  (1, 1, 'Direct', '(not set)', 0, 0, 0), (1, 2, 'Email', 'spring', 7776000, 3600, 99.99),
  (2, 2, 'Paid Search', '7', 3600, 3600, 99.99), (1, 12, 'Referral', NULL, 86400, 0, -20),
  (6, 12, 'Organic Social', 'Brand', 43200, 0, -20), (12, 12, 'Direct', '', 0, 0, -20)
) AS made_up(position, path_length, channel, campaign, age, newest_age, revenue)
CROSS JOIN (SELECT TIMESTAMP '2026-09-01 12:00:00' AS converted_at)
"""


def try_out(weight: str, constants: list[str], divisors: list[str]) -> None:
    """Weigh the made-up touchpoints; `constants` are what the weight may be, whatever they are.

    `divisors` are what it divides by: an error names the one that is zero.
    Raise ValueError if the weight is no number, fails, or is not finite; or if a constant is negative.
    """
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(TOUCHPOINTS)
        by_zero = " OR ".join(["FALSE", *(f"TRY({divisor} = 0) IS TRUE" for divisor in divisors)])
        try:
            ((_, type_, *_),) = connection.execute(
                f"DESCRIBE SELECT {weight} AS weight FROM paths"
            ).fetchall()
            if not type_.startswith(NUMBERS):
                raise ValueError(
                    f"it is {type_}, not a number; write CASE WHEN ... THEN 2 ELSE 1 END"
                )
            endless = connection.execute(
                f"""SELECT NOT ISFINITE(weight::DOUBLE) AND by_zero,
                  position, path_length, age_seconds, revenue
                FROM (SELECT *, {weight} AS weight, {by_zero} AS by_zero FROM paths)
                WHERE NOT weight IS NULL AND TRY_CAST(weight AS DECIMAL(33, 18)) IS NULL"""
            ).fetchone()
        except duckdb.Error as error:
            raise ValueError(f"DuckDB says: {str(error).splitlines()[0]}") from None
        if endless:
            names = ("position", "path_length", "age_seconds", "revenue")
            divides, *values = endless
            where = ", ".join(f"{name} = {value}" for name, value in zip(names, values))
            why = "it divides by zero" if divides else "it is not below 10^15"
            raise ValueError(f"{why} where {where}; divide by GREATEST(..., 1)?")
        for constant in constants:
            if connection.execute(f"SELECT TRY({constant}::DOUBLE) < 0").fetchone() == (True,):
                raise ValueError(f"{constant} is negative; the least that a touchpoint weighs is 0")
