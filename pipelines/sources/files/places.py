"""Decide where a client's files may lie, and open them there and nowhere else.

A file is judged by where it really lies: what is a link counts as what it leads to. The client's
own folder is `exports/<client>/`; the operator may list others under `folders:`. A folder itself may
be a link, which the operator made; what lies in it may not lead out, as whoever delivers could make
that one. A hard link is no link in this sense: it is the file, and who made it could read it.
"""

import errno
import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from tempfile import TemporaryDirectory

from pipelines.home import home
from pipelines.settings.client import Client
from pipelines.settings.reader import named_by_files
from pipelines.sources.batches import ExportError, Remedy

# What the product keeps in the data's home, and where dlt keeps secrets: in any home.
_KEPT = ("lake", "warehouse", "published", "settled", "stream", "clients", "logs", ".cache")
_SECRETS = ".dlt"
_KEPT_FROM = "it leads to what is kept for others, from which no export is read; deliver a file"
_OPENED = Path("/proc/self/fd")


def found(client: Client, pattern: str) -> list[Path]:
    """Return the files that match a glob, in order. Raise ExportError if one is not the client's."""
    paths = sorted(matches(pattern))
    real = {path: _real(path) for path in paths}
    for path in paths:
        if _is_kept(real[path]):
            raise ExportError(_KEPT_FROM, name=shown(path))
    if far := {path: real[path] for path in paths if not _is_of(client, real[path])}:
        raise _elsewhere(client, far)
    for path in paths:
        _check_name(path)
    return paths


def _check_name(path: Path) -> None:
    """Raise ExportError if a file's name is not UTF-8: the lake keeps names as texts."""
    try:
        shown(path).encode()
    except UnicodeEncodeError:
        legible = os.fsencode(shown(path)).decode("utf-8", "backslashreplace")
        reason = "the name of this file, or of its folder, is not UTF-8; rename it"
        raise ExportError(reason, name=legible) from None


def matches(pattern: str) -> Iterator[Path]:
    """Return the paths that match a glob: an absolute one, or one from the data's home."""
    glob = Path(pattern)
    return Path(glob.anchor or home()).glob(str(glob.relative_to(glob.anchor)))


def shown(path: Path) -> str:
    """Return what a file is called in the lake: its path from the data's home, if it lies there."""
    return (path.relative_to(home()) if path.is_relative_to(home()) else path).as_posix()


def roots(client: Client) -> list[Path]:
    """Return the folders, links followed, below which a client's files may lie; its own is first."""
    return [_real(home() / folder) for folder in (f"exports/{client.id}", *client.folders)]


@contextmanager
def opened(client: Client, path: Path) -> Iterator[BufferedReader]:
    """Open a file that is the client's: what was checked is what is open, whatever its name does.

    Raise ExportError if it is none, or OSError if it cannot be read. What is no file is not
    opened: a pipe would wait for ever.
    """
    real = _real(path)
    if not stat.S_ISREG(real.stat().st_mode):
        raise ExportError("it is no file, but a folder or the like; deliver a file", path)
    if _is_kept(real) or not _is_of(client, real):
        raise _replaced(path)
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with open(_descriptor(real, flags, path), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode) or _place(file, real) != real:
            raise _replaced(path)
        yield file


def _descriptor(real: Path, flags: int, path: Path) -> int:
    """Open a place that was no link a moment ago. Raise ExportError if it is one by now."""
    try:
        return os.open(real, flags)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _replaced(path) from None
        raise


@contextmanager
def as_path(file: BufferedReader, path: Path, folder: Path) -> Iterator[Path]:
    """Yield a path by which an open file can be read again, with its own name.

    It leads to the very file that is open. Where the system has no such path, it is the file's own.
    """
    if not _OPENED.exists():
        yield path
        return
    with TemporaryDirectory(dir=folder) as links:
        link = Path(links, path.name)
        link.symlink_to(_OPENED / str(file.fileno()))
        yield link


def is_open_beside(file: Path) -> bool:
    """Return whether a file that `as_path` holds is open a second time, for its reader.

    A reader may follow the link by its text, and find that another file has the name by now.
    """
    if not file.is_symlink():
        return True
    held, count = file.stat(), 0
    for number in os.listdir(_OPENED):
        try:
            count += os.path.samestat(held, os.stat(_OPENED / number))
        except OSError:  # the listing's own, which is closed by now
            continue
    return count > 1


def _place(file: BufferedReader, expected: Path) -> Path:
    """Return where an open file lies now."""
    if not _OPENED.exists():
        return expected.resolve()
    return Path(os.readlink(_OPENED / str(file.fileno())))


def _real(path: Path) -> Path:
    """Return where a path leads. Raise ExportError if it leads in a circle."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        raise ExportError(
            "its link leads nowhere; deliver the file itself", name=path.name
        ) from None


def _replaced(path: Path) -> ExportError:
    reason = "it was replaced while it was opened; run it again once it is done"
    return ExportError(reason, name=path.name)


def _is_kept(real: Path) -> bool:
    """Return whether a file is where the product keeps its own, or secrets: no export is read there."""
    kept = (_real(home() / folder) for folder in _KEPT)
    return _SECRETS in real.parts or any(real.is_relative_to(folder) for folder in kept)


def _is_of(client: Client, real: Path) -> bool:
    """Return whether a file lies in a folder of the client's, and in no nearer one of another client.

    Where both have the same folder, it is the client's if its file lists it; a link is not enough.
    """
    own, *listed = (root for root in roots(client))
    if own == _real(home()) / "exports" / client.id and real.is_relative_to(own):
        return True
    depths = [(len(root.parts), 1) for root in listed if real.is_relative_to(root)]
    depths += [(len(own.parts), -1)] * real.is_relative_to(own)
    theirs = [(len(root.parts), 0) for root in _of_others(client) if real.is_relative_to(root)]
    return bool(depths) and max(depths) > max(theirs, default=(0, 0))


def _of_others(client: Client) -> Iterator[Path]:
    """Yield the folders below `exports/` that are another client's, links followed."""
    others = named_by_files() - {client.id}
    exports = _real(home() / "exports")
    if not exports.is_dir():  # every file lies below the operator's own folders
        return
    with os.scandir(exports) as entries:
        for entry in entries:
            if entry.name in others:
                yield _real(Path(entry.path)) if entry.is_symlink() else exports / entry.name


def _elsewhere(client: Client, far: dict[Path, Path]) -> ExportError:
    """Return the error that names files outside of the client's folders, and the line that adds them."""
    first = next(iter(far))
    if not os.path.isfile(far[first]):  # a folder to list would not make it one
        return ExportError("its link leads to no file; deliver the file itself", name=shown(first))
    others = f" and {len(far) - 1} more" if len(far) > 1 else ""
    folders = [*client.folders, *sorted({_named(real.parent) for real in far.values()})]
    return ExportError(
        f"it{others} really lies in {_named(far[first].parent)}/, but files of {client.id} are read"
        f" below exports/{client.id}/ alone; deliver it there or correct `files:`, unless that folder"
        " is meant",
        name=shown(first),
        remedies=[Remedy(f"folders: [{', '.join(map(_quoted, folders))}]")],
    )


def _named(real: Path) -> str:
    """Return what a folder is called in a client's file: its path from the data's home, if it can be."""
    root = _real(home())
    return (real.relative_to(root) if real.is_relative_to(root) else real).as_posix()


def _quoted(folder: str) -> str:
    """Return a folder as YAML has it in a list."""
    return folder if re.fullmatch(r"[\w/.-]+", folder) else json.dumps(folder, ensure_ascii=False)
