"""Share money without a cent lost or made: by largest remainder (Hamilton's method)."""

from sqlmesh import macro

# A credit's claim on a unit left over, as one whole number, so that one sort of a list ranks them.
# The remainder counts first, in millionths: what a DOUBLE adds beyond does not decide. It is shifted
# by ten digits, and the touchpoint's number taken off, so that of equal ones the lowest number wins.
# Example: remainders of a third, numbers 7 and 8: 333333 * 10^10 - 7 is the larger claim.
REMAINDER = "ROUND((credit * revenue_units - FLOOR(credit * revenue_units)) * 1e6)::BIGINT"
UNITS = """(
    SELECT * EXCLUDE (whole_units, remainders, least_remainder), LIST_TRANSFORM(
      whole_units,
      LAMBDA whole, i : whole + COALESCE(remainders[i] >= least_remainder, FALSE)::INT
    ) AS units
    FROM (
      SELECT *, LIST_EXTRACT(
        LIST_REVERSE_SORT(remainders),
        GREATEST(revenue_units - LIST_SUM(whole_units), 0)::BIGINT
      ) AS least_remainder
      FROM (
        SELECT *,
          [FLOOR(credit * revenue_units)::BIGINT FOR credit IN credits] AS whole_units,
          LIST_TRANSFORM(
            credits, LAMBDA credit, i : {remainder} * 10000000000 - numbers[i]
          ) AS remainders
        FROM {shared}
      )
    )
)"""


@macro()
def largest_remainder(evaluator, shared):
    """Return the rows of a relation with `units`, a list: what each credit is worth.

    `@largest_remainder(shared)` reads `revenue_units`, a whole number not below 0, in cents or what
    the currency counts in; `credits`, each 0 to 1; `numbers`, whole, below 10^10. Each credit gets its
    share rounded down; the units left over go to the largest remainders, of equal ones to the lowest
    number. Where the credits sum to 1, so do the units to `revenue_units`.
    """
    return UNITS.format(shared=shared.name, remainder=REMAINDER)
