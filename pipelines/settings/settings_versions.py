"""Keep each version of the settings by which a client was published, for good: replays go by them.

    lake/acme/_settings/versions/3f2a9c51b0d4e6f7/acme.yaml

The folder is named by a digest of the file, which the ledger of runs notes with what was published by it.
"""

import hashlib
from pathlib import Path

from pipelines.files import write_atomically
from pipelines.home import lake_folder


def keep_version(client: str, text: bytes) -> str:
    """Keep the text of a client's settings; return the name of the version."""
    name = version_of(text)
    if not (file := version_file(client, name)).exists():
        write_atomically(file, text)
    return name


def version_of(text: bytes) -> str:
    """Return the name of a version of the settings: the same text has the same."""
    return hashlib.sha256(text).hexdigest()[:16]


def version_file(client: str, name: str) -> Path:
    """Return the file of a version; it has the client's name, as in `clients/`."""
    return lake_folder() / client / "_settings" / "versions" / name / f"{client}.yaml"
