"""Disturb a client's stream at random, and say if its lake is what the CRM went through.

Another client follows a CRM of its own meanwhile: whatever was done to the first, its deals are
waited for at once.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from demo.servers import Status
from demo.servers.event_bus import EventBus
from tests.builders.org import Org
from tests.builders.streams import Stream, org_of

DEALS = range(10)
STAGES = ("Open", "Demo", "Closed Won", "Lost")
AWAY = Status(503, [{"errorCode": "SERVER_UNAVAILABLE", "message": "away"}], path="query")


class Trouble(Exception):
    """What a step of the stream may raise."""


class State(NamedTuple):
    """What the lake should say of a deal."""

    stage: str
    is_deleted: bool


class Disturbed:
    """A client's stream and what its CRM went through; each method that starts with `_on` is a step."""

    def __init__(self, stream: Stream, neighbour: Stream, random: Random) -> None:
        self._stream, self._neighbour, self._random = stream, neighbour, random
        self._org, self._bus = stream.org, stream.bus
        self.history: dict[int, list[State]] = {number: [] for number in DEALS}
        self.steps: list[str] = []
        self._running = ExitStack()
        self._minute = self._closed = 0
        self._is_down = False

    def run(self, steps: int) -> None:
        """Take so many steps at random, then heal everything and wait until it has settled."""
        names = [name for name in dir(self) if name.startswith("_on_")]
        with self._running:
            self._start()
            for name in self._random.choices(names, k=steps):
                self.steps.append(name.removeprefix("_on_"))
                getattr(self, name)()
            self._heal()
            self._stream.reached(self._change())

    def _start(self) -> None:
        self._running.enter_context(self._stream)

    def _heal(self) -> None:
        self._org.server.heal()
        if self._is_down:
            self._on_bus_up_or_down()

    def _change(self, **told: Any) -> bytes:
        """Change a deal in the CRM, and publish that it changed. Its stamp may be an old one."""
        number = self._put()
        return self._bus.publish("Opportunity", f"006{number:012}AAA", **told)

    def _put(self) -> int:
        number = self._random.choice(DEALS)
        stage, is_deleted = self._random.choice(STAGES), self._random.random() < 0.2
        self._minute += self._random.choice((0, 1))
        late = self._random.choice((0, 0, 3))
        self._org.deal(number, self._minute - late, StageName=stage, IsDeleted=is_deleted)
        self.history[number].append(State(stage, is_deleted))
        return number

    def _on_change(self) -> None:
        self._change()

    def _on_changes(self) -> None:
        for _ in range(self._random.choice((2, 7, 120))):
            last = self._change()
        if not self._is_down and self._random.random() < 0.5:
            self._org.server.heal()
            self._stream.reached(last)

    def _on_gap(self) -> None:
        self._change(change=self._random.choice(("GAP_UPDATE", "GAP_DELETE", "GAP_UNDELETE")))

    def _on_overflow(self) -> None:
        self._put()
        self._bus.publish("Opportunity", change="GAP_OVERFLOW")

    def _on_undecodable(self) -> None:
        self._change(payload=b"\xff" * 40)

    def _on_new_field(self) -> None:
        self._change(**{f"Field{len(self.steps)}__c": "new"})

    def _on_broken_schema(self) -> None:
        self._on_new_field()
        self._bus.broken_schemas[self._bus.newest_schema] += self._random.choice((1, 2, 6))

    def _on_cut(self) -> None:
        self._bus.cut(self._random.choice((0, 0, 1, 2)))

    def _on_sessions_end(self) -> None:
        self._org.server.end_sessions()

    def _on_session_ends_at_a_schema(self) -> None:
        self._bus.end_session_at_schema = True
        self._on_new_field()

    def _on_org_away(self) -> None:
        self._org.server.fail(AWAY, times=self._random.choice((1, 3)))
        self._change()

    def _on_bus_up_or_down(self) -> None:
        self._bus.come_up() if self._is_down else self._bus.go_down()
        self._is_down = not self._is_down
        self._change()

    def _on_restart(self) -> None:
        """Follow no more for hours, or for longer than the bus keeps what it has."""
        self._heal()
        self._running.close()
        self._change()
        self._bus.age(timedelta(hours=self._random.choice((1, 71, 73))))
        self._change()
        self._start()

    def _on_trouble(self) -> None:
        """Fail before or after the next deals are brought in."""
        where = self._random.choice(("before", "after"))

        def fail(notice: object) -> None:
            setattr(self._stream, where, lambda notice: None)
            raise Trouble(f"{where} it was brought in")

        setattr(self._stream, where, fail)
        self._change()

    def _on_neighbour(self) -> None:
        """Wait for a deal of the other client, whatever goes on here."""
        self._closed += 1
        self._neighbour.reached(self._neighbour.close(self._closed))


def differences(disturbed: Disturbed, org: Org, twin: Org) -> Iterator[str]:
    """Say what a lake lacks, or has twice: against the CRM's history, and a twin's lake."""
    for number, states in disturbed.history.items():
        rows = org.deals("opportunity_id, stage, is_deleted")
        seen = [State(*row[1:]) for row in rows if row[0] == f"006{number:012}AAA"]
        if any(one == other for one, other in pairwise(seen)):
            yield f"deal {number} is there twice: {seen}"
        left = iter(states)
        if not all(one in left for one in seen):
            yield f"deal {number} was never, or not in this order, {seen}: {states}"
    newest = "opportunity_id, stage, is_won, amount, closed_at"
    if org.newest_deals(newest) != twin.newest_deals(newest):
        yield f"{org.newest_deals(newest)} is not {twin.newest_deals(newest)}"


@contextmanager
def streams(home: Path, name: str) -> Iterator[tuple[Stream, Stream, Org]]:
    """Yield the stream of a client, that of a neighbour, and a twin of the first that nobody follows."""
    with ExitStack() as stack:
        org = stack.enter_context(org_of(home, name))
        twin = stack.enter_context(org_of(home, f"{name}twin", org.server))
        other = stack.enter_context(org_of(home, f"{name}neighbour"))
        found = []
        for one in (org, other):
            bus = stack.enter_context(EventBus(one.server))
            bus.keepalive = 0.05
            found.append(Stream(one, bus))
        for one in (org, twin, other):
            one.set("tables: [opportunities]", patience=0.02)
        yield found[0], found[1], twin


def disturb(home: Path, seed: int, steps: int) -> list[str]:
    """Disturb a stream at random; return what is wrong in the end, and by which steps."""
    with streams(home, f"seed{seed}") as (stream, neighbour, twin):
        disturbed = Disturbed(stream, neighbour, Random(seed))
        with neighbour:
            neighbour.begun()
            disturbed.run(steps)
        twin.poll()
        found = [*differences(disturbed, stream.org, twin)]
        return [f"{each}, after {', '.join(disturbed.steps)}" for each in found]
