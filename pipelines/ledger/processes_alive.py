"""Tell which processes that began a run are still alive: a run without an end is going on, or was cut off.

Each process chooses a number, which its events carry, and locks the byte of that number in the file
`runs/alive` for as long as it lives. A process number of the system would not do: it is given again,
and is another one in each container.
"""

import fcntl
import os
import secrets
from functools import cache

from pipelines.home import runs_folder


def this_process() -> int:
    """Return the number of this process, and lock it."""
    return _locked(str(runs_folder()))


def is_alive(process: int) -> bool:
    """Return whether a process is alive, as far as one can tell from here."""
    try:
        if process == this_process():
            return True
        opened = _opened(str(runs_folder()))
        fcntl.lockf(opened, fcntl.LOCK_SH | fcntl.LOCK_NB, 1, process)
        fcntl.lockf(opened, fcntl.LOCK_UN, 1, process)
    except OSError:  # it has the lock, or the file cannot be opened
        return True
    return False


@cache
def _opened(folder: str) -> int:
    """Return the open file. It is never closed: that would give back this process's lock."""
    os.makedirs(folder, exist_ok=True)
    return os.open(os.path.join(folder, "alive"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)


@cache
def _locked(folder: str) -> int:
    number = secrets.randbits(53)  # as large as every reader of JSON takes it
    fcntl.lockf(_opened(folder), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
    return number


os.register_at_fork(after_in_child=_locked.cache_clear)  # a child has no lock of its parent's
