"""Say in a row how a client stands: what is published of it, as of when, and whether anything is wrong."""

from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple

from pipelines.ingest.source_status import Status, moment
from pipelines.published.opening import published
from pipelines.published.settings_file import settings_of
from pipelines.published.version_folders import PublishedFileError, current, written_at
from pipelines.serving.disk_use import DiskUse, disk_use
from pipelines.serving.memory import files_behind, held_for, said_of
from pipelines.serving.report import by_newest_day
from pipelines.settings.client import Client
from pipelines.watch.deadline_causes import late
from pipelines.watch.facts import Facts, Shown, Source
from pipelines.watch.mornings import Morning

_WRONG = ("held", "late", "stale")


class Version(NamedTuple):
    """What is published of a client: when it was written, UTC, as of which load, by which model.

    `provisional_conversions` are credited, or taken back, ahead of the run that settles them, since then.
    """

    name: str = ""
    written_at: str = ""
    loaded_until: str = ""
    model: str = ""
    provisional_conversions: int = 0
    provisional_since: str = ""

    @property
    def ahead(self) -> str:
        """Return how many conversions are ahead of the next run, in a line; nothing if none is."""
        if not (count := self.provisional_conversions):
            return ""
        are = "conversion is" if count == 1 else "conversions are"
        return f"{count} {are} provisional since {self.provisional_since} UTC: the next run settles them"


class State(NamedTuple):
    """How a client stands. `waits` has what waits and why, a line each; `notes` what is well nevertheless."""

    client: str
    state: str
    published: Version
    deadline: str
    newest_days: dict[str, str]
    waits: list[str]
    notes: list[str]
    disk: DiskUse

    @property
    def is_wrong(self) -> bool:
        """Return whether somebody has to look at it."""
        return self.state in _WRONG or bool(self.waits)

    @property
    def by_newest_day(self) -> str:
        """Return the newest day of data of each source, a line for each day."""
        return by_newest_day(self.newest_days)


def state_of(
    client: Client, statuses: list[Status], mornings: dict[str, list[Morning]], now: datetime
) -> State:
    """Return how a client stands, as its lake, the ledger and its published files say."""
    version = _version(client.id)
    shown = Shown(version.name, written_at(version.name), {}) if version.name else None
    sources = [Source(status, now) for status in statuses]
    known = mornings.get(client.id, [])
    facts = Facts(client, now, now, sources, known, held_for(client), shown)
    waits = [f"late: {finding.what}" for finding in late(facts)]
    if not any(status.holds for status in statuses):  # which says itself what holds the client
        waits += [f"held by its last morning: {reason}" for reason in facts.held_for]
    if behind := files_behind(client):
        waits.append(behind)
    newest = {status.source: status.newest_day for status in statuses if status.newest_day}
    deadline = f"{client.deadline} {client.timezone}"
    notes = [version.ahead] if version.ahead else []
    notes += [] if facts.held_for else said_of(client)
    return State(
        client.id, _state(facts), version, deadline, newest, waits, notes, disk_use(client)
    )


def _state(facts: Facts) -> str:
    """Return what is wrong with a client in a word, the worst of it; `ok`, or what it waits for."""
    codes = {each.status.code for each in facts.sources} - {"ok"}
    newest = max(facts.mornings, key=lambda each: each.began, default=None)
    is_running = newest and not newest.ended
    words = [
        "held" if facts.is_held else "",
        "late" if any(late(facts)) else "",
        "stale" if "stale" in codes else "",
        "running" if is_running else "",
        *sorted(codes),
        "" if facts.shown else "not published",
        "interrupted" if newest and newest.result == "interrupted" else "",
    ]
    return next(filter(None, words), "ok")


def _version(client: str) -> Version:
    with suppress(PublishedFileError):  # `waits` says why it cannot be read
        if shown := current(client):
            settings = settings_of(client, shown.version)
            written = moment(written_at(shown.version))
            model = settings.attribution.model if settings else ""
            fresh = _freshness(client)
            loaded, since = (fresh.get(name) for name in ("loaded_until", "provisional_since"))
            return Version(
                shown.version,
                written,
                moment(loaded) if loaded else "",
                model,
                fresh.get("provisional_conversions") or 0,
                moment(since) if since else "",
            )
    return Version()


def _freshness(client: str) -> dict[str, Any]:
    """Return how fresh a client's published numbers are, as they say themselves."""
    with published(client) as opened:
        found = opened.execute(f"FROM {client}_publish.freshness_v1") if opened else None
        row = found.fetchone() if found else None
        names = [name for name, *_ in (found.description if found else None) or ()]
        return dict(zip(names, row or ()))
