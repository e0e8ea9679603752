"""The demo exports are the same for ever, fit the contracts, and hold the dirt they promise."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
import typer
from typer.testing import CliRunner

from demo import CLIENTS, write_exports
from demo.__main__ import main
from pipelines.contracts.catalog import CONTRACTS
from pipelines.settings.client import Client
from pipelines.settings.exports import Export
from pipelines.settings.reader import parse
from tests.conftest import PROJECT

pytestmark = pytest.mark.xdist_group("demo")  # its exports are written once

SETTINGS = PROJECT / "clients"
WITH_A_CRM = ["acme", "borealis", "cobalt"]
LATER = 12  # the day by which the longest delay of a session is over

READERS = {
    ".csv": "read_csv('{}', header = true, all_varchar = true)",
    ".parquet": "read_parquet('{}')",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the exports of day 0 in `before/` and of a later day in `after/`."""
    folder = tmp_path_factory.mktemp("home")
    write_exports(folder / "before")
    write_exports(folder / "after", day=LATER)
    return folder


@pytest.fixture(scope="module", params=WITH_A_CRM)
def delivered(request: pytest.FixtureRequest, home: Path) -> duckdb.DuckDBPyConnection:
    """Return a client's exports as tables of text, and the views that the dirt is looked for in."""
    client = parse(SETTINGS / f"{request.param}.yaml")
    connection = duckdb.connect()
    connection.execute(f"SET TimeZone = '{client.timezone}'")
    for time in ("before", "after"):
        for source, table, export in client.sources.feeds():
            name = f"{time}.{table if table != 'spend' else source}"
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {time}")
            load(connection, name, home / time, source, table, export)
    connection.execute(VIEWS)
    connection.execute(
        "CREATE VIEW spend AS "
        + " UNION ALL ".join(
            f"FROM after.{source}"
            for source in ("google_ads", "facebook_ads")
            if getattr(client.sources, source)
        )
    )
    return connection


def files(home: Path, export: Export) -> list[Path]:
    """Return the files of an export, in `home` instead of `exports`."""
    found = sorted(home.glob(export.files.removeprefix("exports/")))
    assert found, export.files
    return found


def load(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    home: Path,
    source: str,
    table: str,
    export: Export,
) -> None:
    """Make a table of an export, with the contract's columns, as text, and the file's name."""
    for path in files(home, export):
        relation, present = read(connection, path, export)
        columns = ", ".join(
            f'"{export.names(column)[0]}"::TEXT AS {column}'
            if export.names(column)[0] in present
            else f"NULL::TEXT AS {column}"
            for column in CONTRACTS[source][table].columns
        )
        rows = f"SELECT '{path.name}' AS file, {columns} FROM {relation}"
        connection.execute(f"CREATE TABLE IF NOT EXISTS {name} AS {rows} LIMIT 0")
        connection.execute(f"INSERT INTO {name} {rows}")


def read(
    connection: duckdb.DuckDBPyConnection, path: Path, export: Export
) -> tuple[str, list[str]]:
    """Return SQL that reads a file, and the file's columns."""
    if path.suffix in READERS:
        relation = READERS[path.suffix].format(path)
    else:
        rows = sqlite_rows(path, export) if path.suffix == ".sqlite" else json_rows(path)
        connection.register("python_rows", pa.Table.from_pylist(rows))
        relation = "python_rows"
    return relation, [row[0] for row in connection.execute(f"DESCRIBE FROM {relation}").fetchall()]


def sqlite_rows(path: Path, export: Export) -> list[dict]:
    """Return the rows of a table in a SQLite file."""
    with closing(sqlite3.connect(path)) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute(f"SELECT * FROM {export.table}")]


def json_rows(path: Path) -> list[dict]:
    """Return the rows of a file of JSON lines, their numbers as text."""
    lines = path.read_text().splitlines()
    return [json.loads(line, parse_int=str, parse_float=str) for line in lines]


VIEWS = """
CREATE VIEW sessions AS
SELECT DISTINCT * EXCLUDE (file, started_at), TRY_CAST(started_at AS TIMESTAMPTZ) AS started_at
FROM after.sessions;

CREATE VIEW visitors AS
SELECT DISTINCT visitor_id, customer_id FROM sessions WHERE customer_id IS NOT NULL;

CREATE VIEW known_sessions AS
SELECT session_id, visitors.customer_id, started_at FROM sessions JOIN visitors USING (visitor_id);

CREATE VIEW old_deals AS
SELECT * REPLACE (is_won::BOOLEAN AS is_won) FROM before.opportunities;

CREATE VIEW deals AS
SELECT * REPLACE (is_won::BOOLEAN AS is_won) FROM after.opportunities
QUALIFY row_number() OVER (PARTITION BY opportunity_id ORDER BY file DESC) = 1;
"""

