"""A client is rebuilt from its lake as it was published, and what was published is computed again.

One client of four is broken, killed as it is rebuilt, promoted with a model that learns, given new data; its
warehouse is lost. What is seen on the way is kept, and each test looks at a part of it.
"""

import shutil
from typing import Any, NamedTuple

import duckdb
import pytest
from typer.testing import CliRunner

from pipelines.__main__ import app
from pipelines.explaining.steps import GoneVersion
from pipelines.ingest.run import ingest_client
from pipelines.lake.merging import Merged
from pipelines.ledger.runs import runs
from pipelines.published.staleness import follow_home
from pipelines.published.version_folders import (
    current,
    settled_of,
    versions_of,
    whole_versions,
    written_at,
)
from pipelines.serving import promotion
from pipelines.serving.morning import serve
from pipelines.serving.rebuilding import Rebuilt, rebuild
from pipelines.serving.replaying import Recomputed, recompute
from pipelines.settings.reader import read
from pipelines.warehouse_files import half_built
from tests.builders.many_loads import merge_all
from tests.conftest import House

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("morning")]

KILLED = """
import os
from pipelines.serving.rebuilding import rebuild
from pipelines.settings.reader import read
def watch(now):
    if now.model == "acme_attribution.credit":
        os.kill(os.getpid(), 9)
rebuild(next(client for client in read()[0] if client.id == "acme"), print, watch)
"""
LEARNS = {"model": "markov", "learning": {"minimum_conversions": 2, "retrain_days": 365}}
Rows = dict[str, list[tuple]]
_HEADER, _BLOCK = (
    3 * 4096,
    262_144,
)  # bytes of a DuckDB file: what is before its blocks, and a block


def nothing(*_: object) -> None:
    """Tell nobody."""


def rows_of(version: str) -> Rows:
    """Return all rows of a kept version, by table."""
    with duckdb.connect() as reader:
        return {
            file.stem: reader.execute(f"FROM '{file}' ORDER BY ALL").fetchall()
            for file in sorted((versions_of("acme") / version).glob("*.parquet"))
        }


class Replay(NamedTuple):
    """Numbers that were computed again, with all rows of the published tables."""

    found: Recomputed
    rows: Rows


def replayed(house: House, version: str, by_now: bool = False) -> Replay:
    """Compute what was shown as a version was written."""
    rows: Rows = {}

    def look(warehouse: duckdb.DuckDBPyConnection) -> None:
        schema = "acme_publish__daily"
        views = "SELECT view_name FROM duckdb_views() WHERE schema_name = ? ORDER BY ALL"
        for (table,) in warehouse.execute(views, [schema]).fetchall():
            rows[table] = warehouse.execute(f"FROM {schema}.{table} ORDER BY ALL").fetchall()

    moment = written_at(version).replace(tzinfo=None)
    return Replay(recompute(house.client("acme"), moment, by_now, nothing, look), rows)


def others(house: House) -> dict[str, Any]:
    """Return what is of no concern to acme: all tables' rows in the warehouse, and the files as they lie there."""
    names = """SELECT schema_name, table_name FROM duckdb_tables()
        WHERE schema_name LIKE 'sqlmesh\\_\\_%' ESCAPE '\\' AND schema_name NOT LIKE '%acme%' ORDER BY ALL"""
    tables = [f'"{schema}"."{table}"' for schema, table in house.rows(names)]
    hashed = {
        table: house.rows(f"SELECT COUNT(*), BIT_XOR(HASH(rows)) FROM {table} AS rows")
        for table in tables
    }
    assert len(tables) > 50
    files = [
        file
        for name in ("borealis", "cobalt", "shop")
        for folder in ("published", "settled", "lake")
        for file in sorted((house.home / folder / name).rglob("*"))
    ]
    return hashed | {str(file): (file.stat().st_ino, file.stat().st_mtime_ns) for file in files}


