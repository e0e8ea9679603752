"""Train a client's models on its published journeys; each training is a version, kept for good."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet

from pipelines.home import home, warehouse_folder
from pipelines.learning import curves
from pipelines.learning.journeys import journeys
from pipelines.learning.learners import learners
from pipelines.learning.markov import removal_effects
from pipelines.learning.shapley import shapley
from pipelines.learning.versions import Version, keep, versions
from pipelines.settings.attribution import Attribution
from pipelines.settings.client import Client
from pipelines.sql import literal


class TrainingError(Exception):
    """A client's model could not be trained; the text names it and the remedy."""


class Lesson(NamedTuple):
    """What one training has learnt: each channel's value, and that of the version before."""

    model: str
    version: str
    status: str  # ok, or why nothing was learnt
    conversions: int
    nulls: int
    values: dict[str, float]
    before: dict[str, float]
    errors: dict[str, float]
    is_first: bool


def due(client: Client, now: datetime) -> list[str]:
    """Return the models whose newest version is older than the client wants, or that have none."""
    oldest = now - timedelta(days=client.attribution.learning.retrain_days)
    known = {model: _known(client, model) for model in learners(client)}
    return [model for model, found in known.items() if not found or found[-1].trained_at < oldest]


def untaught(client: Client) -> list[str]:
    """Return the models that have no version: their first one changes the client's models."""
    return [model for model in learners(client) if not _known(client, model)]


def retrain(connection: duckdb.DuckDBPyConnection, client: Client, now: datetime) -> list[Lesson]:
    """Train what is due, and what knew too little until now and has enough by now."""
    with named(client):
        wanted = due(client, now)
        waiting = [
            model
            for model in learners(client)
            if model not in wanted and _status(_known(client, model)[-1]) != "ok"
        ]
        if not wanted and not waiting:
            return []
        paths = journeys(connection, client, now)
        if _sum(paths, "conversions") >= client.attribution.learning.minimum_conversions:
            wanted += waiting
        return [_train(client, model, paths, now) for model in wanted]


def train(connection: duckdb.DuckDBPyConnection, client: Client, now: datetime) -> list[Lesson]:
    """Train every model asked for that learns values of channels. Raise TrainingError if one fails."""
    with named(client):
        paths = journeys(connection, client, now)
        return [_train(client, model, paths, now) for model in learners(client)]


def train_first(client: Client) -> None:
    """Train the models that have no version yet, so that a plan shows what they would give.

    Without published journeys nothing happens: what stands in for them holds.
    Raise TrainingError if one fails.
    """
    if missing := untaught(client):
        with published(client) as connection:
            if not connection:
                return
            with named(client):
                paths = journeys(connection, client, utc_now())
                for model in missing:
                    _train(client, model, paths, utc_now())


@contextmanager
def published(client: Client) -> Iterator[duckdb.DuckDBPyConnection | None]:
    """Open the client's warehouse to read; None before its first morning.

    Raise TrainingError while another process holds the file.
    """
    file = warehouse_folder() / f"{client.shard}.duckdb"
    if not file.exists():
        yield None
        return
    try:
        connection = duckdb.connect(str(file), read_only=True)
    except duckdb.Error as error:
        raise TrainingError(
            f"{client.id}: warehouse/{file.name} cannot be read now: {_line(error)};"
            " try again when its morning has ended"
        ) from None
    with connection:
        (known,) = connection.execute(
            "SELECT COUNT(*) FROM duckdb_views() WHERE schema_name = ? AND view_name = 'paths'",
            [f"{client.id}_journeys"],
        ).fetchone()
        yield connection if known else None


def utc_now() -> datetime:
    """Return the time, UTC, as DuckDB keeps it: without a zone."""
    return datetime.now(timezone.utc).replace(tzinfo=None)


def _train(client: Client, model: str, paths: pa.Table, now: datetime) -> Lesson:
    """Learn from paths, and keep it as a version; too few conversions are kept as just that."""
    settings, folder = client.attribution, learners(client)[model]
    conversions, minimum = _sum(paths, "conversions"), settings.learning.minimum_conversions
    if conversions >= minimum:
        learnt, status = _LEARN[model](paths, settings), "ok"
    else:
        learnt = pa.table({"channel": pa.nulls(1, pa.string()), "value": pa.nulls(1, pa.float64())})
        status = f"{conversions} conversions, {model} needs {minimum}"
    facts = {
        "status": status,
        "conversions": conversions,
        "nulls": _sum(paths, "nulls"),
        "paths": paths.num_rows,
        "channels": learnt.num_rows if status == "ok" else 0,
        "settings": json.dumps(getattr(settings, model).model_dump()),
    }
    known = _known(client, model)
    with duckdb.connect() as connection:
        connection.register("learnt", learnt)
        said = ", ".join(f"{_literal(value)} AS {name}" for name, value in facts.items())
        keep(connection, f"SELECT *, {said} FROM learnt", str(home()), client.id, folder, now)
    newest = _known(client, model)[-1]
    values, errors = _column(newest.file, "value"), _column(newest.file, "standard_error")
    before = _column(known[-1].file, "value") if known else {}
    counts = (facts["conversions"], facts["nulls"])
    return Lesson(model, newest.name, status, *counts, values, before, errors, not known)


def _markov(paths: pa.Table, settings: Attribution) -> pa.Table:
    learnt = removal_effects(paths, settings.markov.order)
    return learnt.append_column("standard_error", pa.array([0.0] * learnt.num_rows))


def _shapley(paths: pa.Table, settings: Attribution) -> pa.Table:
    rules = settings.shapley
    return shapley(paths, rules.worth, rules.exact_channels, rules.permutations)


_LEARN = {"markov": _markov, "shapley": _shapley}


def _known(client: Client, model: str) -> list[Version]:
    return versions(str(home()), client.id, learners(client)[model])


def _status(version: Version) -> str:
    (status,) = duckdb.execute(
        "SELECT ANY_VALUE(status) FROM read_parquet(?)", [str(version.file)]
    ).fetchone()
    return status


def _column(file: Path, name: str) -> dict[str, float]:
    """Return a column of a version by channel, the largest first; nothing if it is not there."""
    table = pa.parquet.read_table(file)
    if name not in table.column_names:
        return {}
    rows = zip(table["channel"].to_pylist(), table[name].to_pylist())
    known = [(channel, value) for channel, value in rows if channel is not None]
    return dict(sorted(known, key=lambda row: (-row[1], row[0])))


def _sum(paths: pa.Table, column: str) -> int:
    return int(pa.compute.sum(paths[column]).as_py() or 0)


def _literal(value: str | int) -> str:
    return str(value) if isinstance(value, int) else literal(value)


@contextmanager
def named(client: Client) -> Iterator[None]:
    """Name the client in whatever goes wrong."""
    try:
        yield
    except Exception as error:  # whatever it is, it is this client's alone
        pupils = [*learners(client), *(["ihc"] if curves.learns(client) else [])]
        models = " and ".join(pupils)
        raise TrainingError(
            f"{client.id}: {models} could not be trained: {_line(error)}; what was learnt before holds"
        ) from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
