"""The linter forbids what must never be: shown on a copy of the project with a fault in it."""

import os
import re
from pathlib import Path

import pytest

from linter.columns import meanings, with_meanings
from tests.builders.checkout import copy_checkout
from tests.conftest import PROJECT, House

pytestmark = pytest.mark.xdist_group("lint")  # its house is furnished once

FAULTS = {
    "noreadacrossclients": (
        "marts/fct_credit.sql",
        r"@\{client\}_attribution\.credit",
        "acme_attribution.credit",
    ),
    "noreadupwards": (
        "marts/fct_path_ends.sql",
        r"\nGROUP BY\n",
        "\n  AND EXISTS (SELECT * FROM @{client}_publish.campaigns_v1)\nGROUP BY\n",
    ),
    "nopublishpastmarts": (
        "publish/attribution_v1.sql",
        r"_marts\.fct_credit",
        "_attribution.credit",
    ),
    "nomissinggrain": ("journeys/paths.sql", r"  grain .*\n", ""),
    "nomissingcolumncomment": ("publish/campaigns_v1.sql", r"roas, /\*.*\*/", "roas,"),
    "noothercolumnmeaning": (
        "journeys/paths.sql",
        r"site, or what the client",
        "or what the client",
    ),
    "nomissingdescription": ("journeys/revisions.sql", r"^/\*.*\*/\n", ""),
}


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return what `sqlmesh lint` says of a project with one fault of each kind."""
    project = copy_checkout(tmp_path_factory.mktemp("faulty") / "project")
    for client in ("acme", "shop"):
        assert (project / "clients" / f"{client}.yaml").exists()
    for model, old, new in FAULTS.values():
        file = project / "models" / model
        text, count = re.subn(old, new, file.read_text(), count=1)
        assert count == 1, f"{old} is not in {model}"
        file.write_text(text)
    os.environ.pop("ATTRIBUTION_HOME", None)
    return House(project).run("sh", "-c", f"cd {project} && sqlmesh lint").stdout


@pytest.mark.parametrize("rule", FAULTS)
def test_a_fault_is_named(findings: str, rule: str) -> None:
    layer, table = Path(FAULTS[rule][0]).with_suffix("").parts
    assert re.search(rf"{rule}: \w+_{layer}\.{table}\b", " ".join(findings.split())), findings


def test_a_column_that_drifts_is_written_anew() -> None:
    drifted = "  @SQL(@event_types) AS conversion_type, /* deal or purchase */\n  other /* Own */"
    mended = with_meanings(drifted)
    assert mended == drifted.replace("deal or purchase", meanings()["conversion_type"])
    assert with_meanings(mended) == mended
    example = "  @SQL(@event_types) AS conversion_type, /* such as CASE event_type … */"
    assert with_meanings(example) == example


def test_the_project_itself_has_none() -> None:
    os.environ.pop("ATTRIBUTION_HOME", None)
    done = House(PROJECT).run("sqlmesh", "lint")
    assert done.returncode == 0 and "violation" not in done.stdout.lower(), done.stdout
