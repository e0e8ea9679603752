"""Say in a line which file the disk did not take, and what helps: whoever met it."""

import errno
import re
from collections.abc import Iterator

from pipelines.home import home

_FULL = "no space left for {file}: free some, and run it again"
_READ_ONLY = "{file} is on a read-only file system: make it writable, and run it again"
_TOO_LARGE = "{file} grew beyond what a file may be here: raise `ulimit -f`, and run it again"
_BY_NUMBER = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EROFS: _READ_ONLY,
    errno.EFBIG: _TOO_LARGE,
}
_BY_TEXT = {  # as DuckDB, Arrow and dlt quote the system
    "No space left on device": _FULL,
    "Disk quota exceeded": _FULL,
    "failed to offload data block": _FULL,
    "Read-only file system": _READ_ONLY,
    "File too large": _TOO_LARGE,
}
_QUOTED = re.compile(r"""["'](/[^"'\n]+)["']""")


def disk_problem(error: BaseException) -> str:
    """Return what a disk did not take and the remedy; nothing if something else is wrong."""
    for each in _causes(error):
        if problem := _of_the_system(each) or _in_its_text(str(each)):
            return problem
    return ""


def _of_the_system(error: BaseException) -> str:
    if not isinstance(error, OSError):
        return ""
    template = _BY_NUMBER.get(error.errno or 0, "")
    return template.format(file=error.filename or _somewhere())


def _in_its_text(text: str) -> str:
    for said, template in _BY_TEXT.items():
        if said in text:
            named = _QUOTED.search(text)
            return template.format(file=named[1] if named else _somewhere())
    return ""


def _somewhere() -> str:
    return f"what is written below {home()}"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and those behind it, the first one last."""
    seen: set[int] = set()
    while error and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
