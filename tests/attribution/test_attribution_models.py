"""Worked examples of each attribution model, small enough to check by eye; and the cents."""

import re
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from pydantic import ValidationError

from pipelines.attribution.library import MODELS
from pipelines.blueprints.model_choice import weight
from pipelines.settings.attribution import Attribution, PositionBased
from tests.builders.lake_writer import settings
from tests.conftest import PROJECT, House
from tests.rendered import Models, render

pytestmark = pytest.mark.xdist_group("attribution_models")  # its models are rendered once

DAY = 86400
HOUR = 3600
YEAR = 365 * DAY
EQUAL = {1: [1], 2: [1 / 2] * 2, 3: [1 / 3] * 3, 5: [1 / 5] * 5}


def credits(
    ages: list[float], direct: set[int] = frozenset(), as_model: str = "", **chosen
) -> list[float]:
    """Return the credit of touchpoints of some ages in seconds, oldest first; some are direct."""
    touches = [(position, age, position in direct) for position, age in enumerate(ages, 1)]
    formula = weight(Attribution(**chosen))
    rows = duckdb.execute(
        f"""WITH touches AS (FROM (VALUES {", ".join(map(str, touches))}) AS t(position, age, is_direct)),
        paths AS (
          SELECT position, is_direct, age::BIGINT AS age_seconds,
            COUNT(*) OVER () AS path_length, BOOL_AND(is_direct) OVER () AS path_is_direct,
            MIN(age::BIGINT) OVER () AS newest_age_seconds,
            COUNT(*) FILTER (NOT is_direct) OVER (
              ORDER BY position ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
            ) AS non_direct_after
          FROM touches
        ), weighed AS (SELECT position, ({formula})::DOUBLE AS weight
          FROM paths CROSS JOIN (SELECT '{as_model}' AS model) AS models)
        SELECT weight / SUM(weight) OVER () FROM weighed ORDER BY position"""
    ).fetchall()
    return [credit for (credit,) in rows]


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_one_touchpoint_takes_all_or_all_share(n: int) -> None:
    ages = [(n - i) * HOUR for i in range(n)]

    assert credits(ages, model="first_touch") == [1] + [0] * (n - 1)
    assert credits(ages, model="last_touch") == [0] * (n - 1) + [1]
    assert credits(ages, model="last_non_direct") == [0] * (n - 1) + [1]
    assert credits(ages, model="linear") == pytest.approx(EQUAL[n], abs=1e-15)


@pytest.mark.parametrize(
    ("n", "direct", "winner"),
    [
        (1, {1}, 1),  # direct only
        (3, {1, 2, 3}, 3),
        (3, {3}, 2),
        (3, {2, 3}, 1),
        (3, {1}, 3),
        (5, {2, 5}, 4),
        (5, {1, 3, 5}, 4),
        (4, {1, 2, 4}, 3),  # DP6, data/test_dataset.csv, the last journey
    ],
)
def test_last_non_direct_passes_over_direct(n: int, direct: set[int], winner: int) -> None:
    found = credits([HOUR] * n, direct, model="last_non_direct")

    assert found == [float(position == winner) for position in range(1, n + 1)]


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (0.4, 0.4, [1]),
        (0.4, 0.4, [0.5, 0.5]),
        (0.4, 0.4, [0.4, 0.2, 0.4]),
        (0.4, 0.4, [0.4, 0.2 / 3, 0.2 / 3, 0.2 / 3, 0.4]),
        (0.3, 0.5, [1]),
        (0.3, 0.5, [0.375, 0.625]),
        (0.3, 0.5, [0.3, 0.2, 0.5]),
        (0.3, 0.5, [0.3, 0.1, 0.1, 0.5]),
        (0.5, 0.5, [0.5, 0, 0.5]),
        (1, 0, [1]),
        (1, 0, [1, 0]),
        (1, 0, [1, 0, 0, 0, 0]),
        (0, 1, [0, 1]),
        (0, 1, [0, 0, 1]),
        (0, 0.5, [1]),
        (0, 0.5, [0, 1]),
        (0, 0.5, [0, 0.5, 0.5]),
        (0.1, 0.2, [1 / 3, 2 / 3]),
        (0.1, 0.2, [0.1, 0.7, 0.2]),
    ],
)
def test_position_based_shares(first: float, last: float, expected: list[float]) -> None:
    shares = PositionBased(first=first, last=last)

    found = credits([HOUR] * len(expected), model="position_based", position_based=shares)

    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("first", "last"), [(0, 0), (0.6, 0.6), (-0.1, 0.5)])
