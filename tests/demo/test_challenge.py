"""A client that is fed from one SQLite file: its journeys and its channels, over three mornings."""

import csv
import shutil
import sqlite3
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.ingest.run import Outcome
from pipelines.serving import promotion
from pipelines.serving.report import Report
from tests.conftest import House

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("challenge")]  # its mornings are run once

SETTINGS = """
name: Challenge
currency: EUR
attribution:
  model: linear
  lookback_days: 3650
  direct_touches: include
publish: [attribution_customer_journey, channel_reporting]
sources:
  web:
    sessions:
      files: exports/challenge/challenge.db
      expected_every: never
      delivery: full
      table: session_sources
      columns:
        visitor_id: null
        customer_id: user_id
        started_at: [event_date, event_time]
        channel: channel_name
        source: null
        medium: null
        campaign: null
    conversions:
      files: exports/challenge/challenge.db
      expected_every: never
      delivery: full
      table: conversions
      columns:
        conversion_id: conv_id
        customer_id: user_id
        converted_at: [conv_date, conv_time]
    session_costs:
      files: exports/challenge/challenge.db
      expected_every: never
      delivery: full
      table: session_costs
"""

TABLES = """
CREATE TABLE conversions (
  conv_id TEXT PRIMARY KEY, user_id TEXT, conv_date TEXT, conv_time TEXT, revenue REAL
);
CREATE TABLE session_costs (session_id TEXT PRIMARY KEY, cost REAL);
CREATE TABLE session_sources (
  session_id TEXT PRIMARY KEY, user_id TEXT, event_date TEXT, event_time TEXT, channel_name TEXT,
  holder_engagement INT, closer_engagement INT, impression_interaction INT
);
INSERT INTO session_sources VALUES
('s1', 'ann', '2023-09-01', '10:00:00', 'Email', 1, 0, 0),
('s2', 'ann', '2023-09-02', '10:00:00', 'Paid Search', 1, 0, 0),
('at-it', 'ann', '2023-09-03', '12:00:00', 'Direct', 1, 1, 0),
('after-it', 'ann', '2023-09-03', '12:00:01', 'Email', 1, 1, 0),
('in-vain', 'bob', '2023-09-01', '09:00:00', 'Paid Search', 0, 0, 0),
('serves-two', 'cid', '2023-09-04', '08:00:00', 'Email', 1, 1, 0);
INSERT INTO session_costs VALUES
('s1', 1.5), ('s2', 2), ('at-it', NULL), ('after-it', 0.25), ('in-vain', 3), ('serves-two', 0.5),
('stranger', 4);
INSERT INTO conversions VALUES
('c1', 'ann', '2023-09-03', '12:00:00', 100.0),
('c2', 'cid', '2023-09-04', '09:00:00', 33.33),
('c3', 'cid', '2023-09-05', '23:59:59', 10.0),
('alone', 'dan', '2023-09-05', '12:00:00', 20.0);
"""

NEWS = """
UPDATE session_costs SET cost = 2.75 WHERE session_id = 's2';
INSERT INTO conversions VALUES ('late', 'bob', '2023-09-01', '10:00:00', 50.0);
INSERT INTO session_sources VALUES
('stranger', 'eve', '2023-09-02', '11:00:00', 'Affiliates', 0, 0, 0);
"""

JOURNEYS = {
    ("c1", "s1"): 1 / 3,
    ("c1", "s2"): 1 / 3,
    ("c1", "at-it"): 1 / 3,
    ("c2", "serves-two"): 1,
    ("c3", "serves-two"): 1,
}

# Channel, date, cost, ihc, ihc_revenue.
CHANNELS = """
Direct       2023-09-03 0    0.3333 33.33
Email        2023-09-01 1.5  0.3333 33.34
Email        2023-09-03 0.25 0      0
Email        2023-09-04 0.5  2      43.33
Paid_Search  2023-09-01 3    0      0
Paid_Search  2023-09-02 2    0.3333 33.33
unattributed 2023-09-05 0    1      20
unattributed {today}    4    0      0
"""
CHANNELS_LATER = """
Affiliates   2023-09-02 4    0      0
Direct       2023-09-03 0    0.3333 33.33
Email        2023-09-01 1.5  0.3333 33.34
Email        2023-09-03 0.25 0      0
Email        2023-09-04 0.5  2      43.33
Paid_Search  2023-09-01 3    1      50
Paid_Search  2023-09-02 2.75 0.3333 33.33
unattributed 2023-09-05 0    1      20
"""


