"""A file of the lake is rewritten whole or not at all, under the same name, beside its readers."""

from pathlib import Path

import duckdb
import pytest

from pipelines.lake.append import alone_at_once
from pipelines.lake.rewriting import nothing_appended, rewrite
from pipelines.sql import file_literal
from tests.conftest import House


@pytest.fixture
def file(house: House) -> Path:
    """A file of two rows, of a load."""
    file = house.home / "lake/one/web/sessions/1795782411.87.abc.parquet"
    file.parent.mkdir(parents=True)
    duckdb.sql("SELECT UNNEST(['a', 'b']) AS session_id").write_parquet(str(file))
    return file


def ids(file: Path) -> list[str]:
    return [row[0] for row in duckdb.sql(f"FROM read_parquet({file_literal(file)})").fetchall()]


def test_a_reader_reads_the_file_that_it_has_open_to_its_end(file: Path) -> None:
    with file.open("rb") as reader, duckdb.connect() as connection:
        rewrite(connection, file, f"FROM read_parquet({file_literal(file)}) WHERE session_id = 'b'")
        old = file.with_name("old.parquet")
        old.write_bytes(reader.read())
    assert ids(file) == ["b"]
    assert ids(old) == ["a", "b"]


def test_what_fails_half_way_leaves_the_file_as_it_was(file: Path) -> None:
    with duckdb.connect() as connection, pytest.raises(duckdb.Error):
        rewrite(connection, file, "SELECT ERROR('full') FROM RANGE(3)")
    assert ids(file) == ["a", "b"]
    assert [each.name for each in file.parent.iterdir()] == [file.name]


def test_nothing_is_appended_meanwhile_and_leftovers_go(file: Path) -> None:
    leftover = file.with_name(f".{file.name}.1.new")
    leftover.write_text("half")
    with nothing_appended("one", ["web", "google_ads"]):
        assert not leftover.exists()
        with alone_at_once("one", "web") as is_free:
            assert not is_free