def test_position_based_leaves_something(first: float, last: float) -> None:
    with pytest.raises(ValidationError):
        PositionBased(first=first, last=last)


@pytest.mark.parametrize(
    ("half_life_days", "ages", "expected"),
    [
        (7, [7 * DAY], [1]),
        (7, [7 * DAY, 0], [1 / 3, 2 / 3]),
        (7, [14 * DAY, 7 * DAY, 0], [1 / 7, 2 / 7, 4 / 7]),
        (7, [21 * DAY, 14 * DAY], [1 / 3, 2 / 3]),  # only the distance counts
        (7, [HOUR, HOUR], [0.5, 0.5]),
        (7, [7 * DAY, 7 * DAY, 0, 0, 0], [1 / 8, 1 / 8, 1 / 4, 1 / 4, 1 / 4]),
        (1, [DAY / 2, 0], [1 / (1 + 2**0.5), 1 - 1 / (1 + 2**0.5)]),  # continuous, not whole days
        (30, [60 * DAY, 30 * DAY, 0], [1 / 7, 2 / 7, 4 / 7]),
        (1 / 24, [3 * YEAR + HOUR, 3 * YEAR], [1 / 3, 2 / 3]),  # 2^-26280 is no number
        (1 / 24, [3 * YEAR, 0], [0, 1]),
        (1 / 24, [3 * YEAR, 2 * YEAR, YEAR], [0, 0, 1]),
    ],
)
def test_time_decay_halves(half_life_days: float, ages: list[float], expected: list[float]) -> None:
    found = credits(ages, model="time_decay", time_decay={"half_life_days": half_life_days})

    assert found == pytest.approx(expected, abs=1e-12)


