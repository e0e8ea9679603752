"""Keep what a model has learnt of each channel, and by which weights that is shared: a version."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from math import hypot
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet

from pipelines.home import home
from pipelines.learning.lesson import Lesson, Training, kept
from pipelines.learning.shared_credit import distance, linear, with_weights
from pipelines.learning.uncertainty import standard_errors
from pipelines.learning.versions import Version, keep, versions
from pipelines.settings.attribution import Attribution
from pipelines.settings.client import Client
from pipelines.sql import literal

Fact = str | int
_TYPES = {"channel": pa.string()} | dict.fromkeys(
    ["value", "learnt", "weight", "credited", "standard_error"], pa.float64()
)
_NOTHING = pa.table({name: pa.nulls(1, type_) for name, type_ in _TYPES.items()})


_NO_NULLS = (
    "no journey without a conversion is known, so every rate of conversion is 1 and tells no channel"
    " from another"
)


@dataclass(frozen=True)
class ChannelLearner:
    """A model that learns a value of each channel from a client's paths.

    `values` gets the paths and the settings, and returns `channel`, `value` (a share of all) and, if
    it draws by chance, `standard_error` (in conversions, of the drawing). A version keeps them, what
    they come to, and the weights that share it. A training with too few conversions keeps a version
    without values, with the reason.

    `worth` is what is shared, `conversions` or `revenue`. Where a model `shares_equally`, an equal
    share of each conversion adds up to its values by itself, without weights. `settled` decides what
    settings leave open, once for a training, and says what it decided. `older` is the folder of
    versions without weights, as they were written before 0.11.0.
    """

    folder: Callable[[Attribution], str]
    values: Callable[[pa.Table, Attribution], pa.Table]
    starts_by_itself: bool = True
    worth: Callable[[Attribution], str] = lambda settings: "conversions"
    shares_equally: Callable[[Attribution], bool] = lambda settings: False
    settled: Callable[[pa.Table, Attribution], tuple[Attribution, str]] = lambda paths, settings: (
        settings,
        "",
    )
    older: Callable[[Attribution], str] = lambda settings: ""

    def train(self, model: str, training: Training) -> Lesson:
        """Learn from the paths, keep it as a version, and return what was learnt."""
        is_first = not kept(self, training.client)
        self.weigh_older(model, training)
        before = kept(self, training.client)
        learnt, facts = self._learn(model, training)
        self._keep(learnt, facts, training)
        newest = kept(self, training.client)[-1]
        status = str(facts["status"])
        compared = f"version {before[-1].name}" if before else "linear"
        if status == "ok" and before:
            total = sum(filter(None, learnt["learnt"].to_pylist()))
            earlier = {
                name: share * total for name, share in _column(before[-1].file, "value").items()
            }
        else:
            earlier = linear(training.paths, str(facts["worth"])) if status == "ok" else {}
        return Lesson(
            model=model,
            version=newest.name,
            summary=_summary(learnt, facts),
            status=status,
            is_first=is_first,
            values=_column(newest.file, "learnt"),
            credited=_column(newest.file, "credited"),
            compared_with=compared,
            before=earlier,
            errors=_column(newest.file, "standard_error"),
        )

    def not_weighed(self, client: Client) -> list[Version]:
        """Return the client's versions without weights that have none beside them with weights yet."""
        folder = self.older(client.attribution)
        known = {version.name for version in kept(self, client)}
        found = versions(str(home()), client.id, folder) if folder else []
        return [version for version in found if version.name not in known]

    def weigh_older(self, model: str, training: Training) -> bool:
        """Find weights for the versions without, on the journeys as of their time; say if there were any."""
        waiting = self.not_weighed(training.client)
        for version in waiting:
            then = Training(training.connection, training.client, version.trained_at)
            table = pa.parquet.read_table(version.file)
            status = table["status"][0].as_py() if "status" in table.column_names else "ok"
            if status == "ok":
                shown = [name for name in table.column_names if name in ("channel", "value")]
                learnt, facts = self._weighed(
                    model, table.select(shown), then, training.client.attribution
                )
            else:
                learnt, facts = _NOTHING, self._facts(model, then, _NOTHING, status)
            self._keep(learnt, facts, then)
        return bool(waiting)

    def _learn(self, model: str, training: Training) -> tuple[pa.Table, dict[str, Fact]]:
        """Return what was learnt and the facts; or an empty row, and why there is nothing."""
        conversions = int(training.total("conversions"))
        attribution = training.client.attribution
        if conversions < (minimum := attribution.learning.minimum_conversions):
            status = f"{conversions} conversions, {model} needs {minimum}"
            return _NOTHING, self._facts(model, training, _NOTHING, status)
        settings, decided = self.settled(training.paths, attribution)
        values = self.values(training.paths, settings)
        if not sum(filter(None, values["value"].to_pylist())) > 0:
            status = f"{model} gives none of the channels a value"
            return _NOTHING, self._facts(model, training, _NOTHING, status)
        return self._weighed(model, values, training, settings, decided)

    def _weighed(
        self,
        model: str,
        values: pa.Table,
        training: Training,
        settings: Attribution,
        decided: str = "",
    ) -> tuple[pa.Table, dict[str, Fact]]:
        worth, paths = self.worth(settings), training.paths
        learnt = with_weights(values, paths, worth, self.shares_equally(settings))
        errors = standard_errors(
            lambda rest: self.values(rest, settings), paths, learnt["channel"].to_pylist()
        )
        learnt = _with_errors(learnt, errors, training.total(worth))
        return learnt, self._facts(model, training, learnt, "ok", decided)

    def _facts(
        self, model: str, training: Training, learnt: pa.Table, status: str, decided: str = ""
    ) -> dict[str, Fact]:
        """Return the facts that a version keeps beside its values, each a column."""
        attribution = training.client.attribution
        settings = getattr(attribution, model, None)
        return {
            "status": status,
            "worth": self.worth(attribution),
            "conversions": int(training.total("conversions")),
            "nulls": int(training.total("nulls")),
            "paths": training.distinct_paths,
            "channels": learnt.num_rows if status == "ok" else 0,
            "decided": decided,
            "settings": json.dumps(settings.model_dump() if settings else {}),
        }

    def _keep(self, learnt: pa.Table, facts: dict[str, Fact], training: Training) -> None:
        client = training.client
        columns = ", ".join(f"{_sql(value)} AS {name}" for name, value in facts.items())
        folder = self.folder(client.attribution)
        with duckdb.connect() as connection:
            connection.register("learnt", learnt)
            query = f"SELECT *, {columns} FROM learnt"
            keep(connection, query, str(home()), client.id, folder, training.now)


