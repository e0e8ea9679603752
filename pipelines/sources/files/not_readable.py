"""Say why a file cannot be read, and what helps: another delivery does only where the file is at fault."""

import errno
from pathlib import Path

from pipelines.sources.batches import ExportError

_NO_RIGHT = "let the user that runs this read it: chmod a+r on it and a+x on its folders, or chown"
_GONE = "it was there a moment ago: run it again, and deliver it if it is not put back"
_NO_FILE = "a folder lies where the file should be: deliver a file, or correct `files:`"
_BROKEN = "its disk or network share gives errors: check that, and run it again"
_BUSY = "too many files are open: raise `ulimit -n`, and run it again"
_LINKS = "its links lead in a circle: deliver the file itself"
_TORN = "it is torn or not what its name says: deliver it again"

_BY_NUMBER = {
    errno.EACCES: _NO_RIGHT,
    errno.EPERM: _NO_RIGHT,
    errno.ENOENT: _GONE,
    errno.ENOTDIR: _GONE,
    errno.EISDIR: _NO_FILE,
    errno.EIO: _BROKEN,
    errno.ESTALE: _BROKEN,
    errno.ETIMEDOUT: _BROKEN,
    errno.EMFILE: _BUSY,
    errno.ENFILE: _BUSY,
    errno.ELOOP: _LINKS,
}
_BY_TEXT = {  # as DuckDB, SQLite and Arrow quote the system
    "permission denied": _NO_RIGHT,
    "no such file": _GONE,
    "is a directory": _NO_FILE,
    "input/output error": _BROKEN,
    "disk i/o error": _BROKEN,
    "too many open files": _BUSY,
}


def not_readable(error: Exception, path: Path, shown: str = "") -> ExportError:
    """Return the error for a file that cannot be read; `shown` is what is said of it."""
    number, said = 0, shown or _first_line(error)
    if isinstance(error, OSError) and error.errno:
        number, said = error.errno, error.strerror or said
    found = [remedy for text, remedy in _BY_TEXT.items() if text in said.lower()]
    remedy = _BY_NUMBER.get(number) or next(iter(found), _TORN)
    return ExportError(f"not readable: {said}; {remedy}", path)


def _first_line(error: Exception) -> str:
    """Return what a program says of an error, without the details that follow."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
