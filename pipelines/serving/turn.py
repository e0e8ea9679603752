"""Let one command at a time change what is published, or follow: a second one says who is at it."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import IO

from pipelines.home import warehouse_folder

DAILY, STREAM = "make daily", "make stream"


class NotOurTurn(Exception):
    """Another command is changing what is published; the text names it, its process, since when."""


@contextmanager
def turn(
    command: str, tell: Callable[[str], None] | None = None, folder: Path | None = None
) -> Iterator[None]:
    """Take the turn while it lasts; it is given back when the process ends, however it does.

    Raise NotOurTurn if another command has it. With `tell`, say so and wait for it, but not for a
    second one of the same command. In another folder than the warehouse's there is another turn.
    """
    folder = folder or warehouse_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "turn.lock").open("a+") as file:
        if not _takes(file):
            who = _signature(file)
            if not tell or who.startswith(command):
                raise NotOurTurn(who)
            tell(f"{who}: waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        _sign(file, command)
        yield


def who_has_it(folder: Path) -> str:
    """Return who has the turn of a folder, and since when; nothing if it is free."""
    try:
        with (folder / "turn.lock").open() as file:
            return "" if _takes(file) else _signature(file)
    except FileNotFoundError:
        return ""


def _takes(file: IO[str]) -> bool:
    """Take the lock if it is free; return whether it was."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _signature(file: IO[str]) -> str:
    file.seek(0)
    return file.read() or "another command is running"


def _sign(file: IO[str], command: str) -> None:
    """Write down who has the turn, for those who come meanwhile."""
    now = datetime.now(timezone.utc)
    file.truncate(0)
    file.write(f"{command} is running since {now:%Y-%m-%d %H:%M} UTC, in process {os.getpid()}")
    file.flush()
