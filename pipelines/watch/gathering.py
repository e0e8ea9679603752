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
    written_at,
)
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
    facts = facts._replace(stream=read_status(client.id))
    try:
        return _with_published(facts)
    except LockedViewFile:  # somebody has it open: it is whole
        return facts
    except (PublishedFileError, duckdb.Error, OSError) as error:
        return facts._replace(unreadable=" ".join(str(error).split()))


def _source(client: Client, status: Status) -> Source:
    file = source_folder(client.id, status.source) / "status.json"
    asked_at = datetime.fromtimestamp(file.stat().st_mtime, timezone.utc)
    return Source(status, asked_at, waiting_of(client.id, status.source))


def _with_published(facts: Facts) -> Facts:
    """Return the facts with what is published of the client."""
    client = facts.client
    if not (now_shown := current(client.id)):
        return facts
    tables = manifest(client.id, now_shown.version)["publish"]
    rows = {name: sum(map(_row_count, table["digests"].values())) for name, table in tables.items()}
    shown = Shown(now_shown.version, written_at(now_shown.version), rows)
    with duckdb.connect() as opened:
        define_settled(opened, client.id, now_shown.version)
        kept = watch_folder() / f"{client.id}.numbers.json"
        numbers = daily_numbers(opened, client, now_shown.version, kept)
    return facts._replace(shown=shown, numbers=numbers)


def _row_count(digest: str) -> int:
    """Return how many rows a part of a published table has, by what the version says of it."""
    found = _ROWS.match(digest)
    return int(found[1]) if found else 0
