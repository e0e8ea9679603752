"""Two clients that read from one place, or deliver one content, are both named."""

import pytest
import yaml

from pipelines.ingest.sharing import shared
from pipelines.settings.reader import read
from tests.builders.tenant import Tenant
from tests.conftest import House


@pytest.fixture
def two(house: House) -> tuple[Tenant, Tenant]:
    """Two clients, each with spend of its own."""
    for file in (house.home / "clients").iterdir():
        file.unlink()
    one, two = Tenant(house.home, "one"), Tenant(house.home, "two")
    one.spend("spend.csv", "01,7,10", "02,7,11")
    two.spend("spend.csv", "01,7,20")
    return one, two


def named() -> dict[str, str]:
    """Return what is said of each client that shares something."""
    said: dict[str, str] = {}
    for client, what in shared(read()[0]):
        said[client] = f"{said.get(client, '')} {what}".strip()
    return said


def change(tenant: Tenant, **settings: object) -> None:
    """Set keys of a client's file."""
    text = yaml.safe_load(tenant.settings.read_text())
    tenant.settings.write_text(yaml.safe_dump(text | settings))


def test_clients_apart_are_not_named(two: tuple[Tenant, Tenant]) -> None:
    assert [each.ingest().problem for each in two] == ["", ""]
    assert named() == {}


def test_the_same_content_names_both_and_does_not_stop_them(two: tuple[Tenant, Tenant]) -> None:
    one, other = two
    other.deliver("spend.csv", (one.exports / "spend.csv").read_bytes())
    assert [each.ingest().problem for each in two] == ["", ""]
    assert named() == {
        "one": "exports/one/spend.csv has the same content as exports/two/spend.csv of two;"
        " correct one",
        "two": "exports/two/spend.csv has the same content as exports/one/spend.csv of one;"
        " correct one",
    }

    other.spend("spend.csv", "01,7,20")
    assert not other.ingest().problem and named() == {}


def test_what_is_said_grows_with_the_files_not_with_every_two(two: tuple[Tenant, Tenant]) -> None:
    three, four = (Tenant(two[0].home, name) for name in ("three", "four"))
    for each in (*two, three):
        each.spend("spend.csv", "01,7,10")
        assert not each.ingest().problem
    assert named()["three"] == (
        "exports/three/spend.csv has the same content as exports/one/spend.csv of one and 1 other,"
        " all of other clients; correct all but one"
    )
    four.spend("spend.csv", "01,7,10")
    assert not four.ingest().problem
    found = shared(read()[0])
    assert [client for client, _ in found] == ["four", "one", "three", "two"]
    assert "of four and 2 others, all of other clients" in found[1][1]


def test_files_without_rows_are_alike_and_nobodys_slip(two: tuple[Tenant, Tenant]) -> None:
    for each in two:
        each.spend("spend.csv")
        assert not each.ingest().problem
    assert named() == {}


@pytest.mark.parametrize(
    "folders",
    [(["drop"], ["drop"]), (["drop"], ["drop/inner"]), (["exports"], []), ([], ["exports/one"])],
)
def test_overlapping_folders_name_both(two: tuple[Tenant, Tenant], folders: tuple) -> None:
    for each, listed in zip(two, folders):
        change(each, folders=listed)
    assert named().keys() == {"one", "two"}


def test_a_folder_that_is_a_link_to_anothers_names_both(two: tuple[Tenant, Tenant]) -> None:
    one, other = two
    (one.home / "elsewhere").symlink_to(one.exports)
    change(other, folders=["elsewhere"])
    assert "which one reads, too" in named()["two"] or "of which one reads" in named()["two"]


@pytest.mark.parametrize(
    ("mine", "theirs", "is_shared"),
    [
        ("s3://agency/one/spend-*", "s3://agency/two/spend-*", False),
        ("s3://agency/spend-*", "s3://agency/sessions-*", False),
        ("s3://agency/spend-*", "gs://agency/spend-*", False),
        ("s3://agency/one/spend-*", "s3://agency/one/spend-*", True),
        ("s3://agency/*/spend.csv", "s3://agency/two/spend.csv", True),
    ],
)
def test_the_same_objects_of_a_bucket_name_both(
    two: tuple[Tenant, Tenant], mine: str, theirs: str, is_shared: bool
) -> None:
    for each, files in zip(two, (mine, theirs)):
        change(each, sources={"google_ads": {"spend": {"files": files}}})
    assert named().keys() == ({"one", "two"} if is_shared else set())
