"""A client's models are loaded again when what they are made of changes, and only then."""

import os
import shutil
from pathlib import Path

import pytest
from sqlmesh import Context
from sqlmesh.core.console import NoopConsole, set_console
from sqlmesh.core.snapshot import Snapshot, SnapshotChangeCategory
from sqlmesh.core.snapshot.categorizer import categorize_change
from sqlmesh.utils.errors import ConfigError

from pipelines.blueprints.loading import ClientModels
from pipelines.learning.learners import learner_of
from pipelines.settings.attribution import Attribution
from tests.conftest import PROJECT, House

SETTINGS = """\
name: {name}
currency: EUR
start: 2026-09-01
shard: {shard}
attribution:
  model: {model}
sources:
  web:
    events:
      files: exports/{name}/events.csv
      delivery: full
"""


class Loader:
    """Load the models of a house, and tell which were made, not taken from the cache."""

    def __init__(self, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.project = project
        self._made: list[str] = []
        put = ClientModels.put
        monkeypatch.setattr(
            ClientModels,
            "put",
            lambda cache, models, path: (
                self._made.extend(model.name for model in models) or put(cache, models, path)
            ),
        )

    def versions(self) -> dict[str, str]:
        """Return the version of every model that a new command would load."""
        return {name: each.fingerprint.to_identifier() for name, each in self.snapshots().items()}

    def snapshots(self) -> dict[str, Snapshot]:
        """Return every model that a new command would load, as SQLMesh compares it."""
        set_console(NoopConsole())
        context = Context(paths=str(self.project))
        snapshots = {each.model.name: each for each in context.snapshots.values()}
        context.close()
        return snapshots

    def made(self) -> set[str]:
        """Return the models that a new command makes."""
        self._made.clear()
        self.versions()
        return set(self._made)


def write(home: House, name: str, model: str = "linear", shard: str = "home") -> Path:
    """Write a client's file, as an operator would."""
    file = home.home / "clients" / f"{name}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(SETTINGS.format(name=name, model=model, shard=shard))
    return file


def clients(models: set[str]) -> set[str]:
    """Return whose models these are."""
    return {model.split("_")[0] for model in models}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with the models of three tables: enough to load, and quick."""
    project = tmp_path_factory.mktemp("code") / "project"
    for folder in ("audits", "macros", "linter"):
        shutil.copytree(PROJECT / folder, project / folder)
    for model in ("staging/stg_events", "attribution/channel_scores", "attribution/credit"):
        (project / "models" / model).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / f"models/{model}.sql", project / f"models/{model}.sql")
    shutil.copy(PROJECT / "config.yaml", project)
    return project


@pytest.fixture
def home(tmp_path: Path) -> House:
    """A house of two clients, without exports."""
    house = House(tmp_path / "house").enter()
    (house.home / "warehouse").mkdir(parents=True)
    write(house, "kiosk")
    write(house, "stall")
    return house


@pytest.fixture
def loader(home: House, project: Path, monkeypatch: pytest.MonkeyPatch) -> Loader:
    """A loader of the small project, which has loaded the house once."""
    loader = Loader(project, monkeypatch)
    assert clients(loader.made()) == {"kiosk", "stall"}
    return loader


def test_what_did_not_change_is_not_loaded_again(home: House, loader: Loader) -> None:
    assert loader.made() == set()

    home.edit("kiosk", "name: kiosk", "# its models do not show this\nname: kiosk")
    assert loader.made() == set()

    home.edit("kiosk", "name: kiosk", "name: A kiosk")
    assert loader.made() == set()


def test_an_edit_loads_the_models_that_read_it(home: House, loader: Loader) -> None:
    before = loader.versions()

    home.edit("kiosk", "model: linear", "model: last_touch")

    assert loader.made() == {"kiosk_attribution.credit"}
    after = loader.versions()
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"kiosk_attribution.credit"}

    home.edit("kiosk", "model: last_touch", "model: linear")
    assert loader.made() == set()
    assert loader.versions() == before


def test_an_edit_of_one_client_in_the_whole_project(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    loader = Loader(PROJECT, monkeypatch)
    everything = loader.made()
    assert clients(everything) == {"kiosk", "stall"}

    home.edit("stall", "currency: EUR", "currency: JPY")

    made = loader.made()
    assert clients(made) == {"stall"}
    assert len(made) <= len(everything) / 2
    kept = loader.versions()
    shutil.rmtree(home.home / ".cache")
    assert loader.versions() == kept


def test_a_model_gets_all_variables_that_it_reads(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gets the variables whose names are in its file: with all others it is the same model."""
    shutil.copy(PROJECT / "clients/acme.yaml", home.home / "clients")
    loader = Loader(PROJECT, monkeypatch)
    expected = loader.versions()

    monkeypatch.setattr(ClientModels, "_words", lambda *_: _Everything())
    shutil.rmtree(home.home / ".cache")

    assert loader.versions() == expected


class _Everything(set):
    """A set that every word is in."""

    def __contains__(self, word: object) -> bool:
        return True


def test_a_client_is_added_and_removed(home: House, loader: Loader) -> None:
    before = loader.versions()

    file = write(home, "booth")
    assert clients(loader.made()) == {"booth"}
    assert clients(set(loader.versions())) == {"booth", "kiosk", "stall"}

    file.unlink()
    assert loader.made() == set()
    assert loader.versions() == before


def test_without_a_client_nothing_is_loaded(home: House, loader: Loader) -> None:
    for name in ("kiosk", "stall"):
        (home.home / f"clients/{name}.yaml").unlink()

    with pytest.raises(ValueError, match="no usable client"):
        loader.versions()


def test_a_first_version_is_seen_and_a_second_changes_nothing(home: House, loader: Loader) -> None:
    write(home, "kiosk", model="markov")
    assert clients(loader.made()) == {"kiosk"}
    learnt = (
        home.home / "lake/kiosk/_models" / learner_of("markov").folder(Attribution(model="markov"))
    )
    learnt.mkdir(parents=True)

    (learnt / "20261101T060000000000.parquet").touch()
    assert "kiosk_attribution.channel_scores" in (made := loader.made())
    assert clients(made) == {"kiosk"}

    (learnt / "20261102T060000000000.parquet").touch()
    assert loader.made() == set()


def test_a_model_that_no_client_asks_for_is_not_made(home: House, loader: Loader) -> None:
    assert not any("channel_scores" in name for name in loader.versions())
    shutil.rmtree(home.home / ".cache")
    assert not any("channel_scores" in name for name in loader.made())


@pytest.mark.parametrize("age", [0, 10**6])
def test_changed_code_is_loaded_whatever_its_time(
    home: House, tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch, age: int
) -> None:
    loader = Loader(shutil.copytree(project, tmp_path / "project"), monkeypatch)
    before = loader.versions()
    model = loader.project / "models/attribution/credit.sql"
    _replace(model, "kind ", "tags (changed),\n  kind ", age)
    assert loader.made() == {"kiosk_attribution.credit", "stall_attribution.credit"}
    assert {name for name, version in loader.versions().items() if before[name] != version} == {
        "kiosk_attribution.credit",
        "stall_attribution.credit",
    }

    _replace(loader.project / "macros/raw.py", "NULL::BIGINT", "NULL::INT", age)
    assert clients(loader.made()) == {"kiosk", "stall"}
    assert loader.versions()["kiosk_staging.stg_events"] != before["kiosk_staging.stg_events"]


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (
            "models/staging/stg_events.sql",
            "  loaded_at /*",
            "  1 AS one, /* Added */\n  loaded_at /*",
        ),
        ("macros/raw.py", "AS log)", "AS log WHERE ordinal > 1)"),  # not seen until it is run
    ],
)
def test_what_reads_a_change_is_rebuilt(
    home: House,
    tmp_path: Path,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    file: str,
    old: str,
    new: str,
) -> None:
    loader = Loader(shutil.copytree(project, tmp_path / "project"), monkeypatch)
    before = loader.snapshots()["kiosk_staging.stg_events"]

    _replace(loader.project / file, old, new, age=0)
    after = loader.snapshots()["kiosk_staging.stg_events"]

    assert categorize_change(after, before) == SnapshotChangeCategory.BREAKING


