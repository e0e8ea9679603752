"""A client's files are read from its own folder, or from those its file lists, and nowhere else."""

import gzip
import os
import re
from pathlib import Path

import pytest
import yaml

from pipelines.sources.batches import ExportError
from pipelines.sources.files import places
from pipelines.sources.known_secrets import Finder
from tests.builders.tenant import Tenant
from tests.conftest import House

TOKEN = "EAAB-vics-neighbour-0001"
SPEND = "spend_date,campaign_id,cost,clicks,campaign,impressions\n2026-10-01,7,12.50,1,Brand,9\n"


@pytest.fixture
def vic(house: House, monkeypatch: pytest.MonkeyPatch) -> Tenant:
    """A client beside another, with the secrets of both in the home."""
    monkeypatch.setenv("ATTRIBUTION_HOME", str(house.home))
    nei = Tenant(house.home, "nei")
    nei.deliver("spend.csv", SPEND)
    assert not nei.ingest().problem
    (house.home / ".dlt").mkdir()
    secrets = f"[clients.nei.facebook_ads]\naccess_token = '{TOKEN}'\n"
    (house.home / ".dlt/secrets.toml").write_text(secrets)
    return Tenant(house.home, "vic")


def read_from(vic: Tenant, files: str, **settings: object) -> None:
    """Set where the client's spend is read from."""
    text = yaml.safe_load(vic.settings.read_text())
    text["sources"]["google_ads"]["spend"]["files"] = files.format(home=vic.home)
    vic.settings.write_text(yaml.safe_dump(text | settings))


def assert_nothing_is_read(vic: Tenant) -> str:
    """Ingest; check that nothing reached the lake, and return the problem."""
    outcome = vic.ingest()
    assert outcome.status.code == "refused" and vic.log("cost") == []
    kept = vic.home / "lake/vic/_refused"
    assert not [file for file in kept.rglob("*") if file.is_file() and file.suffix != ".reason"]
    assert all(TOKEN not in file.read_text() for file in kept.rglob("*.reason"))
    assert TOKEN not in outcome.problem
    return outcome.problem


@pytest.mark.parametrize(
    "files",
    [
        *("exports/nei/*.csv", "exports/*/*.csv", "exports/vic/../nei/*.csv"),
        *("exports/ne?/spend*", "exports/**/*.csv", "{home}/exports/nei/*.csv"),
        *("lake/nei/google_ads/spend/*.parquet", "{home}/lake/nei/google_ads/spend/*.parquet"),
        *(".dlt/*.toml", "clients/nei.yaml"),
    ],
)
@pytest.mark.parametrize("folders", [[], ["."], ["exports"]])
def test_a_glob_reaches_nobody_elses_files(vic: Tenant, files: str, folders: list[str]) -> None:
    read_from(vic, files, folders=folders)
    assert_nothing_is_read(vic)


@pytest.mark.parametrize(
    "target", [".dlt/secrets.toml", "exports/nei/spend.csv", "lake", "exports/nei"]
)
@pytest.mark.parametrize("is_relative", [True, False])
def test_a_link_leads_nowhere_else(vic: Tenant, target: str, is_relative: bool) -> None:
    folder = (vic.home / target).is_dir()
    link = vic.exports / ("inner" if folder else "spend.csv")
    link.symlink_to(Path("../..", target) if is_relative else vic.home / target)
    if folder:
        read_from(vic, "exports/vic/inner/**/*.*")
    assert_nothing_is_read(vic)


def test_a_root_that_is_a_link_to_a_neighbours_is_not_read(vic: Tenant) -> None:
    vic.exports.rmdir()
    vic.exports.symlink_to(vic.home / "exports/nei")
    assert_nothing_is_read(vic)


@pytest.mark.parametrize(
    "files", ["exports/vic-ads/spend*", "{home}/exports/vic-ads/2026/sp*", "exports/vic/*"]
)
def test_the_line_that_is_named_reads_the_files(vic: Tenant, files: str) -> None:
    (folder := vic.home / "exports/vic-ads/2026").mkdir(parents=True)
    for place in (folder, folder.parent):
        (place / "spend.csv").write_text(SPEND)
    (vic.exports / "spend.csv").symlink_to(folder / "spend.csv")
    read_from(vic, files)

    problem = assert_nothing_is_read(vic)

    assert re.search("write in clients/vic.yaml as a line of its own: `(.*)`", problem)
    line = re.findall("`(folders: .*)`", problem)[0]
    vic.settings.write_text(f"{vic.settings.read_text()}\n{line}\n")
    assert not vic.ingest().problem
    assert vic.log("cost") == [("12.50",)]


