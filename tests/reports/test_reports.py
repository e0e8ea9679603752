"""A published table as CSV: these columns, these days, whole or not at all."""

from datetime import date
from pathlib import Path

import pytest

from pipelines.published.version_folders import view_file
from pipelines.settings.client import Client
from reports.tables import Days, ReportError, write
from tests.builders.published_files import publish, warehouse_with
from tests.conftest import House

PUBLISHED = {
    "acme_publish.channel_reporting": """SELECT * FROM (VALUES
        ('Search, paid', DATE '2023-09-02', 30::DECIMAL(18, 6), 1.5::DOUBLE, 60::DECIMAL(18, 2), 'google_ads'),
        ('Search, paid', '2023-09-01', 2.5, 0, 0, NULL),
        ('Email', '2023-09-03', 0, 0.5, 40, NULL),
        ('unattributed', '2023-09-04', 0, 1, 9.9, NULL)
    ) AS reporting (channel_name, date, cost, ihc, ihc_revenue, partial_without)""",
    "acme_publish.freshness_v1": "SELECT 'acme' AS client, NULL::TEXT AS late_sources",
    "acme_marts.fct_credit": "SELECT 1 AS secret",
}
ALL = [
    "channel_name,date,cost,ihc,ihc_revenue,CPO,ROAS,partial_without",
    "Email,2023-09-03,0.000000,0.5,40.00,0.0,,",
    '"Search, paid",2023-09-01,2.500000,0.0,0.00,,0.0,',
    '"Search, paid",2023-09-02,30.000000,1.5,60.00,20.0,2.0,google_ads',
    "unattributed,2023-09-04,0.000000,1.0,9.90,0.0,,",
]


@pytest.fixture
def acme(house: House) -> Client:
    """A client of whom something is published."""
    publish(warehouse_with(PUBLISHED), "acme")
    return house.client("acme")


def test_channel_reporting_has_its_columns_and_ratios(acme: Client, tmp_path: Path) -> None:
    assert write(acme, "channel_reporting", Days(), tmp_path / "a.csv") == 4
    assert (tmp_path / "a.csv").read_text().splitlines() == ALL


@pytest.mark.parametrize(
    "days, lines",
    [
        (Days(since=date(2023, 9, 2)), [1, 3, 4]),
        (Days(until=date(2023, 9, 2)), [2, 3]),
        (Days(date(2023, 9, 3), date(2023, 9, 3)), [1]),
        (Days(since=date(2024, 1, 1)), []),
    ],
)
def test_days_are_inclusive_and_may_be_left_out(
    acme: Client, tmp_path: Path, days: Days, lines: list[int]
) -> None:
    assert write(acme, "channel_reporting", days, tmp_path / "a.csv") == len(lines)
    assert (tmp_path / "a.csv").read_text().splitlines() == [ALL[line] for line in (0, *lines)]


def test_the_command_says_what_it_wrote(house: House, acme: Client, tmp_path: Path) -> None:
    target = tmp_path / "days.csv"
    days = ("--since", "2023-09-02", "--until", "2023-09-03")
    done = house.pipelines("export", "acme", *days, "--to", str(target))
    assert done.stdout == f"acme: 2 rows of channel_reporting in {target}\n"
    assert target.read_text().splitlines() == [ALL[line] for line in (0, 1, 3)]


def test_another_table_comes_with_its_own_columns(acme: Client, tmp_path: Path) -> None:
    assert write(acme, "freshness_v1", Days(), tmp_path / "a.csv") == 1
    assert (tmp_path / "a.csv").read_text() == "client,late_sources\nacme,\n"


@pytest.mark.parametrize(
    "table, days, said",
    [
        (
            "campaigns_v1",
            Days(),
            "not published; choose one of channel_reporting, freshness_v1, or",
        ),
        ("fct_credit", Days(), "list it under `publish:` in clients/acme.yaml"),
        ("freshness_v1", Days(until=date(2023, 9, 1)), "leave out --since and --until"),
        ("channel_reporting", Days(date(2023, 9, 2), date(2023, 9, 1)), "swap --since and --until"),
    ],
)
def test_an_error_names_client_table_and_remedy(
    acme: Client, tmp_path: Path, table: str, days: Days, said: str
) -> None:
    with pytest.raises(ReportError) as raised:
        write(acme, table, days, tmp_path / "a.csv")
    assert str(raised.value).startswith(f"acme: {table}") and said in str(raised.value)
    assert not list(tmp_path.glob("*.csv*"))


def test_a_folder_that_is_not_there_is_named(acme: Client) -> None:
    with pytest.raises(ReportError, match="there is no folder none/of; make it"):
        write(acme, "channel_reporting", Days(), Path("none/of/this.csv"))


def test_without_files_nothing_is_published(house: House, tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="nothing is published yet; run make daily"):
        write(house.client("acme"), "channel_reporting", Days(), tmp_path / "a.csv")


def test_a_file_that_cannot_be_written_keeps_what_was_there(acme: Client, tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(ReportError, match=r"is not writable: .*; write to another --to"):
        write(acme, "channel_reporting", Days(), tmp_path / "folder.csv")
    (tmp_path / "kept.csv").write_text("before")
    with pytest.raises(ReportError, match="not published"):
        write(acme, "none", Days(), tmp_path / "kept.csv")
    assert (tmp_path / "kept.csv").read_text() == "before"
    assert sorted(path.name for path in tmp_path.glob("*.csv*")) == ["folder.csv", "kept.csv"]
    assert not list(tmp_path.glob(".*"))


def test_no_warehouse_is_opened(house: House, acme: Client, tmp_path: Path) -> None:
    (house.home / "warehouse").mkdir()
    (house.home / "warehouse/home.duckdb").write_bytes(b"no warehouse at all")
    assert write(acme, "freshness_v1", Days(), tmp_path / "a.csv") == 1


def test_torn_files_are_named_with_what_mends_it(acme: Client, tmp_path: Path) -> None:
    view_file("acme").write_bytes(b"no database at all")
    with pytest.raises(ReportError, match=r"published/acme[.]duckdb is not readable .*make daily"):
        write(acme, "channel_reporting", Days(), tmp_path / "a.csv")


def test_a_client_of_whom_nothing_is_published_is_told_to_wait(
    house: House, acme: Client, tmp_path: Path
) -> None:
    with pytest.raises(ReportError, match="nothing is published yet; run make daily"):
        write(house.client("cobalt"), "channel_reporting", Days(), tmp_path / "a.csv")