class Morning:
    """What a morning brought, and what was published at its end."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.ingested: Outcome = house.ingest()["challenge", "web"]
        self.report: Report = house.serve()["challenge"]
        self.published = house.published("challenge")


@pytest.fixture(scope="module")
def mornings(tmp_path_factory: pytest.TempPathFactory) -> list[Morning]:
    """Return three mornings: the first, one without news, and one with."""
    house = House(tmp_path_factory.mktemp("challenge")).enter()
    for folder in ("clients", "exports/challenge"):
        (house.home / folder).mkdir(parents=True)
    (house.home / "clients/challenge.yaml").write_text(SETTINGS)
    export = house.home / "exports/challenge/challenge.db"
    _execute(export, TABLES)
    served = [Morning(house), Morning(house)]
    _execute(export, NEWS)
    return [*served, Morning(house)]


def _execute(export: Path, statements: str) -> None:
    with closing(sqlite3.connect(export)) as database:
        database.executescript(statements)


def _rows(text: str) -> list[tuple]:
    rows = (line.split() for line in text.strip().splitlines())
    return sorted(
        (
            channel.replace("_", " "),
            date.fromisoformat(day),
            Decimal(cost),
            pytest.approx(float(ihc), abs=1e-4),
            Decimal(revenue),
            None,  # no ad platform, so none whose spend may be missing
        )
        for channel, day, cost, ihc, revenue in rows
    )


def test_all_of_the_file_is_read(mornings: list[Morning]) -> None:
    first = mornings[0]
    assert first.ingested.problem == ""
    assert (first.ingested.counts.appended, first.ingested.counts.quarantined) == (17, 0)
    assert (first.report.result, first.report.reasons) == ("published", [])


def test_a_session_earns_a_share_of_each_conversion_it_precedes(mornings: list[Morning]) -> None:
    found = mornings[0].published["attribution_customer_journey"]
    assert {row[:2]: row[2] for row in found} == pytest.approx(JOURNEYS)
    assert len(found) == len(JOURNEYS)


def test_a_channel_has_the_cost_and_the_credit_of_its_own_sessions(mornings: list[Morning]) -> None:
    loaded = datetime.fromisoformat(mornings[0].report.published.loaded_until)
    expected = _rows(CHANNELS.format(today=loaded.date()))
    assert mornings[0].published["channel_reporting"] == expected


def test_the_totals_are_those_of_the_file(mornings: list[Morning]) -> None:
    for morning, revenue, spend, count in zip(
        mornings, ("163.33", "163.33", "213.33"), ("11.25", "11.25", "12.00"), (4, 4, 5)
    ):
        figures, rows = morning.report.published, morning.published["channel_reporting"]
        assert (figures.revenue, figures.spend) == (revenue, spend)
        assert figures.conversions == str(count)
        assert sum(row[2] for row in rows) == Decimal(spend)
        assert sum(row[3] for row in rows) == pytest.approx(count)
        assert sum(row[4] for row in rows) == Decimal(revenue)


def test_the_same_file_again_changes_nothing(mornings: list[Morning]) -> None:
    first, again, _ = mornings
    assert again.ingested.counts.appended == 0
    assert again.report.result == "nothing new"
    assert again.published == first.published


def test_a_restated_cost_and_a_late_conversion_are_taken_in(mornings: list[Morning]) -> None:
    later = mornings[2]
    assert (later.ingested.counts.appended, later.report.result) == (3, "published")
    assert later.published["channel_reporting"] == _rows(CHANNELS_LATER)
    found = {row[:2]: row[2] for row in later.published["attribution_customer_journey"]}
    assert found == pytest.approx(JOURNEYS | {("late", "in-vain"): 1})


def test_the_report_is_exported_for_some_days(mornings: list[Morning], tmp_path: Path) -> None:
    house, target = mornings[2].house.enter(), tmp_path / "report.csv"
    days = ("--since", "2023-09-01", "--until", "2023-09-02")
    done = house.pipelines("export", "challenge", *days, "--to", str(target))
    assert (done.returncode, done.stdout) == (
        0,
        f"challenge: 4 rows of channel_reporting in {target}\n",
    )
    with target.open(newline="") as file:
        rows = list(csv.reader(file))
    assert ",".join(rows[0]) == "channel_name,date,cost,ihc,ihc_revenue,CPO,ROAS,partial_without"
    assert [row[:2] for row in rows[1:]] == [
        ["Affiliates", "2023-09-02"],
        ["Email", "2023-09-01"],
        ["Paid Search", "2023-09-01"],
        ["Paid Search", "2023-09-02"],
    ]
    assert rows[1][5:] == ["", "0.0", ""]
    assert [float(number) for number in rows[3][2:7]] == pytest.approx([3, 1, 50, 3, 50 / 3])


def test_a_table_that_is_no_longer_delivered_is_not_missed(
    mornings: list[Morning], tmp_path: Path
) -> None:
    shutil.copytree(mornings[2].house.home, tmp_path / "house")
    house = House(tmp_path / "house").enter()
    costs = SETTINGS[SETTINGS.index("    session_costs:") :]
    house.edit("challenge", costs, "")

    assert promotion.promote(house.client("challenge"))

    found = house.published("challenge")["channel_reporting"]
    assert {row[2] for row in found} == {0}
    assert sum(row[4] for row in found) == Decimal("213.33")