def test_two_homes_share_a_checkout(
    home: House, loader: Loader, tmp_path: Path, project: Path
) -> None:
    before = loader.versions()
    other = House(tmp_path / "other").enter()
    (other.home / "warehouse").mkdir(parents=True)
    write(other, "kiosk", model="last_touch")
    assert loader.made() == set(loader.versions())
    assert clients(set(loader.versions())) == {"kiosk"}

    home.enter()
    assert loader.made() == set()
    assert loader.versions() == before

    other.enter()
    assert loader.made() == set()
    assert loader.versions()["kiosk_attribution.credit"] != before["kiosk_attribution.credit"]


@pytest.mark.parametrize("named", ["", ".", "../house"])
def test_what_is_kept_lies_in_the_home(
    home: House, tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    """A home that is where the command runs, or named from there, is not one below the code."""
    loader = Loader(shutil.copytree(project, tmp_path / "code/project"), monkeypatch)
    code = {file.name for file in loader.project.rglob("*")}
    monkeypatch.chdir(home.home)
    monkeypatch.setenv("ATTRIBUTION_HOME", named)

    assert clients(loader.made()) == {"kiosk", "stall"}

    assert {file.name for file in loader.project.rglob("*")} - code <= {"__pycache__"}
    assert set(os.listdir(home.home / ".cache")) >= {"client_models", "optimized_query"}
    assert not (tmp_path / "code/house").exists()


def test_two_shards_share_a_home(
    home: House, loader: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = loader.versions()
    write(home, "booth", shard="east")
    assert loader.made() == set()

    monkeypatch.setenv("SHARD", "east")
    assert clients(loader.made()) == {"booth"} == clients(set(loader.versions()))
    home.edit("booth", "model: linear", "model: last_touch")
    assert clients(loader.made()) == {"booth"}

    monkeypatch.setenv("SHARD", "home")
    assert loader.made() == set()
    assert loader.versions() == before


def test_a_copy_of_a_home_takes_its_models_along(
    home: House, loader: Loader, tmp_path: Path
) -> None:
    before = loader.versions()

    shutil.copytree(home.home, tmp_path / "copy")
    House(tmp_path / "copy").enter()

    assert loader.made() == set()
    assert loader.versions() == before


def test_a_model_that_cannot_be_kept_is_no_model_removed(
    home: House, loader: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.edit("kiosk", "model: linear", "model: last_touch")
    monkeypatch.setattr(ClientModels, "put", lambda *_: True)

    with pytest.raises(ConfigError, match="no models of kiosk"):
        loader.versions()


def test_loading_leaves_the_code_alone(home: House, loader: Loader, project: Path) -> None:
    def times() -> dict[Path, int]:
        files = (file for file in project.rglob("*") if "__pycache__" not in file.parts)
        return {file: file.stat().st_mtime_ns for file in files if file.is_file()}

    before = times()
    home.edit("kiosk", "model: linear", "model: last_touch")
    assert loader.made()
    assert times() == before


def _replace(file: Path, old: str, new: str, age: int) -> None:
    """Change a file, as if it had been written some seconds ago."""
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    moment = file.stat().st_mtime - age
    os.utime(file, (moment, moment))
