"""Show which models a long computation is at: a bar on a terminal, elsewhere a line for each layer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from pipelines.commands import screen

if TYPE_CHECKING:
    from pipelines.serving.warehouse import Computed

_console = Console(stderr=True, highlight=False, soft_wrap=True)


@contextmanager
def watched(client: str) -> "Iterator[Callable[[Computed], None]]":
    """Yield what shows each model that is computed: a bar on a terminal, else a line for each layer."""
    with _bar(client) if _console.is_terminal else _lines() as watch:
        yield watch


@contextmanager
def _bar(client: str) -> "Iterator[Callable[[Computed], None]]":
    bar, count = BarColumn(), MofNCompleteColumn()
    columns = (
        TextColumn(client),
        bar,
        count,
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=_console, transient=True) as progress:
        task = progress.add_task("", total=None)

        def advance(now: "Computed") -> None:
            progress.update(task, completed=now.done, total=now.total, description=now.model)

        yield advance


@contextmanager
def _lines() -> "Iterator[Callable[[Computed], None]]":
    told = set[str]()

    def line(now: "Computed") -> None:
        layer = now.model.partition(".")[0].replace("_", ": ", 1)
        if layer not in told:
            told.add(layer)
            moment = f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M:%S}Z"
            screen.tell(f"{moment} {layer}, {now.done} of {now.total} models")

    yield line
