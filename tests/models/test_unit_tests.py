"""Run SQLMesh's unit tests of models on a client of their own: two or three rows, round numbers.

Their files are named for the model, not `test_…`, which every `sqlmesh plan` would load: a plan
must not fail because a client is gone or another model is chosen.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
import yaml
from sqlmesh.core.engine_adapter import create_engine_adapter
from sqlmesh.core.model import Model
from sqlmesh.core.test.definition import ModelTest
from sqlmesh.utils import UniqueKeyDict

from pipelines.serving.warehouse import Warehouse
from tests.builders.checkout import copy_checkout
from tests.builders.lake_writer import settings
from tests.conftest import House

FILES = sorted(Path(__file__).parent.glob("*.yaml"))
TESTS = {
    f"{file.stem}: {name}": (name, body)
    for file in FILES
    for name, body in yaml.safe_load(file.read_text()).items()
}

pytestmark = pytest.mark.xdist_group("unit_tests")  # its models are loaded once


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> UniqueKeyDict[str, Model]:
    """Return the models of a client that asks for the linear model alone."""
    home = tmp_path_factory.mktemp("unit")
    (home / "clients").mkdir()
    (home / "clients/one.yaml").write_text(settings("one"))
    House(home).enter()
    warehouse = Warehouse("home")
    loaded = {model.fqn: model for model in warehouse.models.values()}
    warehouse.close()
    return UniqueKeyDict("models", loaded)


@pytest.mark.parametrize("test", TESTS)
def test_a_model_turns_its_inputs_into_its_outputs(
    models: UniqueKeyDict[str, Model], test: str
) -> None:
    name, body = TESTS[test]
    adapter = create_engine_adapter(duckdb.connect, "duckdb")
    unit = ModelTest.create_test(
        body, name, models, adapter, "duckdb", None, default_catalog="home"
    )
    assert unit, f"there is no model {body['model']}"
    unit.debug()


def test_no_plan_loads_them() -> None:
    assert FILES
    assert not list(Path(__file__).parents[1].rglob("test*.y*ml"))


def _other_model(clients: Path) -> None:
    file = clients / "acme.yaml"
    text, count = re.subn(r"(?m)^  model: \w+$", "  model: first_touch", file.read_text())
    assert count == 1
    file.write_text(text)


def _another_client(clients: Path) -> None:
    for file in clients.glob("*.yaml"):
        file.unlink()
    (clients / "other.yaml").write_text(settings("other"))


@pytest.mark.slow
@pytest.mark.parametrize("change", [_other_model, _another_client])
def test_no_test_blocks_a_plan(tmp_path: Path, change: Callable[[Path], None]) -> None:
    """Not where a client's model is switched, and not where the demo is gone."""
    checkout = copy_checkout(tmp_path / "checkout", tests=True)
    change(checkout / "clients")
    (checkout / "warehouse").mkdir(exist_ok=True)

    planned = subprocess.run(
        [str(Path(sys.executable).parent / "sqlmesh"), "plan", "dev"],
        cwd=checkout,
        env={**os.environ, "ATTRIBUTION_HOME": str(checkout)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )

    assert planned.returncode == 0, planned.stdout + planned.stderr
