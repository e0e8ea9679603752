"""Show how clients stand: a row for each client, and for each source where that is asked for."""

from typing import TYPE_CHECKING

from pipelines.commands import screen
from pipelines.commands.results import show_warnings
from pipelines.commands.screen_tables import new_table
from pipelines.contracts.ad_platforms import is_ad_platform

if TYPE_CHECKING:
    from pipelines.commands.client_states import State
    from pipelines.ingest.source_status import Status


def show_states(states: "list[State]") -> None:
    """Show a row for each client."""
    columns = ("published (UTC)", "loaded until", "deadline", "model", "newest day", "disk")
    table = new_table("client", "state", *columns)
    for state in states:
        version = state.published
        facts = (version.written_at, version.loaded_until, state.deadline, version.model)
        table.add_row(
            state.client,
            _colored(state.state),
            *facts,
            state.by_newest_day,
            _gigabytes(state.disk.total),
        )
    screen.screen.print(table)


def show_statuses(statuses: "list[Status]", every_source: bool) -> None:
    """Show what is wrong with sources; with `every_source`, a row and the notes of each."""
    if every_source:
        _show_each(statuses)
    for status in statuses:
        if status.code != "ok":
            screen.warn(status.client, f"{status.source}: {status.problem}")
        if status.days_missing and is_ad_platform(status.source):
            screen.warn(status.client, f"{status.source}: {_partial(status.days_missing)}")
        for note in status.notes:
            screen.say(status.client, f"{status.source}: {note}")
    show_warnings(statuses)


def emit_states(states: "list[State]", statuses: "list[Status]") -> None:
    """Print a JSON object for each client, with its sources."""
    for state in states:
        sources = [each._asdict() for each in statuses if each.client == state.client]
        own = {"published": state.published._asdict(), "disk": state.disk._asdict()}
        said = state._asdict() | own
        waits = [each.what for each in said.pop("waiting")]
        screen.emit(**said, waits=waits, is_wrong=state.is_wrong, sources=sources)


def show_disk(states: "list[State]") -> None:
    """Show what each client takes of the disk, in megabytes by part, and the files of its lake."""
    columns = ("lake", "quarantine", "warehouse", "published", "settled")
    table = new_table("client", *(f"{name} (MB)" for name in columns), "lake files")
    for state in states:
        sizes = (f"{count / 1e6:.1f}" for count in state.disk.by_part.values())
        table.add_row(state.client, *sizes, str(state.disk.lake_files))
    screen.screen.print(table)


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else "< 0.1 GB"


def _show_each(statuses: "list[Status]") -> None:
    columns = ("newest day", "days missing", "missing from", "retry at (UTC)")
    table = new_table("client", "source", "status", *columns)
    for status in statuses:
        days = status.days_missing
        missing = (str(len(days)), days[0]) if days else ("", "")
        facts = (status.newest_day, *missing, status.retry_at)
        table.add_row(status.client, status.source, _colored(status.code), *facts)
    screen.screen.print(table if table.row_count else "No source was asked yet; run make ingest")


def _colored(state: str) -> str:
    return state if state in ("ok", "running", "rolled back") else f"[red]{state}[/red]"


def _partial(days: list[str]) -> str:
    """Return what days of an ad platform's spend that are missing do to the published numbers."""
    return f"without its spend of {len(days)} days from {days[0]}, cost and ROAS of its channels are partial"
