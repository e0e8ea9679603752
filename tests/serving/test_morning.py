"""A morning: what is new is published, per client; what is broken halts one client, by name."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from pipelines.fastpath.computing import provisional
from pipelines.published.staleness import why_behind
from pipelines.published.version_folders import whole_versions
from tests.conftest import House, slow

pytestmark = pytest.mark.xdist_group("morning")  # its houses are furnished once

OTHERS = ("borealis", "cobalt", "shop")


def missing_column(exports: Path) -> None:
    file = exports / "acme/google_ads-2026-11-01.csv"
    file.write_text(re.sub("cost", "costs", file.read_text(), count=1))


def unreadable_file(exports: Path) -> None:
    (exports / "acme/facebook_ads-2026-11-01.parquet").write_bytes(b"\x00\xffno parquet" * 99)


BROKEN = {
    missing_column: "google_ads: google_ads-2026-11-01.csv: missing column",
    unreadable_file: "facebook_ads: facebook_ads-2026-11-01.parquet: not readable",
}


def numbers(house: House, client: str) -> dict[str, list[tuple]]:
    """Return the published rows as they lie there; not when their loads happened to be committed."""
    published = {
        table: house.rows(f"FROM {client}_publish.{table}") for table in house.published(client)
    }
    published["freshness_v1"] = house.rows(
        f"SELECT * EXCLUDE loaded_until FROM {client}_publish.freshness_v1"
    )
    return published


@contextmanager
def held_open(house: House) -> Iterator[None]:
    """Let another process hold the warehouse open for writing."""
    file = house.home / "warehouse/home.duckdb"
    code = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print(); sys.stdin.read()"
    command = [sys.executable, "-c", code, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin and process.stdout and process.stdout.readline()
        with pytest.raises(duckdb.IOException, match="lock on file"):
            house.rows("SELECT 1")
        yield
        process.stdin.close()


def ahead_of_the_run(client: str) -> list[tuple]:
    """Return what the next run will publish of credit, by the fast path."""
    with provisional(client) as new:
        assert new and not new.failures
        settled = "FALSE AS is_provisional, NULL AS provisional_since"
        rows = f"SELECT * REPLACE ({settled}) FROM {new.rows('attribution_v1')} ORDER BY ALL"
        return new.connection.execute(rows).fetchall()


@pytest.fixture(scope="module")
def healthy(_served: House, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    """Return every client's numbers after a second day on which nothing was broken."""
    home = tmp_path_factory.mktemp("healthy") / "house"
    shutil.copytree(_served.home, home)
    house = House(home).enter()
    house.export(day=1)
    house.ingest()
    clients = ("acme", *OTHERS)
    yesterday = house.rows("FROM acme_publish.attribution_v1 ORDER BY ALL")
    with held_open(house):
        ahead = {client: ahead_of_the_run(client) for client in clients}
    assert {report.result for report in house.serve().values()} == {"published"}
    assert ahead["acme"] != yesterday
    assert ahead == {client: house.files(client)["attribution_v1"] for client in clients}
    return {client: numbers(house, client) for client in ("acme", *OTHERS)}


@pytest.mark.parametrize(
    "break_it",
    [next(iter(BROKEN)), *slow(*list(BROKEN)[1:])],
    ids=lambda function: function.__name__,
)
def test_a_broken_export_halts_one_client(served: House, healthy: dict, break_it) -> None:
    yesterday = served.published("acme")
    served.export(day=1)
    break_it(served.home / "exports")
    served.ingest()

    reports = served.serve()

    assert {client: reports[client].result for client in OTHERS} == dict.fromkeys(
        OTHERS, "published"
    )
    assert {client: numbers(served, client) for client in OTHERS} == {
        client: healthy[client] for client in OTHERS
    }
    assert reports["acme"].result == "held"
    (reason,) = reports["acme"].reasons
    assert "acme_marts.gate: audit no_source_halted failed, 1 row(s)" in reason
    assert BROKEN[break_it] in reason
    assert served.published("acme") == yesterday
    files = {client: served.files(client) for client in ("acme", *OTHERS)}
    assert files == {client: served.published(client) for client in ("acme", *OTHERS)}
    assert len(whole_versions("acme")) == 1  # held: not even written again
    assert [len(whole_versions(client)) for client in OTHERS] == [2, 2, 2]
    assert not any(why_behind(client) for client in ("acme", *OTHERS))


@pytest.mark.slow
def test_a_held_client_is_published_once_its_export_is_mended(served: House, healthy: dict) -> None:
    served.export(day=1)
    missing_column(served.home / "exports")
    served.ingest()
    assert served.serve()["acme"].result == "held"

    served.export(day=1)
    served.ingest()

    assert served.serve()["acme"].result == "published"
    assert numbers(served, "acme") == healthy["acme"]


