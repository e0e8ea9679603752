"""Keep house once a day, after everybody was served: merge small files, remove what has come of age.

Each client's is done in a process of its own, within a bound of time; where it is not enough, the next day
goes on. What goes wrong is a note: numbers do not depend on it.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from pipelines.disk import disk_problem
from pipelines.files import write_atomically
from pipelines.home import lake_folder
from pipelines.lake.merging import Merged, merge
from pipelines.ledger.recording import recorded
from pipelines.processes import Bounds, Exceeded, Pool, heard
from pipelines.serving import ages
from pipelines.serving.merging_allowed import may_merge
from pipelines.settings.client import Client
from pipelines.settings.reader import named_by_files, read

_OF_A_CLIENT = 60  # seconds, after which no further folder is merged
_AT_MOST = 2 * _OF_A_CLIENT  # seconds, after which its process is ended: any step may be the last
_OF_ALL = 300  # seconds: the next morning is not far


class Kept(NamedTuple):
    """What was done for a client, or for all (`client` is empty), and what went wrong; a line each."""

    client: str
    done: list[str] = []
    problems: list[str] = []


def keep_house(clients: list[Client]) -> Iterator[Kept]:
    """Keep the house of clients of whom it was not kept today, and what they share; yield what was done."""
    now, began = datetime.now(timezone.utc), monotonic()
    if due := sorted((each for each in clients if kept_on(each) != _day(now)), key=kept_on):
        yield _shared(read()[0], now)
    pool = Pool(_keep_alone, due, lambda client: Bounds(seconds=_AT_MOST))
    try:
        while (running := pool.running()) and monotonic() - began < _OF_ALL:
            for process in heard(running, _OF_A_CLIENT):
                if done := pool.answer(process):
                    yield _answered(*done)
    finally:
        pool.end()


def kept_on(client: Client) -> str:
    """Return the day, UTC, on which a client's house was kept last; nothing if it never was."""
    with suppress(OSError, ValueError, LookupError, TypeError):
        return str(json.loads(_note(client).read_text(encoding="utf-8"))["kept_on"])
    return ""


def _answered(client: Client, answer: Kept | Exceeded | None) -> Kept:
    if isinstance(answer, Kept):
        return answer
    why = "took too long" if answer is Exceeded.TIME else "its process died"
    return Kept(client.id, problems=[f"housekeeping {why}: the next morning goes on"])


def _keep_alone(client: Client) -> Kept:
    now = datetime.now(timezone.utc)
    with recorded(client.id, "housekeeping") as run:
        kept = keep(client, now)
        run.outcome, run.reason = "ok" if kept.done else "unchanged", "; ".join(kept.done)
        if kept.problems:
            run.fails("failed", "; ".join(kept.problems))
        return kept


def keep(client: Client, now: datetime) -> Kept:
    """Keep a client's house, in this process; what went wrong is tried again by the next morning."""
    over = monotonic() + _OF_A_CLIENT
    done: list[str] = []
    problems: list[str] = []
    for work in (
        lambda: _said(ages.remove_leftovers(client, now), _LEFTOVERS),
        lambda: _said(ages.remove_versions(client), "removed {} version{s} of the published files"),
        lambda: _said(ages.remove_refused(client, now), "removed {} refused file{s}"),
        lambda: _said(ages.empty_quarantine(client, now), "emptied {} row{s} in quarantine"),
        lambda: _of_merging(_merge(client, now, over)),
        lambda: "" if problems else _note_kept(client, now),
    ):
        try:
            done += filter(None, [work()])
        except Exception as error:
            problem = (
                disk_problem(error) or f"{type(error).__name__}: {' '.join(str(error).split())}"
            )
            problems.append(f"housekeeping: {problem}")
    return Kept(client.id, done, problems)


_LEFTOVERS = "removed {} file{s} that killed processes had begun"


def _merge(client: Client, now: datetime, over: float) -> Merged:
    if not may_merge(client.id):
        return Merged()
    return merge(client.id, now.replace(tzinfo=None), lambda: monotonic() > over)


def _of_merging(merged: Merged) -> str:
    files = (
        f"merged {merged.files} small files of the lake into {merged.into}" if merged.files else ""
    )
    removed = _said(merged.removed, "removed {} file{s} of the lake that were merged before")
    return "; ".join(filter(None, (files, removed)))


def _shared(clients: list[Client], now: datetime) -> Kept:
    """Remove what has come of age of what all clients share; nothing while a client's file cannot be used."""
    if named_by_files() - {client.id for client in clients}:
        return Kept("")
    try:
        done = [
            _said(ages.remove_days(clients, now), "removed {} day{s} of the ledger of runs"),
            _said(ages.remove_torn(clients, now), "removed {} torn warehouse file{s}"),
            _said(ages.remove_shared_leftovers(now), _LEFTOVERS),
        ]
        return Kept("", list(filter(None, done)))
    except OSError as error:
        return Kept("", problems=[f"housekeeping: {disk_problem(error) or error}"])


def _said(count: int, text: str) -> str:
    return text.format(count, s="" if count == 1 else "s") if count else ""


def _day(now: datetime) -> str:
    return f"{now:%Y-%m-%d}"


def _note_kept(client: Client, now: datetime) -> str:
    write_atomically(_note(client), json.dumps({"kept_on": _day(now)}))
    return ""


def _note(client: Client) -> Path:
    return lake_folder() / client.id / "_housekeeping.json"