# Numbers that others publish: where, the days of the touchpoints before the conversion, by what.
PUBLISHED = {
    "Adobe, attribution example, J-shaped: $50 by search, social, email, display": (
        [9, 6, 0, 0],
        {"model": "j_shaped"},
        [10 / 50, 5 / 50, 5 / 50, 30 / 50],
    ),
    "Adobe, the same path by time decay, in thousandths": (
        [9, 6, 0, 0],
        {"model": "time_decay"},
        [0.138, 0.186, 0.338, 0.338],
    ),
    "Adobe, the same path linear": ([9, 6, 0, 0], {"model": "linear"}, [12.5 / 50] * 4),
    "Adobe, J-shaped, one touchpoint": ([0], {"model": "j_shaped"}, [1]),
    "Adobe, J-shaped, two touchpoints": ([1, 0], {"model": "j_shaped"}, [0.25, 0.75]),
    "Adobe, Inverse J, one touchpoint": ([0], {"model": "inverse_j"}, [1]),
    "Adobe, Inverse J, two touchpoints": ([1, 0], {"model": "inverse_j"}, [0.75, 0.25]),
    "Mixpanel, J-shaped, six touchpoints": (
        [5, 4, 3, 2, 1, 0],
        {"model": "j_shaped"},
        [0.20, 0.05, 0.05, 0.05, 0.05, 0.60],
    ),
    "Mixpanel, Inverse J-shaped, six touchpoints": (
        [5, 4, 3, 2, 1, 0],
        {"model": "inverse_j"},
        [0.60, 0.05, 0.05, 0.05, 0.05, 0.20],
    ),
    "Mixpanel, U-shaped, six touchpoints": (
        [5, 4, 3, 2, 1, 0],
        {"model": "position_based"},
        [0.40, 0.05, 0.05, 0.05, 0.05, 0.40],
    ),
    "DP6 Marketing-Attribution-Models, tests/test_heuristics.py, half-life of an hour": (
        [2 / 24, 1 / 24, 0],
        {"model": "time_decay", "time_decay": {"half_life_days": 1 / 24}},
        [0.25 / 1.75, 0.5 / 1.75, 1 / 1.75],
    ),
    "DP6 Marketing-Attribution-Models, tests/test_heuristics.py, position based": (
        [2 / 24, 1 / 24, 0],
        {"model": "position_based"},
        [0.4, 0.2, 0.4],
    ),
    "Snowplow dbt-snowplow-attribution, channel_attributions_expected.csv, linear, of 140": (
        [2, 1, 0],
        {"model": "linear"},
        [46.667 / 140] * 3,
    ),
    "Snowplow, the same, position based": (
        [2, 1, 0],
        {"model": "position_based"},
        [56 / 140, 28 / 140, 56 / 140],
    ),
    "Snowplow, the same, position based, two touchpoints, of 66.50": (
        [1, 0],
        {"model": "position_based"},
        [33.25 / 66.5] * 2,
    ),
    "eeghor/mta, tests/test_heuristic_models.py, 30 and 70 with two touchpoints, of 10": (
        [1, 0],
        {"model": "position_based", "position_based": {"first": 0.3, "last": 0.7}},
        [3 / 10, 7 / 10],
    ),
    "Google Ads by marketing-for-newbie.kejyun.com, 1, 0.5, 0.25, 0.125 for days 1, 8, 15, 22": (
        [22, 15, 8, 1],
        {"model": "time_decay"},
        [0.125 / 1.875, 0.25 / 1.875, 0.5 / 1.875, 1 / 1.875],
    ),
    "calcbee.pages.dev, time-decay calculator, six touchpoints, of $20,000": (
        [30, 24, 18, 12, 6, 0],
        {"model": "time_decay"},
        [cents / 2000000 for cents in (47272, 85631, 155116, 280985, 508989, 922007)],
    ),
    "coreyhaines31/marketingskills, attribution-models.md, time decay of $12,000": (
        [38, 33, 26, 8, 0],
        {"model": "time_decay"},
        [175 / 12000, 290 / 12000, 575 / 12000, 3415 / 12000, 7545 / 12000],
    ),
    "coreyhaines31/marketingskills, the same path, position based": (
        [38, 33, 26, 8, 0],
        {"model": "position_based"},
        [4800 / 12000, *[800 / 12000] * 3, 4800 / 12000],
    ),
}


@pytest.mark.parametrize("source", PUBLISHED)
def test_published_examples_come_out(source: str) -> None:
    days, chosen, expected = PUBLISHED[source]

    assert credits([day * DAY for day in days], **chosen) == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("j_shaped", [0.2, 0.2, 0.6]),
        ("j_shaped", [0.2, 0.2 / 3, 0.2 / 3, 0.2 / 3, 0.6]),
        ("inverse_j", [0.6, 0.2, 0.2]),
        ("inverse_j", [0.6, 0.2 / 3, 0.2 / 3, 0.2 / 3, 0.2]),
    ],
)
def test_a_compared_model_shares_as_it_would_alone(model: str, expected: list[float]) -> None:
    ages = [HOUR] * len(expected)

    assert credits(ages, model=model) == pytest.approx(expected)
    assert credits(ages, as_model=model, compare=[model]) == pytest.approx(expected)


EXAMPLES = (
    ("attribution", "attribution_models"),
    ("attribution", "compare"),
    ("attribution", "milestone_models"),
    ("ihc", "ihc_local"),
    ("ihc", "ihc_service"),
    ("learning", "learning"),
)


def test_every_model_has_an_example() -> None:
    files = (PROJECT / "tests" / f"{room}/test_{name}.py" for room, name in EXAMPLES)
    examples = "".join(file.read_text() for file in files)

    unproved = [name for name in MODELS if not re.search(f"['\"]{name}['\"]", examples)]
    assert not unproved, f"{unproved}: add an example to {Path(__file__).name}"


