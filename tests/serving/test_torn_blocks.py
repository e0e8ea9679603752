"""A block torn in the middle of a warehouse file: the next morning reads the file whole, and knows."""

from pathlib import Path

import duckdb
import pytest

from pipelines import torn_blocks
from pipelines.home import warehouse_folder
from pipelines.warehouse_files import TornWarehouse, file_of
from tests.conftest import House


@pytest.fixture
def warehouse(house: House) -> Path:
    """A warehouse file of some blocks, which opens."""
    warehouse_folder().mkdir()
    with duckdb.connect(str(file_of("home"))) as connection:
        connection.execute('CREATE SCHEMA "a.b"; CREATE TABLE "a.b"."c d" AS SELECT 1 AS one')
        rows = "SELECT n, MD5(n::TEXT) AS text, [n] AS list FROM RANGE(100000) AS t(n)"
        connection.execute(f"CREATE TABLE many AS {rows}")
    return file_of("home")


def test_a_whole_file_is_trusted_again(warehouse: Path) -> None:
    torn_blocks.doubt("home")
    assert torn_blocks.is_doubted("home")
    torn_blocks.settle("home")
    assert not torn_blocks.is_doubted("home")


def test_a_torn_block_is_found_and_the_file_stays_doubted(warehouse: Path) -> None:
    with warehouse.open("r+b") as file:
        file.seek(warehouse.stat().st_size // 2)
        file.write(b"torn" * 100)
    duckdb.connect(str(warehouse)).close()  # it opens as if it were whole
    torn_blocks.settle("home")  # and nobody has found anything yet

    torn_blocks.doubt("home")
    with pytest.raises(TornWarehouse, match=r"home[.]duckdb is torn"):
        torn_blocks.settle("home")
    assert torn_blocks.is_doubted("home")


def test_nothing_is_doubted_that_is_not_there(house: House) -> None:
    torn_blocks.doubt("home")
    assert not torn_blocks.is_doubted("home")