def tear(house: House) -> str:
    """Tear a table of acme's, drop one, falsify one, and spoil a published file; return the torn table."""
    file = house.home / "warehouse/home.duckdb"
    house.tamper("acme_attribution.credit", "DROP TABLE {table}")
    house.tamper("acme_marts.fct_campaigns", "UPDATE {table} SET cost = cost + 1")
    house.tamper(
        "acme_journeys.touchpoints", "INSERT INTO {table} SELECT t.* FROM {table} t, RANGE(2000)"
    )
    with duckdb.connect(str(file)) as warehouse:
        tables = warehouse.execute(
            "SELECT schema_name || '.' || table_name FROM duckdb_tables()"
        ).fetchall()
        (torn,) = (table for (table,) in tables if "acme_journeys__touchpoints__" in table)
        blocks = {
            table: {
                block
                for (block,) in warehouse.execute(
                    f"SELECT DISTINCT block_id FROM pragma_storage_info('{table}')"
                ).fetchall()
            }
            for (table,) in tables
        }
    own = blocks.pop(torn).difference(*blocks.values())
    with file.open("r+b") as opened:
        for block in own:
            opened.seek(_HEADER + block * _BLOCK + 1000)
            opened.write(b"torn" * 100)
    shown = versions_of("acme") / current("acme").version / "campaigns_v1.parquet"
    shown.write_bytes(b"torn")
    return torn


class Story(NamedTuple):
    """What was seen: versions, their rows, and what commands returned."""

    house: House
    published: Rows  # before acme was broken
    torn: str  # why a torn table could not be read
    others: tuple[dict, dict]  # before and after acme was rebuilt
    killed: tuple[str, bool]  # what was shown after the kill, and whether half of it is noted
    broken: Rebuilt
    versions: dict[str, str]
    rows: dict[str, Rows]
    merged: Merged  # of the log, before anything was computed again
    replays: dict[str, Replay]
    learnt: tuple[list[str], list[str]]  # before and after the warehouse was lost
    lost: Rebuilt
    after: list[str]  # what the next morning says of acme


