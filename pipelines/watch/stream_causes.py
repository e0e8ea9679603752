"""Judge the stream of a client that is followed: whether it gives a sign of life, and whether it is read."""

from collections.abc import Iterator
from datetime import datetime

from pipelines.stream.follow_status import DEAD, FollowStatus, moment_of
from pipelines.watch.facts import Facts
from pipelines.watch.findings import Finding
from pipelines.watch.moments import on_the_clock, span


def stream_silent(facts: Facts) -> Iterator[Finding]:
    """Find a stream that is dead, cannot be read, has ended, or is silent for longer than its habit.

    What mends itself within ten minutes, as a connection that is cut, is found by nobody. Who is asked
    more rarely gives a sign of life more rarely.
    """
    if facts.stream and (said := _said(facts, facts.stream)):
        if facts.stream.changed_at:
            said += f"; its last change came {_ago(facts, facts.stream.changed_at)}"
        yield Finding("stream_silent", said, _REMEDY, "salesforce")


_REMEDY = (
    "`make status` says how it is followed, `make stream` follows it again; until then deals come with"
    " `make daily`"
)


def _said(facts: Facts, stream: FollowStatus) -> str:
    """Return what is wrong with a stream for long; nothing if nothing is."""
    unpublished = stream.changed_at if stream.publishing_problem else ""
    alive_at = stream.alive_at or stream.followed_since
    for since, limit, said in (
        (stream.ended_at, DEAD, "it is not followed: make stream ended"),
        (stream.troubled_since, DEAD, f"it cannot be followed: {stream.problem}: first"),
        (alive_at, stream.dead_after, "make stream gave its last sign of life"),
        (unpublished, DEAD, f"what changed is not published: {stream.publishing_problem}: it came"),
    ):
        if since and moment_of(since) < facts.now - limit:
            return f"{said} {_ago(facts, since)}"
    is_quiet = stream.silent_since and not stream.ended_at
    return "no deal changes for longer than is its habit" if is_quiet else ""


def _ago(facts: Facts, text: str) -> str:
    """Return a moment of the past as people say it: `at 05:40 Europe/Berlin, 12 min ago`."""
    moment: datetime = moment_of(text)
    return f"at {on_the_clock(facts.client, moment)}, {span(facts.now - moment)} ago"
