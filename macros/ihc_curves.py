"""The curves of IHC's local model: how much a session begins a journey, and how much it ends one.

The defaults apply until curves are trained on a client's own journeys: a session within a day of
the one before belongs to the same journey, and after a week a new journey begins; a session more
than a week before the last one ends nothing.
"""

from sqlmesh import macro

DEFAULTS = {"i0": "24", "i1": "168", "closer_hours": "RANGE(168)::DOUBLE[]"}


@macro()
def ihc_begins(evaluator, hours, curves):
    """Return how much a session begins a journey: 0 up to i0 hours after another, 1 from i1 on.

    `@ihc_begins(hours_since, curves)`; the first session, whose hours are NULL, begins it whole.
    """
    i0, i1 = _curve(curves, "i0"), _curve(curves, "i1")
    gap = hours.sql("duckdb")
    return (
        f"CASE WHEN {gap} IS NULL THEN 1"
        f" ELSE LEAST(1, GREATEST(0, ({gap} - {i0}) / ({i1} - {i0}))) END"
    )


@macro()
def ihc_ends(evaluator, hours, curves):
    """Return how much a session ends a journey: the share of past ones that were as early, or earlier.

    `@ihc_ends(hours_left, curves)`; `closer_hours` are those of the sessions it was learnt from.
    """
    past = _curve(curves, "closer_hours")
    late = f"LIST_FILTER({past}, hours -> hours >= {hours.sql('duckdb')})"
    return f"COALESCE(ARRAY_LENGTH({late}) / NULLIF(ARRAY_LENGTH({past}), 0)::DOUBLE, 0)"


def _curve(curves, name):
    return f"COALESCE({curves.name}.{name}, {DEFAULTS[name]})"
