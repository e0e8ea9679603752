"""One training: what it learns from, what it has learnt, and what a model must offer to be trained."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Protocol

import duckdb
import pyarrow as pa
import pyarrow.compute

from pipelines.home import home
from pipelines.learning.journeys import journeys
from pipelines.learning.versions import Version, versions
from pipelines.settings.attribution import Attribution
from pipelines.settings.client import Client


@dataclass(frozen=True)
class Training:
    """One training of a client's models: its warehouse to read from, and the time, UTC."""

    connection: duckdb.DuckDBPyConnection
    client: Client
    now: datetime

    @cached_property
    def paths(self) -> pa.Table:
        """The journeys to learn from, read once for all models: `path`, `conversions`, `nulls`."""
        return journeys(self.connection, self.client, self.now)

    def total(self, column: str) -> float:
        """Return the sum of `conversions`, `nulls` or `revenue` over all paths."""
        return float(pa.compute.sum(self.paths[column]).as_py() or 0)

    @property
    def distinct_paths(self) -> int:
        """Return how many different paths there are; a path is in several rows, one for each group of people."""
        return len({tuple(path) for path in self.paths["path"].to_pylist()})


@dataclass(frozen=True)
class Lesson:
    """What one training has learnt, and what the version before held."""

    model: str
    version: str  # the name of the version it made; empty if it made none
    summary: str  # a sentence for the operator
    status: str = "ok"  # or why nothing was learnt
    is_first: bool = False
    values: dict[str, float] = field(
        default_factory=dict
    )  # what each channel has learnt, the largest first
    credited: dict[str, float] = field(default_factory=dict)  # what sharing by it gives each
    compared_with: str = ""  # the version before, or `linear` for the first
    before: dict[str, float] = field(default_factory=dict)  # the same by that, on the same journeys
    errors: dict[str, float] = field(default_factory=dict)  # standard errors of the values

    def __str__(self) -> str:
        """Return what was learnt and what it moves, in a line."""
        unlike = f"; beside {self.compared_with}: {self.moved or 'the same'}" if self.values else ""
        return f"{self.model} was trained, {self.summary}{unlike}"

    @property
    def moved(self) -> str:
        """Return what each channel has more or less than before, the largest difference first."""
        changes = {
            name: self.values.get(name, 0) - self.before.get(name, 0)
            for name in self.values | self.before
        }
        told = sorted(changes.items(), key=lambda change: (-abs(change[1]), change[0]))
        return ", ".join(f"{name} {change:+.2f}" for name, change in told if abs(change) >= 0.005)


class Learner(Protocol):
    """How a model learns: each module that trains a model has one, called `LEARNER`."""

    @property
    def folder(self) -> Callable[[Attribution], str]:
        """The folder of its versions. It carries the settings that make it another model.

        A chain of order 2 has a first version of its own, in `markov_order_2`: so a change of the
        order is a change like any other, previewed and promoted.
        """

    @property
    def starts_by_itself(self) -> bool:
        """Whether mornings and plans train its first version; if not, only `make train` does."""

    def train(self, model: str, training: Training) -> Lesson:
        """Learn, keep a version, and return what was learnt; `model` is the name clients know."""


def kept(learner: Learner, client: Client) -> list[Version]:
    """Return the versions of a client's model, the oldest first."""
    return versions(str(home()), client.id, learner.folder(client.attribution))
