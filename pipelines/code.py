"""Digest the code, so that what other code has built is built anew."""

import hashlib
from functools import cache
from pathlib import Path

from pipelines.home import project_folder


def code_digest(*folders: str) -> str:
    """Return a digest of all SQL and Python in some of the project's folders, as they are now."""
    digest = hashlib.sha256()
    for folder in folders:
        for file in sorted((project_folder() / folder).rglob("*")):
            if file.suffix in (".sql", ".py"):
                digest.update(_named(file))
    return digest.hexdigest()


@cache
def running_code() -> str:
    """Return a digest of the code of this process, read once: a client's run depends on it."""
    return code_digest("audits", "macros", "models", "pipelines")


def _named(file: Path) -> bytes:
    name = file.relative_to(project_folder()).as_posix()
    return f"{name}\0{hashlib.sha256(file.read_bytes()).hexdigest()}\0".encode()
