"""A rollback puts the settings and models that were promoted before in force, until the next promotion."""

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

import duckdb
import pytest
import time_machine
from typer.testing import CliRunner

from pipelines.__main__ import app
from pipelines.ledger.runs import runs
from pipelines.published.opening import published
from pipelines.published.staleness import follow_home
from pipelines.serving.morning import serve
from pipelines.serving.warehouse import opened
from pipelines.settings.reader import promoted_settings, read
from pipelines.settings.replaced import in_force_again, replaced
from tests.builders.checkout import copy_checkout
from tests.builders.many_loads import merge_all
from tests.conftest import House

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("morning")]

SWITCH = ("model: position_based", "model: last_touch")
WAITING = "waiting, rolled back: the settings and models of before the promotion of "


class Done(NamedTuple):
    """What a command printed, its exit status, and the numbers that outsiders read after it."""

    code: int
    said: str
    files: dict[str, list[tuple]]
    model: set[str]  # by which the published credit is given


class Told:
    """What happened to one client, by the name of each step."""

    def __init__(self, house: House) -> None:
        self.house, self.steps = house, dict[str, Done]()

    def command(self, step: str, *typed: str) -> None:
        done = CliRunner().invoke(app, [*typed])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        self._note(step, done.exit_code, done.output)

    def morning(self, step: str) -> None:
        """Serve the client alone, with what was delivered since."""
        (acme,) = (client for client in read()[0] if client.id == "acme")
        (report,) = serve([acme])
        said = "; ".join([report.result, *report.reasons])
        self._note(step, 0, said)

    def _note(self, step: str, code: int, said: str) -> None:
        with published("acme") as opened:
            query = "SELECT DISTINCT model FROM acme_publish.attribution_v1"
            model = {name for (name,) in opened.execute(query).fetchall()}
        self.steps[step] = Done(code, said, self.house.files("acme"), model)


