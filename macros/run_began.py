"""When the run that computes a model began."""

from sqlmesh import macro

from pipelines.lake.loads import seen_from


@macro()
def run_began(evaluator):
    """Return when this run began, to compare with `loaded_at`: `WHERE loaded_at < @run_began()`.

    Every model of the run has read the loads before; one that is committed while the run goes on may
    be read by some models only, so it counts in the next run. A plan says it began with the running
    minute, and takes what is seen by then: the loads of that minute, as `seen_from` puts them before.
    A run ends with the last whole second: one in a day's first second takes nothing of that second.
    """
    began = evaluator.locals["execution_dt"].replace(tzinfo=None)
    is_plan = not (began.second or began.microsecond)
    second = began.replace(microsecond=0)
    return f"TIMESTAMP '{began if is_plan else min(seen_from(began), second)}'"
