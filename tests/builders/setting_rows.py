"""Draw clients' files in which every pair of settings stands together, from a table of their values.

The files are the rows of a covering array of strength two: each takes, key after key, the value that
most pairs still wait for (as AETG does; Cohen, Dalal, Fredman, Patton 1997). Nothing is by chance.
"""

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from pipelines.contracts.catalog import CONTRACTS

TABLE = Path(__file__).parents[1] / "settings/samples.yaml"
EVERYBODY = {"name": "Acme", "currency": "EUR", "sources.web.sessions.delivery": "increment"}


class Sample(NamedTuple):
    """A key with one value, and what that value needs beside it."""

    key: str
    value: Any
    beside: dict[str, Any] = {}

    def __str__(self) -> str:
        return f"{self.key}: {self.value!r}"


class Samples:
    """The values of every setting, and which of them may not stand in one file."""

    def __init__(self, text: str) -> None:
        written = yaml.safe_load(text)
        self.needs: dict[str, dict[str, Any]] = written["needs"]
        self.refused: list[dict[str, Any]] = written["refused"]
        self.every = [
            _sample(key, value)
            for part in ("models", "others")
            for key, values in written[part].items()
            for value in values
        ]
        self.of_models = {n for n, each in enumerate(self.every) if each.key in written["models"]}

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Yield every two samples of different keys, by their numbers."""
        for i, j in combinations(range(len(self.every)), 2):
            if self.every[i].key != self.every[j].key:
                yield i, j

    def refusing(self, i: int, j: int) -> dict[str, Any] | None:
        """Return the rule by which a file may not have both samples, if there is one."""
        one, other = self.every[i], self.every[j]
        for rule in self.refused:
            a, b = list(rule.items())[:2]
            if (_is(one, a) and _is(other, b)) or (_is(other, a) and _is(one, b)):
                return rule
        return None

    def rows(self, drawn: set[int]) -> list[list[Sample]]:
        """Return samples that may stand in one file, row by row, until every such pair of those drawn from did."""
        others: list[set[int]] = [set() for _ in self.every]
        for i, j in self.pairs():
            if {i, j} <= drawn and not self.refusing(i, j):
                others[i].add(j)
                others[j].add(i)
        waiting = [set(each) for each in others]
        rows = []
        while any(waiting):
            row: list[int] = []
            gains = [0] * len(self.every)  # pairs with the row that still wait
            fitting = set(drawn)
            while fitting:
                best = max(fitting, key=lambda n: (gains[n], len(waiting[n] & fitting), -n))
                for number in waiting[best]:
                    gains[number] += 1
                fitting &= others[best]  # none of its own key: no pair has a key twice
                row.append(best)
            for number in row:
                waiting[number] -= set(row)
            rows.append([self.every[number] for number in sorted(row)])
        return rows

    def file(self, *samples: Sample) -> dict[str, Any]:
        """Return the settings of a client with some samples, and with what they need."""
        keys = {sample.key: sample.value for sample in samples}
        for sample in samples:
            _complete(keys, sample.beside)
        before = 0
        while before != (before := len(keys)):  # what is needed may itself need something
            for start, needed in self.needs.items():
                if any(key.startswith(start) for key in keys):
                    _complete(keys, needed)
        _complete(keys, EVERYBODY)
        return _with_ways_in(_nested(keys))


def _sample(key: str, written: Any) -> Sample:
    if isinstance(written, dict) and written.keys() == {"value", "with"}:
        return Sample(key, written["value"], written["with"])
    return Sample(key, written)


def _is(sample: Sample, meant: tuple[str, Any]) -> bool:
    """Return whether a sample is below a key, with the value that is meant; `"*"` is any."""
    key, value = meant
    return (sample.key + ".").startswith(key + ".") and (value == "*" or sample.value == value)


def _pair(i: int, j: int) -> tuple[int, int]:
    return (i, j) if i < j else (j, i)


def _complete(keys: dict[str, Any], others: dict[str, Any]) -> None:
    """Write keys that are not there; no other export of a source that is asked by its API."""
    written = {_group(key, 2) for key in keys if ".api." in key}, {_group(key, 3) for key in keys}
    for key, value in others.items():
        if _group(key, 2) not in written[0] or _group(key, 3) in written[1]:
            keys.setdefault(key, value)


def _group(key: str, depth: int) -> str:
    return ".".join(key.split(".")[:depth])


def _nested(keys: dict[str, Any]) -> dict[str, Any]:
    """Return settings as YAML nests them; a value of a key goes before what is below that key."""
    settings: dict[str, Any] = {}
    for key, value in keys.items():
        *path, last = key.replace("[0]", ".[0]").split(".")
        below: Any = settings
        for part, following in zip(path, [*path[1:], last]):
            below = (
                below[0]
                if part == "[0]"
                else below.setdefault(part, [{}] if following == "[0]" else {})
            )
        below[last] = value
    return settings


def _with_ways_in(settings: dict[str, Any]) -> dict[str, Any]:
    """Give each source an export, and each export its files, where it says nothing else."""
    for source, own in settings["sources"].items():
        if source == "ads":  # by name, each with its export
            continue
        tables = CONTRACTS[source].keys()
        if source != "web" and not own.keys() & {"api", *tables}:
            own[next(iter(tables))] = {}
        for table in own.keys() & tables:
            if not own[table].keys() & {"files", "postgres"}:
                own[table]["files"] = f"exports/acme/{table}.csv"
    return settings
