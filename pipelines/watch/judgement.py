"""Judge a client: every cause, one after the other, by the same facts."""

from collections.abc import Callable, Iterable

from pipelines.settings.alerts import Cause
from pipelines.watch import (
    deadline_causes,
    holding_causes,
    number_causes,
    source_causes,
    stream_causes,
)
from pipelines.watch.facts import Facts
from pipelines.watch.findings import Finding

Judge = Callable[[Facts], Iterable[Finding]]

JUDGES: tuple[Judge, ...] = (
    deadline_causes.late,
    deadline_causes.at_risk,
    holding_causes.held,
    holding_causes.shrunk,
    holding_causes.settings,
    holding_causes.unreadable,
    source_causes.stale,
    source_causes.unanswered,
    source_causes.odd_sums,
    stream_causes.stream_silent,
    number_causes.odd_numbers,
    number_causes.tracking_broken,
    number_causes.channel_vanished,
    number_causes.claims_far,
)

# What published numbers tell: while they cannot be read, nothing is found, and nothing has recovered.
OF_NUMBERS: frozenset[Cause] = frozenset(
    (
        *("odd_spend", "odd_sessions", "odd_conversions", "odd_revenue"),
        *("channel_vanished", "tracking_broken", "claims_far"),
    )
)


def unjudged(facts: Facts) -> frozenset[str]:
    """Return the causes of which nothing can be said now: what was found of them before stands."""
    of_numbers = OF_NUMBERS if not facts.numbers else frozenset[Cause]()
    of_holding = {"held", "shrunk"} if facts.is_at_work else set[str]()
    return of_numbers | of_holding


def judge(facts: Facts) -> list[Finding]:
    """Return what is wrong with a client, and what is worth a note; not what its file leaves out."""
    found = [finding for judge_one in JUDGES for finding in judge_one(facts)]
    return [each for each in found if each.cause not in facts.client.alerts.without]
