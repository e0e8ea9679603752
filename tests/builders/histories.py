"""Write small histories by hand, and replay any history as mornings would have seen it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from random import Random

import duckdb
import time_machine

from pipelines.contracts.catalog import CONTRACTS
from pipelines.lake.loads import seen_from
from pipelines.serving.warehouse import Warehouse
from tests.builders import lake_writer
from tests.builders.lake_writer import START, Load
from tests.builders.restating import restate
from tests.conftest import House
from tests.rendered import Models

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


def session(number: int, started_at: str, **others) -> dict:
    """Return a session from a newsletter."""
    columns = dict.fromkeys(CONTRACTS["web"]["sessions"].columns)
    newsletter = {"source": "newsletter", "medium": "email", "is_deleted": False}
    return (
        columns
        | newsletter
        | {"session_id": f"session-{number}", "started_at": started_at}
        | others
    )


def deal(number: int, customer: str, closed_at: str) -> dict:
    """Return a won deal over 100."""
    return {
        "opportunity_id": f"deal-{number}",
        "customer_id": customer,
        "stage": "Closed",
        "is_won": "true",
        "closed_at": closed_at,
        "amount": "100",
        "currency": "EUR",
        "is_deleted": False,
    }


def mornings(random: Random, history: list[Load], count: int) -> list[datetime]:
    """Return times to run at: with a load, in its second, later that day, at midnight, on other days."""
    times = {max(load.at for load in history) + SECOND}
    while len(times) < count:
        at = random.choice(history).at
        midnight = at.replace(hour=0, minute=0, second=0, microsecond=0) + DAY
        times.add(
            random.choice([at, at + SECOND, at + timedelta(hours=5), midnight, midnight + DAY])
        )
    first = START + timedelta(minutes=1)  # SQLMesh's plans end where the running minute began
    return sorted(time for time in times if time >= first)


def seen(history: list[Load], now: datetime) -> list[Load]:
    """Return the loads committed by now that a run sees: it ends with the last whole second."""
    end = now.replace(microsecond=0)
    return [load for load in history if load.at <= now and seen_from(load.at) < end]


def replay(models: Models, history: list[Load], runs: list[datetime]) -> Iterator[tuple]:
    """Run a history at some times, each run from the day of the one before; yield warehouse and time."""
    warehouse, start = models.empty(), START
    for load in history:
        models.load(warehouse, load)
    for until in runs:
        models.run(warehouse, start, until)
        yield warehouse, until
        start = until.replace(hour=0, minute=0, second=0)


def reader(warehouse: duckdb.DuckDBPyConnection, client: str):
    """Return a function that reads columns of one of the client's tables."""
    return lambda columns, table: warehouse.execute(
        f"SELECT {columns} FROM {client}_{table}"
    ).fetchall()


class Clock:
    """A house whose mornings come when the test says so."""

    def __init__(self, home: Path, clients: dict[str, dict]) -> None:
        (home / "clients").mkdir(parents=True)
        for name, chosen in clients.items():
            (home / f"clients/{name}.yaml").write_text(lake_writer.settings(name, **chosen))
        self.house = House(home).enter()
        self.clients = {name: self.house.client(name) for name in clients}
        self.now = START
        self.warehouse = Warehouse("home")

    @contextmanager
    def at(self, moment: datetime) -> Iterator[None]:
        """Make it be some UTC time."""
        self.now = moment
        with time_machine.travel(moment.replace(tzinfo=timezone.utc), tick=False):
            yield

    def run(self, moment: datetime) -> None:
        """Run all clients at a time."""
        names = list(self.clients)
        with self.at(moment):
            if not self.warehouse.promoted("daily"):
                self.warehouse.plan("daily", names, backfill=False)
            failed = self.warehouse.run("daily", names)
            assert failed == {}, failed

    def restate(self, client: str, start: datetime) -> None:
        """Publish, then compute a client anew from a day on, from staging to what is published."""
        with self.at(self.now):
            self.warehouse.plan("prod", list(self.clients), backfill=False)
            self.warehouse.close()
            restate("prod", f"{client}_staging.*", start.date())
            self.warehouse = Warehouse("home")

    def rebuilt(self, home: Path) -> "Clock":
        """Return a house with the same settings and lake, whose warehouse was planned once.

        A plan computes up to a whole minute, the next one here; a run up to a whole second.
        """
        home.mkdir()
        for folder in ("clients", "lake"):
            (home / folder).symlink_to(self.house.home / folder)
        other = Clock.__new__(Clock)
        other.house, other.clients, other.now = House(home).enter(), self.clients, self.now
        other.warehouse = Warehouse("home")
        with other.at(self.now.replace(second=0, microsecond=0) + timedelta(minutes=1)):
            other.warehouse.plan("daily", list(self.clients))
        return other

    def unpublished(self, client: str) -> list[str]:
        """Return the client's tables up to the marts, by layer and name."""
        return [
            name.removeprefix(f"{client}_")
            for name, model in self.warehouse.models.items()
            if re.match(rf"{client}_(?!publish)", name) and not model.kind.is_embedded
        ]

    def tables(self, client: str) -> dict[str, list[tuple]]:
        """Return every row of a client's tables up to the marts."""
        return {
            name: self.warehouse.rows(f"FROM {client}_{name.replace('.', '__daily.')} ORDER BY ALL")
            for name in self.unpublished(client)
        }

    def reader(self, client: str):
        """Return a function that reads columns of one of the client's tables."""
        return lambda columns, table: self.warehouse.rows(
            f"SELECT {columns} FROM {client}_{table.replace('.', '__daily.')}"
        )
