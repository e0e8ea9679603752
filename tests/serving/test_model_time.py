"""A model that takes too long is ended by itself, and said with its remedy; nothing else is."""

from types import SimpleNamespace

import duckdb
import pytest
from sqlmesh.core.snapshot import SnapshotEvaluator

from pipelines.serving.model_time import (
    GROUPING,
    WEIGHING,
    TookTooLong,
    bound_models,
    interrupted_after,
)
from tests.builders.checkout import PROJECT
from tests.builders.pasting import paste
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


WEIGHTS = "simplify the weights under attribution.custom, then make preview and make promote; or, "
RULES = "simplify the rules under channels, then make preview and make promote; or, "


@pytest.mark.parametrize(
    ("model", "advice"),
    [
        ('"home"."acme_attribution"."credit"', WEIGHTS),
        ('"home"."acme_journeys"."touchpoints"', RULES),
        ('"home"."acme_staging"."stg_sessions"', ""),
    ],
)
def test_an_endless_model_is_said_with_the_settings_that_it_computes(
    house: House, monkeypatch: pytest.MonkeyPatch, model: str, advice: str
) -> None:
    house.change(
        "acme",
        limits={"model_minutes": 0.002},
        attribution={"custom": {"mine": "position"}},
        channels=[{"channel": "Ours", "source": "ours"}],
    )
    with duckdb.connect() as connection:
        monkeypatch.setattr(
            SnapshotEvaluator, "evaluate", lambda self, snapshot: connection.execute(ENDLESS)
        )
        bound_models()
        evaluator = SimpleNamespace(adapter=SimpleNamespace(cursor=connection))

        with pytest.raises(TookTooLong) as ended:
            house.enter()
            SnapshotEvaluator.evaluate(evaluator, SimpleNamespace(name=model))

    assert str(ended.value) == (
        f"it took more than 0.002 minutes and was ended: {advice}if its data are large, write in"
        " clients/acme.yaml under limits: `model_minutes: 0.004`"
    )
    paste(house.home / "clients/acme.yaml", str(ended.value))
    assert house.client("acme").limits.model_minutes == 0.004


@pytest.mark.parametrize(
    ("models", "macro"), [(WEIGHING, "@SQL(@weight)"), (GROUPING, "@channel(@channel_rules)")]
)
def test_what_a_client_writes_is_computed_by_these_models(models: tuple, macro: str) -> None:
    files = [file for file in (PROJECT / "models").rglob("*.sql") if macro in file.read_text()]
    assert {file.stem for file in files} == {*models}
