"""Say whether a program has a file open to write to it, where the system can tell."""

import fcntl
import os
import signal
from contextlib import suppress
from pathlib import Path


def prepare() -> None:
    """Let this process go on when a program opens a file just as it is asked about."""
    if hasattr(signal, "SIGIO"):
        signal.signal(signal.SIGIO, signal.SIG_IGN)


def is_being_written(file: Path) -> bool:
    """Return whether some program has a file open for writing; False where nobody can say.

    Linux grants a lease to read only while nobody writes, to the file's owner. It is given back at
    once.
    """
    lease = getattr(fcntl, "F_SETLEASE", None)
    if lease is None:
        return False
    try:
        opened = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.fcntl(opened, lease, fcntl.F_RDLCK)
        with suppress(OSError):
            fcntl.fcntl(opened, lease, fcntl.F_UNLCK)
        return False
    except BlockingIOError:
        return True
    except OSError:  # another's file, or a file system without leases
        return False
    finally:
        os.close(opened)