DIRT = {
    "a late session": """
        FROM sessions ANTI JOIN before.sessions USING (session_id)
        WHERE started_at < '2026-11-01'""",
    "a row twice in a file": "FROM after.sessions GROUP BY ALL HAVING count(*) > 1",
    "an unreadable time": "FROM sessions WHERE started_at IS NULL",
    "two sessions of a customer at one second": """
        FROM known_sessions GROUP BY customer_id, started_at
        HAVING count(DISTINCT session_id) > 1""",
    "a session at the second of a close": """
        FROM known_sessions AS visit JOIN deals USING (customer_id)
        WHERE visit.started_at = deals.closed_at::TIMESTAMPTZ""",
    "a direct visit": """
        FROM sessions WHERE coalesce(source, medium, campaign, referrer, gclid, fbclid) IS NULL""",
    "a session without a name that a later one gives": """
        FROM sessions AS visit JOIN sessions AS later USING (visitor_id)
        WHERE visit.customer_id IS NULL AND later.customer_id IS NOT NULL
          AND visit.started_at < later.started_at""",
    "a session that nobody gives a name": "FROM sessions ANTI JOIN visitors USING (visitor_id)",
    "a customer without a session": """
        FROM deals ANTI JOIN visitors USING (customer_id) WHERE is_won""",
    "a customer with several purchases": """
        FROM deals WHERE is_won GROUP BY customer_id HAVING count(*) > 1""",
    "a corrected amount": """
        FROM deals JOIN old_deals USING (opportunity_id)
        WHERE deals.is_won AND old_deals.is_won AND deals.amount <> old_deals.amount""",
    "a close that moved": """
        FROM deals JOIN old_deals USING (opportunity_id)
        WHERE deals.is_won AND old_deals.is_won AND deals.closed_at <> old_deals.closed_at""",
    "a reopened deal": """
        FROM deals JOIN old_deals USING (opportunity_id)
        WHERE old_deals.is_won AND NOT deals.is_won""",
    "a deal won late": """
        FROM deals JOIN old_deals USING (opportunity_id)
        WHERE deals.is_won AND NOT old_deals.is_won""",
    "a lost deal": "FROM deals WHERE stage = 'Closed Lost'",
    "restated spend": """
        FROM spend GROUP BY spend_date, campaign_id HAVING count(DISTINCT cost) > 1""",
    "a campaign that the spend does not know": """
        FROM sessions ANTI JOIN spend USING (campaign) WHERE medium IN ('cpc', 'paid_social')""",
    "a campaign that the spend knows": "FROM sessions SEMI JOIN spend USING (campaign)",
}

SHOPPING = {
    "a purchase after direct page views only": """
        FROM paths WHERE touches > 0 AND direct_touches = touches""",
    "a purchase without a page view": "FROM paths WHERE touches = 0",
    "a touch more than 30 days before": """
        FROM paths WHERE first_touch < bought_at - INTERVAL 30 DAY""",
    "a page view at the moment of the purchase": "FROM paths WHERE last_touch = bought_at",
    "a returning customer": "FROM paths GROUP BY client_id HAVING count(*) > 1",
}


@pytest.mark.parametrize("kind", DIRT)
def test_every_kind_of_dirt_is_there(delivered: duckdb.DuckDBPyConnection, kind: str) -> None:
    assert delivered.execute(f"SELECT 1 {DIRT[kind]} LIMIT 1").fetchall(), kind


def test_few_rows_are_bad(delivered: duckdb.DuckDBPyConnection) -> None:
    share = "SELECT avg((started_at IS NULL)::INTEGER) FROM sessions"
    assert 0 < delivered.execute(share).fetchone()[0] < 0.01


@pytest.mark.parametrize("kind", SHOPPING)
def test_every_kind_of_purchase_is_there(home: Path, kind: str) -> None:
    with duckdb.connect() as connection:
        connection.execute(
            f"""CREATE VIEW events AS FROM read_csv('{home}/before/shop/events.csv');
            CREATE VIEW paths AS
            SELECT bought.client_id, bought.session_id, bought.event_time AS bought_at,
              count(touch.client_id) AS touches,
              count(*) FILTER (touch.channel = 'direct') AS direct_touches,
              min(touch.event_time) AS first_touch, max(touch.event_time) AS last_touch
            FROM events AS bought
            LEFT JOIN events AS touch ON touch.client_id = bought.client_id
              AND touch.event_type = 'page_view' AND touch.event_time <= bought.event_time
            WHERE bought.event_type = 'purchase'
            GROUP BY ALL"""
        )
        assert connection.execute(f"SELECT 1 {SHOPPING[kind]} LIMIT 1").fetchall(), kind


