"""Say in a row how a client stands: what is published of it, as of when, and whether anything is wrong."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple

from pipelines.ingest.source_status import Status, moment
from pipelines.published.held_loads import Loads, held_loads
from pipelines.published.opening import published
from pipelines.published.settings_file import settings_of
from pipelines.published.version_folders import (
    PublishedFileError,
    current,
    run_wrote_at,
    settled_beneath,
    whole_versions,
    written_at,
)
from pipelines.serving.disk_use import DiskUse, disk_use
from pipelines.serving.memory import files_behind, held_for, said_of
from pipelines.serving.merging_allowed import not_merged_line
from pipelines.serving.report import by_newest_day, rolled_back_line
from pipelines.settings.client import Client
from pipelines.settings.reader import Problem
from pipelines.watch.deadline_causes import late
from pipelines.watch.facts import Facts, Shown, Source
from pipelines.watch.mornings import Morning

_WRONG = ("held", "source held", "settings wrong", "late", "stale")


class Version(NamedTuple):
    """What is published of a client: when it was written, UTC, as of which load, by which model.

    `provisional_conversions` are credited, or taken back, ahead of the run that settles them, since then;
    `loads` are the newest load of each source that it holds.
    """

    name: str = ""
    written_at: str = ""
    loaded_until: str = ""
    model: str = ""
    provisional_conversions: int = 0
    provisional_since: str = ""
    loads: dict[str, str] = {}

    @property
    def ahead(self) -> str:
        """Return how many conversions are ahead of the next run, in a line; nothing if none is."""
        if not (count := self.provisional_conversions):
            return ""
        are = "conversion is" if count == 1 else "conversions are"
        return f"{count} {are} provisional since {self.provisional_since} UTC: the next run settles them"


class Wait(NamedTuple):
    """What a client waits for, and why, in a line; of a source, where the source's status says it, too."""

    what: str
    is_wrong: bool = True
    is_of_source: bool = False


class State(NamedTuple):
    """How a client stands. `waiting` has what waits and why."""

    client: str
    state: str
    published: Version
    deadline: str
    newest_days: dict[str, str]
    waiting: list[Wait]
    disk: DiskUse

    @property
    def is_wrong(self) -> bool:
        """Return whether somebody has to look at it."""
        return self.state in _WRONG or any(each.is_wrong for each in self.waiting)

    @property
    def by_newest_day(self) -> str:
        """Return the newest day of data of each source, a line for each day."""
        return by_newest_day(self.newest_days)


def state_of(
    client: Client,
    statuses: list[Status],
    mornings: dict[str, list[Morning]],
    problems: list[Problem],
    now: datetime,
) -> State:
    """Return how a client stands, as its lake, the ledger and its published files say.

    `problems` are those of all clients' files.
    """
    version, loads = _version(client)
    shown = _shown(client.id, version.name) if version.name else None
    sources = [Source(status, now) for status in statuses]
    known = mornings.get(client.id, [])
    wrong = [each.message for each in problems if each.client == client.id]
    facts = Facts(client, now, now, sources, known, held_for(client), shown, settings=wrong)
    newest = {status.source: status.newest_day for status in statuses if status.newest_day}
    deadline = f"{client.deadline} {client.timezone}"
    waiting = [*_waiting(facts), *_shown_otherwise(client.id), *_loads(loads, facts.is_held)]
    if version.ahead:
        waiting.append(Wait(version.ahead, is_wrong=False))
    waiting += [Wait(line, is_wrong=False) for line in _said(facts, waiting)]
    disk = disk_use(client)
    return State(client.id, _state(facts), version, deadline, newest, waiting, disk)


def _shown(client: str, version: str) -> Shown:
    return Shown(version, written_at(version), {}, run_wrote_at(client, version))


def _waiting(facts: Facts) -> Iterator[Wait]:
    """Yield what is wrong with a client, and keeps its numbers from being published."""
    yield from (Wait(f"late: {finding.what}") for finding in late(facts))
    holding = [each.status for each in facts.sources if each.status.holds]
    for status in holding:
        yield Wait(f"held by {status.source}: {status.problem}", is_of_source=True)
    if not holding:  # which says itself what holds the client
        yield from (Wait(f"held by its last morning: {reason}") for reason in facts.held_for)
    if behind := files_behind(facts.client):
        yield Wait(behind)


def _shown_otherwise(client: str) -> Iterator[Wait]:
    """Yield what a rollback has put in force, or shows, and what waits for a promotion meanwhile."""
    yield from (Wait(line, is_wrong=False) for line in rolled_back_line(client))
    with suppress(PublishedFileError, IndexError):
        shown, newest = current(client), whole_versions(client)[-1]
        yield from (Wait(line, is_wrong=False) for line in not_merged_line(client))
        if shown and (version := settled_beneath(client, shown.version)) < newest:
            line = (
                f"published/{client}.duckdb shows the version {version}, as make rollback VERSION= asked for, and"
                f" not the newest, {newest}: until the next run that publishes"
            )
            yield Wait(line, is_wrong=False)


def _loads(loads: Loads, is_held: bool) -> Iterator[Wait]:
    """Yield that loads wait for a run, as after `make ingest` or `make withdraw`."""
    if loads.said:
        what = "they wait for what holds the client" if is_held else "make daily publishes them"
        yield Wait(f"{loads.said}: {what}", is_wrong=False)


def _said(facts: Facts, waiting: list[Wait]) -> list[str]:
    """Return what the last morning that published said, such as a change that waits, if it is not said yet."""
    if facts.held_for or rolled_back_line(facts.client.id):
        return []
    said = {each.what for each in waiting}
    return [line for line in said_of(facts.client) if line not in said]


def _state(facts: Facts) -> str:
    """Return what is wrong with a client in a word, the worst of it; `ok`, or what it waits for."""
    codes = {each.status.code for each in facts.sources} - {"ok"}
    newest = max(facts.mornings, key=lambda each: each.began, default=None)
    is_running = newest and not newest.ended
    words = [
        "source held" if any(each.status.holds for each in facts.sources) else "",
        "held" if facts.held_for else "",
        "settings wrong" if facts.settings else "",
        "late" if any(late(facts)) else "",
        "stale" if "stale" in codes else "",
        "running" if is_running else "",
        *sorted(codes),
        "" if facts.shown else "not published",
        "interrupted" if newest and newest.result == "interrupted" else "",
        "rolled back" if rolled_back_line(facts.client.id) else "",
    ]
    return next(filter(None, words), "ok")


def _version(client: Client) -> tuple[Version, Loads]:
    with suppress(PublishedFileError):  # what waits says why it cannot be read
        if shown := current(client.id):
            settings, loads = settings_of(client.id, shown.version), held_loads(client)
            fresh = _freshness(client.id)
            since = fresh.get("provisional_since")
            version = Version(
                shown.version,
                moment(written_at(shown.version)),
                moment(loads.until) if loads.until else "",
                settings.attribution.model if settings else "",
                fresh.get("provisional_conversions") or 0,
                moment(since) if since else "",
                loads.published,
            )
            return version, loads
    return Version(), Loads()


def _freshness(client: str) -> dict[str, Any]:
    """Return how fresh a client's published numbers are, as they say themselves."""
    with published(client) as opened:
        found = opened.execute(f"FROM {client}_publish.freshness_v1") if opened else None
        row = found.fetchone() if found else None
        names = [name for name, *_ in (found.description if found else None) or ()]
        return dict(zip(names, row or ()))