@pytest.mark.slow
def test_a_new_client_that_was_held_is_published_as_its_file_is_by_then(house: House) -> None:
    for name in ("borealis", "cobalt", "shop"):
        (house.home / f"clients/{name}.yaml").unlink()
    house.export()
    house.export(day=1)
    missing_column(house.home / "exports")
    house.ingest()
    assert house.serve()["acme"].result == "held"

    house.export(day=1)
    house.edit("acme", "model: position_based", "model: last_touch")
    house.ingest()
    report = house.serve()["acme"]

    assert (report.result, report.reasons) == ("published", [])
    assert report.published.conversions != "0"
    assert house.rows("SELECT DISTINCT model FROM acme_publish.attribution_v1") == [("last_touch",)]
    assert house.serve()["acme"].result == "nothing new"


@pytest.mark.slow
def test_duplicates_change_nothing(served: House) -> None:
    before = {client: served.published(client) for client in ("acme", *OTHERS)}
    folder = served.home / "exports/acme"
    for file in list(folder.glob("*-2026-10-31.*")):
        shutil.copy(file, folder / file.name.replace("2026-10-31", "2026-11-01"))

    outcomes = served.ingest()
    reports = served.serve()

    assert outcomes["acme", "web"].counts.read > 0
    assert outcomes["acme", "web"].counts.appended == 0
    assert {report.result for report in reports.values()} <= {"published", "nothing new"}
    now = {client: served.published(client) for client in ("acme", *OTHERS)}
    for client in before:
        assert {**now[client], "freshness_v1": 0} == {**before[client], "freshness_v1": 0}


def test_a_second_morning_has_nothing_to_do(served: House) -> None:
    warehouse = served.home / "warehouse/home.duckdb"
    before = warehouse.read_bytes()

    done = served.pipelines("daily")

    assert done.returncode == 0, done.stdout
    assert done.stdout.count("│ nothing new") == 4
    assert "Ingest: nothing new in any export" in done.stdout
    assert warehouse.read_bytes() == before