def test_a_function_marked_as_a_model_is_one_to_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    def middle() -> str:
        return "CASE WHEN position * 2 = path_length + 1 THEN 1 ELSE 0 END"

    monkeypatch.setitem(MODELS, "middle", middle)

    assert credits([HOUR] * 3, model="middle") == [0, 1, 0]


CENTS = {
    "euro": [
        ("100.00", ["33.34", "33.33", "33.33"]),
        ("0.01", ["0.01", "0.00", "0.00"]),
        ("0.02", ["0.01", "0.01", "0.00"]),
        ("0.00", ["0.00", "0.00", "0.00"]),
        ("-10.00", ["-3.34", "-3.33", "-3.33"]),  # the mirror image of a sale
        ("-0.01", ["-0.01", "0.00"]),
        ("99.99", ["99.99"]),
        ("0.07", ["0.01"] * 7),
        ("999999999999.99", ["333333333333.33"] * 3),
        ("999999999999.98", ["333333333333.33", "333333333333.33", "333333333333.32"]),
    ],
    "yen": [("100", ["34", "33", "33"]), ("1", ["1", "0"]), ("-5", ["-3", "-2"])],
    "dinar": [("1.000", ["0.334", "0.333", "0.333"])],
    "ends": [  # 30 first, 50 last
        ("0.05", ["0.02", "0.01", "0.02"]),  # 1.5, 1 and 2.5: equal remainders go to the earlier
        ("10000.05", ["3000.02", "2000.01", "5000.02"]),
        ("0.01", ["0.00", "0.01"]),
        ("1.00", ["0.38", "0.62"]),  # 37.5 and 62.5
    ],
}
CLIENTS = {
    "euro": {},
    "yen": {"currency": "JPY"},
    "dinar": {"currency": "KWD"},
    "ends": {"model": "position_based", "first": 0.3, "last": 0.5},
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Models]:
    """Return the rendered models of a client for each way to count money."""
    home: Path = tmp_path_factory.mktemp("cents")
    (home / "clients").mkdir()
    for name, chosen in CLIENTS.items():
        (home / f"clients/{name}.yaml").write_text(settings(name, **chosen))
    House(home).enter()
    return render(*CLIENTS)


@pytest.mark.parametrize("client", CENTS)
def test_cents_go_to_the_largest_remainders(models: dict[str, Models], client: str) -> None:
    warehouse, now = models[client].empty(), datetime(2026, 9, 1)
    digits = {"yen": 0, "dinar": 3}.get(client, 2)
    paths = [
        (f"deal-{i}", f"touch-{position}", revenue, position, len(shares))
        for i, (revenue, shares) in enumerate(CENTS[client])
        for position in range(1, len(shares) + 1)
    ] + [("deal-lost", None, "12", 1, 0)]
    warehouse.execute(
        f"""CREATE TABLE {client}_journeys.paths AS
        SELECT conversion_id, 'deal' AS conversion_type, touchpoint_id, 'customer' AS customer_id, '{now}'::TIMESTAMP AS converted_at,
          revenue::DECIMAL(18, {digits}) AS revenue, '{now}'::TIMESTAMP AS touched_at, 'Email' AS channel,
          NULL::TEXT AS campaign, FALSE AS is_direct, FALSE AS path_is_direct, position, path_length,
          path_length - position AS non_direct_after, 0 AS age_seconds, 0 AS newest_age_seconds,
          '{now}'::TIMESTAMP AS revised_at
        FROM (VALUES {", ".join("(?, ?, ?, ?, ?)" for _ in paths)})
          AS t(conversion_id, touchpoint_id, revenue, position, path_length)""",
        [value for path in paths for value in path],
    )

    models[client].run(warehouse, now, now + timedelta(days=1), ["attribution.credit"])
    found = warehouse.execute(
        f"SELECT conversion_id, attributed_revenue FROM {client}_attribution.credit"
        " ORDER BY conversion_id, position"
    ).fetchall()

    expected = [
        (f"deal-{i}", Decimal(share))
        for i, (_, shares) in enumerate(CENTS[client])
        for share in shares
    ]
    assert found == [*expected, ("deal-lost", Decimal(12))]
