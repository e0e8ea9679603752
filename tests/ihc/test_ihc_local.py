"""The local model of IHC: the SQL says what the definition says, and the curves are the client's own."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies
from sqlmesh.core.macros import RuntimeStage

from pipelines.learning import versions
from pipelines.learning.curves import MINIMUM_JOURNEYS, curves
from pipelines.serving.warehouse import Warehouse
from pipelines.settings.client import Client
from tests.conftest import House
from tests.oracles.ihc_oracle import Curves, Session, Weights, scores

pytestmark = pytest.mark.xdist_group("ihc_local")  # its models are rendered once

NOW = datetime(2026, 9, 1)
SETTINGS = """
name: {name}
currency: EUR
start: 2026-09-01
attribution:
  compare: [ihc_local]
  ihc:
    weights: {{initializer: {initializer}, holder: {holder}, closer: {closer}}}
    channel_weights: {channels}
sources: {{}}
"""
TAUGHT = Curves(i0=2, i1=10, closer_hours=(0, 1, 1, 5, 20))
PHASES = {
    "default": Weights(0.33, 0.38, 0.29),
    "taught": Weights(0.331, 0.378, 0.291),
    "weighted": Weights(0.345, 0.38, 0.275),
}
CHANNELS = {"weighted": {"Email": Weights(holder=0.5), "O'Hare": Weights(2, 1, 0.25)}}

Scores = Callable[[str, list[list[Session]]], list[list[tuple]]]


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Scores:
    """Return what the model says of journeys: rows of score, method and version, by session."""
    home: Path = tmp_path_factory.mktemp("ihc")
    (home / "clients").mkdir()
    for name, phases in PHASES.items():
        channels = {label: dict(w._asdict()) for label, w in CHANNELS.get(name, {}).items()}
        text = SETTINGS.format(name=name, channels=channels or "{}", **phases._asdict())
        (home / f"clients/{name}.yaml").write_text(text.replace("'O\\'Hare'", '"O\'Hare"'))
    House(home).enter()
    taught = f"SELECT 2 AS i0, 10 AS i1, {list(TAUGHT.closer_hours)}::DOUBLE[] AS closer_hours"
    with duckdb.connect() as connection:
        versions.keep(connection, taught, str(home), "taught", "ihc", datetime(2026, 8, 1))
    warehouse = Warehouse("home")
    queries = {
        (name, table): warehouse.models[f"{name}_attribution.{table}"]
        .render_query_or_raise(
            start=NOW, end=NOW + timedelta(days=1), runtime_stage=RuntimeStage.EVALUATING
        )
        .sql("duckdb")
        for name in PHASES
        for table in ("ihc_gaps", "ihc_local")
    }
    warehouse.close()

    def run(client: str, journeys: list[list[Session]]) -> list[list[tuple]]:
        with duckdb.connect(config={"threads": 1}) as connection:
            connection.execute("ATTACH ':memory:' AS home; USE home")
            connection.execute(f"CREATE SCHEMA {client}_journeys")
            connection.register("known", paths(journeys))
            connection.execute(f"CREATE TABLE {client}_journeys.paths AS FROM known")
            connection.execute(f"CREATE SCHEMA {client}_attribution")
            gaps = queries[client, "ihc_gaps"]
            connection.execute(f"CREATE TABLE {client}_attribution.ihc_gaps AS {gaps}")
            rows = connection.execute(
                f"SELECT conversion_id::INT, score, method, version FROM ({queries[client, 'ihc_local']})"
                " ORDER BY conversion_id::INT, touchpoint_id"
            ).fetchall()
        return [[row[1:] for row in rows if row[0] == i] for i in range(len(journeys))]

    return run


def paths(journeys: list[list[Session]]) -> pa.Table:
    """Return journeys as `journeys.paths` has them."""
    return pa.Table.from_pylist(
        [
            {
                "conversion_id": str(i),
                "touchpoint_id": f"session-{k:03}",
                "touched_at": NOW + timedelta(hours=session.at),
                "channel": session.channel,
                "holder_engagement": session.holds,
                "closer_engagement": session.closes,
                "position": k + 1,
                "path_length": len(journey),
                "age_seconds": round((journey[-1].at - session.at) * 3600) + 77,
                "newest_age_seconds": 77,
                "revised_at": NOW,
            }
            for i, journey in enumerate(journeys)
            for k, session in enumerate(journey)
        ]
    )


def said(rows: list[tuple]) -> list[float]:
    """Return the scores alone."""
    return [score for score, _, _ in rows]


@strategies.composite
def journeys(draw) -> list[Session]:
    """Return a journey with gaps on both sides of every bend of the curves, and on it."""
    gaps = strategies.one_of(
        strategies.sampled_from([0, 1 / 3600, 2, 5, 10, 24, 167, 168, 169]),
        strategies.integers(0, 900_000).map(lambda seconds: seconds / 3600),
    )
    at, journey = 0.0, []
    for _ in range(draw(strategies.integers(1, 9))):
        channel = draw(strategies.sampled_from(["Email", "O'Hare", "Direct"]))
        holds, closes = draw(strategies.booleans()), draw(strategies.booleans())
        journey.append(Session(at, holds, closes, channel))
        at = round((at + draw(gaps)) * 3600) / 3600
    return journey


@settings(max_examples=60, deadline=None)
@given(strategies.lists(journeys(), min_size=1, max_size=12))
@pytest.mark.parametrize("client", PHASES)
def test_the_sql_says_what_the_definition_says(
    scored: Scores, client: str, some: list[list[Session]]
) -> None:
    expected_curves = TAUGHT if client == "taught" else Curves()
    for journey, rows in zip(some, scored(client, some)):
        expected = scores(journey, expected_curves, PHASES[client], CHANNELS.get(client, {}))
        assert said(rows) == pytest.approx(expected, abs=1e-9)
        assert sum(said(rows)) == pytest.approx(1, abs=1e-12)
        assert min(said(rows)) >= 0


def test_one_session_earns_the_whole_conversion(scored: Scores) -> None:
    (rows,) = scored("default", [[Session(0, holds=False, closes=False)]])
    assert said(rows) == [1]


def test_two_sessions_by_hand(scored: Scores) -> None:
    """96 hours apart: mI = 1 and 1/2; the first is one of 72/168 that closed as early."""
    (rows,) = scored("default", [[Session(0), Session(96)]])
    begun, closed = 2 / 3, (72 / 168) / (1 + 72 / 168)
    a, b = 1 - begun, 1 - closed
    first = ((a + b) / 2 + 2 * a * b / (a + b)) / 2
    a, b = begun, closed
    second = ((a + b) / 2 + 2 * a * b / (a + b)) / 2
    expected = 0.33 * begun + 0.38 * first / (first + second) + 0.29 * closed
    assert said(rows) == pytest.approx([expected, 1 - expected], abs=1e-12)


def test_what_is_before_a_restart_may_only_close(scored: Scores) -> None:
    journey = [Session(0), Session(30), Session(30 + 168), Session(30 + 168 + 48)]
    early, both = scored("taught", [journey, [*journey[:2], Session(31), *journey[2:]]])
    assert said(early)[:2] == [0, 0]  # beyond the closer's curve, too
    (late,) = scored("default", [[Session(0), Session(169)]])
    assert said(late) == [0, 1]
    assert sum(said(both)) == pytest.approx(1)


def test_nobody_holds_where_no_session_may(scored: Scores) -> None:
    (rows,) = scored("default", [[Session(0, holds=False), Session(1000, holds=False)]])
    assert said(rows) == [0, 1]
    (rows,) = scored("default", [[Session(0, False, False), Session(1, False, False)]])
    assert said(rows) == pytest.approx([0.33 / 0.62, 0.29 / 0.62])


def test_a_score_says_whose_curves_made_it(scored: Scores) -> None:
    (rows,) = scored("default", [[Session(0)]])
    assert rows[0][1:] == ("local: default curves", None)
    (rows,) = scored("taught", [[Session(0)]])
    assert rows[0][1:] == ("local", "20260801T000000000000")


def teach(journeys: list[list[Session]]) -> list[tuple]:
    """Return what journeys teach: i0, i1, c1, closer_hours and how many there are."""
    client = Client(id="one", name="One", currency="EUR", sources={})
    with duckdb.connect() as connection:
        connection.register("known", paths(journeys))
        connection.execute(
            "CREATE SCHEMA one_journeys; CREATE TABLE one_journeys.current_paths AS FROM known"
        )
        return connection.execute(curves(client)).fetchall()


def test_curves_are_learnt_from_journeys_of_three_and_more() -> None:
    long = [[Session(0), Session(2), Session(2 + gap)] for gap in range(3, 103)]
    ((i0, i1, c1, closer_hours, journeys),) = teach([*long, [Session(0), Session(5000)]])
    assert journeys == 100
    assert i0 == 2.5  # the median of a hundred gaps of 2 and those of 3 to 102
    assert i1 == pytest.approx(74.1)  # 90 % of 3 to 82: the largest fifth is dropped
    assert c1 == pytest.approx(76.1)
    assert len(closer_hours) == 200
    assert (min(closer_hours), max(closer_hours)) == (3, 76)
    assert list(closer_hours) == sorted(closer_hours)


def test_a_closing_curve_is_learnt_from_those_before_the_last_where_most_have_no_other() -> None:
    alone = [
        [Session(0, closes=False), Session(2, closes=False), Session(2 + k)] for k in range(1, 90)
    ]
    closing = [[Session(0), Session(1, closes=False), Session(10 + k)] for k in range(10)]
    ((_, _, c1, closer_hours, _),) = teach([*alone, *closing])
    assert 10 < c1 < 20
    assert set(closer_hours) <= set(range(10, 20))
    ((_, _, c1, closer_hours, _),) = teach(alone)
    assert (c1, closer_hours) == (0, [])


@pytest.mark.parametrize(
    "few",
    [
        [[Session(0), Session(1), Session(3 + k)] for k in range(MINIMUM_JOURNEYS - 1)],
        [[Session(0), Session(1 + k)] for k in range(MINIMUM_JOURNEYS)],
        [[Session(0), Session(1), Session(2)]] * MINIMUM_JOURNEYS,
    ],
    ids=["too few", "too short", "all alike"],
)
def test_too_little_teaches_nothing(few: list[list[Session]]) -> None:
    assert teach(few) == []