BREAKS = {
    "credit_sums_to_one": (
        "acme_attribution.credit",
        "UPDATE {table} SET credit = credit * 0.9",
    ),
    "revenue_sums_to_conversion": (
        "borealis_attribution.credit",
        "UPDATE {table} SET attributed_revenue = attributed_revenue + 1 WHERE position = 1",
    ),
    "touches_precede_conversions": (
        "cobalt_attribution.credit",
        "UPDATE {table} SET touched_at = converted_at + INTERVAL 1 SECOND WHERE position = 1",
    ),
    "rows_accounted_for": (
        "acme_staging.stg_sessions",
        "DELETE FROM {table} WHERE session_id = (SELECT MIN(session_id) FROM {table})",
    ),
    "revenue_conserved": (
        "borealis_attribution.credit",
        "DELETE FROM {table} WHERE conversion_id = (SELECT MIN(conversion_id) FROM {table})",
    ),
    "unique_combination_of_columns": (
        "cobalt_attribution.credit",
        "INSERT INTO {table} SELECT * REPLACE (0 AS credit, 0 AS attributed_revenue) FROM {table}",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("audits", [list(BREAKS)[:3], list(BREAKS)[3:]], ids=lambda names: names[0])
def test_a_failed_audit_holds_its_client(served: House, healthy: dict, audits: list[str]) -> None:
    held = ("acme", "borealis", "cobalt")
    yesterday = {client: served.published(client) for client in held}
    for audit in audits:
        served.tamper(*BREAKS[audit])
    served.export(day=1)

    done = served.pipelines("daily")

    assert done.returncode == 1
    assert {client: served.published(client) for client in held} == yesterday
    assert numbers(served, "shop") == healthy["shop"]
    for audit in audits:
        client = BREAKS[audit][0].split("_")[0]
        said = rf"^{client}: {client}_\w+[.]\w+: audit {audit} failed, [0-9]+ row\(s\), such as \w+"
        assert re.search(said, done.stdout, re.MULTILINE), done.stdout


@pytest.mark.slow
def test_bare_sqlmesh_audits_what_would_be_published(served: House) -> None:
    assert served.sqlmesh("audit").returncode == 0
    served.tamper("shop_marts.gate", "UPDATE {table} SET reported_spend = spend + 0.01")

    done = served.sqlmesh("audit")

    assert done.returncode != 0
    assert "spend_conserved on model shop_marts.gate" in done.stdout
    assert re.search("1 audit error", done.stdout)


@pytest.mark.slow
def test_a_run_sees_the_load_made_just_before(served: House, healthy: dict) -> None:
    served.export(day=1)
    yesterday = served.files("acme")
    missing_column(served.home / "exports")  # holds acme: its files stay, those of others are new
    reader = duckdb.connect(str(served.home / "published/cobalt.duckdb"), read_only=True)
    before = reader.execute("FROM cobalt_publish.attribution_v1").fetchall()

    ingested = served.pipelines("ingest")
    ran = served.sqlmesh("run", "daily")

    assert ingested.returncode == 0 and ran.returncode == 1, ran.stdout
    for client in OTHERS:
        assert numbers(served, client) == healthy[client]
        assert served.files(client) == served.published(client)
    assert served.files("acme") == yesterday == served.published("acme")
    assert reader.execute("FROM cobalt_publish.attribution_v1").fetchall() == before
    assert served.files("cobalt")["attribution_v1"] != sorted(before)
    versions = {client: whole_versions(client) for client in ("acme", *OTHERS)}

    served.export(day=1)
    served.pipelines("ingest")
    ran = served.sqlmesh("run", "daily")

    assert ran.returncode == 0, ran.stdout
    assert numbers(served, "acme") == healthy["acme"]
    assert served.files("acme") == served.published("acme")
    assert [whole_versions(client) for client in OTHERS] == [versions[each] for each in OTHERS]
    assert len(whole_versions("acme")) == 2


@pytest.mark.slow
def test_a_killed_run_is_made_good(served: House, healthy: dict) -> None:
    served.export(day=1)
    served.ingest()
    script = (
        "import os, signal, threading; from pipelines.serving import morning; from pipelines.settings.reader import read;"
        "from sqlmesh.core.engine_adapter.duckdb import DuckDBEngineAdapter as adapter;"
        "execute = adapter._execute; seen = [];"
        "kill = lambda *a, **k: (seen.append(1), len(seen) > 150 and os.kill(os.getpid(), 9),"
        " execute(*a, **k));"
        "adapter._execute = lambda *a, **k: kill(*a, **k)[2];"
        "list(morning.serve_shard(read()[0]))"
    )

    yesterday = served.files("acme")

    assert served.run("python", "-c", script).returncode == -9
    assert served.files("acme") == yesterday
    reports = served.serve()

    assert {report.result for report in reports.values()} == {"published"}
    assert {client: numbers(served, client) for client in healthy} == healthy
    assert {client: served.files(client) for client in healthy} == {
        client: served.published(client) for client in healthy
    }


@pytest.mark.slow
def test_a_corrupt_warehouse_stops_its_shard_alone(house: House) -> None:
    house.edit("shop", "currency: EUR", "currency: EUR\nshard: other")
    house.export(sessions=30)
    (house.home / "warehouse").mkdir()
    (house.home / "warehouse/other.duckdb").write_bytes(b"no warehouse")

    done = house.pipelines("daily")

    assert done.returncode == 1
    assert re.search(r"shop +│ held", done.stdout)
    assert "shop: " in done.stdout and "other.duckdb" in done.stdout
    assert len(re.findall(r"│ published", done.stdout)) == 3


@pytest.mark.slow
def test_a_broken_settings_file_is_named_and_stops_nobody(served: House) -> None:
    served.pipelines("ingest")
    served.change("acme", attribution={"lookback_days": "thirty"})
    served.export(day=1)

    done = served.pipelines("daily")

    assert done.returncode == 1
    assert "acme: clients/acme.yaml: attribution.lookback_days" in done.stdout
    assert "what was promoted stays in force" in done.stdout
    assert len(re.findall(r"│ published", done.stdout)) == 4


@pytest.mark.slow
def test_a_new_client_joins_the_next_morning(served: House) -> None:
    text = (served.home / "clients/shop.yaml").read_text().replace("exports/shop", "exports/kiosk")
    (served.home / "clients/kiosk.yaml").write_text(text)
    shutil.copytree(served.home / "exports/shop", served.home / "exports/kiosk")

    served.ingest()
    reports = served.serve()

    assert reports["kiosk"].result == "published"
    assert served.published("kiosk")["attribution_v1"]
    assert {report.result for report in reports.values()} == {"published", "nothing new"}


@pytest.mark.slow
def test_a_new_client_with_a_broken_lake_stops_nobody(served: House) -> None:
    served.export(day=1)
    for name in ("kiosk", "stall"):
        text = (
            (served.home / "clients/shop.yaml")
            .read_text()
            .replace("exports/shop", f"exports/{name}")
        )
        (served.home / f"clients/{name}.yaml").write_text(text)
        shutil.copytree(served.home / "exports/shop", served.home / "exports" / name)
    served.ingest()
    for file in (served.home / "lake/kiosk/web/exports").glob("*.parquet"):
        file.write_bytes(b"no parquet")

    reports = served.serve()

    assert reports.pop("kiosk").result == "held"
    assert {report.result for report in reports.values()} == {"published"}
    assert served.published("stall")["attribution_v1"]
