"""Serve every client's morning: ingest each client, and run it as soon as its ingest has ended."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pipelines.ingest.run import Ingest, Outcome
from pipelines.learning.training import due, utc_now
from pipelines.processes import Process, heard
from pipelines.serving import memory
from pipelines.serving.report import Report, held
from pipelines.settings.client import Client
from pipelines.torn_blocks import doubt, is_doubted
from pipelines.warehouse_files import stamp


class Ingested(NamedTuple):
    """A client whose ingest has ended, and what became of its sources."""

    outcomes: list[Outcome]


class Waiting(NamedTuple):
    """What the morning waits for, in a line."""

    line: str


Event = Ingested | Waiting | Report


def morning(clients: list[Client]) -> Iterator[Event]:
    """Ingest the clients, run those that have something new, and say so as it happens."""
    at_work = _Morning(clients)
    try:
        yield from at_work.events()
    finally:
        at_work.end()


def serve(clients: Iterable[Client]) -> Iterator[Report]:
    """Serve clients whose ingest has ended, in this process; yield a report of each, as they end."""
    states, shards = {}, defaultdict(list)
    for client in clients:
        states[client.id], report = _recalled(client)
        if report:
            yield report
        else:
            shards[client.shard].append(client)
    for shard, members in shards.items():
        before = stamp(shard)
        yield from memory.remember(shard, before, states, serve_shard(members))


def serve_shard(clients: list[Client]) -> list[Report]:
    """Run clients of one shard in this process."""
    from pipelines.serving.shard_run import ShardRun  # here: it loads all of SQLMesh

    shard = clients[0].shard
    return ShardRun(shard, print, is_doubted(shard)).serve(clients)


class _Shard:
    """The clients of one shard that are ready, those that are run, and the process that runs them.

    The process loads SQLMesh with its first clients, and is given others as they become ready.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.ready: list[Client] = []
        self.running: list[Client] = []
        self.process: Process | None = None
        self._before, self._was_doubted = "", is_doubted(name)

    def run(self) -> None:
        """Hand over the clients that are ready."""
        from pipelines.serving.shard_run import serve_as_told  # once: the process is forked

        self.process = self.process or Process(serve_as_told, self.name, self._was_doubted)
        self._was_doubted = False
        self.running, self.ready, self._before = self.ready, [], stamp(self.name)
        self.process.send(self.running)

    def hear(self, states: dict[str, str]) -> Iterator[Waiting | Report]:
        """Yield what the process says: what it waits for, or the reports of the clients it ran."""
        try:
            said = self.process.hear() if self.process else []
        except EOFError:
            self.process = None
            doubt(self.name)  # DuckDB may have died of a torn block
            died = f"the process of warehouse/{self.name}.duckdb died; run it again"
            said = [held(client.id, died) for client in self.running]
        if isinstance(said, str):
            yield Waiting(said)
            return
        self.running = []
        yield from memory.remember(self.name, self._before, states, said)

    def end(self) -> None:
        """End the process."""
        if self.process:
            self.process.end()
            self.process = None


class _Morning:
    """Clients on their way: to be ingested, ready to be run, run."""

    def __init__(self, clients: list[Client]) -> None:
        self._ingest = Ingest(clients)
        self._states: dict[str, str] = {}
        self._shards = {client.shard: _Shard(client.shard) for client in clients}

    def events(self) -> Iterator[Event]:
        """Yield what happens, until every client is served."""
        for client in self._ingest.without_sources():
            yield from self._ingested(client, [])
        while processes := [*self._ingest.pool.running(), *self._run_shards()]:
            for process in heard(processes, self._ingest.pool.next_start()):
                yield from self._heard(process)

    def end(self) -> None:
        """End all processes, whatever they do."""
        self._ingest.pool.end()
        for shard in self._shards.values():
            shard.end()

    def _heard(self, process: Process) -> Iterator[Event]:
        for shard in self._shards.values():
            if shard.process is process:
                yield from shard.hear(self._states)
                return
        if done := self._ingest.ended(process):
            yield from self._ingested(*done)

    def _ingested(self, client: Client, outcomes: list[Outcome]) -> Iterator[Event]:
        """Take a client whose ingest has ended: it is ready to be run, unless nothing is new."""
        yield Ingested(outcomes)
        unsaid = [each for each in outcomes if each.status.holds and not each.is_kept]
        if unsaid:  # the gate cannot know of it
            why = "; ".join(f"{each.source}: {each.problem}" for each in unsaid)
            yield _not_run(client, why)
            return
        self._states[client.id], report = _recalled(client)
        if report:
            yield report
        else:
            self._shards[client.shard].ready.append(client)

    def _run_shards(self) -> list[Process]:
        """Start what can be run, a shard a processor; return the processes that run clients."""
        shards = self._shards.values()
        for shard in shards:
            busy = [each for each in shards if each.running]
            if shard.ready and not shard.running and len(busy) < (os.cpu_count() or 1):
                self._make_room(shard)
                shard.run()
        return [each.process for each in shards if each.running and each.process]

    def _make_room(self, shard: _Shard) -> None:
        """End another shard's process that only waits: each takes the memory of all its models."""
        idle = [each for each in self._shards.values() if each.process and not each.running]
        if not shard.process and len(idle) >= (os.cpu_count() or 1):
            idle[0].end()


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
