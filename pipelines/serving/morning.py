"""Serve every client's morning in order of deadline: ingest each, and run it once its ingest has ended."""

import os
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from typing import NamedTuple

from pipelines.ingest.run import Ingest, Outcome
from pipelines.learning.training import due, utc_now
from pipelines.ledger.recording import INTERRUPTED, Step, begin, end, parts_of
from pipelines.ledger.run_events import Run
from pipelines.processes import Process, heard
from pipelines.serving import memory
from pipelines.serving.at_work import forget, was_at
from pipelines.serving.report import Report, held
from pipelines.settings.client import Client
from pipelines.settings.deadlines import by_deadline
from pipelines.torn_blocks import doubt, is_doubted


class Ingested(NamedTuple):
    """A client whose ingest has ended, and what became of its sources."""

    client: str
    outcomes: list[Outcome]


class Waiting(NamedTuple):
    """What the morning waits for, or what else it has to say, in a line."""

    line: str


Event = Ingested | Waiting | Step | Report

_REMEDY = (
    "the other clients are served without it; undo what was last changed of its settings or its data, as"
    " attribution.custom, then make preview and make promote; report it if that does not help"
)


def morning(clients: list[Client]) -> Iterator[Event]:
    """Ingest the clients, run those that have something new, and say so as it happens."""
    at_work = _Morning(by_deadline(clients, datetime.now(timezone.utc)))
    try:
        yield from at_work.events()
    finally:
        at_work.end()


def serve(clients: Iterable[Client]) -> Iterator[Report]:
    """Serve clients whose ingest has ended, in this process; yield a report of each, as they end."""
    shards: defaultdict[str, list[Client]] = defaultdict(list)
    for client in by_deadline(clients, datetime.now(timezone.utc)):
        shards[client.shard].append(client)
    for members in shards.values():
        yield from serve_shard(members)


def serve_shard(clients: list[Client]) -> Iterator[Report]:
    """Serve clients of one shard in this process."""
    from pipelines.serving.shard_run import ShardRun  # here: it loads all of SQLMesh

    shard = clients[0].shard
    memory.take_up(shard)
    shard_run = ShardRun(shard, print, is_doubted(shard))
    for client in clients:
        run = begin(client.id, "daily")
        state, report = _recalled(client)
        if not report:
            before, began = memory.begin(shard), time.process_time()
            with parts_of(run):
                said = shard_run.serve(client)
            said = said._replace(cpu_seconds=time.process_time() - began)
            report = memory.remember(shard, before, {client.id: state}, said)
        _end(run, report)
        yield report


class _Shard:
    """The clients of one shard that are ready, the one that is run, and the process that runs it.

    The process loads SQLMesh with its first client, and is given one after the other: the one whose
    deadline comes first of those that are ready by then.
    """

    def __init__(self, name: str, clients: list[Client]) -> None:
        self.name = name
        self.ready: list[Client] = []
        self.running: Client | None = None
        self.process: Process | None = None
        self._before, self._was_doubted = "", is_doubted(name)
        self._order = [client.id for client in clients]
        self._died_of = set[str]()
        self._has_run = False

    @property
    def rank(self) -> int:
        """Return which place the most urgent of the clients that are ready has among all."""
        return min((self._order.index(client.id) for client in self.ready), default=0)

    def run(self, runs: dict[str, Run]) -> None:
        """Hand over the most urgent of the clients that are ready."""
        from pipelines.serving.shard_run import serve_as_told  # once: the process is forked

        if not self.process:
            forget(self.name)
        self.process = self.process or Process(serve_as_told, self.name, self._was_doubted)
        self._was_doubted, self._has_run = False, True
        client = min(self.ready, key=lambda each: self._order.index(each.id))
        self.ready.remove(client)
        self.running, self._before = client, memory.begin(self.name)
        self.process.send((client, runs[client.id]))

    def hear(self, states: dict[str, str]) -> Waiting | Step | Report:
        """Return what the process says: what it waits for, a step, or the report of the client it ran."""
        assert self.process and self.running
        try:
            said = self.process.hear()
        except EOFError:
            said = self._died(self.running)
        if isinstance(said, str):
            return Waiting(said)
        if isinstance(said, Step):
            return said
        self.running = None
        return memory.remember(self.name, self._before, states, said)

    def _died(self, client: Client) -> str | Report:
        """Return what is said of a process that died: its client is run once more, or held alone.

        It may have been killed, or have died of a torn block: before another process runs a client
        the file is read whole. One that dies of the same client again would always do so.
        """
        self.process, self._was_doubted = None, True
        doubt(self.name)
        model = was_at(self.name)
        forget(self.name)
        died = f"the process of warehouse/{self.name}.duckdb died"
        died += f" as it computed {model}" if model else f" as it ran {client.id}"
        if client.id in self._died_of:
            return held(client.id, f"{died}, twice: {_REMEDY}")
        self._died_of.add(client.id)
        self.ready.append(client)
        self.running = None
        return f"{died}: {client.id} is run once more"

    def tidy(self) -> str:
        """Remove from the warehouse what nobody needs any more, once a day; return what is to be said."""
        if not self._has_run:  # it costs more than a look that finds nothing new
            return ""
        from pipelines.serving.shard_run import serve_as_told
        from pipelines.serving.tidying import have_tidied, is_due

        if not is_due(self.name):
            return ""
        self.process = self.process or Process(serve_as_told, self.name, False)
        try:
            return have_tidied(self.name, self.process).line
        finally:
            self.end()

    def end(self) -> None:
        """End the process."""
        if self.process:
            self.process.end()
            self.process = None


