"""Digest the code, so that what other code has built is built anew."""

import hashlib
from functools import cache
from pathlib import Path

from pipelines.home import project_folder


def code_digest(project: Path, *folders: str) -> str:
    """Return a digest of all SQL, Python and YAML in some of a project's folders, as they are now."""
    digest = hashlib.sha256()
    for folder in folders:
        for file in sorted((project / folder).rglob("*")):
            if file.suffix in (".sql", ".py", ".yaml"):
                name = file.relative_to(project).as_posix().encode()
                digest.update(name + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


@cache
def running_code() -> str:
    """Return a digest of the code of this process, read once: a client's run depends on it."""
    return code_digest(project_folder(), "audits", "macros", "models", "pipelines")