@pytest.mark.parametrize("name", ["acme", "cobalt"])
def test_a_full_export_lacks_what_was_deleted(home: Path, name: str) -> None:
    client = parse(SETTINGS / f"{name}.yaml")
    with duckdb.connect() as connection:
        for time in ("before", "after"):
            export = client.sources.salesforce.opportunities
            load(connection, time, home / time, "salesforce", "opportunities", export)
        gone = "SELECT 1 FROM before ANTI JOIN after USING (opportunity_id)"
        assert connection.execute(gone).fetchall()


def test_a_file_is_sent_again_under_another_name(home: Path) -> None:
    first, again = (
        (home / "before" / "acme" / f"sessions-2026-10-31{end}.csv").read_text().splitlines()
        for end in ("", "-resent")
    )
    assert len(again) > 1 and set(again) <= set(first)


def test_the_same_arguments_give_the_same_bytes(home: Path, tmp_path: Path) -> None:
    paths = write_exports(tmp_path, day=LATER)
    assert contents(tmp_path) == contents(home / "after")
    times = {path: path.stat().st_mtime_ns for path in paths}
    write_exports(tmp_path, day=LATER)
    assert {path: path.stat().st_mtime_ns for path in paths} == times


def test_a_day_more_adds_files_and_leaves_the_old(home: Path, tmp_path: Path) -> None:
    write_exports(tmp_path)
    write_exports(tmp_path, day=LATER)
    assert contents(tmp_path) == contents(home / "after")
    write_exports(tmp_path)
    assert contents(tmp_path) == contents(home / "before")
    before, after = contents(home / "before"), contents(home / "after")
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {
        "acme/opportunities.jsonl",
        "cobalt/crm.sqlite",
        "shop/clients.csv",
        "shop/events.csv",
    }
    assert "acme/google_ads-2026-11-12.csv" in after.keys() - before.keys()


def contents(folder: Path) -> dict[str, bytes]:
    """Return what every file in a folder holds."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("name", CLIENTS)
def test_every_export_fits_its_contract(home: Path, name: str) -> None:
    client = parse(SETTINGS / f"{name}.yaml")
    with duckdb.connect() as connection:
        for source, table, export in client.sources.feeds():
            for path in files(home / "after", export):
                _, present = read(connection, path, export)
                columns = CONTRACTS[source][table].columns
                expected = {export.names(column)[0] for column in columns}
                optional = {name for name, column in columns.items() if column.optional}
                assert set(present) <= expected, path
                assert expected - set(present) <= optional, path


def test_money_has_the_digits_of_its_currency(home: Path) -> None:
    yen = (home / "before" / "borealis" / "opportunities-2026-10-31.csv").read_text()
    euros = (home / "before" / "acme" / "google_ads-2026-10-31.csv").read_text().splitlines()
    assert "." not in yen
    assert all(len(line.split(",")[3].partition(".")[2]) == 2 for line in euros[1:])


def test_large_exports_hold_unreadable_amounts(tmp_path: Path) -> None:
    write_exports(tmp_path, sessions=3000, clients=WITH_A_CRM)
    for name in WITH_A_CRM:
        client = parse(SETTINGS / f"{name}.yaml")
        with duckdb.connect() as connection:
            export = client.sources.salesforce.opportunities
            load(connection, "deals", tmp_path, "salesforce", "opportunities", export)
            bad = "SELECT avg((TRY_CAST(amount AS DECIMAL(18, 2)) IS NULL)::INTEGER) FROM deals"
            assert 0 < connection.execute(bad).fetchone()[0] < 0.01


def test_copies_come_with_their_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTRIBUTION_HOME", str(tmp_path))
    app = typer.Typer()
    app.command()(main)
    done = CliRunner().invoke(app, ["--copies", "7", "--sessions", "60", "--per-shard", "3"])
    assert done.exit_code == 0, done.output
    copies: list[Client] = [parse(path) for path in sorted((tmp_path / "clients").iterdir())]
    assert [client.shard for client in copies] == ["s01"] * 3 + ["s02"] * 3 + ["s03"]
    assert len({client.attribution.model for client in copies}) == 6
    for client in copies:
        for _, _, export in client.sources.feeds():
            assert list(tmp_path.glob(export.files)), export.files