class _Morning:
    """Clients on their way, in order of deadline: to be ingested, ready to be run, run."""

    def __init__(self, clients: list[Client]) -> None:
        self._runs = {client.id: begin(client.id, "daily") for client in clients}
        self._ingest = Ingest(clients, self._runs)
        self._states: dict[str, str] = {}
        self._shards = {client.shard: _Shard(client.shard, clients) for client in clients}
        for shard in self._shards:
            memory.take_up(shard)

    def events(self) -> Iterator[Event]:
        """Yield what happens, until every client is served, and their warehouses are tidied."""
        for client in self._ingest.without_sources():
            yield from self._ingested(client, [])
        while processes := [*self._ingest.pool.running(), *self._run_shards()]:
            for process in heard(processes, self._ingest.pool.next_start()):
                yield from self._heard(process)
        yield from (Waiting(line) for shard in self._shards.values() if (line := shard.tidy()))

    def end(self) -> None:
        """End all processes, whatever they do; who was not served by then was interrupted."""
        self._ingest.pool.end()
        for shard in self._shards.values():
            shard.end()
        for run in self._runs.values():
            run.fails(INTERRUPTED, "it was interrupted")
            end(run, run.cpu_seconds)
        self._runs.clear()

    def _heard(self, process: Process) -> Iterator[Event]:
        for shard in self._shards.values():
            if shard.process is process:
                yield self._noted(shard.hear(self._states))
                return
        if done := self._ingest.ended(process):
            yield from self._ingested(*done)

    def _noted(self, event: Waiting | Step | Report) -> Event:
        """Note in the ledger what a client's morning read, made, and how it ended."""
        if isinstance(event, Step) and (whole := self._runs.get(event.run.client)):
            whole.loads |= event.run.loads
            whole.made |= event.run.made
            whole.models |= event.run.models
        if isinstance(event, Report):
            _end(self._runs.pop(event.client), event)
        return event

    def _ingested(self, client: Client, outcomes: list[Outcome]) -> Iterator[Event]:
        """Take a client whose ingest has ended: it is ready to be run, unless nothing is new."""
        yield Ingested(client.id, outcomes)
        whole = self._runs[client.id]
        whole.rows = sum(each.counts.appended for each in outcomes)
        whole.cpu_seconds = sum(each.cpu_seconds for each in outcomes)
        unsaid = [each for each in outcomes if each.status.holds and not each.is_kept]
        if unsaid:  # the gate cannot know of it
            why = "; ".join(f"{each.source}: {each.problem}" for each in unsaid)
            yield self._noted(_not_run(client, why))
            return
        self._states[client.id], report = _recalled(client)
        if report:
            yield self._noted(report)
        else:
            self._shards[client.shard].ready.append(client)

    def _run_shards(self) -> list[Process]:
        """Start what can be run, a shard a processor; return the processes that run clients."""
        shards = self._shards.values()
        for shard in sorted(shards, key=lambda each: each.rank):
            busy = [each for each in shards if each.running]
            if shard.ready and not shard.running and len(busy) < (os.cpu_count() or 1):
                self._make_room(shard)
                shard.run(self._runs)
        return [each.process for each in shards if each.running and each.process]

    def _make_room(self, shard: _Shard) -> None:
        """End another shard's process that only waits: each takes the memory of all its models."""
        idle = [each for each in self._shards.values() if each.process and not each.running]
        if not shard.process and len(idle) >= (os.cpu_count() or 1):
            idle[0].end()


def _end(run: Run, report: Report) -> None:
    """Record how a client's morning ended."""
    run.outcome, run.reason = report.result, "; ".join(report.reasons)
    run.has_failed = report.result == "held"
    end(run, (run.cpu_seconds or 0) + report.cpu_seconds)


def _recalled(client: Client) -> tuple[str, Report | None]:
    """Return a client's state, and the report of one that needs no run: nothing new, or unreadable."""
    try:
        state = memory.state(client)
        return state, None if due(client, utc_now()) else memory.recall(client, state)
    except Exception as error:  # whatever is torn there is this client's alone
        return "", _not_run(client, f"its lake is not readable: {type(error).__name__}: {error}")


def _not_run(client: Client, why: str) -> Report:
    """Return the report of a client that is held before it is run; `make status` tells it, too."""
    report = held(client.id, why)
    memory.note_held(client.shard, report)
    return report
