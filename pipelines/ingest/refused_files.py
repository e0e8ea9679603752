"""Keep what was refused, and the reason: tomorrow's delivery may write over the file."""

import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from io import BufferedReader
from itertools import chain
from pathlib import Path

from pipelines.files import replacing, write_atomically
from pipelines.home import lake_folder
from pipelines.lake.append import working_folder
from pipelines.lake.tombstones import blotted, has_erased, tombstones, without_erased
from pipelines.settings.client import Client
from pipelines.sources.batches import ExportError
from pipelines.sources.credentials import conceal, holds_secret
from pipelines.sources.files import places
from pipelines.sources.files.reading import fingerprint

PIECE = 1 << 20
UNPACKED_AT_MOST = 256 << 20


class _NotKept(ExportError):
    """A file holds what may not be kept, or may hold it where it cannot be looked for."""


def keep_refused(client: Client, source: str, file: Path, reason: str) -> str:
    """Keep a refused file and the reason, side by side; return what is to be said if it is not kept.

    A file that holds a secret is not: whoever reads the lake may not read secrets.
    """
    folder = lake_folder() / client.id / "_refused" / source
    folder.mkdir(parents=True, exist_ok=True)
    name, lost, told = f"not-kept-{file.name}", "", ""
    try:
        with _opened(client, file) as delivered:
            copy = folder / f"{fingerprint(delivered)[1][:8]}-{file.name}"
            if not copy.exists():
                _copy(client.id, delivered, copy)
            name = copy.name
    except _NotKept as error:
        lost = told = f". The file is not kept: {error}"
    except (OSError, ExportError) as error:
        lost = f". The file itself could not be kept: {error}"
    text = conceal(without_erased(client.id, reason + lost))
    write_atomically(folder / f"{name}.reason", f"{text}\n")
    return told


def _opened(client: Client, file: Path) -> AbstractContextManager[BufferedReader]:
    """Open a file of the client's, or one that was downloaded for it."""
    if file.is_relative_to(working_folder(client.id)):
        return file.open("rb")
    return places.opened(client, file)


def _copy(client: str, delivered: BufferedReader, target: Path) -> None:
    """Copy a file. Raise an error if it holds a secret or names an erased person, or cannot be searched."""
    if has_erased(client):
        _name_nobody_erased(client, delivered)
    if holds_secret(_pieces(delivered)) or holds_secret(_unpacked(delivered)):
        raise _NotKept("it holds a secret of this machine")
    state = os.fstat(delivered.fileno())
    with replacing(target) as unfinished, unfinished.open("wb") as copy:
        for piece in _pieces(delivered):
            copy.write(piece)
    os.utime(target, ns=(state.st_atime_ns, state.st_mtime_ns))


def _name_nobody_erased(client: str, delivered: BufferedReader) -> None:
    """Raise an error if a file names a person who was erased, or is no text that could be searched."""
    stones = tombstones(client)
    if not stones:
        return
    for piece in chain(_pieces(delivered), _unpacked(delivered)):
        text = piece.decode("utf-8", errors="replace")
        if not _is_packed(delivered) and b"\0" in piece:
            raise _NotKept("it cannot be searched for persons who were erased")
        if blotted(stones.salt, stones.marks, text) != text:
            raise _NotKept("it names a person who was erased")


def _is_packed(file: BufferedReader) -> bool:
    state = file.tell()
    file.seek(0)
    begin = file.read(2)
    file.seek(state)
    return begin == b"\x1f\x8b"


def _pieces(file: BufferedReader) -> Iterator[bytes]:
    file.seek(0)
    while piece := file.read(PIECE):
        yield piece


def _unpacked(file: BufferedReader) -> Iterator[bytes]:
    """Yield what a packed file holds, as far as it can be unpacked; nothing of another one."""
    file.seek(0)
    count = 0
    try:
        with gzip.open(file) as unpacked:
            while piece := unpacked.read(PIECE):
                yield piece
                count += len(piece)
                if count > UNPACKED_AT_MOST:
                    raise _NotKept("it is too large, unpacked, to be searched for secrets")
    except (OSError, EOFError, zlib.error):  # it is not packed, or ends too soon
        return
