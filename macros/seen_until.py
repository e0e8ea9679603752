"""Until when loads are counted."""

from sqlmesh import macro

from pipelines.lake.loads import seen_from


@macro()
def seen_until(evaluator):
    """Return the `loaded_at` of the newest load that all models of a run must have read.

    `WHERE loaded_at <= @seen_until()`. That is the end of the interval being computed; of loads
    committed while the run goes on, some models may have read what others have not, so that these
    loads wait for the next run to be counted.
    """
    if "end_dt" not in evaluator.locals:  # models are being loaded, none is computed
        return "NULL::TIMESTAMP"
    started, end = (
        evaluator.locals[key].replace(tzinfo=None) for key in ("execution_dt", "end_dt")
    )
    return f"TIMESTAMP '{min(seen_from(started), end)}'"
