"""Who was seen on a browser before each of its touchpoints, and who after it."""

from sqlmesh import macro

BROWSER = "PARTITION BY visitor_id, at ORDER BY touched_at, touchpoint_id"
LAST = "LAST_VALUE(customer_id IGNORE NULLS)"
NEXT = "customer_after IS DISTINCT FROM customer_before AND seen_after > touched_at"
LAST_EVER = f"""
  SELECT *, {LAST} OVER (
    {BROWSER} ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
  ) AS customer, NULL::TEXT AS next_customer, NULL::TIMESTAMP AS next_at
  FROM {{known}}"""
AROUND = f"""
  SELECT * EXCLUDE (customer_before, customer_after, seen_after),
    CASE WHEN seen_after = touched_at THEN customer_after ELSE customer_before END AS customer,
    CASE WHEN {NEXT} THEN customer_after END AS next_customer,
    CASE WHEN {NEXT} THEN seen_after END AS next_at
  FROM (
    SELECT *, {LAST} OVER before AS customer_before,
      FIRST_VALUE(customer_id IGNORE NULLS) OVER after AS customer_after,
      FIRST_VALUE(CASE WHEN customer_id IS NOT NULL THEN touched_at END IGNORE NULLS) OVER after
        AS seen_after
    FROM {{known}}
    WINDOW before AS ({BROWSER} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW),
      after AS ({BROWSER} ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)
  )"""


@macro()
def seen_around(evaluator, known, only_last):
    """Return the anonymous touchpoints of a relation with who was `seen` around them.

    `seen` has `customer_id`, of before, and `next_customer_id` with `next_seen_at`, of after.

    `FROM @seen_around(known, @owner_is_last_seen)` reads `visitor_id`, `at` (when that was known),
    `touched_at`, `touchpoint_id` and `customer_id`. Example of one browser: ann on the 1st, nobody on
    the 2nd, bob on the 4th. For the 2nd, `seen` is ann, and next bob, on the 4th. It is NULL where
    nobody was seen, and the next is NULL where it is the same as before. What is of one second goes
    by its id; one seen in the very second of a touchpoint is never its next. Where only the last customer
    of a browser counts, `seen` is that one, and nobody is next.
    """
    around = (LAST_EVER if only_last.this is True else AROUND).format(known=known.name)
    return f"""(
      SELECT * EXCLUDE (customer, next_customer, next_at),
        CASE WHEN NOT COALESCE(customer, next_customer) IS NULL THEN {{
          'customer_id': customer, 'next_customer_id': next_customer, 'next_seen_at': next_at
        }} END AS seen
      FROM ({around}) AS around
      WHERE customer_id IS NULL
    )"""