def told_without_nulls(paths: pa.Table, settings: Attribution) -> tuple[Attribution, str]:
    """Return the settings, and what to say of a model that compares rates where all of them are 1."""
    knows_nulls = (pa.compute.sum(paths["nulls"]).as_py() or 0) > 0
    return settings, "" if knows_nulls else _NO_NULLS


def _with_errors(learnt: pa.Table, errors: list[float | None], total: float) -> pa.Table:
    """Return what was learnt with the standard error of `learnt`: of who came, and of what was drawn."""
    drawn = [None] * learnt.num_rows
    if "standard_error" in learnt.column_names:
        drawn = learnt["standard_error"].to_pylist()
        learnt = learnt.drop_columns(["standard_error"])
    both = [
        None if error is None else hypot(error * total, by_chance or 0)
        for error, by_chance in zip(errors, drawn)
    ]
    return learnt.append_column("standard_error", pa.array(both, pa.float64()))


def _summary(learnt: pa.Table, facts: dict[str, Fact]) -> str:
    if facts["status"] != "ok":
        return f"nothing learnt: {facts['status']}"
    said = f"{facts['conversions']} conversions and {facts['nulls']} journeys without one"
    if facts["decided"]:
        said += f"; {facts['decided']}"
    if (away := distance(learnt)) >= 0.00005:
        said += f"; {away:.2%} of the credit cannot be where it was learnt"
    return said


def _column(file: Path, name: str) -> dict[str, float]:
    """Return a column of a version by channel, the largest first; nothing if it is not there."""
    table = pa.parquet.read_table(file)
    if name not in table.column_names:
        return {}
    rows = zip(table["channel"].to_pylist(), table[name].to_pylist())
    by_channel = [(channel, value) for channel, value in rows if None not in (channel, value)]
    return dict(sorted(by_channel, key=lambda row: (-row[1], row[0])))


def _sql(value: Fact) -> str:
    return literal(value) if isinstance(value, str) else str(value)
