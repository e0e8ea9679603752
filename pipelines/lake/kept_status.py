"""Read the status that ingest kept of a source; the macros carry this file's source into the models."""

import json
from pathlib import Path


def kept_status(file: Path) -> dict:
    """Return what is in a source's status.json. Raise ValueError, with the file, if it is torn."""
    try:
        status = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(status, dict) or not {"source", "code", "problem"} <= status.keys():
            raise ValueError("it has no source, code and problem")
        return status
    except (OSError, ValueError) as error:
        name = "/".join(file.parts[-4:])
        raise ValueError(f"{name} is not readable: {error}; run make ingest") from None
