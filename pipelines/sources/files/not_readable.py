"""Say why a file cannot be read, and what helps: another delivery does only where the file is at fault."""

import errno
from pathlib import Path

from pipelines.sources.batches import ExportError
from pipelines.system_errors import Cause, remedy_for

_NO_RIGHT = "let the user that runs this read it: chmod a+r on it and a+x on its folders, or chown"
_GONE = "it was there a moment ago: run it again, and deliver it if it is not put back"
_NO_FILE = "a folder lies where the file should be: deliver a file, or correct `files:`"
_BROKEN = "its disk or network share gives errors: check that, and run it again"
_BUSY = "too many files are open: raise `ulimit -n`, and run it again"
_LINKS = "its links lead in a circle: deliver the file itself"
_TORN = "it is torn or not what its name says: deliver it again"

_CAUSES = (
    Cause((errno.EACCES, errno.EPERM), ("permission denied",), _NO_RIGHT),
    Cause((errno.ENOENT, errno.ENOTDIR), ("no such file",), _GONE),
    Cause((errno.EISDIR,), ("is a directory",), _NO_FILE),
    Cause(
        (errno.EIO, errno.ESTALE, errno.ETIMEDOUT),
        ("input/output error", "disk i/o error"),
        _BROKEN,
    ),
    Cause((errno.EMFILE, errno.ENFILE), ("too many open files",), _BUSY),
    Cause((errno.ELOOP,), (), _LINKS),
)


def not_readable(error: Exception, path: Path, shown: str = "") -> ExportError:
    """Return the error for a file that cannot be read; `shown` is what is said of it."""
    said = shown or _first_line(error)
    if isinstance(error, OSError) and error.errno:
        said = error.strerror or said
    return ExportError(f"not readable: {said}; {remedy_for(error, _CAUSES, said) or _TORN}", path)


def _first_line(error: Exception) -> str:
    """Return what a program says of an error, without the details that follow."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
