"""Models side by side: each gives what it would give alone, and the published comparison adds up."""

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

import duckdb
import pytest

from pipelines.attribution.learned_models import LEARNED_MODELS
from pipelines.attribution.library import MODELS, NOT_ADDITIVE
from pipelines.settings.client import Client
from tests.builders.lake_writer import Load, invent, settings
from tests.conftest import House
from tests.oracles import oracle
from tests.rendered import Models, render

pytestmark = pytest.mark.xdist_group("compare")  # its models are rendered once

OF_B2B = {"w_shaped", "full_path", "milestones"}  # they need a CRM's tables: test_milestone_models
EVERY = [name for name in MODELS if name not in OF_B2B | LEARNED_MODELS.keys()]
EMAIL = "CASE WHEN channel = 'Email' THEN 2 ELSE 1 END"
CUSTOM = f"  custom: {{email: {EMAIL}}}\n"
SETTINGS = {
    "beside": {"model": "linear", "compare": f"[{', '.join([*EVERY, 'email'])}]"},
    "alone": {"model": "email"},
}
DAY = timedelta(days=1)

Compared = dict[str, duckdb.DuckDBPyConnection]


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Client, Models]]:
    """Return a client that compares every model, and one that asks for its own alone."""
    home: Path = tmp_path_factory.mktemp("compare")
    (home / "clients").mkdir()
    for name, chosen in SETTINGS.items():
        text = settings(name, **chosen).replace("  lookback", CUSTOM + "  lookback")
        (home / f"clients/{name}.yaml").write_text(text)
    house = House(home).enter()
    return {name: (house.client(name), models) for name, models in render(*SETTINGS).items()}


@pytest.fixture(scope="module")
def history(clients: dict[str, tuple[Client, Models]]) -> list[Load]:
    """Return the loads of some days."""
    return invent(Random(5), clients["beside"][0], 40, 40)


@pytest.fixture(scope="module")
def warehouses(clients: dict[str, tuple[Client, Models]], history: list[Load]) -> Compared:
    """Return each client's warehouse, with the same history in it."""
    found = {}
    for name, (_, models) in clients.items():
        found[name] = models.empty()
        for load in history:
            models.load(found[name], load)
        models.run(found[name], history[0].at, history[-1].at + DAY)
    return found


def credit(warehouse: duckdb.DuckDBPyConnection, client: str, model: str) -> dict[tuple, tuple]:
    """Return credit and money of each touchpoint by one model."""
    rows = warehouse.execute(
        f"""SELECT conversion_id, touchpoint_id, credit, attributed_revenue
        FROM {client}_marts.fct_credit WHERE model = ?""",
        [model],
    ).fetchall()
    return {row[:2]: row[2:] for row in rows}


@pytest.mark.parametrize("model", [name for name in EVERY if name not in NOT_ADDITIVE])
def test_each_model_gives_what_the_definitions_say(
    clients: dict[str, tuple[Client, Models]],
    history: list[Load],
    warehouses: Compared,
    model: str,
) -> None:
    client = clients["beside"][0]
    attribution = client.attribution.model_copy(update={"model": model})
    alone = client.model_copy(update={"attribution": attribution})

    expected = {
        (earned.conversion.conversion_id, earned.touch and earned.touch.touchpoint_id): (
            pytest.approx(float(earned.credit), abs=1e-12),
            earned.attributed_revenue,
        )
        for earned in oracle.credits(history, alone, history[-1].at + DAY)
    }

    assert credit(warehouses["beside"], "beside", model) == expected != {}


def test_a_custom_model_gives_the_same_beside_others_and_alone(warehouses: Compared) -> None:
    beside = credit(warehouses["beside"], "beside", "email")

    assert beside == credit(warehouses["alone"], "alone", "email") != {}
    assert beside != credit(warehouses["beside"], "beside", "linear")


def test_participation_gives_each_channel_one(warehouses: Compared) -> None:
    """Adobe and PostHog say so: two conversions, each touched by a channel twice, are 2 of 2."""
    rows = warehouses["beside"].execute(
        """SELECT DISTINCT is_additive, is_active, ROUND(SUM(credit), 9)
        FROM beside_marts.fct_credit WHERE model = 'participation'
        GROUP BY is_additive, is_active, conversion_id, channel"""
    )
    assert rows.fetchall() == [(False, False, 1.0)]

    shared = """SELECT COUNT(*) FROM beside_marts.fct_credit
        WHERE model = 'participation' AND credit < 1"""
    assert warehouses["beside"].execute(shared).fetchone() > (0,)

    sums = "SELECT model, SUM(credit) FROM beside_marts.fct_credit GROUP BY model"
    credits = dict(warehouses["beside"].execute(sums).fetchall())
    assert credits["participation"] > credits["linear"] + 1
    assert credits["linear"] == pytest.approx(credits["time_decay"])


@pytest.mark.slow
def test_the_published_comparison_adds_up(house: House) -> None:
    compared = ["position_based", *EVERY, "email"]
    for name in ("borealis", "cobalt", "shop"):
        (house.home / f"clients/{name}.yaml").unlink()
    house.change("acme", attribution={"compare": [*EVERY, "email"], "custom": {"email": EMAIL}})
    house.export()
    house.ingest()

    assert house.serve()["acme"].result == "published"

    earned: dict[tuple, list] = defaultdict(lambda: [Decimal(0), Decimal(0), Decimal(0)])
    for month, channel, campaign, cost, conversions, revenue in house.rows(
        """SELECT DATE_TRUNC('month', date)::DATE, channel, campaign, SUM(cost),
          SUM(conversions::DECIMAL(38, 18)), SUM(revenue)
        FROM acme_publish.campaigns_v1 GROUP BY ALL"""
    ):
        earned[month, channel, campaign] = [cost, conversions, revenue]
    rows = house.rows(
        """SELECT month, channel, campaign, model, is_active, is_additive, cost, conversions, revenue,
          cpa, roas, conversions_moved, revenue_moved FROM acme_publish.model_comparison"""
    )
    assert {row[3] for row in rows} == set(compared)
    assert len(rows) == len(earned) * len(set(compared))

    for (
        *key,
        model,
        is_active,
        is_additive,
        cost,
        conversions,
        revenue,
        cpa,
        roas,
        more,
        gained,
    ) in rows:
        spent, active, active_revenue = earned[tuple(key)]
        assert (is_active, is_additive) == (model == "position_based", model != "participation")
        assert cost == spent
        assert cpa == (pytest.approx(float(cost) / conversions) if conversions else None)
        assert roas == (pytest.approx(float(revenue) / float(cost)) if cost else None)
        assert more == pytest.approx(conversions - float(active), abs=1e-9)
        assert gained == revenue - active_revenue

    ((conversions, revenue),) = house.rows(
        "SELECT SUM(credit), SUM(attributed_revenue) FROM acme_publish.attribution_v1"
    )
    sums = dict.fromkeys(compared, (0, 0))
    for *_, model, _, _, _, given, worth, _, _, _, _ in rows:
        sums[model] = (sums[model][0] + given, sums[model][1] + worth)
    for model, (given, worth) in sums.items():
        if model == "participation":
            assert given > conversions and worth > revenue
        else:
            assert given == pytest.approx(conversions)
            assert worth == revenue
