"""A client whose file is gone or misnamed is named with the remedy, and stops nobody; then it is retired."""

import pytest

from pipelines.stream.follow_status import FollowStatus, write_status
from tests.conftest import House

pytestmark = pytest.mark.xdist_group("morning")  # its houses are furnished once

GONE = (
    "shop: clients/shop.yaml is gone: restore it, or retire the client with"
    " `make promote CLIENT=shop`\n  it is left out until then; what is published of it stays\n"
)
MISNAMED = (
    "shop: clients/{file}: only files that end in .yaml are read;"
    " {remedy} clients/shop.yaml\n  the file is left out until then; what is published stays\n"
)


@pytest.fixture
def gone(served: House) -> House:
    """A house in which the file of a published client is gone."""
    served.pipelines("status")  # keeps a copy of each client's settings
    (served.home / "clients/shop.yaml").unlink()
    return served


def test_a_client_whose_file_is_gone_is_named_and_stops_nobody(gone: House) -> None:
    before = gone.published("shop")
    gone.export(day=1)

    morning, status = gone.pipelines("daily"), gone.pipelines("status")

    assert morning.returncode == status.returncode == 1, morning.stdout
    assert GONE in morning.stdout and GONE in status.stdout
    assert morning.stdout.count("│ published") == 3
    assert gone.published("shop") == before == gone.files("shop")
    assert (gone.home / "warehouse/home.shares.json").exists()  # it was tidied at the end
    again = gone.pipelines("daily")
    assert again.stdout.count("│ nothing new") == 3, (
        again.stdout
    )  # and all are as they are remembered


def test_a_client_with_nothing_but_a_lake_is_named(gone: House) -> None:
    (gone.home / "warehouse/home.duckdb").unlink()
    status = gone.pipelines("status")
    assert status.returncode == 1 and GONE in status.stdout


def test_a_client_with_nothing_but_published_tables_is_named(gone: House) -> None:
    (gone.home / "lake/shop").rename(gone.home / "moved")
    status = gone.pipelines("status")
    assert status.returncode == 1 and GONE in status.stdout


def test_a_command_for_others_does_not_name_it(gone: House) -> None:
    status = gone.pipelines("status", "--client", "acme", "--client", "cobalt")
    assert status.returncode == 0 and "shop" not in status.stdout


@pytest.mark.parametrize("file", ["shop.yml", "shop.YAML", "shop.YML"])
def test_a_misnamed_file_is_named_with_the_right_name(served: House, file: str) -> None:
    (served.home / "clients/shop.yaml").rename(served.home / f"clients/{file}")
    status = served.pipelines("status")
    assert status.returncode == 1
    assert status.stdout.startswith(MISNAMED.format(file=file, remedy="rename it to"))
    assert "is gone" not in status.stdout


def test_a_morning_names_a_misnamed_file_and_serves_the_others(served: House) -> None:
    before = served.published("shop")
    (served.home / "clients/shop.yaml").rename(served.home / "clients/shop.yml")
    served.export(day=1)

    morning = served.pipelines("daily")

    assert morning.returncode == 1
    assert MISNAMED.format(file="shop.yml", remedy="rename it to") in morning.stdout
    assert morning.stdout.count("│ published") == 3
    assert served.published("shop") == before
    assert served.pipelines("promote", "shop").returncode == 1
    assert served.published("shop") == before


def test_a_misnamed_copy_is_named_and_the_right_file_counts(served: House) -> None:
    (served.home / "clients/shop.yml").write_text("name: an older one\n")
    status = served.pipelines("status")
    assert status.returncode == 1
    assert MISNAMED.format(file="shop.yml", remedy="remove it, or") in status.stdout
    assert "│ shop" in status.stdout


KILLED = """
import os, sys
from pipelines.serving.warehouse import Warehouse
def plan(warehouse, environment, clients, **how):
    if environment == "prod":
        os.kill(os.getpid(), 9)
    return planned(warehouse, environment, clients, **how)
planned, Warehouse.plan = Warehouse.plan, plan
from pipelines.__main__ import app
app(["promote", "shop"])
"""


def test_a_retired_client_is_not_named_until_it_comes_and_goes_again(gone: House) -> None:
    before = {name: gone.published(name) for name in ("acme", "borealis", "cobalt")}
    write_status("shop", FollowStatus())

    died = gone.run("python", "-c", KILLED)  # `daily` has it no more, `prod` has it still

    assert died.returncode == -9, died.stdout
    assert {name: gone.files(name) for name in before} == before
    gone.export(day=1)
    beside = gone.pipelines("daily", "--client", "acme")
    assert beside.returncode == 0 and "shop" not in beside.stdout, beside.stdout
    assert gone.files("shop") == gone.published("shop") != {}
    before["acme"] = gone.published("acme")

    retired = gone.pipelines("promote", "shop")

    assert retired.returncode == 0 and "shop: retired; its lake stays" in retired.stdout
    assert gone.published("shop") == {}
    left = [each.name for each in gone.home.glob("*/shop*") if each.parent.name != "exports"]
    assert left == ["shop"]  # the lake's folder: its published files are gone, too
    assert {name: gone.published(name) for name in before} == before
    status = gone.pipelines("status")
    assert status.returncode == 0 and "is gone" not in status.stdout
    assert (gone.home / "lake/shop/web").is_dir()

    file = gone.home / "clients/shop.yaml"
    file.write_text((gone.home / "lake/shop/_settings/retired.yaml").read_text())
    assert gone.pipelines("status").returncode == 0
    file.unlink()
    assert GONE in gone.pipelines("status").stdout


def test_the_last_clients_of_a_warehouse_are_retired_together(gone: House) -> None:
    for file in (gone.home / "clients").iterdir():
        file.unlink()
    warehouse = gone.home / "warehouse/home.duckdb"

    alone = gone.pipelines("promote", "shop")

    assert alone.returncode == 1 and warehouse.exists()
    assert 'make promote CLIENT="acme borealis cobalt shop"' in alone.stdout

    together = gone.pipelines("promote", "acme", "borealis", "cobalt", "shop")

    assert together.returncode == 0, together.stdout
    assert not warehouse.exists()


def test_a_client_that_never_was_cannot_be_promoted(served: House) -> None:
    promoted = served.pipelines("promote", "nimbus")
    assert promoted.returncode == 1
    assert "there is no client nimbus: it has no clients/nimbus.yaml" in promoted.stdout


def test_a_client_with_a_wrong_file_is_neither_promoted_nor_retired(served: House) -> None:
    before = served.published("acme")
    served.edit("acme", "currency: EUR", "curency: EUR")

    promoted = served.pipelines("promote", "acme")

    assert promoted.returncode == 1
    assert "acme: not promoted, `prod` keeps what it has; correct its file first" in promoted.stdout
    assert served.published("acme") == before
