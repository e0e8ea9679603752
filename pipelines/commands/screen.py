"""Print lines: results where results go, errors and what is happening where errors go."""

from rich.console import Console
from rich.markup import escape

WIDE = 240  # columns, for what no person watches

screen = Console(highlight=False, soft_wrap=True, width=None if Console().is_terminal else WIDE)
_errors = Console(stderr=True, highlight=False, soft_wrap=True)


def say(client: str, text: str) -> None:
    """Print a line about a client."""
    screen.print(f"{client}: {text}", markup=False)


def tell_fact(label: str, text: str) -> None:
    """Print a fact: on a terminal its lines break between words, elsewhere it is one line."""
    screen.print(f"{label}: {text}", markup=False, soft_wrap=not screen.is_terminal)


def warn(client: str, text: str) -> None:
    """Print what is wrong with a client, its name in red."""
    screen.print(f"[red]{client}[/red]: {escape(text)}")


def fail(message: str) -> None:
    """Print why a command ends here, where errors go."""
    _errors.print(message, markup=False)


def tell(line: str) -> None:
    """Print what is happening, where errors go: it is no result."""
    _errors.print(line, markup=False)
