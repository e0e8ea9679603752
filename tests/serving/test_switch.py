"""A client's model is a line in its file: previewed, audited, promoted, taken back; nobody else moves."""

import re
from datetime import datetime, timedelta, timezone

import pytest
import time_machine

from pipelines.serving import promotion
from tests.builders.checkout import copy_checkout
from tests.conftest import PROJECT, House


@pytest.fixture
def switched(served: House) -> House:
    """A house in which acme's file asks for another model than the promoted one."""
    served.edit("acme", "model: position_based", "model: last_touch")
    return served


def modified(output: str) -> set[str]:
    """Return the schemas that a plan lists as changed."""
    return set(
        re.findall(
            r"[-*├└─ ]*`?(\w+?)__dev\.\w+`? \((?:Indirect )?(?:Breaking|Non-breaking)", output
        )
    )


def test_a_switch_is_previewed_and_promoted_for_one_client(switched: House) -> None:
    before = {name: switched.published(name) for name in ("acme", "borealis", "cobalt", "shop")}

    plan = switched.sqlmesh("plan", "dev")

    assert plan.returncode == 0, plan.stdout
    assert switched.files("acme") == before["acme"]  # a preview is written nowhere
    assert modified(plan.stdout) == {"acme_attribution", "acme_marts", "acme_publish"}
    assert {name: switched.published(name) for name in before} == before
    assert switched.published("acme", "dev")["attribution_v1"] != before["acme"]["attribution_v1"]

    shown = switched.pipelines("preview", "acme")
    assert shown.returncode == 0 and "Paid Search" in shown.stdout, shown.stdout
    change = "acme: attribution.model: position_based → last_touch"
    for said in (change, "difference", "CPA", "ROAS", "total", "Paid Social: "):
        assert said in shown.stdout, shown.stdout
    assert switched.sqlmesh("audit").returncode == 0

    promoted = switched.pipelines("promote", "acme")

    assert promoted.returncode == 0 and "acme: promoted" in promoted.stdout, promoted.stdout
    assert change in promoted.stdout and "difference" in promoted.stdout
    after = {name: switched.published(name) for name in before}
    assert after["acme"]["attribution_v1"] == switched.published("acme", "dev")["attribution_v1"]
    assert after | {"acme": 0} == before | {"acme": 0}
    assert {name: switched.files(name) for name in before} == after

    switched.edit("acme", "model: last_touch", "model: position_based")
    tables = (
        "SELECT COUNT(*) FROM duckdb_tables() WHERE schema_name LIKE 'sqlmesh\\_\\_%' ESCAPE '\\'"
    )
    built = switched.rows(tables)
    back = switched.pipelines("promote", "acme")
    assert back.returncode == 0, back.stdout
    assert switched.rows(tables) == built
    assert switched.published("acme") == before["acme"] == switched.files("acme")


@pytest.mark.slow
def test_a_morning_runs_what_was_promoted_and_names_what_waits(switched: House) -> None:
    before = switched.published("acme")

    report = switched.serve()["acme"]

    assert report.result == "published"
    assert report.reasons == [
        "changed, but not promoted: make preview CLIENT=acme, then make promote CLIENT=acme"
    ]
    assert switched.published("acme") == before

    assert promotion.promote(switched.client("acme"))
    report = switched.serve()["acme"]
    assert (report.result, report.reasons) == ("published", [])
    assert switched.serve()["acme"].result == "nothing new"

    switched.edit("acme", "model: last_touch", "model: position_based")
    assert "not promoted" in switched.serve()["acme"].reasons[0]
    assert switched.published("acme") != before


@pytest.mark.slow
def test_a_preview_sees_the_loads_of_its_minute(served: House) -> None:
    today = datetime.now(timezone.utc).replace(hour=6, minute=0, second=2, microsecond=0)
    with time_machine.travel(today + timedelta(days=1), tick=False):
        served.export(day=1)
        served.ingest()
    with time_machine.travel(today + timedelta(days=1, seconds=20), tick=False):
        assert served.serve()["acme"].result == "published"
        served.edit("acme", "model: position_based", "model: last_touch")
        assert promotion.preview(served.client("acme"))


