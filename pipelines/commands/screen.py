"""Print lines: results where results go, errors and what is happening where errors go."""

import sys

from rich.console import Console
from rich.text import Text

from pipelines.commands.folding import folded

WIDE = 10_000  # columns, for what no person watches: nothing is folded

screen = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDE)
_errors = Console(
    stderr=True, highlight=False, soft_wrap=True, width=None if sys.stderr.isatty() else WIDE
)


def say(client: str, text: str) -> None:
    """Print a line about a client."""
    _print(screen, f"{client}: {text}")


def tell_fact(label: str, text: str) -> None:
    """Print a fact, as what is said of a client."""
    say(label, text)


def warn(client: str, text: str) -> None:
    """Print what is wrong with a client, its name in red."""
    _print(screen, f"{client}: {text}", red=len(client))


def show(text: str) -> None:
    """Print a paragraph, and an empty line after it."""
    _print(screen, f"{text}\n")


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
