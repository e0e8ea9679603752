"""Gather the facts about one client from what lies in the data's home; nothing is locked or waited for."""

import re
from datetime import datetime, timezone

import duckdb

from pipelines.ingest.acceptance import waiting_of
from pipelines.ingest.source_status import Status, statuses
from pipelines.lake.append import source_folder
from pipelines.published.opening import define_settled
from pipelines.published.version_folders import (
    LockedViewFile,
    PublishedFileError,
    current,
    manifest,
    run_wrote_at,
    whole_versions,
    written_at,
)
from pipelines.serving.disk_use import disk_use
from pipelines.serving.memory import held_for
from pipelines.settings.client import Client
from pipelines.stream.follow_status import read_status
from pipelines.watch.alert_state import watch_folder
from pipelines.watch.daily_numbers import daily_numbers
from pipelines.watch.facts import Facts, Shown, Source
from pipelines.watch.mornings import Morning

_ROWS = re.compile(r"^(\d+) rows ")


def gather(
    client: Client,
    now: datetime,
    known_since: datetime,
    mornings: list[Morning],
    settings: list[str],
) -> Facts:
    """Return the facts about a client; what cannot be read of its published files is a fact, too."""
    sources = [_source(client, status) for status in statuses(client)]
    facts = Facts(client, now, known_since, sources, mornings, held_for(client), settings=settings)
    facts = facts._replace(stream=read_status(client.id), disk=disk_use(client))
    try:
        now_shown = current(client.id)
        if now_shown:
            return _with_published(facts, now_shown.version)
        facts = _with_newest(facts)
        return facts._replace(is_gone=facts.shown is not None)
    except (PublishedFileError, duckdb.Error, OSError) as error:
        is_whole = isinstance(error, LockedViewFile)  # somebody has it open for writing
        unreadable = "" if is_whole else " ".join(str(error).split())
        return _with_newest(facts)._replace(unreadable=unreadable)


def _source(client: Client, status: Status) -> Source:
    file = source_folder(client.id, status.source) / "status.json"
    asked_at = datetime.fromtimestamp(file.stat().st_mtime, timezone.utc)
    return Source(status, asked_at, waiting_of(client.id, status.source))


def _with_published(facts: Facts, version: str) -> Facts:
    """Return the facts with what is published of the client: a version."""
    client = facts.client
    with duckdb.connect() as opened:
        define_settled(opened, client.id, version)
        kept = watch_folder() / f"{client.id}.numbers.json"
        numbers = daily_numbers(opened, client, version, kept)
    return facts._replace(shown=_shown(client, version), numbers=numbers)


def _with_newest(facts: Facts) -> Facts:
    """Return the facts with the newest version, where it cannot be read which one is shown."""
    versions = whole_versions(facts.client.id)
    return facts._replace(shown=_shown(facts.client, versions[-1])) if versions else facts


def _shown(client: Client, version: str) -> Shown:
    try:
        tables = manifest(client.id, version)["publish"]
    except PublishedFileError:
        tables = {}
    rows = {name: sum(map(_row_count, table["digests"].values())) for name, table in tables.items()}
    return Shown(version, written_at(version), rows, run_wrote_at(client.id, version))


def _row_count(digest: str) -> int:
    """Return how many rows a part of a published table has, by what the version says of it."""
    found = _ROWS.match(digest)
    return int(found[1]) if found else 0
