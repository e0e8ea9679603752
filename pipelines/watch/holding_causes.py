"""Judge what a client's published tables wait for: its sources, its last morning, a word of accept."""

from collections.abc import Iterator

from pipelines.watch.facts import Facts
from pipelines.watch.findings import Finding

_RUN = "correct what the reason says, then run `make daily`"


def held(facts: Facts) -> Iterator[Finding]:
    """Find what holds a client: each source that is refused or failed; else what its last morning says.

    What a source says need not be said again by the morning, and a full export that shrank is found as
    such. While a run is at work, what the last one said is old.
    """
    holding = [each for each in facts.sources if each.status.holds]
    for each in holding:
        if not each.waiting:
            yield Finding("held", each.status.problem, _RUN, each.status.source)
    if not holding and facts.held_for and not facts.is_at_work:
        said = "; ".join(facts.held_for)
        names = [each.status.source for each in facts.sources if f"{each.status.source}: " in said]
        remedy = "the source is well since: `make daily` serves the client" if names else _RUN
        for name in names or [""]:
            yield Finding("held", said, remedy, name)


def shrunk(facts: Facts) -> Iterator[Finding]:
    """Find full exports that lack more rows than `quality.deletion_limit` allows."""
    for each in facts.sources:
        if each.waiting and each.status.holds:
            name = each.status.source
            what = "; ".join(
                f"{waiting.delivery} of {waiting.table} has {waiting.after} rows where {waiting.before} are known:"
                f" {waiting.deleted} would be deleted, such as {', '.join(waiting.examples)}"
                for waiting in each.waiting
            )
            yield Finding(
                "shrunk",
                what,
                f"deliver it whole; or, if those rows are gone, `make accept CLIENT={facts.client.id}"
                f" SOURCE={name}` and then `make daily`",
                name,
            )


def settings(facts: Facts) -> Iterator[Finding]:
    """Find a client's file that cannot be used."""
    if facts.settings:
        yield settings_wrong(facts.settings)


def settings_wrong(said: list[str]) -> Finding:
    """Return the finding that a client's file cannot be used."""
    return Finding("settings", "; ".join(said), "correct the file, then run `make status`")


def unreadable(facts: Facts) -> Iterator[Finding]:
    """Find published files that cannot be read, or a file of views that somebody removed.

    One that was torn and is gone now is told anew: nobody can read anything any more.
    """
    if facts.unreadable:
        yield Finding("unreadable", facts.unreadable, "`make daily`, which writes them anew")
    if facts.is_gone:
        name = f"published/{facts.client.id}.duckdb"
        what = f"{name} is gone: nobody can read what is published"
        yield Finding("unreadable", what, "`make daily`, which writes it anew", "gone")
