"""Show beside a bar how far a command is, and return what it brings."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from pipelines.ingest.backfill import Slice

Item = TypeVar("Item")


def counted(what: str, items: Iterable[Item], total: int) -> Iterator[Item]:
    """Yield items as they come, beside a bar that counts them."""
    with _bar(what) as progress:
        yield from progress.track(items, total)


def filled(what: str, slices: "Iterable[Slice]") -> "Iterator[Slice]":
    """Yield the slices of a backfill, beside a bar of the days that are there."""
    with _bar(what) as progress:
        task, total = progress.add_task(what, total=None), 0
        for each in slices:
            total = max(total, each.days_missing)
            progress.update(task, total=total, completed=total - each.days_missing)
            yield each


def _bar(what: str) -> Progress:
    columns = (
        TextColumn(what or "{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=Console(stderr=True), transient=True)
