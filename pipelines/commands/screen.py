"""Print lines: results where results go, errors and what is happening where errors go.

With `--json`, what is printed as a result is one JSON object a line, for machines.
"""

import json
from datetime import datetime, timezone
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

WIDE = 240  # columns, for what no person watches

screen = Console(highlight=False, soft_wrap=True, width=None if Console().is_terminal else WIDE)
_errors = Console(stderr=True, highlight=False, soft_wrap=True)


_is_for_machines = False


def _speak_json(is_wanted: bool) -> bool:
    global _is_for_machines
    _is_for_machines = is_wanted
    return is_wanted


Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON object a line.", callback=_speak_json)
]


def emit(**content: Any) -> None:
    """Print a JSON object, with the time."""
    line = {"at": datetime.now(timezone.utc).isoformat(timespec="seconds"), **content}
    screen.print(json.dumps(line, default=str), markup=False)


def say(client: str, text: str) -> None:
    """Print a line about a client."""
    if _is_for_machines:
        emit(client=client, note=text)
    else:
        screen.print(f"{client}: {text}", markup=False)


def tell_fact(label: str, text: str) -> None:
    """Print a fact: on a terminal its lines break between words, elsewhere it is one line."""
    screen.print(f"{label}: {text}", markup=False, soft_wrap=not screen.is_terminal)


def warn(client: str, text: str) -> None:
    """Print what is wrong with a client, its name in red."""
    if _is_for_machines:
        emit(client=client, warning=text)
    else:
        screen.print(f"[red]{client}[/red]: {escape(text)}")


def fail(message: str) -> None:
    """Print why a command ends here, where errors go."""
    _errors.print(message, markup=False)


def tell(line: str) -> None:
    """Print what is happening, where errors go: it is no result."""
    _errors.print(line, markup=False)
