"""Judge whether a client makes its deadline, and whether it made the last one."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from pipelines.watch.facts import Facts
from pipelines.watch.findings import Finding
from pipelines.watch.moments import day_there, on_the_clock, span
from pipelines.watch.mornings import left, usual

# Before a deadline, for whoever is told that a run has not begun; a watch comes every five minutes.
_TO_START_IT = timedelta(minutes=10)


def at_risk(facts: Facts) -> Iterator[Finding]:
    """Find a client that will not make its next deadline if its run takes as long as usual.

    One that is held is found as such: no run helps it. One whose run has not begun is at risk ten
    minutes before, however short its runs are: somebody has to start it.
    """
    deadline = facts.next_deadline
    if facts.has_numbers_for(deadline) or facts.is_held:
        return
    takes, under_way = usual(facts.mornings), facts.under_way(deadline)
    needs = left(under_way, takes, facts.now)
    if facts.now + (needs if under_way else max(needs, _TO_START_IT)) <= deadline:
        return
    yield Finding(
        "at_risk",
        f"{_state(facts, deadline)}; it needs {span(needs)} more ({takes.said}) and has {span(deadline - facts.now)}",
        "`make status` says what it waits for"
        if under_way
        else f"`.venv/bin/python -m pipelines daily --client {facts.client.id}`",
    )


def late(facts: Facts) -> Iterator[Finding]:
    """Find a client whose last deadline has passed without the numbers of that morning.

    One that nobody served before that deadline, and that was not known then, is new and not late:
    also where its first run is under way, or was interrupted.
    """
    deadline = facts.last_deadline
    was_served = facts.shown or any(each.began < deadline for each in facts.mornings)
    if facts.has_numbers_for(deadline) or not (was_served or facts.known_since < deadline):
        return
    yield Finding(
        "late",
        f"the numbers due at {on_the_clock(facts.client, deadline)} on {day_there(facts.client, deadline)} are not"
        f" published: {_state(facts, deadline)}; {_published_last(facts)}",
        f"`.venv/bin/python -m pipelines daily --client {facts.client.id}`",
    )


def _state(facts: Facts, deadline: datetime) -> str:
    """Return how far the morning of a deadline is."""
    if facts.is_held:
        return "it is held"
    if not (newest := facts.newest_run(deadline)):
        return "its run has not begun"
    began = f"its run began at {on_the_clock(facts.client, newest.began)}"
    if newest.ended:
        return f"{began} and ended as {newest.result}"
    step = "is being computed" if newest.ingested else "waits for its ingest or its turn"
    return f"{began}, {span(facts.now - newest.began)} ago, and {step}"


def _published_last(facts: Facts) -> str:
    if not facts.shown:
        return "nothing of it was ever published"
    what = "provisional credit was published" if facts.shown.is_provisional else "published"
    return f"{what} last at {facts.shown.written_at:%Y-%m-%d %H:%M} UTC"
