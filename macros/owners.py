"""Whose a touchpoint is depends on the conversion: one browser may serve several people."""

from sqlmesh import macro

from pipelines.attribution.ownership import owners as owners_of


@macro()
def owners(evaluator, touchpoints):
    """Return a relation's touchpoints by owner, with the times of conversions for which each owns them.

    `FROM @owners(candidates) AS owned`, then `converted_at >= owned.owned_from AND converted_at <
    owned.owned_until`. Example: ann on the 1st, nobody on the 2nd, bob on the 4th. The touchpoint of the
    2nd is ann's for conversions before the 4th, and bob's for those from then on.
    """
    return owners_of(touchpoints.sql("duckdb"))
