"""Train a client's models on its published journeys; each training is a version, kept for good."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone

import duckdb
import pyarrow as pa
import pyarrow.parquet

from pipelines.learning.channel_values import ChannelLearner
from pipelines.learning.learners import learners
from pipelines.learning.lesson import Learner, Lesson, Training, kept
from pipelines.learning.published import TrainingError, one_line, published
from pipelines.learning.versions import Version
from pipelines.ledger.recording import recorded
from pipelines.settings.client import Client
from pipelines.settings.replaced import in_force_again


def due(client: Client, now: datetime) -> list[str]:
    """Return the models whose newest version is older than the client wants, or that have none.

    A model that does not start by itself is not due before it has its first version. A version that
    is dated ahead, as the machine's clock was, is not in force yet: the one before it counts. Of a
    client that is rolled back none is: what was learnt then stays in force.
    """
    if in_force_again(client.id):
        return []
    oldest = now - timedelta(days=client.attribution.learning.retrain_days)
    own, first = learners(client), untrained(client)
    trained = {
        model: [each.trained_at for each in kept(learner, client) if each.trained_at <= now]
        for model, learner in own.items()
    }
    old = [model for model, times in trained.items() if times and times[-1] < oldest]
    return [model for model in own if model in old or model in first]


def untrained(client: Client) -> list[str]:
    """Return the models that wait for their first version: it changes the client's SQL models."""
    return [
        model
        for model, learner in learners(client).items()
        if learner.starts_by_itself and (not kept(learner, client) or _has_older(learner, client))
    ]


def retrain(connection: duckdb.DuckDBPyConnection, client: Client, now: datetime) -> list[Lesson]:
    """Train what is due, and what had too few conversions before and has enough now."""
    with named(client):
        training = Training(connection, client, now)
        wanted, waiting = due(client, now), _waiting(client)
        waiting = [model for model in waiting if model not in wanted]
        minimum = client.attribution.learning.minimum_conversions
        if waiting and training.total("conversions") >= minimum:
            wanted += waiting
        return _train(training, wanted)


def train(connection: duckdb.DuckDBPyConnection, client: Client, now: datetime) -> list[Lesson]:
    """Train every model asked for that learns. Raise TrainingError if one fails."""
    with named(client):
        return _train(Training(connection, client, now), list(learners(client)))


def train_first(client: Client) -> None:
    """Train the models that wait for their first version, so that a plan shows what they would give.

    One that has versions without weights, of before 0.11.0, finds the weights of these instead. Without published journeys nothing happens: the fallback stays in force.
    Raise TrainingError if one fails.
    """
    if missing := untrained(client):
        with published(client) as connection:
            if connection:
                with named(client):
                    training = Training(connection, client, utc_now())
                    _train(training, [each for each in missing if not _weigh(each, training)])


def utc_now() -> datetime:
    """Return the time, UTC, as DuckDB keeps it: without a zone."""
    return datetime.now(timezone.utc).replace(tzinfo=None)


@contextmanager
def named(client: Client) -> Iterator[None]:
    """Name the client in whatever goes wrong."""
    try:
        yield
    except Exception as error:  # whatever it is, it is this client's alone
        models = " and ".join(learners(client))
        raise TrainingError(
            f"{client.id}: {models} could not be trained: {one_line(error)};"
            " the versions before stay in force"
        ) from error


def _train(training: Training, models: list[str]) -> list[Lesson]:
    return [_train_one(training, model) for model in models]


def _train_one(training: Training, model: str) -> Lesson:
    with recorded(training.client.id, "train", model) as run:
        lesson = learners(training.client)[model].train(model, training)
        run.outcome = "ok" if lesson.status == "ok" else "nothing learnt"
        run.reason = lesson.summary
        run.made = {model: lesson.version} if lesson.version else {}
        return lesson


def _has_older(learner: Learner, client: Client) -> bool:
    """Return whether there are versions that wait for their weights."""
    return isinstance(learner, ChannelLearner) and bool(learner.not_weighed(client))


def _weigh(model: str, training: Training) -> bool:
    """Find the weights of a model's versions that have none; return whether there were any."""
    learner = learners(training.client)[model]
    return isinstance(learner, ChannelLearner) and learner.weigh_older(model, training)


def _waiting(client: Client) -> list[str]:
    """Return the models whose newest version was trained on too few conversions."""
    found = {model: kept(learner, client) for model, learner in learners(client).items()}
    return [model for model, versions in found.items() if versions and _lacks_data(versions[-1])]


def _lacks_data(version: Version) -> bool:
    """Return whether a version holds the reason why nothing was learnt, in place of values."""
    table = pa.parquet.read_table(version.file)
    return "status" in table.column_names and "ok" not in table["status"].to_pylist()
