"""Bring every client's sources into the lake, each client in a process of its own."""

import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timezone
from itertools import chain
from pathlib import Path
from typing import NamedTuple, cast

import duckdb

from pipelines.disk import disk_problem
from pipelines.ingest.bounds import bounds, exceeded, no_time_left, stop_asking_at
from pipelines.ingest.commit import Loaded, bring_in
from pipelines.ingest.fetching import fetch_request
from pipelines.ingest.freshness import aged, answered, delivered
from pipelines.ingest.load_counts import Counts
from pipelines.ingest.readable_now import readable_now, said
from pipelines.ingest.refusals import status_of
from pipelines.ingest.remedies import naming
from pipelines.ingest.rereading import from_the_start
from pipelines.ingest.sharing import note_contents
from pipelines.ingest.source_log import SourceLog
from pipelines.ingest.source_status import Status, forget, moment, printable, statuses, write
from pipelines.lake.append import alone, scratch
from pipelines.lake.client_sources import client_sources
from pipelines.lake.newest_loads import newest_loads
from pipelines.lake.tombstones import without_erased
from pipelines.ledger.outcomes import Outcome as RunOutcome
from pipelines.ledger.recording import parts_of, recorded
from pipelines.ledger.run_events import Run
from pipelines.processes import Exceeded, Pool, Process, heard
from pipelines.settings.client import Client
from pipelines.settings.deadlines import by_deadline
from pipelines.sources.batches import Batch, ChangedMeanwhile, ExportError
from pipelines.sources.deliveries import Platform, exported, platform_of
from pipelines.sources.errors import PlatformError


class Outcome(NamedTuple):
    """What became of one source of one client: the rows it brought, and its status."""

    client: str
    source: str
    counts: Counts
    status: Status
    is_kept: bool = True  # whether the status is in the lake, where the gate reads it
    cpu_seconds: float = 0.0  # of the process that brought it

    @property
    def problem(self) -> str:
        """Return what is wrong; nothing if all is well."""
        return self.status.summary


class Ingest:
    """Every client's sources on their way into the lake, each in a process of its own.

    They are started in the order of the clients. `wholes` has the runs that they are parts of, in the
    ledger, by client.
    """

    def __init__(self, clients: list[Client], wholes: dict[str, Run] | None = None) -> None:
        with duckdb.connect() as connection:
            connection.execute("SELECT ?", [1])  # loads pandas: here once, not in every process
        self._clients = {client.id: client for client in clients}
        self._running = {client.id: _sources(client) for client in clients}
        self._outcomes: dict[str, list[Outcome]] = {client.id: [] for client in clients}
        works = [
            (client, source, (wholes or {}).get(client.id))
            for client in clients
            for source in self._running[client.id]
        ]
        self.pool = Pool(_ingest_alone, works, lambda work: bounds(work[0]))
        for client in clients:
            _forget_others(client)

    def without_sources(self) -> list[Client]:
        """Return the clients that deliver nothing."""
        return [client for client in self._clients.values() if not self._running[client.id]]

    def ended(self, process: Process) -> tuple[Client, list[Outcome]] | None:
        """Note that a process has ended; return the client and its outcomes if it was its last one."""
        if not (done := self.pool.answer(process)):
            return None
        (client, source, _), answer = done
        if isinstance(answer, Exceeded):
            answer = _ended(exceeded(client, source, answer))
        self._outcomes[client.id].append(answer or _ended(Status(client.id, source, *_DIED)))
        self._running[client.id].remove(source)
        return None if self._running[client.id] else (client, self._outcomes.pop(client.id))


def ingest(chosen: list[Client]) -> Iterator[list[Outcome]]:
    """Bring in the clients, in order of deadline; yield each one's outcomes as it ends."""
    ingesting = Ingest(by_deadline(chosen, datetime.now(timezone.utc)))
    try:
        yield from ([] for _ in ingesting.without_sources())
        while running := ingesting.pool.running():
            for process in heard(running, ingesting.pool.next_start()):
                if done := ingesting.ended(process):
                    yield done[1]
    finally:
        ingesting.pool.end()


_DIED = ("failed", "its process died; run it again")


def _ingest_alone(work: tuple[Client, str, Run | None]) -> Outcome:
    """Bring in one source, in this process."""
    client, source, whole = work
    with parts_of(whole):
        outcome = ingest_source(client, source)
    return outcome._replace(cpu_seconds=time.process_time())


def ingest_client(client: Client) -> list[Outcome]:
    """Bring in one client's sources, one after the other; a bad one leaves the rest alone."""
    _forget_others(client)
    return [ingest_source(client, source) for source in _sources(client)]


def _forget_others(client: Client) -> None:
    """Forget the status of each source that the client no longer has."""
    with suppress(OSError):  # the disk takes no change: whatever is to be written says so
        forget(client, set(client_sources(client.id)) - set(_sources(client)))


def _sources(client: Client) -> list[str]:
    return list(dict.fromkeys(source for source, _, _ in client.sources.feeds()))


def ingest_source(
    client: Client, source: str, is_asked: bool = False, is_poll: bool = False
) -> Outcome:
    """Bring in one source: all of its tables in one commit, or none and the reason.

    What a platform answered before an error is brought in, too. If it `is_asked`, what was loaded of
    its exports is read again. A poll between nights, `is_poll`, leaves to the night what a platform
    does not mark as changed, and the ledger has nothing of it: there are thousands a day.
    """
    if is_poll:
        return _ingest(client, source, is_asked, is_poll)
    with recorded(client.id, "reread" if is_asked else "ingest", source) as run:
        outcome = _ingest(client, source, is_asked, is_poll)
        _note(run, outcome)
        return outcome


