"""Write a client's published files: a new version whole, then the file that shows it."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from pipelines.disk import disk_problem
from pipelines.files import sync_folder
from pipelines.ledger.recording import recorded
from pipelines.ledger.run_events import Run
from pipelines.published import pending_tables
from pipelines.published.made_of import note_made_of, note_settings
from pipelines.published.models_file import Rendering, models_text, read_settled, write_models
from pipelines.published.old_versions import clear_leftovers, prune, prune_provisional
from pipelines.published.settings_file import keep_settings
from pipelines.published.shown_tables import (
    Shown,
    behind_published,
    copy,
    digests,
    row_count,
    shown_tables,
)
from pipelines.published.version_folders import (
    PublishedFileError,
    alone,
    current,
    described,
    file_name,
    make_private,
    manifest,
    next_version,
    settled_beneath,
    settled_of,
    shows_provisional,
    versions_of,
    whole_versions,
)
from pipelines.published.view_files import show, show_newest
from pipelines.settings.kept_versions import PublishedFiles


class Before(NamedTuple):
    """The version that is there already: what did not change is linked from it."""

    version: str
    manifest: dict[str, Any]
    is_shown: bool  # by views that name the files where they lie now


def write_settled(
    warehouse: duckdb.DuckDBPyConnection,
    keep: dict[str, PublishedFiles],
    rendering: Rendering | None = None,
    go_on: Callable[[str, datetime | None], object] = show_newest,
    afresh: bool = False,
) -> dict[str, str]:
    """Write the files of the clients whose published tables were computed whole since the last time.

    `keep` has the clients that are asked for, and how long their older versions stay; `rendering`
    says by which models they were made, which the fast path goes on with; `go_on` shows the new
    version of a client of whom provisional rows are shown, with those that are still so: loads that are
    seen before the moment that it is told are settled. `afresh`, all files are written although they are
    the same. Return why, for those whose files could not be written: these stay as they were, and
    others go on.
    """
    problems = {}
    for client, behind in behind_published(warehouse).items():
        if client in keep:
            try:
                read_before = _write_if_settled(
                    warehouse, client, behind, keep[client], rendering, afresh
                )
                if shows_provisional(client):
                    go_on(client, read_before)
            except (OSError, duckdb.Error, PublishedFileError) as error:
                problem = disk_problem(error) or " ".join(str(error).split())
                problems[client] = f"published/{client}.duckdb stays as it was: {problem}"
    return problems


def _write_if_settled(
    warehouse: duckdb.DuckDBPyConnection,
    client: str,
    behind: frozenset[str],
    keep: PublishedFiles,
    rendering: Rendering | None,
    afresh: bool,
) -> datetime | None:
    """Write a client's files, if they are; return before which moment all loads are in them, if that is known."""
    noted = pending_tables.pending(client)
    known = _before(client)
    is_computed = behind <= set(noted.done)
    shows_others = noted.is_promoted and _shows_others(known, behind)
    if not is_computed and (not shows_others or behind & set(noted.begun)):
        pending_tables.keep_notes_of(client, behind, shows_others)
        return None
    with alone(client):
        write(warehouse, client, keep, rendering, afresh)
    is_known = is_computed and noted.read_before
    return datetime.fromisoformat(noted.read_before) if is_known else None


def _shows_others(known: Before | None, behind: frozenset[str]) -> bool:
    """Return whether `prod` shows other tables than those that a version was written from."""
    return not known or behind != {each["behind"] for each in known.manifest["publish"].values()}


def write(
    warehouse: duckdb.DuckDBPyConnection,
    client: str,
    keep: PublishedFiles,
    rendering: Rendering | None = None,
    afresh: bool = False,
) -> None:
    """Write a client's files as its tables are now, if they are not the same as those shown, or afresh.

    Where provisional rows are shown, these stay until it is known which of them are settled.
    """
    with recorded(client, "publish") as run:
        run.outcome = "unchanged"
        note_settings(run, client)
        _write(warehouse, client, keep, rendering, run, afresh)


