"""Say whose a touchpoint is, and for which conversions."""

_OTHERS = "* EXCLUDE (customer_id, next_customer_id, next_seen_at)"


def owners(touchpoints: str) -> str:
    """Return SQL for a relation's touchpoints with `customer_id`, `owned_from` and `owned_until`, UTC.

    A touchpoint is its `customer_id`'s until its browser was seen with somebody else,
    `next_customer_id`, at `next_seen_at`. A conversion before that takes it for the former's, one from
    then on for the latter's: `converted_at >= owned_from AND converted_at < owned_until`. So a
    touchpoint has one row, or two whose intervals do not meet; a `customer_id` of NULL is nobody.
    """
    return f"""(
      SELECT {_OTHERS}, customer_id, '0001-01-01'::TIMESTAMP AS owned_from,
        COALESCE(next_seen_at, '9999-12-31'::TIMESTAMP) AS owned_until
      FROM {touchpoints}
      UNION ALL
      SELECT {_OTHERS}, next_customer_id AS customer_id, next_seen_at AS owned_from,
        '9999-12-31'::TIMESTAMP AS owned_until
      FROM {touchpoints} WHERE NOT next_customer_id IS NULL
    )"""
