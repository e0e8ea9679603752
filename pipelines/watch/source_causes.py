"""Judge a client's sources by their statuses: old data, platforms that do not answer, odd sums."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

from pipelines.settings.alerts import Cause
from pipelines.watch.facts import Facts, Source
from pipelines.watch.findings import Finding
from pipelines.watch.moments import next_deadline, on_the_clock, span

# What passes by itself concerns nobody before the deadline.
_PASSING = ("rate_limited", "platform_down", "connection_cut", "malformed_answer")
_ODD_SUM = re.compile(r" times what is usual| of what is usual|a (click|row) costs ")


def stale(facts: Facts) -> Iterator[Finding]:
    """Find sources whose newest day of data is older than `expected_every` allows."""
    for each in facts.sources:
        if each.status.code == "stale":
            remedy = "have newer data delivered, or write how often it comes; then `make daily`"
            yield Finding("stale", each.status.problem, remedy, each.status.source)


def unanswered(facts: Facts) -> Iterator[Finding]:
    """Find platforms that did not answer.

    What passes by itself, as a limit of requests, is a note until the deadline; where the platform
    is to be asked again only after it, or it has passed, it is an alert. What somebody has to mend,
    as a credential that has expired, is one at once.
    """
    for each in facts.sources:
        code = each.status.code
        if code in ("ok", "stale") or each.status.holds:
            continue
        deadline = next_deadline(facts.client, each.asked_at)
        again = _again(each, facts)
        is_note = code in _PASSING and again <= deadline and facts.now < deadline
        due = on_the_clock(facts.client, deadline)
        said = each.status.problem if code == "rate_limited" else f"{code}: {each.status.problem}"
        what = f"{said}; it may be asked again from {again:%Y-%m-%d %H:%M} UTC"
        what += f", {'before' if again <= deadline else 'after'} the deadline of {due}"
        if again <= deadline <= facts.now:
            what += f", which passed {span(facts.now - deadline)} ago without an answer"
        remedy = (
            "what was there is published; `make daily` asks again"
            if code in _PASSING
            else "correct what the reason says, then run `make daily`; what was there is published"
        )
        cause: Cause = "rate_limited" if code == "rate_limited" else "source_late"
        yield Finding(cause, what, remedy, each.status.source, is_note)


def odd_sums(facts: Facts) -> Iterator[Finding]:
    """Find files whose sums are fifty times their usual or more, as a cost in micros."""
    for each in facts.sources:
        if odd := [line for line in each.status.warnings if _ODD_SUM.search(line)]:
            remedy = (
                "it is published as delivered: write its unit as said, or have it delivered again"
            )
            yield Finding("odd_sums", "; ".join(odd), remedy, each.status.source)


def _again(source: Source, facts: Facts) -> datetime:
    """Return when a platform may be asked again: as it says, else after the client's patience."""
    if source.status.retry_at:
        return datetime.fromisoformat(source.status.retry_at).replace(tzinfo=timezone.utc)
    return source.asked_at + timedelta(minutes=facts.client.patience_minutes)
