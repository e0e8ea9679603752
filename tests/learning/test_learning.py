"""What models learn, when, from which journeys; and that a rebuild says what was said."""

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, strategies
from hypothesis import settings as hypothesis_settings
from pydantic import ValidationError

from pipelines.attribution.learned_models import LEARNED_MODELS
from pipelines.blueprints.blueprint import blueprint
from pipelines.learning import markov
from pipelines.learning.channel_values import ChannelLearner
from pipelines.learning.journeys import journeys
from pipelines.learning.learners import learner_of, learners
from pipelines.learning.training import TrainingError, due, retrain, train, untrained
from pipelines.learning.versions import first_version, keep, read_versions, versions
from pipelines.settings.attribution import Attribution
from pipelines.settings.client import Client
from tests.builders import lake_writer
from tests.builders.histories import DAY, deal, mornings, session
from tests.builders.lake_writer import START, invent
from tests.conftest import House
from tests.rendered import Models, render

pytestmark = pytest.mark.xdist_group("learning")  # its models are rendered once

CLIENTS = {
    "one": {
        "model": "markov",
        "compare": "[shapley, shao_li, linear]",
        "learning": "{minimum_conversions: 2, fallback: last_touch}",
    },
    "two": {"model": "markov", "direct_touches": "include", "lookback_days": 2},
    "short": {
        "model": "markov",
        "lookback_days": 3,
        "path": "[exposure, {remove_if_last_and_not_all: [Email]}, once_per_campaign]",
        "learning": "{minimum_conversions: 2}",
    },
    "typed": {
        "table": "events",
        "direct_touches": "exclude",
        "compare": "[shao_li]",
        "conversions": """{
          signup: {event: signup, model: markov, lookback_days: 2, counts: true},
          purchase: {model: shapley, lookback_days: 4},
        }""",
        "learning": "{minimum_conversions: 2}",
    },
}


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Client, Models]]:
    """Return clients whose models learn, and their models, to run without SQLMesh."""
    home = tmp_path_factory.mktemp("learning")
    (home / "clients").mkdir()
    for name, chosen in CLIENTS.items():
        (home / f"clients/{name}.yaml").write_text(lake_writer.settings(name, **chosen))
    house = House(home).enter()
    return {name: (house.client(name), models) for name, models in render(*CLIENTS).items()}


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a home without any version."""
    monkeypatch.setenv("ATTRIBUTION_HOME", str(tmp_path))
    return tmp_path


NOW = datetime(2026, 10, 1, 6)
Paths = dict[str, tuple[int, int]]


def warehouse(models: Models, *rows: dict) -> duckdb.DuckDBPyConnection:
    """Return a warehouse into which sessions and deals were loaded, one load of each."""
    connection = models.empty()
    for hour, (source, name, key) in enumerate(
        [
            ("web", "sessions", "session_id"),
            ("salesforce", "opportunities", "opportunity_id"),
        ]
    ):
        own = [row for row in rows if key in row]
        load = lake_writer.Load(START + timedelta(hours=hour), source, {name: own})
        models.load(connection, load)
    models.run(connection, START, START + DAY)
    return connection


def paths(connection: duckdb.DuckDBPyConnection, client: Client, now: datetime = NOW) -> Paths:
    """Return the journeys to learn from: conversions and nulls of each path."""
    found: Paths = {}
    for row in journeys(connection, client, now).to_pylist():  # a row for each group of people
        path = ">".join(row["path"])
        conversions, nulls = found.get(path, (0, 0))
        found[path] = (conversions + row["conversions"], nulls + row["nulls"])
    return found


ANN = {"customer_id": "ann"}
EMAIL, ADS = {}, {"source": "google", "medium": "cpc"}
DIRECT = {"source": None, "medium": None}
SALE = deal(1, "ann", "2026-08-20 12:00:00")

# The lookback is three days.
JOURNEYS: dict[str, tuple[list[dict], Paths]] = {
    "a conversion has its touchpoints": (
        [
            SALE,
            session(1, "2026-08-18 12:00:00", **ANN),
            session(2, "2026-08-19 12:00:00", **ANN, **ADS),
        ],
        {"Email>Paid Search": (1, 0)},
    ),
    "what is older than the lookback was in vain": (
        [
            SALE,
            session(1, "2026-08-17 11:59:59", **ANN),
            session(2, "2026-08-17 12:00:00", **ANN, **ADS),
        ],
        {"Email": (0, 1), "Paid Search": (1, 0)},
    ),
    "what follows the conversion was in vain": (
        [SALE, session(1, "2026-08-20 12:00:00", **ANN), session(2, "2026-08-21", **ANN, **ADS)],
        {"Email": (1, 0), "Paid Search": (0, 1)},
    ),
    "a visitor nobody knows": (
        [
            session(1, "2026-08-20", visitor_id="v"),
            session(2, "2026-08-21", visitor_id="v", **ADS),
        ],
        {"Email>Paid Search": (0, 1)},
    ),
    "a gap of more than the lookback ends a journey": (
        [
            session(1, "2026-08-10 00:00:00", visitor_id="v"),
            session(2, "2026-08-13 00:00:00", visitor_id="v", **ADS),
            session(3, "2026-08-16 00:00:01", visitor_id="v"),
        ],
        {"Email>Paid Search": (0, 1), "Email": (0, 1)},
    ),
    "a journey that may still convert does not count": (
        [
            session(1, "2026-09-28 06:00:00", visitor_id="v"),
            session(2, "2026-09-20", visitor_id="v"),
        ],
        {"Email": (0, 1)},
    ),
    "direct counts where there is nothing else": (
        [
            session(1, "2026-08-20", visitor_id="v", **DIRECT),
            session(2, "2026-08-21", visitor_id="v"),
            session(3, "2026-08-20", visitor_id="w") | DIRECT,
        ],
        {"Email": (0, 1), "Direct": (0, 1)},
    ),
    "who is seen next once the journey is over": (
        [
            session(1, "2026-08-10", visitor_id="v", **ANN),
            session(2, "2026-08-11", visitor_id="v", **ADS),
            session(3, "2026-08-14 00:00:01", visitor_id="v", customer_id="bob"),
        ],
        {"Email>Paid Search": (0, 1), "Email": (0, 1)},
    ),
    "who is seen next before the journey is over": (
        [
            session(1, "2026-08-10", visitor_id="v", **ANN),
            session(2, "2026-08-11", visitor_id="v", **ADS),
            session(3, "2026-08-14 00:00:00", visitor_id="v", customer_id="bob"),
        ],
        {"Email": (0, 1), "Paid Search>Email": (0, 1)},
    ),
    "what served one person's conversion, and another in vain": (
        [
            SALE,
            session(1, "2026-08-18", visitor_id="v", **ANN),
            session(2, "2026-08-19", visitor_id="v", **ADS),
            session(3, "2026-08-21", visitor_id="v", customer_id="bob"),
        ],
        {"Email>Paid Search": (1, 0), "Paid Search>Email": (0, 1)},
    ),
    "nobody": ([session(1, "2026-08-20")], {}),
    "a refund": ([SALE | {"amount": "-5"}, session(1, "2026-08-20", **ANN)], {}),
    "a lost deal": (
        [SALE | {"is_won": "false"}, session(1, "2026-08-20", **ANN)],
        {"Email": (0, 1)},
    ),
    "a deleted session": ([session(1, "2026-08-20", visitor_id="v", is_deleted=True)], {}),
}


@pytest.mark.parametrize("what", JOURNEYS)
def test_which_journeys_are_learnt_from(rendered: dict, what: str) -> None:
    client, models = rendered["one"]
    rows, expected = JOURNEYS[what]

    assert paths(warehouse(models, *[session(9, "1999-01-01"), *rows]), client) == expected


def test_all_journeys_are_shortened_alike(rendered: dict) -> None:
    client, models = rendered["short"]
    other, spring = ADS | {"campaign": "other"}, EMAIL | {"campaign": "spring"}
    path = [EMAIL, ADS, other, EMAIL, ADS, spring]
    ann = [session(i, f"2026-08-19 0{i}:00:00", **ANN, **how) for i, how in enumerate(path)]
    bob = [
        session(i + 10, f"2026-08-19 0{i}:00:00", visitor_id="bob", **how)
        for i, how in enumerate(path)
    ]
    connection = warehouse(models, SALE, *ann, *bob)

    assert paths(connection, client) == {"Email>Paid Search": (1, 1)}


def test_a_journey_ends_when_the_lookback_is_over(rendered: dict) -> None:
    client, models = rendered["one"]
    connection = warehouse(models, session(1, "2026-08-31 12:00:00", visitor_id="v"))

    assert paths(connection, client, datetime(2026, 9, 3, 12)) == {}
    assert paths(connection, client, datetime(2026, 9, 3, 12, 0, 1)) == {"Email": (0, 1)}


def test_what_a_type_with_a_longer_lookback_credits_is_no_journey_in_vain(rendered: dict) -> None:
    """A purchase credits four days, other types three at most; the view of the 15th is older than that."""
    client, models = rendered["typed"]
    events = [
        {"event_type": event, "event_time": at, "client_id": "ann", "channel": "Email"}
        | {"is_deleted": False, "revenue": "10"}
        for event, at in [
            ("page_view", "2026-08-15 12:00:00"),
            ("page_view", "2026-08-17 00:00:00"),
            ("purchase", "2026-08-20 12:00:00"),
        ]
    ]
    connection = models.empty()
    models.load(connection, lake_writer.Load(START, "web", {"events": events}))
    models.run(connection, START, START + DAY)

    assert paths(connection, client) == {"Email": (1, 1)}


def test_journeys_are_read_as_of_a_time(rendered: dict) -> None:
    client, models = rendered["one"]
    connection = warehouse(models, session(1, "2026-08-20", visitor_id="v"))

    assert paths(connection, client, START - DAY) == {}
    assert paths(connection, client, START) == {"Email": (0, 1)}


def scores(models: Models, learnt: list[tuple], *channels: str) -> dict[int, tuple]:
    """Return score, method and version of each touchpoint of a path, by its position."""
    connection = models.empty()
    for row in learnt:
        connection.execute(
            "INSERT INTO raw.markov_weights_order_1 BY NAME SELECT ? AS channel, ? AS weight, ? AS status, ? AS version, ? AS valid_from, ? AS valid_until",
            row,
        )
    length = len(channels)
    rows = ", ".join(f"({i}, '{channel}')" for i, channel in enumerate(channels, 1))
    connection.execute(
        f"""CREATE TABLE one_journeys.paths AS
        SELECT 'deal' AS conversion_id, position::TEXT AS touchpoint_id, 'ann' AS customer_id,
          '{NOW}'::TIMESTAMP AS converted_at, 100.00::DECIMAL(18, 2) AS revenue,
          '{NOW}'::TIMESTAMP AS touched_at, channel, NULL AS campaign, FALSE AS is_direct,
          FALSE AS path_is_direct, position, {length} AS path_length,
          {length} - position AS non_direct_after, 0 AS age_seconds, 0 AS newest_age_seconds,
          '{NOW}'::TIMESTAMP AS revised_at
        FROM (VALUES {rows}) AS t(position, channel)"""
    )
    models.run(connection, NOW, NOW + DAY, ["attribution.channel_scores"])
    found = connection.execute(
        "SELECT touchpoint_id, score, method, version FROM one_attribution.channel_scores"
        " WHERE model = 'markov'"
    ).fetchall()
    return {int(touchpoint): tuple(said) for touchpoint, *said in found}


def test_a_touchpoint_without_a_score_leaves_the_credit_whole(rendered: dict) -> None:
    _, models = rendered["one"]
    connection = models.empty()
    connection.execute(
        f"""CREATE TABLE one_journeys.paths AS
        SELECT 'deal-1' AS conversion_id, 'deal' AS conversion_type, position::TEXT AS touchpoint_id,
          'ann' AS customer_id, '{NOW}'::TIMESTAMP AS converted_at, 100.00::DECIMAL(18, 2) AS revenue,
          '{NOW}'::TIMESTAMP AS touched_at, 'Email' AS channel, 'spring' AS campaign,
          FALSE AS is_direct, FALSE AS path_is_direct, position, 2 AS path_length,
          2 - position AS non_direct_after, 0 AS age_seconds, 0 AS newest_age_seconds,
          '{NOW}'::TIMESTAMP AS revised_at
        FROM RANGE(1, 3) AS t(position);
        CREATE TABLE one_attribution.channel_scores AS
        SELECT 'markov' AS model, 'deal-1' AS conversion_id, '1' AS touchpoint_id, 1::DOUBLE AS score,
          'markov' AS method, 'v1' AS version, '{NOW}'::TIMESTAMP AS revised_at"""
    )
    models.run(connection, NOW, NOW + DAY, ["attribution.credit"])
    found = connection.execute(
        """SELECT touchpoint_id, credit, attributed_revenue, method, model_version
        FROM one_attribution.credit WHERE model = 'markov' ORDER BY 1"""
    ).fetchall()
    assert found == [("1", 1, 100, "markov", "v1"), ("2", 0, 0, "markov", "v1")]


def version(name: str, start: datetime, end: datetime, status: str = "ok", **values) -> list[tuple]:
    """Return the rows of a version."""
    return [(channel, value, status, name, start, end) for channel, value in values.items()]


OLD, NEW = NOW - 900 * DAY, NOW + 900 * DAY
LEARNT = version("v1", OLD, NEW, Email=0.6, Search=0.3, Social=0.1)


MEDIAN = "markov: a channel it has not met weighs the median"


def test_a_channels_weight_is_shared_by_its_touchpoints(rendered: dict) -> None:
    found = scores(rendered["one"][1], LEARNT, "Email", "Search", "Email", "Social")

    assert found == {
        1: (0.3, "markov", "v1"),
        2: (0.3, "markov", "v1"),
        3: (0.3, "markov", "v1"),
        4: (0.1, "markov", "v1"),
    }


def test_a_channel_that_a_version_has_not_met_weighs_the_median(rendered: dict) -> None:
    found = scores(rendered["one"][1], LEARNT, "Radio", "Email", "Radio")

    assert found == {1: (0.15, MEDIAN, "v1"), 2: (0.6, MEDIAN, "v1"), 3: (0.15, MEDIAN, "v1")}


@pytest.mark.parametrize(
    ("learnt", "channels", "method"),
    [
        ([], ["Email", "Search"], "last_touch: markov has not learnt yet"),
        (
            [(None, None, "1 conversions, markov needs 2", "v1", OLD, NEW)],
            ["Email", "Search"],
            "last_touch: 1 conversions, markov needs 2",
        ),
    ],
)
def test_what_stands_in_says_why(
    rendered: dict, learnt: list[tuple], channels: list[str], method: str
) -> None:
    found = scores(rendered["one"][1], learnt, *channels)

    known = "v1" if learnt else None
    assert found == {1: (0, method, known), 2: (1, method, known)}


def test_a_revision_goes_by_the_version_before_it(rendered: dict) -> None:
    for moment, expected in [(NOW, "new"), (NOW + timedelta(microseconds=1), "old")]:
        learnt = version("old", OLD, moment, Email=1.0) + version("new", moment, NEW, Email=1.0)
        assert scores(rendered["one"][1], learnt, "Email") == {1: (1, "markov", expected)}


@given(seed=strategies.integers(0, 2**32), name=strategies.sampled_from(sorted(CLIENTS)))
@hypothesis_settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[*HealthCheck],
)
def test_a_rebuild_says_what_was_said(
    rendered: dict, seed: int, name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    client, models = rendered[name]
    os.environ["ATTRIBUTION_HOME"] = home = str(tmp_path_factory.mktemp("home"))
    random = Random(seed)
    history = invent(random, client, 16, 16)
    runs = sorted({at.replace(microsecond=0) for at in mornings(random, history, 5)})
    folders = ["markov_weights_order_1", "shapley_weights_conversions", "shao_li"]

    def learnt(connection: duckdb.DuckDBPyConnection) -> list[str]:
        models.learn(connection, home)
        return [first_version(home, name, folder) for folder in folders]

    connection, start = models.empty(), START
    for load in history:
        models.load(connection, load)
    for until in runs:
        models.run(connection, start, until)
        start = until.replace(hour=0, minute=0, second=0)
        known = learnt(connection)
        train(connection, client, until)
        if learnt(connection) != known:  # SQLMesh computes what reads a first version anew
            anew = list(models.queries)[list(models.queries).index("attribution.channel_scores") :]
            models.run(connection, START, until, anew)

    rebuilt = models.empty()
    for load in history:
        models.load(rebuilt, load)
    learnt(rebuilt)
    models.run(rebuilt, START, runs[-1])

    # the last version was trained after the last run: the next one shows it
    models.run(connection, START, runs[-1], ["marts.channel_values"])
    for table in models.queries:
        rows = f"FROM {name}_{table} ORDER BY ALL"
        assert connection.execute(rows).fetchall() == rebuilt.execute(rows).fetchall(), table
    assert len(versions(home, name, "markov_weights_order_1")) == len(runs)
    off = f"""SELECT conversion_id FROM {name}_attribution.credit
      GROUP BY conversion_id, model, revised_at HAVING ABS(SUM(credit) - 1) > 1e-9"""
    assert rebuilt.execute(off).fetchall() == []


@pytest.mark.parametrize("name", ["one", "short", "typed"])
def test_credit_adds_up_to_what_was_learnt(rendered: dict, name: str, fresh: Path) -> None:
    client, models = rendered[name]
    history = invent(Random(11), client, 60, 60)
    connection = models.empty()
    for load in history:
        models.load(connection, load)
    until = history[-1].at + timedelta(hours=1)
    models.run(connection, START, until)
    train(connection, client.model_copy(deep=True), until)
    models.learn(connection, str(fresh))
    models.run(connection, START, until)

    for model, folder in [
        ("markov", "markov_weights_order_1"),
        ("shapley", "shapley_weights_conversions"),
        ("shao_li", "shao_li"),
    ]:
        if model not in learners(client):
            continue
        version = read_versions(str(fresh), name, folder)
        kept = duckdb.sql(
            f"SELECT channel, learnt, credited, conversions FROM {version}"
        ).fetchall()
        credited = {channel: total for channel, _, total, _ in kept if total}
        published = dict(
            connection.execute(
                f"""SELECT channel, SUM(credit) FROM {name}_marts.fct_credit
                WHERE model = '{model}' AND is_counted AND is_attributed AND revenue >= 0 GROUP BY ALL"""
            ).fetchall()
        )
        assert published == pytest.approx(credited)
        assert sum(published.values()) == pytest.approx(kept[0][3])
        shown = connection.execute(
            f"SELECT channel, learnt, credited, published, conversions FROM {name}_marts.channel_values"
            f" WHERE model = '{model}' AND learnt > 0"
        ).fetchall()
        assert {row[:3] for row in shown} == {row[:3] for row in kept if row[1] > 0}
        whole = connection.execute(  # refunds are published too, but nothing is learnt from them
            f"""SELECT channel, SUM(credit) FROM {name}_marts.fct_credit
            WHERE model = '{model}' AND is_counted AND is_attributed GROUP BY ALL"""
        ).fetchall()
        assert {row[0]: row[3] for row in shown} == pytest.approx(dict(whole))
        assert {row[4] for row in shown} == {kept[0][3]}
        if model != "markov":  # whose totals no weights may reach
            assert {row[0]: row[1] for row in kept if row[1]} == pytest.approx(credited)


def test_types_are_credited_by_what_all_of_them_taught(rendered: dict, fresh: Path) -> None:
    """A sign-up and a purchase, by models of their own, without what Direct did: each is one, and its money whole."""
    client, models = rendered["typed"]
    history = invent(Random(5), client, 60, 60)
    connection = models.empty()
    for load in history:
        models.load(connection, load)
    until = history[-1].at + timedelta(hours=1)
    models.run(connection, START, until)
    for lesson in train(connection, client, until):
        assert lesson.status == "ok" and "Direct" not in lesson.values, lesson
    models.learn(connection, str(fresh))
    models.run(connection, START, until)

    credit = "FROM typed_marts.fct_credit WHERE is_attributed AND model <> 'linear'"
    methods = connection.execute(
        f"SELECT DISTINCT conversion_type, model, method, is_active {credit} ORDER BY ALL"
    ).fetchall()
    assert methods == [
        (type_, model, model, (type_, model) in {("purchase", "shapley"), ("signup", "markov")})
        for type_ in ("deal", "purchase", "signup")
        for model in ("markov", "shao_li", "shapley")
    ]
    assert connection.execute(f"SELECT COUNT(*) {credit} AND channel = 'Direct'").fetchone() == (0,)
    off = f"""SELECT conversion_id, model {credit} GROUP BY ALL HAVING ABS(SUM(credit) - 1) > 1e-9
      OR SUM(attributed_revenue) IS DISTINCT FROM MAX(revenue)"""
    assert connection.execute(off).fetchall() == []


@pytest.fixture
def learner(rendered: dict, fresh: Path) -> Callable[[int], duckdb.DuckDBPyConnection]:
    """Return a function that makes a warehouse with so many conversions of client one."""
    _, models = rendered["one"]

    def conversions(count: int) -> duckdb.DuckDBPyConnection:
        sales = [deal(i, "ann", "2026-08-20 12:00:00") for i in range(count)]
        return warehouse(models, *sales, session(1, "2026-08-20 11:00:00", **ANN))

    return conversions


def test_a_version_holds_values_and_facts(rendered: dict, fresh: Path, learner) -> None:
    lessons = train(learner(3), rendered["one"][0], NOW)

    assert [(each.model, each.status, each.is_first, each.values) for each in lessons] == [
        ("markov", "ok", True, {"Email": 3.0}),
        ("shapley", "ok", True, {"Email": 3.0}),
        ("shao_li", "ok", True, {"Email": 3.0}),
    ]
    columns = "channel, value, status, conversions, nulls, paths, channels, settings, version"
    found = read_versions(str(fresh), "one", "markov_weights_order_1")
    assert duckdb.execute(f"SELECT {columns} FROM {found}").fetchall() == [
        (
            "Email",
            1.0,
            "ok",
            3,
            0,
            1,
            1,
            '{"order": 1, "worth": "conversions"}',
            "20261001T060000000000",
        )
    ]


def test_versions_without_weights_get_them_from_the_journeys_as_of_their_time(
    rendered: dict, fresh: Path, learner
) -> None:
    client = rendered["one"][0]
    connection = learner(3)
    values = "SELECT 'Email' AS channel, 1.0 AS value, 'ok' AS status"
    for folder in ("markov_order_1", "shapley_conversions"):
        for days in (1, 0):
            keep(duckdb.connect(), values, str(fresh), "one", folder, NOW - days * DAY)
    assert untrained(client) == ["markov", "shapley", "shao_li"]

    lessons = train(connection, client, NOW + DAY)

    assert untrained(client) == []
    assert [lesson.is_first for lesson in lessons] == [True] * 3
    names = [version.name for version in versions(str(fresh), "one", "markov_order_1")]
    weighed = versions(str(fresh), "one", "markov_weights_order_1")
    assert [version.name for version in weighed][:2] == names and len(weighed) == 3
    found = duckdb.sql(f"SELECT channel, learnt, credited, weight FROM '{weighed[0].file}'")
    assert found.fetchall() == [("Email", 3, 3, 1)]


def test_by_revenue_money_adds_up_to_what_was_learnt(rendered: dict, fresh: Path) -> None:
    client, models = rendered["one"]
    markov_settings = client.attribution.markov.model_copy(update={"worth": "revenue"})
    settings = client.attribution.model_copy(update={"markov": markov_settings, "compare": []})
    ann = [session(1, "2026-08-19", **ANN), session(2, "2026-08-19 01:00:00", **ANN, **ADS)]
    bob = session(3, "2026-08-19", customer_id="bob")
    sales = [SALE | {"amount": "30"}, deal(2, "bob", "2026-08-20") | {"amount": "90"}]
    connection = warehouse(models, *sales, *ann, bob)

    (lesson,) = train(connection, client.model_copy(update={"attribution": settings}), NOW)

    assert lesson.values == pytest.approx({"Email": 96, "Paid Search": 24})
    assert lesson.credited == pytest.approx(lesson.values)
    assert lesson.before == pytest.approx({"Email": 105, "Paid Search": 15})
    assert lesson.moved == "Email -9.00, Paid Search +9.00"


def test_too_little_data_is_a_version_that_says_so(rendered: dict, fresh: Path, learner) -> None:
    client = rendered["one"][0]
    lesson = train(learner(1), client, NOW)[0]

    assert (lesson.status, lesson.values) == ("1 conversions, markov needs 2", {})
    assert due(client, NOW + DAY) == []


def test_models_are_trained_when_they_are_due(rendered: dict, fresh: Path, learner) -> None:
    client, connection = rendered["one"][0], learner(3)
    every = ["markov", "shapley", "shao_li"]

    def trained(now: datetime) -> list[str]:
        wanted = due(client, now)
        assert [lesson.model for lesson in retrain(connection, client, now)] == wanted
        return wanted

    assert trained(NOW) == every
    assert trained(NOW) == []
    assert trained(NOW + 30 * DAY) == []
    assert trained(NOW + 30 * DAY + timedelta(seconds=1)) == every
    assert len(versions(str(fresh), "one", "markov_weights_order_1")) == 2
    assert trained(NOW + 400 * DAY) == every  # the clock is ahead
    assert trained(NOW + 90 * DAY) == every


def test_what_knew_too_little_learns_once_it_can(rendered: dict, fresh: Path, learner) -> None:
    client = rendered["one"][0]
    train(learner(1), client, NOW)

    assert retrain(learner(1), client, NOW + DAY) == []
    assert [lesson.status for lesson in retrain(learner(2), client, NOW + DAY)] == ["ok"] * 3
    assert retrain(learner(2), client, NOW + 2 * DAY) == []


def test_a_training_that_fails_names_its_client(
    rendered: dict, fresh: Path, learner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(paths: pa.Table, settings: Attribution) -> pa.Table:
        raise ValueError("no luck: lower attribution.markov.order")

    monkeypatch.setattr(markov, "LEARNER", ChannelLearner(markov.LEARNER.folder, fail))

    with pytest.raises(TrainingError, match=r"^one: .* no luck: lower attribution"):
        train(learner(3), rendered["one"][0], NOW)
    assert versions(str(fresh), "one", "markov_weights_order_1") == []


def test_the_first_version_makes_other_models_and_a_later_one_does_not(
    rendered: dict, fresh: Path, learner
) -> None:
    client = rendered["one"][0]
    before = blueprint(client)
    train(learner(3), client, NOW)
    first = blueprint(client)
    train(learner(3), client, NOW + DAY)

    assert before != first == blueprint(client)
    assert (
        "channel_learners := 'markov=markov_weights_order_1/20261001T060000000000"
        " shapley=shapley_weights_conversions/20261001T060000000000"
        " shao_li=shao_li/20261001T060000000000'"
    ) in first


def test_another_order_is_another_model(fresh: Path) -> None:
    settings = Attribution(markov={"order": 2}, shapley={"worth": "conversion_rate"})
    folders = {"markov": "markov_weights_order_1", "shapley": "shapley_weights_conversions"}
    others = {"markov": "markov_weights_order_2", "shapley": "shapley_weights_conversion_rate"}

    assert {model: learner_of(model).folder(Attribution()) for model in folders} == folders
    assert {model: learner_of(model).folder(settings) for model in folders} == others


@pytest.mark.parametrize("model", LEARNED_MODELS)
def test_every_entry_has_a_module_that_trains_it(model: str) -> None:
    assert learner_of(model).folder(Attribution()).isidentifier()


def test_models_that_share_a_learner_are_trained_once(fresh: Path) -> None:
    (fresh / "clients").mkdir()
    text = lake_writer.settings("one", model="ihc_local", compare="[ihc, markov]")
    (fresh / "clients/one.yaml").write_text(text)

    assert list(learners(House(fresh).enter().client("one"))) == ["ihc_local", "markov"]


def test_what_is_no_version_is_none(fresh: Path) -> None:
    folder = fresh / "lake/one/_models/markov_weights_order_1"
    folder.mkdir(parents=True)
    for name in ("copy of 1.parquet", "20261001T060000000000.new", "20261001T060000000000.parquet"):
        (folder / name).touch()

    assert [known.name for known in versions(str(fresh), "one", "markov_weights_order_1")] == [
        "20261001T060000000000"
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"learning": {"fallback": "shapley"}},
        {"learning": {"fallback": "participation"}},
        {"learning": {"retrain_days": 0}},
        {"markov": {"order": 5}},
        {"shapley": {"worth": "revenue"}},
        {"shapley": {"exact_channels": 16}},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict) -> None:
    with pytest.raises(ValidationError):
        Attribution(**wrong)


def test_a_model_that_only_one_type_of_conversions_asks_for_is_trained_too(fresh: Path) -> None:
    (fresh / "clients").mkdir()
    text = lake_writer.settings("one", model="linear", conversions="{deal: {model: markov}}")
    (fresh / "clients/one.yaml").write_text(text)

    assert due(House(fresh).enter().client("one"), NOW) == ["markov"]
