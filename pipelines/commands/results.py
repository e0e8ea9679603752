"""Show what the commands return, as tables and lines below them."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.markup import escape

from pipelines.commands import screen
from pipelines.commands.screen_tables import new_table as _table

if TYPE_CHECKING:
    from pipelines.ingest.acceptance import Waiting
    from pipelines.ingest.backfill import Slice
    from pipelines.ingest.run import Outcome
    from pipelines.ingest.source_status import Status
    from pipelines.ingest.withdrawal import Withdrawn
    from pipelines.learning.lesson import Lesson
    from pipelines.serving.housekeeping import Kept
    from pipelines.serving.promotion import Excluded, Learnt
    from pipelines.serving.report import Figures, Report
    from pipelines.settings.reader import Problem


def show_problems(problems: "Iterable[Problem]") -> None:
    """Show the settings files that cannot be used, and what happens instead."""
    for problem in problems:
        screen.warn(problem.client, f"{problem.message}\n  {problem.fallback}")


def show_ingest(outcomes: "list[Outcome]") -> None:
    """Show what ingest brought, and the sources that are late or halted."""
    outcomes = sorted(outcomes, key=lambda outcome: (outcome.client, outcome.source))
    shown = ["read", "new", "unchanged", "deleted", "quarantined", "superseded", "skipped"]
    if not any(outcome.counts.skipped for outcome in outcomes):
        shown.remove("skipped")  # few exports have lines that are no data
    table = _table("client", "source", *shown)
    for outcome in outcomes:
        if outcome.counts.read or outcome.counts.deleted:
            counts = map(str, outcome.counts[: len(shown)])
            table.add_row(outcome.client, outcome.source, *counts)
    screen.screen.print(table if table.row_count else "Ingest: nothing new in any export")
    for outcome in outcomes:
        if outcome.problem:
            result = "halted" if outcome.status.holds else "late"
            result = "stale" if outcome.status.code == "stale" else result
            screen.warn(outcome.client, f"{outcome.source} is {result}: {outcome.problem}")
        for note in outcome.status.notes:
            screen.say(outcome.client, f"{outcome.source}: {note}")
    show_warnings([outcome.status for outcome in outcomes])


def show_warnings(statuses: "Iterable[Status]") -> None:
    """Show what looks wrong in the data of sources, and holds nobody."""
    for status in statuses:
        for warning in status.warnings:
            screen.warn(status.client, f"{status.source}: {warning}")


def show_morning(reports: "list[Report]", outcomes: "Iterable[Outcome]" = ()) -> None:
    """Show what is published of each client, and why, where something is not as it should be.

    A reason may quote what ingest said of a source, which is shown above: it is not said twice.
    """
    reports = sorted(reports, key=lambda report: report.client)
    columns = ("conversions", "currency", "revenue", "unattributed", "spend", "newest day")
    table = _table("client", "result", *columns, "loaded until")
    table.columns[1].no_wrap = table.columns[-1].no_wrap = True
    for report in reports:
        result = f"[red]{report.result}[/red]" if report.result == "held" else report.result
        table.add_row(report.client, result, *_figures(report.published))
    screen.screen.print(table)
    for report in reports:
        said = [outcome.problem for outcome in outcomes if outcome.client == report.client]
        for line in report.trained:
            screen.say(report.client, line)
        if count := report.settled_otherwise:
            what = "conversion is" if count == 1 else "conversions are"
            screen.say(
                report.client, f"{count} {what} settled otherwise than shown ahead of this run"
            )
        for reason in report.reasons:
            screen.warn(report.client, _without(said, reason))
        if report.published and (owners := report.published.dominant_ids):
            screen.warn(report.client, f"one id owns much, as if many were one: {owners}")
        if report.published and (left_out := report.published.over_excluded):
            screen.warn(report.client, f"exclude: leaves out more than half of {left_out}")


def _without(said: list[str], reason: str) -> str:
    """Return a reason in which what was said above is not said again."""
    for problem in filter(None, said):
        reason = reason.replace(problem, "as said above")
    return reason


def _figures(published: "Figures | None") -> list[str]:
    if not published:
        return []
    counted = (published.conversions, published.currency, published.revenue)
    money = (published.unattributed_revenue, published.said_of_spend)
    until = published.loaded_until[: len("2026-11-01 06:00")]
    return [*counted, *money, published.by_newest_day, until]


def show_kept(kept: "Iterable[Kept]") -> None:
    """Show what housekeeping did for each client, and for all, and what went wrong."""
    for each in kept:
        for line in each.done:
            screen.tell_fact(each.client or "all clients", line)
        for line in each.problems:
            screen.warn(each.client or "all clients", line)


def show_waiting(waiting: "list[Waiting]") -> None:
    """Show which deliveries delete how much, and some of the rows that go."""
    table = _table("table", "delivery", "rows before", "rows after", "deleted", "such as")
    for each in waiting:
        counts = (str(each.before), str(each.after), str(each.deleted))
        table.add_row(each.table, each.delivery, *counts, escape(", ".join(each.examples)))
    screen.screen.print(table)


def show_withdrawn(found: "list[Withdrawn]") -> None:
    """Show what became of the rows of a load that was taken back."""
    table = _table("source", "table", "rows", "deleted", "as before", "changed since")
    for each in found:
        counts = (each.rows, each.deleted, each.restored, each.changed_since)
        table.add_row(each.source, each.table, *map(str, counts))
    screen.screen.print(table if table.row_count else "The load had no rows")


def show_backfill(client: str, slices: "dict[str, list[Slice]]") -> None:
    """Show what a backfill brought from each source, and what ended it early."""
    table = _table("source", "slices", "read", "new", "unchanged", "days missing")
    for source, loaded in slices.items():
        read, new, unchanged = (
            sum(getattr(each.counts, name) for each in loaded)
            for name in ("read", "appended", "unchanged")
        )
        slice_count = sum(bool(each.name) for each in loaded)
        left = next((each.days_missing for each in reversed(loaded) if not each.problem), 0)
        table.add_row(source, *map(str, (slice_count, read, new, unchanged, left)))
    screen.screen.print(table)
    for source, loaded in slices.items():
        for each in loaded:
            if each.problem:
                screen.warn(client, f"{source}: {each.problem}")


def show_learnt(rows: "list[Learnt]") -> None:
    """Show what the models of a change have learnt, and what is published by it; a table each."""
    for model in dict.fromkeys(row.model for row in rows):
        columns = ("channel", "learnt", "credited", "published", "standard error")
        table = _table(*columns, title=f"{model}, in dev")
        for row in (row for row in rows if row.model == model):
            error = "" if row.standard_error is None else f"{row.standard_error:.2f}"
            numbers = (f"{row.learnt:.2f}", f"{row.credited:.2f}", f"{row.published:.2f}")
            table.add_row(row.channel, *numbers, error)
        screen.screen.print(table)


def show_excluded(client: str, found: "Excluded | None") -> None:
    """Show what a change leaves out of what there is; as a warning, if that is more than half."""
    if found and found.over_excluded:
        screen.warn(client, f"exclude: leaves out more than half of {found.over_excluded}")
    if found and (not found.excluded or found.excluded != found.over_excluded):
        screen.say(
            client, f"exclude: leaves out {found.excluded or 'nothing: no row has such a value'}"
        )


def show_lesson(client: str, lesson: "Lesson") -> None:
    """Show what a model has learnt, what sharing by it gives, and how far that is from before."""
    uncertain = ["standard error"] if any(lesson.errors.values()) else []
    columns = ("channel", "learnt", "credited", lesson.compared_with or "before", "change")
    table = _table(*columns, *uncertain, title=lesson.model)
    for channel in lesson.values | lesson.before:
        value, credited, before = (
            each.get(channel, 0) for each in (lesson.values, lesson.credited, lesson.before)
        )
        numbers = (f"{value:.2f}", f"{credited:.2f}", f"{before:.2f}", f"{value - before:+.2f}")
        error = [f"{lesson.errors.get(channel, 0):.2f}"] if uncertain else []
        table.add_row(channel, *numbers, *error)
    if table.row_count:
        screen.screen.print(table)
    version = f", version {lesson.version}" if lesson.version else ""
    screen.say(client, f"{lesson.model}{version}: {lesson.summary}")
    if lesson.is_first:
        screen.say(client, f"its first version; promote it with `make promote CLIENT={client}`")


def show_paragraphs(paragraphs: Iterable[str]) -> None:
    """Print paragraphs, an empty line after each."""
    for paragraph in paragraphs:
        screen.show(paragraph)
