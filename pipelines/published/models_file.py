"""Keep beside a version's settled tables the models that they were made by, for the fast path."""

import json
from collections.abc import Callable
from pathlib import Path

from pipelines.files import replacing
from pipelines.published.version_folders import settled_of

NAME = "models.json"

# Takes a client, and the text that was written for it before; returns the text to write.
Rendering = Callable[[str, str | None], str]


def models_text(client: str, version: str) -> str | None:
    """Return a version's models as they were rendered; None where they were not."""
    try:
        return (settled_of(client) / version / NAME).read_text(encoding="utf-8")
    except OSError:
        return None


def read_settled(text: str | None) -> frozenset[str]:
    """Return the tables, such as journeys.touchpoints, that models read as they were settled."""
    return frozenset(json.loads(text)["settled"] if text else ())


def write_models(folder: Path, text: str) -> None:
    """Write the models into a version's folder, for its owner alone."""
    file = folder / NAME
    with replacing(file, sync=True) as unfinished:
        unfinished.touch(mode=0o600)
        unfinished.write_text(text, encoding="utf-8")
