"""Append events to the file of their day, `runs/2026-11-27.jsonl`: one line each, whole or not at all.

Any number of processes append at once. One that is killed in the middle of its line leaves the
beginning of it, which readers pass over; who comes next starts a new line.
"""

import fcntl
import json
import os
from datetime import datetime
from typing import Any

from pipelines.home import runs_folder


def append(event: dict[str, Any], at: datetime) -> None:
    """Append an event to the file of its day, UTC. Raise OSError if the disk does not take it."""
    runs_folder().mkdir(parents=True, exist_ok=True)
    line = json.dumps(event, separators=(",", ":")).encode() + b"\n"
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
    opened = os.open(runs_folder() / f"{at:%Y-%m-%d}.jsonl", flags, 0o644)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        _append(opened, line)
    finally:
        os.close(opened)


def _append(opened: int, line: bytes) -> None:
    size = os.fstat(opened).st_size
    is_torn = size and os.pread(opened, 1, size - 1) != b"\n"
    line = b"\n" + line if is_torn else line
    written = 0
    try:
        while written < len(line):
            written += os.write(opened, line[written:])
    except OSError:  # the disk is full
        os.ftruncate(opened, size)
        raise
