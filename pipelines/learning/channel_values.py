"""Keep what a model has learnt as a value of each channel: a version, and the facts behind it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet

from pipelines.home import home
from pipelines.learning.lesson import Lesson, Training, kept
from pipelines.learning.versions import keep
from pipelines.settings.attribution import Attribution
from pipelines.sql import literal

_NOTHING = pa.table({"channel": pa.nulls(1, pa.string()), "value": pa.nulls(1, pa.float64())})


@dataclass(frozen=True)
class ChannelLearner:
    """A model that learns a value of each channel from a client's paths.

    `values` gets the paths and the settings, and returns `channel`, `value` and, if it knows them,
    `standard_error`. A training with too few conversions keeps a version without values, with the reason.
    """

    folder: Callable[[Attribution], str]
    values: Callable[[pa.Table, Attribution], pa.Table]
    starts_by_itself: bool = True

    def train(self, model: str, training: Training) -> Lesson:
        """Learn from the paths, keep it as a version, and return what was learnt."""
        before = kept(self, training.client)
        learnt, status = self._learn(model, training)
        self._keep(learnt, _facts(model, training, learnt, status), training)
        newest = kept(self, training.client)[-1]
        return Lesson(
            model=model,
            version=newest.name,
            summary=_summary(training, status),
            status=status,
            is_first=not before,
            values=_column(newest.file, "value"),
            before=_column(before[-1].file, "value") if before else {},
            errors=_column(newest.file, "standard_error"),
        )

    def _learn(self, model: str, training: Training) -> tuple[pa.Table, str]:
        """Return the values and `ok`; or an empty row, and why there are no values."""
        conversions = training.total("conversions")
        minimum = training.client.attribution.learning.minimum_conversions
        if conversions < minimum:
            return _NOTHING, f"{conversions} conversions, {model} needs {minimum}"
        return self.values(training.paths, training.client.attribution), "ok"

    def _keep(self, learnt: pa.Table, facts: dict[str, str | int], training: Training) -> None:
        client = training.client
        columns = ", ".join(f"{_sql(value)} AS {name}" for name, value in facts.items())
        folder = self.folder(client.attribution)
        with duckdb.connect() as connection:
            connection.register("learnt", learnt)
            query = f"SELECT *, {columns} FROM learnt"
            keep(connection, query, str(home()), client.id, folder, training.now)


def _facts(model: str, training: Training, learnt: pa.Table, status: str) -> dict[str, str | int]:
    """Return the facts that a version keeps beside its values, each a column."""
    settings = getattr(training.client.attribution, model, None)
    return {
        "status": status,
        "conversions": training.total("conversions"),
        "nulls": training.total("nulls"),
        "paths": training.paths.num_rows,
        "channels": learnt.num_rows if status == "ok" else 0,
        "settings": json.dumps(settings.model_dump() if settings else {}),
    }


def _summary(training: Training, status: str) -> str:
    if status != "ok":
        return f"nothing learnt: {status}"
    conversions, nulls = training.total("conversions"), training.total("nulls")
    return f"{conversions} conversions and {nulls} journeys without one"


def _column(file: Path, name: str) -> dict[str, float]:
    """Return a column of a version by channel, the largest first; nothing if it is not there."""
    table = pa.parquet.read_table(file)
    if name not in table.column_names:
        return {}
    rows = zip(table["channel"].to_pylist(), table[name].to_pylist())
    by_channel = [(channel, value) for channel, value in rows if channel is not None]
    return dict(sorted(by_channel, key=lambda row: (-row[1], row[0])))


def _sql(value: str | int) -> str:
    return str(value) if isinstance(value, int) else literal(value)