def test_roots_may_be_links(vic: Tenant, tmp_path: Path) -> None:
    for place in (tmp_path / "disk", tmp_path / "drop"):
        place.mkdir()
        (place / "spend.csv").write_text(SPEND)
    vic.exports.rmdir()
    vic.exports.symlink_to(tmp_path / "disk")
    assert not vic.ingest().problem
    (tmp_path / "listed").symlink_to(tmp_path / "drop")
    read_from(vic, f"{tmp_path}/listed/*.csv", folders=[str(tmp_path / "listed")])
    assert not vic.ingest().problem
    names = [name for (name,) in vic.log("export_file", table="exports")]
    assert names == ["exports/vic/spend.csv", f"{tmp_path}/listed/spend.csv"]


def test_a_neighbours_folder_is_read_only_where_it_is_listed_itself(vic: Tenant) -> None:
    read_from(vic, "exports/nei/*.csv", folders=["exports/nei"])
    assert not vic.ingest().problem and vic.log("cost") == [("12.50",)]


def test_what_is_no_file_is_never_opened(vic: Tenant) -> None:
    os.mkfifo(vic.exports / "spend.csv")
    assert "it is no file" in assert_nothing_is_read(vic)
    read_from(vic, "/dev/zero", folders=["/dev"])
    assert "it is no file" in assert_nothing_is_read(vic)


@pytest.mark.parametrize("target", ["/dev/zero", "/nowhere", "/"])
def test_a_link_to_no_file_is_no_reason_to_list_a_folder(vic: Tenant, target: str) -> None:
    (vic.exports / "spend.csv").symlink_to(target)
    problem = assert_nothing_is_read(vic)
    assert "folders:" not in problem and "spend.csv: " in problem


def test_a_link_in_a_circle_is_refused(vic: Tenant) -> None:
    (vic.exports / "spend.csv").symlink_to("spend.csv")
    assert "spend.csv: its link leads nowhere" in assert_nothing_is_read(vic)


def test_what_is_swapped_between_check_and_opening_is_refused(
    vic: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    (inner := vic.exports / "inner").mkdir()
    (inner / "secrets.toml").write_text(SPEND)
    opens = os.open

    def swap(path: Path, *arguments: int) -> int:
        monkeypatch.setattr(os, "open", opens)
        inner.rename(vic.exports / "was")
        inner.symlink_to(vic.home / ".dlt")
        return opens(path, *arguments)

    monkeypatch.setattr(os, "open", swap)
    client = House(vic.home).client("vic")
    with (
        pytest.raises(ExportError, match="was replaced while it was opened"),
        places.opened(client, inner / "secrets.toml"),
    ):
        pass


def test_a_file_that_becomes_a_link_as_it_is_opened_is_refused(
    vic: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, opens = vic.deliver("spend.csv", SPEND), os.open

    def swap(real: Path, *arguments: int) -> int:
        monkeypatch.setattr(os, "open", opens)
        path.unlink()
        path.symlink_to(vic.home / "exports/nei/spend.csv")
        return opens(real, *arguments)

    monkeypatch.setattr(os, "open", swap)
    with (
        pytest.raises(ExportError, match="was replaced while it was opened"),
        places.opened(House(vic.home).client("vic"), path),
    ):
        pass


def test_what_is_swapped_after_opening_is_not_read(vic: Tenant, tmp_path: Path) -> None:
    path = vic.deliver("spend.csv", SPEND)
    with (
        places.opened(House(vic.home).client("vic"), path) as file,
        places.as_path(file, path, tmp_path) as link,
    ):
        path.unlink()
        path.symlink_to(vic.home / ".dlt/secrets.toml")
        assert link.name == "spend.csv" and link.read_text() == SPEND
        assert not places.is_open_beside(link)
        with link.open():
            assert places.is_open_beside(link)


@pytest.mark.parametrize("is_packed", [False, True])
def test_a_file_that_holds_a_secret_is_not_kept(vic: Tenant, is_packed: bool) -> None:
    content = f"a,b,{TOKEN}\n1,2,3\n".encode()
    name = "spend.csv.gz" if is_packed else "spend.csv"
    vic.deliver(name, gzip.compress(content) if is_packed else content)
    problem = assert_nothing_is_read(vic)
    assert "The file is not kept: it holds a secret" in problem


def test_secrets_are_found_between_pieces() -> None:
    finder = Finder(["first-secret", "second-secret"])
    text = b"x" * 100 + b"second-secret" + b"y" * 50
    for size in range(1, 40):
        pieces = [text[place : place + size] for place in range(0, len(text), size)]
        assert finder.is_in(pieces)
    assert not finder.is_in([b"second", b"-secre", b"second-secre t"])
