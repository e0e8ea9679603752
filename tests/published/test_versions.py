"""Published files: a version is written whole, shown at once, and read by anybody meanwhile."""

import errno
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import duckdb
import pytest
import time_machine

from pipelines.published import pending_tables, writing
from pipelines.published.old_versions import clear_leftovers, remove_files
from pipelines.published.opening import published, settled
from pipelines.published.provisional_files import write_provisional
from pipelines.published.rolling_back import NoSuchVersion, show_version
from pipelines.published.shown_again import show_again
from pipelines.published.staleness import follow_home, why_behind
from pipelines.published.version_folders import (
    PublishedFileError,
    alone,
    behind_files,
    current,
    manifest_file,
    provisional_versions,
    settled_of,
    versions_of,
    view_file,
    whole_versions,
)
from pipelines.published.writing import write_settled
from pipelines.settings.kept_versions import PublishedFiles
from pipelines.sql import file_literal
from tests.builders.published_files import compute, publish, warehouse_with

SOLD = "acme_publish.sold_v1"
TABLES = {
    SOLD: """SELECT * FROM (VALUES
      (DATE '2026-11-01', 'Search, "paid"', 0.10::DECIMAL(38, 18), 7::HUGEINT, 1.5::DOUBLE,
       TIMESTAMP '2026-11-01 10:00:00.123456', TRUE, ['a', NULL]),
      (NULL, NULL, NULL, 170141183460469::HUGEINT * 1000000000000, NULL, NULL, NULL, NULL)
      ) AS sold (date, channel, revenue, clicks, share, sold_at, is_counted, names)""",
    "acme_publish.freshness_v1": "SELECT 1 AS day, 'acme' AS client",
    "acme_journeys.touchpoints": """SELECT 'visitor' AS visitor_id, UNNEST(
      [TIMESTAMP '2026-09-30 23:59:59', TIMESTAMP '2026-10-01', TIMESTAMP '2026-10-31']) AS loaded_at""",
    "acme_journeys.conversions": "SELECT NULL::TIMESTAMP AS loaded_at LIMIT 0",
    "acme_journeys.paths": "SELECT 'not settled' AS conversion_id",
    "acme_publish__dev.sold_v1": "SELECT 'a preview' AS channel",
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose name is a pattern to DuckDB, and ends a text in SQL."""
    home = tmp_path / "o'home [1] *"
    home.mkdir()
    monkeypatch.setenv("ATTRIBUTION_HOME", str(home))
    return home


@pytest.fixture
def warehouse(home: Path) -> duckdb.DuckDBPyConnection:
    """A warehouse of one client, whose first version is written."""
    warehouse = warehouse_with(TABLES)
    assert publish(warehouse, "acme") == {}
    return warehouse


def a_new_day(warehouse: duckdb.DuckDBPyConnection, day: int = 2) -> None:
    """Compute one table anew with another content, and the others as they were."""
    table = "sqlmesh__acme_publish.acme_publish__freshness_v1__1"
    warehouse.execute(f"CREATE OR REPLACE TABLE {table} AS SELECT {day} AS day, 'acme' AS client")


def days(file: Path) -> list[tuple]:
    """Return what an outsider reads."""
    with duckdb.connect(str(file), read_only=True) as opened:
        return opened.execute("SELECT day FROM acme_publish.freshness_v1").fetchall()


def newest_folder(client: str = "acme") -> Path:
    return versions_of(client) / whole_versions(client)[-1]


def test_files_have_the_tables_rows_types_and_comments(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    table = "sqlmesh__acme_publish.acme_publish__sold_v1__1"
    warehouse.execute(f"INSERT INTO {table} FROM {SOLD} LIMIT 1")  # the same row twice
    warehouse.execute(f"COMMENT ON COLUMN {SOLD}.revenue IS 'It''s in EUR'")
    warehouse.execute(f"COMMENT ON VIEW {SOLD} IS 'What was sold'")
    publish(warehouse, "acme")

    meta = """SELECT column_name, data_type, comment FROM duckdb_columns()
    WHERE schema_name = 'acme_publish' ORDER BY ALL"""
    views = "SELECT view_name, comment FROM duckdb_views() WHERE schema_name LIKE 'acme%publish'"
    with duckdb.connect(str(view_file("acme")), read_only=True) as opened:
        for query in (f"FROM {SOLD}", f"DESCRIBE {SOLD}", meta, views):
            assert opened.execute(query).fetchall() == warehouse.execute(query).fetchall(), query
        assert len(opened.execute(f"FROM {SOLD}").fetchall()) == 3
    parquet = f"DESCRIBE FROM read_parquet({file_literal(newest_folder() / 'sold_v1.parquet')})"
    types = {name: kind for name, kind, *_ in duckdb.execute(parquet).fetchall()}
    assert (types["revenue"], types["clicks"]) == ("DECIMAL(38,18)", "DECIMAL(38,0)")


def test_a_file_that_did_not_change_is_a_link(warehouse: duckdb.DuckDBPyConnection) -> None:
    before = newest_folder()
    publish(warehouse, "acme")
    assert newest_folder() == before  # nothing changed: no version

    a_new_day(warehouse)
    publish(warehouse, "acme")

    after = newest_folder()
    assert after.name > before.name and days(view_file("acme")) == [(2,)]
    same = {
        name: (after / name).stat().st_ino == (before / name).stat().st_ino
        for name in ("sold_v1.parquet", "freshness_v1.parquet")
    }
    assert same == {"sold_v1.parquet": True, "freshness_v1.parquet": False}


def test_a_month_of_loads_that_is_over_is_a_link(warehouse: duckdb.DuckDBPyConnection) -> None:
    before = settled_of("acme") / newest_folder().name
    table = "sqlmesh__acme_journeys.acme_journeys__touchpoints__1"
    warehouse.execute(f"INSERT INTO {table} VALUES ('late', TIMESTAMP '2026-10-31')")
    publish(warehouse, "acme")

    after = settled_of("acme") / newest_folder().name
    same = {
        month: (before / f"touchpoints.{month}.parquet").samefile(
            after / f"touchpoints.{month}.parquet"
        )
        for month in ("2026-09", "2026-10")
    }
    assert same == {"2026-09": True, "2026-10": False}
    with settled("acme") as opened:
        for rows in ("FROM acme_journeys.touchpoints ORDER BY ALL", f"FROM {SOLD} ORDER BY ALL"):
            assert opened.execute(rows).fetchall() == warehouse.execute(rows).fetchall()
        assert opened.execute("DESCRIBE acme_journeys.conversions").fetchone()[1] == "TIMESTAMP"
        with pytest.raises(duckdb.CatalogException):
            opened.execute("FROM acme_journeys.paths")


def test_a_type_or_comment_alone_makes_a_version(warehouse: duckdb.DuckDBPyConnection) -> None:
    before = newest_folder()
    warehouse.execute("COMMENT ON COLUMN acme_publish.freshness_v1.day IS 'Of the load'")
    publish(warehouse, "acme")
    commented = newest_folder()
    table = "sqlmesh__acme_publish.acme_publish__freshness_v1__1"
    warehouse.execute(
        f"CREATE OR REPLACE TABLE {table} AS SELECT 1::BIGINT AS day, 'acme' AS client"
    )
    warehouse.execute(f"CREATE OR REPLACE VIEW acme_publish.freshness_v1 AS FROM {table}")
    publish(warehouse, "acme")

    assert before.name < commented.name < newest_folder().name
    freshness = [each / "freshness_v1.parquet" for each in (before, commented, newest_folder())]
    assert freshness[0].samefile(freshness[1]) and not freshness[1].samefile(freshness[2])


def test_settled_files_are_the_products_alone(warehouse: duckdb.DuckDBPyConnection) -> None:
    root = settled_of("acme").parent
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (root, *sorted(root.rglob("*")))}
    assert {path.name for path in modes if path.suffix in (".parquet", ".json")} == {
        *("touchpoints.2026-09.parquet", "touchpoints.2026-10.parquet", "conversions.parquet"),
        *("manifest.json", "pending.json"),
    }
    for path, mode in modes.items():
        assert mode == (0o700 if path.is_dir() else 0o600), path
    assert [each.name for each in newest_folder().iterdir() if "touch" in each.name] == []


OPEN = """
import duckdb, sys
opened = [duckdb.connect(sys.argv[1], read_only=True) for _ in range(3)]
print([each.execute("SELECT day FROM acme_publish.freshness_v1").fetchone()[0] for each in opened], flush=True)
sys.stdin.read()
print(opened[0].execute("SELECT day FROM acme_publish.freshness_v1").fetchone()[0])
"""


def test_it_opens_under_any_name_from_anywhere_while_it_is_written(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    copied = tmp_path / "of my own.db"
    shutil.copy(view_file("acme"), copied)
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN, str(file)],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for file, folder in ((view_file("acme"), "/"), (copied, tmp_path))
    ]
    assert [reader.stdout.readline() for reader in readers] == ["[1, 1, 1]\n"] * 2

    a_new_day(warehouse)
    assert publish(warehouse, "acme") == {}

    assert days(view_file("acme")) == [(2,)]  # who opens it now reads the new version
    # Who has it open goes on with the old one, and a copy stays at the version it was made of.
    assert [reader.communicate()[0] for reader in readers] == ["1\n"] * 2


def test_a_reader_that_may_write_stops_nobody(warehouse: duckdb.DuckDBPyConnection) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", OPEN.replace(", read_only=True", ""), str(view_file("acme"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout and holder.stdout.readline() == "[1, 1, 1]\n"
    with pytest.raises(PublishedFileError, match=r"acme[.]duckdb is open for writing in another"):
        current("acme")
    assert why_behind("acme") == ""

    a_new_day(warehouse)
    assert publish(warehouse, "acme") == {}

    assert days(view_file("acme")) == [(2,)]
    assert holder.communicate()[0] == "1\n"


def settle(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Write a client's files as a run does."""
    write_settled(warehouse, {"acme": PublishedFiles(keep_days=0)})


def go_ahead(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Write a version with provisional rows as the fast path does."""
    with alone("acme"):
        clear_leftovers("acme")
        write_provisional(warehouse, "acme", whole_versions("acme")[-1])


def killed_at(step: int, write: Callable[[duckdb.DuckDBPyConnection], None]) -> bool:
    """Publish in a process that is killed before its nth step; return whether it came to it."""
    if not (child := os.fork()):
        seen = 0

        def dying(function):
            def wrapper(*arguments, **named):
                nonlocal seen
                seen += 1
                if seen == step:
                    os.kill(os.getpid(), signal.SIGKILL)
                return function(*arguments, **named)

            return wrapper

        for name in ("replace", "link", "fsync", "mkdir", "chmod", "unlink", "rmdir"):
            setattr(os, name, dying(getattr(os, name)))
        writing.copy = dying(writing.copy)
        fresh = warehouse_with(TABLES)  # no threads of the parent's are needed
        a_new_day(fresh, day=2)
        write(fresh)
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


@pytest.mark.parametrize(
    ("write", "is_ahead"), [(settle, False), (go_ahead, False), (settle, True)]
)
def test_a_kill_at_any_step_leaves_a_whole_version(
    home: Path,
    warehouse: duckdb.DuckDBPyConnection,
    write: Callable[[duckdb.DuckDBPyConnection], None],
    is_ahead: bool,
) -> None:
    """Where provisional rows are shown ahead of a run, these or the settled ones are shown."""
    publish(warehouse, "acme")
    if is_ahead:
        a_new_day(warehouse, day=2)
        go_ahead(warehouse)
    kept = home.with_name("kept")
    home.rename(kept)
    seen, step = set(), 0
    while True:
        step += 1
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(kept, home)
        compute(warehouse, "acme")
        if not killed_at(step, write):
            break

        ((day,),) = days(view_file("acme"))
        seen.add(day)
        with published("acme") as opened:  # the tables are of one version
            assert opened.execute("SELECT day FROM acme_publish.freshness_v1").fetchall() == [
                (day,)
            ]
            assert len(opened.execute(f"FROM {SOLD}").fetchall()) == 2
        if day == 1:
            assert "acme.duckdb is older than the tables" in why_behind("acme")

        a_new_day(warehouse, day=3)
        assert publish(warehouse, "acme") == {}
        assert days(view_file("acme")) == [(3,)] and why_behind("acme") == ""
        left = [*versions_of("acme").iterdir(), *settled_of("acme").iterdir()]
        names = {each.name for each in left if each.is_dir()}
        assert names == {*whole_versions("acme"), *provisional_versions("acme")}, step
        assert [each.name for each in (home / "published").glob(".*")] == []
    assert step > 20 and seen == ({2} if is_ahead else {1, 2})


def test_versions_stay_for_readers_and_a_rollback(warehouse: duckdb.DuckDBPyConnection) -> None:
    now = datetime.now(timezone.utc)
    first = newest_folder().name
    for day in (2, 3, 4):
        with time_machine.travel(now + timedelta(days=day), tick=True):
            a_new_day(warehouse, day)
            publish(warehouse, "acme", keep=PublishedFiles(keep_days=7))
    assert len(whole_versions("acme")) == 4  # the first was replaced two days ago

    with time_machine.travel(now + timedelta(days=9, hours=1), tick=True):
        a_new_day(warehouse, 9)
        publish(warehouse, "acme", keep=PublishedFiles(keep_days=7))
    assert first not in whole_versions("acme") and len(whole_versions("acme")) == 4
    with time_machine.travel(now + timedelta(days=90), tick=True):
        a_new_day(warehouse, 90)
        publish(warehouse, "acme", keep=PublishedFiles(keep_days=7))
    assert len(whole_versions("acme")) == 2  # the newest two, however old
    assert days(view_file("acme")) == [(90,)]
    assert {each.name for each in settled_of("acme").glob("2*")} == set(whole_versions("acme"))


def test_an_earlier_version_is_shown_again(warehouse: duckdb.DuckDBPyConnection) -> None:
    for day in (2, 3):
        a_new_day(warehouse, day)
        publish(warehouse, "acme")
    first, second, third = whole_versions("acme")

    show_version("acme", first)
    assert days(view_file("acme")) == [(1,)] and whole_versions("acme") == [first, second, third]
    with pytest.raises(NoSuchVersion, match=f"no version none to show; there are {first}, "):
        show_version("acme", "none")
    show_version("acme", third)
    assert days(view_file("acme")) == [(3,)]

    show_version("acme", first)
    publish(warehouse, "acme")  # the next run publishes what the tables have
    assert days(view_file("acme")) == [(3,)] and len(whole_versions("acme")) == 4


def test_what_other_tables_published_last_is_shown_again_as_the_newest_version(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    a_new_day(warehouse, 2)
    publish(warehouse, "acme")
    last, before = newest_folder(), frozenset(behind_files("acme"))
    warehouse.execute("CREATE TABLE promoted AS SELECT 9 AS day, 'acme' AS client")
    warehouse.execute("CREATE OR REPLACE VIEW acme_publish.freshness_v1 AS FROM promoted")
    publish(warehouse, "acme")
    assert days(view_file("acme")) == [(9,)]

    assert show_again("acme", frozenset({"other"})) == "" and days(view_file("acme")) == [(9,)]
    again = show_again("acme", before)

    assert days(view_file("acme")) == [(2,)] and newest_folder().name == again
    file = newest_folder() / "freshness_v1.parquet"
    assert file.samefile(last / file.name)  # a link: nothing is written but a name
    assert manifest_file("acme", again).stat().st_mode & 0o777 == 0o600
    assert show_again("acme", before) == again  # as after a rollback that was ended
    with settled("acme") as opened:
        assert opened.execute("SELECT COUNT(*) FROM acme_journeys.touchpoints").fetchall() == [(3,)]


def test_a_version_comes_after_the_one_before_it(warehouse: duckdb.DuckDBPyConnection) -> None:
    before = newest_folder().name
    with time_machine.travel(datetime(2020, 1, 1, tzinfo=timezone.utc)):
        a_new_day(warehouse)
        publish(warehouse, "acme")
    assert newest_folder().name > before and days(view_file("acme")) == [(2,)]


@pytest.mark.parametrize(
    "error, said",
    [
        (OSError(errno.ENOSPC, "No space left on device", "/full"), "no space left for /full"),
        (duckdb.IOException('write to file "/full": No space left on device'), "no space left"),
        (OSError(errno.EACCES, "Permission denied"), "Permission denied"),
    ],
)
def test_a_full_disk_is_said_in_a_line_and_stops_no_other(
    home: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    tables = TABLES | {"select_publish.freshness_v1": "SELECT 1 AS day"}
    warehouse = warehouse_with(tables)
    assert publish(warehouse, "acme", "select") == {}
    a_new_day(warehouse)
    table = "sqlmesh__select_publish.select_publish__freshness_v1__1"
    warehouse.execute(f"CREATE OR REPLACE TABLE {table} AS SELECT 2 AS day")
    copy = writing.copy

    def fill(warehouse, client, table, part, file):
        if client == "acme":
            Path(file).write_bytes(b"a part of it")
            raise error
        copy(warehouse, client, table, part, file)

    monkeypatch.setattr(writing, "copy", fill)
    problems = publish(warehouse, "acme", "select")

    assert list(problems) == ["acme"]
    assert problems["acme"].startswith("published/acme.duckdb stays as it was: ")
    assert said in problems["acme"] and "\n" not in problems["acme"]
    assert days(view_file("acme")) == [(1,)] and len(list(versions_of("acme").iterdir())) == 1
    with published("select") as opened:
        assert opened.execute("FROM select_publish.freshness_v1").fetchall() == [(2,)]
    assert "older than the tables" in why_behind("acme") and why_behind("select") == ""

    monkeypatch.setattr(writing, "copy", copy)
    assert write_settled(warehouse, {"acme": PublishedFiles()}) == {}  # nothing is computed again
    assert days(view_file("acme")) == [(2,)]


def test_a_client_that_was_computed_in_part_keeps_its_files(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    a_new_day(warehouse)
    compute(warehouse, "acme", but="sold_v1")
    assert write_settled(warehouse, {"acme": PublishedFiles()}) == {}
    assert days(view_file("acme")) == [(1,)] and "did not compute all" in why_behind("acme")

    # What the tables are made of has changed since: they are not of one state any more.
    compute(warehouse, "acme")
    pending_tables.begin_upstream("acme")
    write_settled(warehouse, {"acme": PublishedFiles()})
    assert days(view_file("acme")) == [(1,)]

    publish(warehouse, "acme")
    assert days(view_file("acme")) == [(2,)] and why_behind("acme") == ""


def test_what_a_preview_computes_is_never_written(warehouse: duckdb.DuckDBPyConnection) -> None:
    pending_tables.begin("acme", "acme_publish__sold_v1__2")
    assert why_behind("acme") == ""
    pending_tables.end("acme", "acme_publish__sold_v1__2")
    write_settled(warehouse, {"acme": PublishedFiles()})

    assert len(whole_versions("acme")) == 1
    assert pending_tables.pending("acme") == pending_tables.NOTHING


def test_a_promotion_is_written_though_nothing_is_computed(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    other = "sqlmesh__acme_publish.acme_publish__freshness_v1__2"
    warehouse.execute(f"CREATE TABLE {other} AS SELECT 5 AS day, 'acme' AS client")
    pending_tables.promote("acme")
    assert "older than the tables" in why_behind("acme")
    write_settled(warehouse, {"acme": PublishedFiles()})  # as where nothing changed after all
    assert days(view_file("acme")) == [(1,)] and why_behind("acme") == ""

    pending_tables.promote("acme")
    warehouse.execute(f"CREATE OR REPLACE VIEW acme_publish.freshness_v1 AS FROM {other}")
    write_settled(warehouse, {"acme": PublishedFiles()})
    assert days(view_file("acme")) == [(5,)]


def test_a_home_that_moves_is_followed(
    home: Path, warehouse: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = home.with_name("moved")
    home.rename(moved)
    monkeypatch.setenv("ATTRIBUTION_HOME", str(moved))
    with published("acme") as opened:  # the product reads where the home is
        assert opened.execute("SELECT day FROM acme_publish.freshness_v1").fetchall() == [(1,)]
    assert f"shows files in {home}/published/acme/" in why_behind("acme")

    follow_home("acme")

    assert days(view_file("acme")) == [(1,)] and why_behind("acme") == ""


def test_files_that_are_gone_or_torn_are_named_and_written_again(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    view_file("acme").write_bytes(b"torn" * 5000)
    assert "published/acme.duckdb is not readable" in why_behind("acme")
    publish(warehouse, "acme")
    assert days(view_file("acme")) == [(1,)] and why_behind("acme") == ""

    written = manifest_file("acme", newest_folder().name)
    written.write_text(written.read_text().replace('"format"', '"form"'))  # of another version
    assert "whose files are not whole" in why_behind("acme")
    publish(warehouse, "acme")
    assert why_behind("acme") == "" and len(whole_versions("acme")) == 3

    shutil.rmtree(newest_folder())
    assert "acme.duckdb shows files that are gone: run make daily" in why_behind("acme")
    publish(warehouse, "acme")
    assert days(view_file("acme")) == [(1,)] and why_behind("acme") == ""

    view_file("acme").unlink()
    assert why_behind("acme").startswith("published/acme.duckdb is not there: run make daily")
    publish(warehouse, "acme")
    assert days(view_file("acme")) == [(1,)]

    shutil.rmtree(settled_of("acme"))
    assert "whose files are not whole" in why_behind("acme")
    publish(warehouse, "acme")
    assert days(view_file("acme")) == [(1,)] and why_behind("acme") == ""


def test_a_retired_clients_files_go(warehouse: duckdb.DuckDBPyConnection) -> None:
    remove_files("acme")
    with published("acme") as opened:
        assert opened is None
    assert not versions_of("acme").exists() and not settled_of("acme").exists()
