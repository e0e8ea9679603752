"""A model that takes too long is ended by itself, and said with its remedy; nothing else is."""

from types import SimpleNamespace

import duckdb
import pytest
from sqlmesh.core.snapshot import SnapshotEvaluator

from pipelines.serving.model_time import TookTooLong, bound_models, interrupted_after
from tests.conftest import House

ENDLESS = """WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n % 7 + 1 FROM numbers)
SELECT COUNT(*) FROM numbers"""


def test_what_takes_too_long_is_interrupted_and_the_connection_goes_on() -> None:
    with duckdb.connect() as connection:
        with pytest.raises(duckdb.InterruptException), interrupted_after(0.1, connection) as late:
            connection.execute(ENDLESS)
        assert late.is_set()

        with interrupted_after(600, connection) as late:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert not late.is_set()


def test_an_endless_model_is_said_with_its_clients_own_settings(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.change(
        "acme",
        limits={"model_minutes": 0.002},
        attribution={"custom": {"mine": "position"}},
    )
    with duckdb.connect() as connection:
        monkeypatch.setattr(
            SnapshotEvaluator, "evaluate", lambda self, snapshot: connection.execute(ENDLESS)
        )
        bound_models()
        evaluator = SimpleNamespace(adapter=SimpleNamespace(cursor=connection))

        with pytest.raises(TookTooLong) as ended:
            house.enter()
            SnapshotEvaluator.evaluate(
                evaluator, SimpleNamespace(name='"home"."acme_attribution"."credit"')
            )

    assert str(ended.value) == (
        "it took more than 0.002 minutes and was ended: simplify the weights under attribution.custom,"
        " then make preview and make promote; or, if its data are large, raise limits.model_minutes in"
        " clients/acme.yaml"
    )
