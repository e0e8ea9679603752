"""Give each commit a time after every other one, and after every run that looked for loads before.

A client's lake has a file, `_clock`, with the newest time that a commit or a run has seen. Both lock it for
a moment: a commit takes its time and becomes visible under the lock, a run leaves its own time there
before it looks. So a load is never dated into an interval that a run has closed without it: one that
was begun before midnight and is committed after a run of the new day belongs to the new day. And if the
machine's clock is put back, what is committed next still comes last. The macros carry this file's
source into the models, so it stays small.
"""

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import IO

_STEP = timedelta(milliseconds=1)  # `seen_from` keeps the order of times that are so far apart
_PATIENCE = 60  # seconds; a commit holds the lock for as long as it takes to write one small file


@contextmanager
def commit_time(client: Path, newest: datetime) -> Iterator[datetime]:
    """Yield the time of a commit, UTC, later than the newest of its source; commit within."""
    client.mkdir(parents=True, exist_ok=True)
    (client / "_clock").touch()
    with (client / "_clock").open("r+", encoding="ascii") as clock:
        _lock(clock)
        moment = max(_now(), _told(clock) + _STEP, newest + _STEP)
        _tell(clock, moment)
        yield moment


def wait_for_commits(client: Path) -> None:
    """Wait until a commit that is being made can be seen; those that follow are dated after now.

    A lake that cannot be written to gets no commits either.
    """
    try:
        with (client / "_clock").open("r+", encoding="ascii") as clock:
            _lock(clock)
            _tell(clock, max(_now(), _told(clock)))
    except (FileNotFoundError, PermissionError):
        return
    except OSError as error:
        if error.errno != errno.EROFS:
            raise


def _lock(clock: IO[str]) -> None:
    """Lock the file until it is closed. Raise TimeoutError if another process keeps it."""
    tries = _PATIENCE * 100
    for _ in range(tries):
        try:
            return fcntl.flock(clock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(1 / 100)
    raise TimeoutError(f"{clock.name} is locked by a process that does not end; end it")


def _told(clock: IO[str]) -> datetime:
    clock.seek(0)
    try:
        return datetime.fromisoformat(clock.read())
    except ValueError:  # new, or torn by a crash
        return datetime(1970, 1, 1)


def _tell(clock: IO[str], moment: datetime) -> None:
    """Write a time over the old one, in one step: both have 26 letters, or the old one fewer.

    Were the file cut to nothing first, a crash then would lose the time; were it replaced, its lock.
    """
    os.pwrite(clock.fileno(), moment.isoformat(timespec="microseconds").encode(), 0)


def _now() -> datetime:
    return datetime.now(timezone.utc).replace(tzinfo=None)
