"""Write files whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_atomically(file: Path, content: str | bytes) -> None:
    """Write a file's new content; whoever reads it sees the old or the new, and a crash leaves one."""
    with replacing(file) as unfinished:
        unfinished.write_bytes(content if isinstance(content, bytes) else content.encode())


@contextmanager
def replacing(file: Path, sync: bool = False) -> Iterator[Path]:
    """Yield a path beside a file to write to; what is there at the end replaces the file.

    If an error is raised meanwhile, the file stays as it was. With `sync`, what was written is on
    disk before the file has its name, so that it also survives a power cut.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.{os.getpid()}.new")
    try:
        yield unfinished
        if sync:
            _sync(unfinished)
        os.replace(unfinished, file)
    finally:
        unfinished.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Have on disk which names a folder holds: a file or a folder that got its name keeps it."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _sync(file: Path) -> None:
    with file.open("rb") as written:
        os.fsync(written.fileno())
