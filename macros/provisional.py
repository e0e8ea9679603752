"""Which conversions are credited ahead of the run that settles them."""

from sqlmesh import macro


@macro()
def provisional(evaluator):
    """Return `conversion_id` and `provisional_since` of such conversions: `FROM @provisional() AS provisional`.

    A run settles all that it computes, so it has no rows; the fast path puts its own in their place.
    """
    return "(SELECT NULL::TEXT AS conversion_id, NULL::TIMESTAMP AS provisional_since WHERE FALSE)"
