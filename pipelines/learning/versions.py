"""Keep what a model has learnt: each training makes a version, written once and never changed.

A version is a Parquet file, `lake/<client>/_models/<model>/<trained at>.parquet`. A revision of a
conversion is credited by the newest version that was trained before it, one older than all of them
by the first: so a rebuild gives the same credit again. When the first version appears, everything
before it is computed again: its name is part of the models that read it, so that SQLMesh sees it.
SQLMesh copies the source of `read_versions` into those models, because `sqlmesh run` loads no
project: so it uses no class, and this file imports little.
"""

import re
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from pipelines.files import replacing
from pipelines.sql import literal

_STAMP = "%Y%m%dT%H%M%S%f"


class Version(NamedTuple):
    """What one training has learnt: its name, and when it was trained, UTC."""

    name: str
    trained_at: datetime
    file: Path


def versions(home: str, client: str, model: str) -> list[Version]:
    """Return the versions of a client's model, the oldest first."""
    files = _files(home, client, model)
    return [Version(file.stem, _trained_at(file), file) for file in files]


def first_version(home: str, client: str, model: str) -> str:
    """Return the name of a model's first version, as `20261101T060000000000`; empty without one."""
    found = versions(home, client, model)
    return found[0].name if found else ""


def keep(connection, query: str, home: str, client: str, model: str, trained_at: datetime) -> None:
    """Write the rows of a DuckDB query as a version: all of them or, if it fails, none."""
    file = Path(home, "lake", client, "_models", model, f"{trained_at:{_STAMP}}.parquet")
    with replacing(file) as unfinished:
        connection.execute(f"COPY ({query}) TO {literal(str(unfinished))} (FORMAT parquet)")


def read_versions(home: str, client: str, model: str) -> str | None:
    """Return SQL for the rows of all versions, or None without any.

    With each row come its `version`, and from when, until when (UTC, excluded) it is in force.
    """
    if not (files := _files(home, client, model)):
        return None
    starts = ["0001-01-01", *(str(_trained_at(file)) for file in files[1:]), "9999-12-31"]
    selects = []
    for file, start, end in zip(files, starts, starts[1:]):
        selects.append(
            f"SELECT *, '{file.stem}' AS version, TIMESTAMP '{start}' AS valid_from,"
            f" TIMESTAMP '{end}' AS valid_until FROM read_parquet({literal(str(file))})"
        )
    return f"({' UNION ALL BY NAME '.join(selects)})"


def _files(home: str, client: str, model: str) -> list[Path]:
    """Return the files of the versions of a client's model, the oldest first."""
    files = sorted(Path(home, "lake", client, "_models", model).glob("*.parquet"))
    return [file for file in files if re.fullmatch(r"\d{8}T\d{12}", file.stem)]


def _trained_at(file: Path) -> datetime:
    """Return when a version was trained, UTC."""
    return datetime.strptime(file.stem, _STAMP)