def test_a_change_that_fails_its_audits_is_not_promoted(switched: House) -> None:
    before = switched.published("acme")
    switched.tamper(
        "acme_journeys.paths",
        "UPDATE {table} SET touched_at = converted_at + INTERVAL 1 DAY WHERE position = 1",
    )

    done = switched.pipelines("promote", "acme")

    assert done.returncode == 1
    assert "acme: not promoted, it keeps what it had" in done.stdout
    assert "audit touches_precede_conversions failed" in done.stdout
    assert switched.published("acme") == before == switched.files("acme")


@pytest.mark.slow
def test_a_faulty_model_that_loses_spend_is_not_promoted(served: House, tmp_path) -> None:
    project = copy_checkout(tmp_path / "project")
    model = project / "models/marts/fct_campaigns.sql"
    model.write_text(model.read_text().replace("FULL OUTER JOIN earned", "JOIN earned"))
    before = served.published("acme")

    done = served.run("sh", "-c", f"cd {project} && python -m pipelines promote acme")

    assert done.returncode == 1
    assert "acme: not promoted, it keeps what it had" in done.stdout
    assert "acme_marts.gate: audit spend_conserved failed, 1 row(s)" in done.stdout
    assert served.published("acme") == before


@pytest.mark.slow
def test_a_bare_plan_sees_edits_additions_and_removals(served: House) -> None:
    clients = served.home / "clients"

    served.edit("cobalt", "last_non_direct", "linear")
    assert modified(served.sqlmesh("plan", "dev").stdout) == {
        "cobalt_attribution",
        "cobalt_marts",
        "cobalt_publish",
    }

    text = (clients / "shop.yaml").read_text()
    (clients / "kiosk.yaml").write_text(text)
    added = served.sqlmesh("plan", "dev").stdout
    assert re.search(r"Added Models:.*`kiosk_attribution__dev\.credit`", added, re.DOTALL)

    (clients / "kiosk.yaml").unlink()
    removed = served.sqlmesh("plan", "dev").stdout
    assert re.search(r"Removed Models:.*`kiosk_attribution__dev\.credit`", removed, re.DOTALL)


@pytest.mark.slow
def test_a_new_model_in_the_library_rebuilds_nobody(served: House, tmp_path) -> None:
    project = copy_checkout(tmp_path / "project")
    library = project / "pipelines/attribution/library.py"
    library.write_text(library.read_text() + MIDDLE)
    versions = served.run("python", "-c", VERSIONS.format(project=PROJECT))
    grown = served.run("python", "-c", VERSIONS.format(project=project))

    assert versions.returncode == grown.returncode == 0, grown.stdout
    assert versions.stdout == grown.stdout != ""


MIDDLE = '''

@register
def middle() -> str:
    """All to the middle."""
    return "CASE WHEN position * 2 = path_length THEN 1 ELSE 0 END"
'''
VERSIONS = """
import os, sys
sys.path.insert(0, r"{project}")
os.chdir(r"{project}")
from pipelines.serving.warehouse import Warehouse
from pipelines.settings.reader import read
warehouse = Warehouse("home")
local = ((client.id, warehouse.local(client.id)) for client in read()[0])
print(sorted((name, sorted(map(str, ids))) for name, ids in local))
"""


@pytest.mark.slow
def test_a_client_without_a_file_is_retired_by_promotion(served: House) -> None:
    (served.home / "clients/shop.yaml").unlink()

    done = served.pipelines("promote", "shop")

    assert done.returncode == 0, done.stdout
    assert served.published("shop") == {}
    assert served.published("acme")


def test_a_draft_that_nobody_promoted_never_runs_in_the_place_of_a_broken_file(
    switched: House,
) -> None:
    """An edit is read by `make ingest` and waits; then a typing error breaks the file."""
    before = switched.published("acme")
    switched.ingest()
    assert switched.client("acme").attribution.model == "last_touch"
    switched.edit("acme", "model: last_touch", "model: last_tuch")

    previewed = switched.pipelines("preview", "acme")
    promoted = switched.pipelines("promote", "acme")

    assert (previewed.returncode, promoted.returncode) == (1, 1)
    assert "attribution.model" in previewed.stdout and "attribution.model" in promoted.stdout
    assert "acme: not previewed, `prod` keeps what it has" in previewed.stdout
    assert "acme: not promoted, `prod` keeps what it has" in promoted.stdout
    assert "what was promoted stays in force" in promoted.stdout
    assert switched.client("acme").attribution.model == "position_based"
    assert switched.published("acme") == before
