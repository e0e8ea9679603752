"""Read what a page shows: its commands with their outputs, and its settings."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

CONSOLE = re.compile(r"^```(console|sh)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
YAML = re.compile(r"^```yaml\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_PROGRESS = re.compile(r"2026-11-01 06:00:\d\dZ ")  # a line for each client and step, as it ends
LAST_TABLE = "…\n"  # an output that begins so shows its last table alone


class Command(NamedTuple):
    """A command of a page, and the output it shows; one of a `sh` block shows none."""

    text: str
    output: str | None


def commands(page: str) -> Iterator[Command]:
    """Return the commands of a page, in order; a `sh` block is one."""
    for kind, body in CONSOLE.findall(page):
        if kind == "sh":
            yield Command(body, None)
        else:
            parts = re.split(r"^\$ (.*)\n", body, flags=re.MULTILINE)[1:]
            yield from map(Command, parts[::2], parts[1::2])


def with_outputs(page: str, run: Callable[[Command], str]) -> str:
    """Return a page in which each command of a `console` block shows what `run` returns."""

    def written(block: re.Match) -> str:
        if block[1] == "sh":
            return block[0]
        shown = (f"$ {each.text}\n{run(each)}" for each in commands(block[0]))
        return f"```console\n{''.join(shown)}```"

    return CONSOLE.sub(written, page)


def steady(output: str) -> str:
    """Return an output without what differs from day to day and from machine to machine."""
    output = re.sub(r"\x1b\[[0-9;]*m", "", output)
    output = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d\b", "2026-11-01 06:00", output)
    output = re.sub(r"Makefile:\d+:", "Makefile:", output)
    lines = [line.rstrip() for line in output.splitlines() if not line.startswith(".venv/bin/")]
    lines = [line for line in lines if not _PROGRESS.match(line)]
    return "".join(f"{line}\n" for line in lines if line)


def shown_part(output: str, shown: str) -> str:
    """Return what a page shows of an output: all of it, or its last table and what follows."""
    if not shown.startswith(LAST_TABLE):
        return output
    return LAST_TABLE + "┏" + output.rpartition("┏")[2] if "┏" in output else output