@pytest.fixture(scope="module")
def story(_served: House, tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Return what happens to acme."""
    home = tmp_path_factory.mktemp("rebuilt") / "house"
    shutil.copytree(_served.home, home)
    house = House(home).enter()
    for client in read()[0]:
        follow_home(client.id)
    seen: dict[str, Any] = {"house": house, "versions": {}, "rows": {}, "replays": {}}
    _break_and_rebuild(house, seen)
    _promote_and_load(house, seen)
    seen["merged"] = merge_all("acme")
    _replay(house, seen)
    _lose(house, seen)
    return Story(**seen)


def _note(seen: dict[str, Any], name: str) -> None:
    version = whole_versions("acme")[-1]
    seen["versions"][name], seen["rows"][name] = version, rows_of(version)


def _break_and_rebuild(house: House, seen: dict[str, Any]) -> None:
    seen["published"] = house.files("acme")
    before, shown = others(house), current("acme").version
    table = tear(house)
    with pytest.raises(duckdb.Error) as torn:
        house.rows(f"SELECT COUNT(DISTINCT touchpoint_id) FROM {table}")
    died = house.run("python", "-c", KILLED)
    assert died.returncode == -9, died.stdout
    seen["torn"] = str(torn.value)
    seen["killed"] = (current("acme").version, half_built("home", "acme").exists())
    assert seen["killed"][0] == shown
    seen["broken"] = rebuild(house.client("acme"), nothing, nothing)
    seen["others"] = (before, others(house))
    _note(seen, "first")


def _promote_and_load(house: House, seen: dict[str, Any]) -> None:
    house.change("acme", attribution=LEARNS)
    assert promotion.promote(house.client("acme"))
    _note(seen, "learns")
    house.export(day=1)
    ingest_client(house.client("acme"))
    assert [report.result for report in serve([house.client("acme")])] == ["published"]
    _note(seen, "next day")


def _replay(house: House, seen: dict[str, Any]) -> None:
    versions, replays = seen["versions"], seen["replays"]
    replays["first"] = replayed(house, versions["first"])
    replays["by now"] = replayed(house, versions["first"], by_now=True)
    replays["next day"] = replayed(house, versions["next day"])
    for folder in (settled_of, versions_of):
        shutil.rmtree(folder("acme") / versions["learns"])


def _lose(house: House, seen: dict[str, Any]) -> None:
    learnt = [house.home / "lake/acme/_models", "*/*"]
    before = sorted(f"{file.name} {file.stat().st_mtime_ns}" for file in learnt[0].glob(learnt[1]))
    (house.home / "warehouse/home.duckdb").unlink()
    house.change("acme", attribution={"model": "first_touch"})
    seen["lost"] = rebuild(house.client("acme"), nothing, nothing)
    after = sorted(f"{file.name} {file.stat().st_mtime_ns}" for file in learnt[0].glob(learnt[1]))
    seen["learnt"] = (before, after)
    _note(seen, "rebuilt")
    seen["after"] = [f"{each.result} {each.reasons}" for each in serve([house.client("acme")])]


def test_a_torn_client_that_was_killed_is_rebuilt_as_it_was_published(story: Story) -> None:
    assert "orrupt" in story.torn
    assert story.killed[1]
    assert story.broken.report.result == "published"
    assert story.rows["first"] == story.published
    assert not half_built("home", "acme").exists()


def test_others_are_as_they_were(story: Story) -> None:
    before, after = story.others
    assert before == after


def test_a_torn_version_cannot_be_compared_and_a_whole_one_is(story: Story) -> None:
    assert story.broken.changes is None
    assert story.lost.before == story.versions["next day"]
    assert story.lost.changes and story.lost.changes.causes == []


def test_what_is_computed_again_is_read_from_a_merged_log(story: Story) -> None:
    assert story.merged.files >= 2 * story.merged.into > 0
    assert story.merged.removed == story.merged.files
    left = [each.name for each in (story.house.home / "lake/acme/web/sessions").iterdir()]
    assert sum(name.startswith("merged-") for name in left) == 1 == len(left) - 1


def test_what_is_computed_of_now_is_what_is_published(story: Story) -> None:
    replay = story.replays["next day"]
    assert replay.rows == story.rows["next day"]
    assert replay.found.made.lacks == []
    assert replay.found.made.models and replay.found.settings.attribution.model == "markov"


def test_what_is_computed_of_then_is_what_was_published_then(story: Story) -> None:
    replay = story.replays["first"]
    assert replay.rows == story.rows["first"] != story.rows["next day"]
    assert replay.found.made.version == story.versions["first"]
    assert replay.found.settings.attribution.model == "position_based"
    assert len(replay.found.made.loads) < len(story.replays["next day"].found.made.loads)


def test_loads_of_then_by_todays_settings(story: Story) -> None:
    replay, then = story.replays["by now"], story.replays["first"]
    assert replay.found.made.loads == then.found.made.loads
    assert replay.found.numbers.models == ["markov"]
    assert replay.found.numbers.loaded_until == then.found.numbers.loaded_until
    assert replay.rows == story.rows["learns"]  # which had the same loads


def test_a_lost_warehouse_is_rebuilt_by_what_was_promoted(story: Story) -> None:
    before, after = story.learnt
    assert before == after != []
    assert story.lost.report.result == "published"
    assert "promoted" in story.lost.report.reasons[0]
    assert story.rows["rebuilt"] == story.rows["next day"]
    assert story.after[0].startswith("nothing new") and "make promote" in story.after[0]


def test_the_command_computes_what_is_not_kept_and_says_so(story: Story) -> None:
    gone = written_at(story.versions["learns"])
    for version in whole_versions("acme"):
        if written_at(version) < gone:
            shutil.rmtree(settled_of("acme") / version)
    answer = CliRunner().invoke(app, ["replay", "acme", "--as-of", f"{gone:%Y-%m-%dT%H:%M:%S.%f}"])
    said = " ".join(answer.output.split())
    assert answer.exit_code == 0, said
    assert "computed from the loads of then" in said and "is gone" in said
    assert f"{story.versions['learns']} was shown then" in said
    assert "learnt versions: markov" in said and "not as it was then" not in said
    assert not list((story.house.home / ".cache/replays").iterdir())


def test_before_the_first_load_there_is_nothing_to_compute(story: Story) -> None:
    first = written_at(story.versions["first"]).replace(year=2020, tzinfo=None)
    with pytest.raises(GoneVersion, match="no load was committed"):
        recompute(story.house.client("acme"), first, False, nothing)


def test_the_ledger_has_of_what_each_version_was_made(story: Story) -> None:
    made = {run.made.get("published"): run for run in runs("acme", ["publish"])}
    first, newest = (made[story.versions[name]] for name in ("first", "next day"))
    assert first.loads_read.keys() == newest.loads_read.keys()
    assert first.settings_version != newest.settings_version
    assert first.learnt_versions == {} and newest.learnt_versions.keys() == {"markov"}
    assert {each["code"] for each in newest.statuses} == {"ok"}
    assert {run.outcome for run in runs("acme", ["rebuild"])} == {"interrupted", "published"}
