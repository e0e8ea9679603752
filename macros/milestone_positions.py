"""The positions of a path's milestones, as columns that a weight can use."""

from sqlglot import exp
from sqlmesh import macro


@macro()
def milestone_positions(evaluator, client, milestones):
    """Return a row per conversion and revision with `<milestone>_position` of each in a list.

    `@milestone_positions(@client, @milestones)`, with names as `lead opportunity`; a position is that
    of the touchpoint that holds it, NULL where none does. Without milestones there are no rows.
    """
    if not (names := milestones.name.split()):
        return "(SELECT NULL::TEXT AS conversion_id, NULL::TIMESTAMP AS revised_at WHERE FALSE)"
    positions = ", ".join(
        f"MAX(position) FILTER (WHERE milestone = '{name}') AS {name}_position" for name in names
    )
    start, end = (
        exp.convert(evaluator.locals[name]).sql("duckdb") for name in ("start_ts", "end_ts")
    )
    return (
        f"(SELECT conversion_id, revised_at, {positions} FROM {client.name}_journeys.milestones"
        f" WHERE revised_at BETWEEN {start} AND {end} GROUP BY conversion_id, revised_at)"
    )
