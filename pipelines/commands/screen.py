"""Print lines: results where results go, errors and what is happening where errors go.

With `--json`, what is printed as a result is one JSON object a line, for machines.
"""

import json
import sys
from datetime import datetime, timezone
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from pipelines.commands.folding import folded

WIDE = 10_000  # columns, for what no person watches: nothing is folded

screen = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDE)
_errors = Console(
    stderr=True, highlight=False, soft_wrap=True, width=None if sys.stderr.isatty() else WIDE
)


_is_for_machines = False


def _speak_json(command: typer.Context, is_wanted: bool) -> bool:
    """Print for machines until this command ends: the next in this process may be for people."""
    _be_for_machines(is_wanted)
    command.call_on_close(lambda: _be_for_machines(False))
    return is_wanted


def _be_for_machines(is_wanted: bool) -> None:
    global _is_for_machines
    _is_for_machines = is_wanted


Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON object a line.", callback=_speak_json)
]


def is_for_machines() -> bool:
    """Return whether what is printed is for machines."""
    return _is_for_machines


def emit(**content: Any) -> None:
    """Print a JSON object, with the time."""
    line = {"at": datetime.now(timezone.utc).isoformat(timespec="seconds"), **content}
    print(json.dumps(line, default=str), flush=True)


def say(client: str, text: str) -> None:
    """Print a line about a client."""
    if _is_for_machines:
        emit(client=client, note=text)
    else:
        _print(screen, f"{client}: {text}")


def tell_fact(label: str, text: str) -> None:
    """Print a fact, as what is said of a client."""
    say(label, text)


def warn(client: str, text: str) -> None:
    """Print what is wrong with a client, its name in red."""
    if _is_for_machines:
        emit(client=client, warning=text)
    else:
        _print(screen, f"{client}: {text}", red=len(client))


def show(text: str) -> None:
    """Print a paragraph, and an empty line after it."""
    _print(screen, f"{text}\n")


def show_text(text: str) -> None:
    """Print a text as it is, such as a file's; nothing is folded, lest it be another when it is copied."""
    if _is_for_machines:
        emit(text=text)
    else:
        screen.print(Text(text), soft_wrap=True)


def fail(message: str) -> None:
    """Print why a command ends here, where errors go."""
    _print(_errors, message)


def tell(line: str) -> None:
    """Print what is happening, where errors go: it is no result."""
    _print(_errors, line)


def _print(console: Console, text: str, red: int = 0) -> None:
    """Print lines, folded for a terminal; so many letters of the first are red."""
    shown = Text(folded(text, console.width))
    shown.stylize("red", 0, red)
    console.print(shown)