@pytest.fixture(scope="module")
def told(_served: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Promote a switch and one more, roll both back, serve a morning in between, promote again."""
    home = tmp_path_factory.mktemp("rollback") / "house"
    shutil.copytree(_served.home, home)
    told = Told(house := House(home).enter())
    follow_home("acme")
    told.command("nothing before", "rollback", "acme")
    house.edit("acme", *SWITCH)
    told.command("switched", "promote", "acme")
    house.edit("acme", "model: last_touch", "model: first_touch\n  lookback_days: 20")
    told.command("switched again", "promote", "acme")
    house.export(day=1)
    house.ingest()
    told.command("loads wait", "status", "--client", "acme")
    told.command("back", "rollback", "acme")
    told.command("further back", "rollback", "acme")
    told.command("nothing older", "rollback", "acme")
    told.command("stands", "status", "--client", "acme")
    told.morning("morning")
    told.command("compared", "preview", "acme")
    told.in_force = (promoted_settings("acme"), house.client("acme"))
    _run_janitor()
    with time_machine.travel(datetime.now(timezone.utc) + timedelta(days=30), tick=True):
        _run_janitor()  # what is rolled back to is in force: it stays
    told.command("promoted again", "promote", "acme")
    told.command("well", "status", "--client", "acme")
    _have_planned_before_there_were_merged_files(house)
    told.command("not merged", "rollback", "acme")
    yield told


def _have_planned_before_there_were_merged_files(house: House) -> None:
    """Merge the lake, and let the models that are kept know nothing of it, as those of older releases."""
    merge_all("acme")
    with duckdb.connect(str(house.home / "warehouse/home.duckdb")) as warehouse:
        warehouse.execute(
            """UPDATE sqlmesh._snapshots SET snapshot = REPLACE(snapshot, 'is_merged', 'is_unknown')
            WHERE name LIKE '%acme_staging%'"""
        )
    shutil.rmtree(house.home / ".cache/snapshot")  # it has the models as they were read before


def _run_janitor() -> None:
    with opened("home") as warehouse:
        assert warehouse.context.run_janitor(ignore_ttl=False)


def test_a_client_of_one_version_is_told_so_in_a_line(told: Told) -> None:
    done = told.steps["nothing before"]
    assert done.code == 1 and done.said == (
        "acme: there is nothing to roll back to: no promotion has replaced what was published, or none within"
        " the days that are kept (published_files.keep_days: 7)\n"
    )


def test_what_was_promoted_before_is_shown_at_once_and_then_what_was_before_that(
    told: Told,
) -> None:
    first, back = told.steps["nothing before"], told.steps["back"]
    assert (back.code, back.model) == (0, {"last_touch"})
    assert back.files == told.steps["switched"].files
    assert "acme: attribution.model: first_touch → last_touch" in back.said
    assert "acme: make rollback CLIENT=acme takes it back, until 20" in told.steps["switched"].said
    assert "acme: one more rollback leads further back, until 20" in back.said

    further = told.steps["further back"]
    assert (further.code, further.model) == (0, {"position_based"})
    assert further.files == first.files
    assert "acme: nothing older is kept to go further back to" in further.said

    no_further = told.steps["nothing older"]
    assert no_further.code == 1 and no_further.files == first.files
    assert "is in force already, and nothing older is kept" in no_further.said


def test_each_morning_goes_on_with_new_data_by_what_is_in_force(told: Told) -> None:
    first, morning = told.steps["nothing before"], told.steps["morning"]
    assert morning.said.startswith(f"published; {WAITING}")
    assert morning.model == {"position_based"}
    assert morning.files["campaigns_v1"] != first.files["campaigns_v1"]
    promoted, in_force = told.in_force
    assert promoted == in_force and in_force.attribution.model == "position_based"
    assert "first_touch" in (told.house.home / "clients/acme.yaml").read_text()


def test_status_says_what_waits(told: Told) -> None:
    loads = told.steps["loads wait"]
    assert loads.code == 0
    assert "loads are newer than what is published (facebook_ads 1, google_ads 1" in loads.said
    stands = told.steps["stands"]
    assert stands.code == 0 and "│ rolled back │" in stands.said
    assert f"acme: {WAITING}" in stands.said and "position_based" in stands.said
    well = told.steps["well"]
    assert well.code == 0 and "│ ok " in well.said and "waiting" not in well.said


def test_models_that_would_pass_over_merged_files_are_not_put_back(told: Told) -> None:
    refused = told.steps["not merged"]
    assert refused.code == 1 and refused.files == told.steps["well"].files
    said = " ".join(refused.said.split())
    assert said.startswith("acme: the models of before ") and "a release before 0.13.0" in said
    assert not in_force_again("acme")


def test_a_preview_compares_the_file_with_what_is_in_force(told: Told) -> None:
    compared = told.steps["compared"]
    assert compared.code == 0 and compared.files == told.steps["morning"].files
    assert "acme: attribution.model: position_based → first_touch" in compared.said


def test_a_promotion_ends_it_and_the_ledger_has_all_of_it(told: Told) -> None:
    again = told.steps["promoted again"]
    assert (again.code, again.model) == (0, {"first_touch"}) and "acme: promoted" in again.said
    assert not in_force_again("acme") and len(replaced("acme")) == 1
    outcomes = [run.outcome for run in runs("acme", ["promote", "rollback"])]
    assert outcomes[-7:] == [
        "promoted",
        "promoted",
        "rolled back",
        "rolled back",
        "failed",
        "promoted",
        "failed",
    ]


def test_others_are_untouched(told: Told, _served: House) -> None:
    for name in ("borealis", "cobalt", "shop"):
        assert told.house.published(name) == _served.published(name)


KILL = """
import os
from sqlmesh.core.snapshot.evaluator import SnapshotEvaluator
def kill(evaluator, *_, environment_naming_info, **__):
    if environment_naming_info.name == "prod":
        os.kill(os.getpid(), 9)
    return made(evaluator, *_, environment_naming_info=environment_naming_info, **__)
made, SnapshotEvaluator.promote = SnapshotEvaluator.promote, kill
import sys, runpy
sys.argv[1:] = ["rollback", "acme"]
runpy.run_module("pipelines", run_name="__main__")
"""


def test_code_is_rolled_back_too_and_a_rollback_that_is_killed_is_finished(
    served: House, tmp_path
) -> None:
    """The code has another idea of a model since; it is rolled back without its settings."""
    project = copy_checkout(tmp_path / "project")
    model = project / "models/publish/freshness_v1.sql"
    model.write_text(model.read_text().replace("@money(spend) AS", "@money(spend + 1) AS"))

    def run(*typed: str) -> str:
        done = served.run("sh", "-c", f'cd {project} && python "$@"', "sh", *typed)
        assert done.returncode in (0, -9, 137), done.stdout
        return done.stdout

    assert too_much_spend() == 0
    run("-m", "pipelines", "promote", "acme")
    assert too_much_spend() == 1
    run("-c", KILL)
    assert too_much_spend() == 1  # as it was, until the next command finishes it
    served.export(day=1)
    said = run("-m", "pipelines", "daily", "--client", "acme")

    assert WAITING in " ".join(said.split())
    assert too_much_spend() == 0


def too_much_spend() -> int:
    """Return by how much the total that is published is above the campaigns' spend."""
    with published("acme") as opened:
        campaigns = "SELECT SUM(cost) FROM acme_publish.campaigns_v1"
        query = f"SELECT spend - ({campaigns})::DECIMAL(18, 2) FROM acme_publish.freshness_v1"
        return int(opened.execute(query).fetchone()[0])
