"""A plan that is killed after SQLMesh noted it, and before its views were made, is finished by the next command."""

import pytest

from tests.conftest import House

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("morning")]

KILL = """
import os
from sqlmesh.core.snapshot.evaluator import SnapshotEvaluator
def kill(evaluator, *_, environment_naming_info, **__):
    if environment_naming_info.name == "prod":
        os.kill(os.getpid(), 9)
    return made(evaluator, *_, environment_naming_info=environment_naming_info, **__)
made, SnapshotEvaluator.promote = SnapshotEvaluator.promote, kill
"""
RUN = "import sys, runpy; sys.argv[1:] = {}; runpy.run_module('pipelines', run_name='__main__')"


def killed(house: House, *command: str) -> None:
    """Run a command, and kill it before the views of `prod` are made."""
    done = house.run("python", "-c", KILL + RUN.format(list(command)))
    assert done.returncode == -9, done.stdout


def test_a_promotion_that_was_killed_is_promoted_by_the_next(served: House) -> None:
    before = {name: served.published(name) for name in ("borealis", "cobalt", "shop")}
    served.edit("acme", "model: position_based", "model: last_touch")
    killed(served, "promote", "acme")
    assert {model for *_, model in _models(served)} == {"position_based"}

    again = served.pipelines("promote", "acme")

    assert again.returncode == 0, again.stdout
    assert {model for *_, model in _models(served)} == {"last_touch"}
    assert {name: served.published(name) for name in before} == before


def test_a_first_morning_that_was_killed_is_published_by_the_next(house: House) -> None:
    house.export(sessions=60)
    house.ingest()
    serve = "from pipelines.serving import morning; from pipelines.settings.reader import read\n"
    done = house.run("python", "-c", KILL + serve + "list(morning.serve_shard(read()[0]))")
    assert done.returncode == -9, done.stdout
    assert not any(house.published(name) for name in ("acme", "borealis", "cobalt", "shop"))

    reports = house.serve()

    assert {report.result for report in reports.values()} == {"published"}
    assert all(house.published(name) for name in reports)


def test_a_retirement_that_was_killed_leaves_no_view_behind(served: House) -> None:
    served.pipelines("status")  # keeps a copy of each client's settings
    (served.home / "clients/shop.yaml").unlink()
    killed(served, "promote", "shop")
    assert served.published("shop")

    again = served.pipelines("promote", "shop")

    assert again.returncode == 0, again.stdout
    assert served.published("shop") == {} and served.published("acme")


def _models(house: House) -> list[tuple]:
    return house.rows("SELECT DISTINCT model FROM acme_publish.attribution_v1")
