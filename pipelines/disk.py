"""Say in a line which file the disk did not take, and what helps: whoever met it."""

import errno
import re
from collections.abc import Iterator

from pipelines.home import home
from pipelines.system_errors import Cause, remedy_for

_FULL = "no space left for {file}: free some, and run it again"
_READ_ONLY = "{file} is on a read-only file system: make it writable, and run it again"
_TOO_LARGE = "{file} grew beyond what a file may be here: raise `ulimit -f`, and run it again"
_CAUSES = (
    Cause(
        (errno.ENOSPC, errno.EDQUOT),
        ("no space left on device", "disk quota exceeded", "failed to offload data block"),
        _FULL,
    ),
    Cause((errno.EROFS,), ("read-only file system",), _READ_ONLY),
    Cause((errno.EFBIG,), ("file too large",), _TOO_LARGE),
)
_QUOTED = re.compile(r"""["'](/[^"'\n]+)["']""")


def disk_problem(error: BaseException) -> str:
    """Return what a disk did not take and the remedy; nothing if something else is wrong."""
    for each in _behind(error):
        if template := remedy_for(each, _CAUSES):
            named = each.filename if isinstance(each, OSError) else None
            found = _QUOTED.search(str(each))
            return template.format(file=named or (found[1] if found else _somewhere()))
    return ""


def _somewhere() -> str:
    return f"what is written below {home()}"


def _behind(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and those behind it, the first one last."""
    seen: set[int] = set()
    while error and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