def _write(
    warehouse: duckdb.DuckDBPyConnection,
    client: str,
    keep: PublishedFiles,
    rendering: Rendering | None,
    run: Run,
    afresh: bool,
) -> None:
    clear_leftovers(client)
    known = None if afresh else _before(client)
    models_before = models_text(client, known.version) if known else None
    models = rendering(client, models_before) if rendering else None
    tables = shown_tables(warehouse, client, read_settled(models))
    now = describe(warehouse, client, tables)
    if not (known and known.is_shown and now == known.manifest):
        version = next_version(client)
        within = run.within.step if run.within else ""
        known_ones = [known] if known else []
        write_version(warehouse, client, version, tables, now, known_ones, models, within=within)
        if not shows_provisional(client):
            show(client, version)
        run.outcome, run.made = "published", {"published": version}
        run.rows = sum(row_count(table["digests"]) for table in now["publish"].values())
        note_made_of(run, warehouse, client)
    elif known:
        if models and models != models_before:
            write_models(settled_of(client) / known.version, models)
        keep_settings(settled_of(client) / known.version, client)
    pending_tables.settle(client)
    prune(client, keep)
    prune_provisional(client)


def _before(client: str) -> Before | None:
    """Return the settled version that is shown, or else the newest that is whole."""
    with suppress(PublishedFileError):
        if shown := current(client):
            version = settled_beneath(client, shown.version)
            return Before(version, manifest(client, version), is_shown=shown.is_here(client))
    for version in reversed(whole_versions(client)):
        with suppress(PublishedFileError):
            return Before(version, manifest(client, version), is_shown=False)
    return None


def describe(
    warehouse: duckdb.DuckDBPyConnection, client: str, tables: list[Shown]
) -> dict[str, Any]:
    """Return the manifest of a version that is made of tables: by layer and name, what each holds."""
    described: dict[str, Any] = {"publish": {}}
    for table in tables:
        described.setdefault(table.layer, {})[table.name] = {
            "behind": table.behind,
            "digests": digests(warehouse, client, table),
            "comment": table.comment,
            "columns": [list(column) for column in table.columns],
        }
    return described


def write_version(
    warehouse: duckdb.DuckDBPyConnection,
    client: str,
    version: str,
    tables: list[Shown],
    now: dict[str, Any],
    known: list[Before],
    models: str | None = None,
    base: str = "",
    within: str = "",
) -> None:
    """Write the folders of a version; they have their names once all that is in them is on disk.

    `now` is what it holds, `known` the versions to link from, `base` the settled one that it stands on,
    if it is not one itself, and `within` the step that it is written in.
    """
    versions_of(client).mkdir(parents=True, exist_ok=True)
    with (
        unfinished_folder(make_private(client), version, mode=0o700) as settled,
        unfinished_folder(versions_of(client), version, mode=0o755) as published,
    ):
        for table in tables:
            folder = published if table.is_published else settled
            for part in now[table.layer][table.name]["digests"]:
                file = folder / file_name(table.name, part)
                if not any(_link(client, table, part, now, each, file) for each in known):
                    copy(warehouse, client, table, part, str(file))
                    _protect(file, is_private=not table.is_published)
        if models:
            write_models(settled, models)
        if not base:
            keep_settings(settled, client)
        written = settled / "manifest.json"
        written.write_text(described(now, base or version, within), encoding="utf-8")
        _protect(written, is_private=True)


def _link(
    client: str, table: Shown, part: str, now: dict[str, Any], known: Before, file: Path
) -> bool:
    """Link a file to the one of the version before, if its content is the same."""
    then = known.manifest.get(table.layer, {}).get(table.name, {"digests": {}})
    if then["digests"].get(part) != now[table.layer][table.name]["digests"][part]:
        return False
    folder = (versions_of if table.is_published else settled_of)(client) / known.version
    try:
        os.link(folder / file.name, file)
    except OSError:  # the file is gone, or the disk knows no hard links
        return False
    return True


def _protect(file: Path, is_private: bool) -> None:
    """Have a file on disk, and its owner alone read it if it is private."""
    if is_private:
        file.chmod(0o600)
    with file.open("rb") as written:
        os.fsync(written.fileno())


@contextmanager
def unfinished_folder(folder: Path, version: str, mode: int) -> Iterator[Path]:
    """Yield a hidden folder to write a version to; it gets its name if nothing goes wrong."""
    hidden = folder / f".{version}.new"
    hidden.mkdir(mode=mode)
    try:
        yield hidden
        sync_folder(hidden)
        os.replace(hidden, folder / version)
        sync_folder(folder)
    finally:
        shutil.rmtree(hidden, ignore_errors=True)