def _note(run: Run, outcome: Outcome) -> None:
    """Note in the ledger what became of a source; one that is late or holds has failed there."""
    counts, status = outcome.counts, outcome.status
    run.rows, run.reason = counts.appended, without_erased(status.client, outcome.problem)
    run.outcome = cast(RunOutcome, status.code)
    run.has_failed = status.code not in ("ok", "stale")
    if counts.appended or counts.deleted:
        run.made = {status.source: newest_loads(status.client).get(status.source, "")}


_STILL_SOON = (1.0, 2.0, 4.0)  # seconds until a file that was changed as it was read is read again


def _ingest(
    client: Client,
    source: str,
    is_asked: bool,
    is_poll: bool,
    pauses: tuple[float, ...] = _STILL_SOON,
) -> Outcome:
    try:
        with alone(client.id, source), scratch(client.id, source) as folder:
            log = SourceLog(client.id, source)
            try:
                return _bring_in(client, log, folder, is_asked, is_poll)
            except (
                ExportError,
                PlatformError,
            ) as error:  # the folder still has what was downloaded
                if not (isinstance(error, ChangedMeanwhile) and pauses):
                    return _ended(aged(client, log, _refused(client, source, error, log)))
        time.sleep(pauses[0])
        return _ingest(client, source, is_asked, is_poll, pauses[1:])
    except Exception as error:
        return _ended(_refused(client, source, error))


def _refused(client: Client, source: str, error: Exception, log: SourceLog | None = None) -> Status:
    """Return the status of a source that brought nothing: what was said of the load before still holds."""
    notes = [_of_before(note, log) for note in _said_before(client, source)]
    return status_of(client, source, error)._replace(notes=notes)


def _said_before(client: Client, source: str) -> list[str]:
    return [note for each in statuses(client) if each.source == source for note in each.notes]


def _of_before(note: str, log: SourceLog | None) -> str:
    """Return a note with the time of the load that it is of, lest it be taken for one of a refused file."""
    if note.startswith(_BEFORE):
        return note
    at = f" of {moment(max(log.loads.values()))} UTC" if log and log.loads else ""
    return f"{_BEFORE}{at}: {note}"


_BEFORE = "in the load before"


def _bring_in(
    client: Client, log: SourceLog, folder: Path, is_asked: bool, is_poll: bool
) -> Outcome:
    """Bring in what was exported, or what a platform answers."""
    if platform := platform_of(client, log.source):
        return _fetch(client, log, platform, folder, is_poll)
    request = fetch_request(client, log, folder)
    tables = client.sources.of(log.source)
    request = from_the_start(request, log, is_asked)
    batches: dict[str, list[Batch]] = {}
    for table in tables:
        with naming(table):
            batches[table] = exported(request, log.source, table)
    loaded = bring_in(client, log, batches, folder, is_asked)
    note_contents(client, log.source, chain.from_iterable(batches.values()))
    status = aged(client, log, Status(client.id, log.source), delivered(batches))
    return _loaded(client, status, loaded)


def _fetch(
    client: Client, log: SourceLog, platform: Platform, folder: Path, is_poll: bool
) -> Outcome:
    """Bring in what a platform answers, up to its first error."""
    batches: dict[str, list[Batch]] = {}
    status, until = Status(client.id, log.source), stop_asking_at(client)
    warnings: dict[str, None] = {}  # each once, in the order in which they came
    request = fetch_request(client, log, folder, is_poll=is_poll)
    again = {} if is_poll else readable_now(client, log)
    request = request._replace(
        warn=lambda text: warnings.update({printable(text): None}), again=again
    )
    try:
        for batch in platform.fetch(request):
            batches.setdefault(batch.table, []).append(batch)
            if datetime.now(timezone.utc) > until:
                raise no_time_left(log.source)
    except PlatformError as error:
        status = status_of(client, log.source, error)
    loaded = bring_in(client, log, batches, folder, is_asked=bool(again))
    loaded = loaded._replace(notes=[*said(again), *loaded.notes])
    days = [str(day) for day in platform.missing(fetch_request(client, log, folder))]
    alive = answered(client.sources.of(log.source)) if status.code == "ok" else {}
    status = status._replace(days_missing=days, warnings=list(warnings))
    status = aged(client, log, status, alive)
    return _loaded(client, status, loaded)


def _loaded(client: Client, status: Status, loaded: Loaded) -> Outcome:
    """Return the outcome of what was loaded; where nothing was read, what was said still holds."""
    said = [] if loaded.was_read else _said_before(client, status.source)
    notes = list(dict.fromkeys([*said, *loaded.notes]))
    return _ended(status._replace(notes=notes), loaded.counts)


def _ended(status: Status, counts: Counts = Counts()) -> Outcome:
    try:
        write(status)
    except OSError as error:  # then the gate cannot read it: whoever serves the client is told
        problems = [status.problem, disk_problem(error) or str(error)]
        problem = "; ".join(dict.fromkeys(filter(None, problems)))
        status = status._replace(code="failed", problem=printable(problem))
        return Outcome(status.client, status.source, counts, status, is_kept=False)
    return Outcome(status.client, status.source, counts, status)
