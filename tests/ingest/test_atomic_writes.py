"""A file is written whole or not at all, whoever fails or reads meanwhile."""

from pathlib import Path

import pytest

from pipelines.files import replacing, write_atomically


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "status.json"
    write_atomically(file, "old: ü")
    write_atomically(file, b"new")
    assert file.read_bytes() == b"new"
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("sync", [False, True])
def test_an_error_leaves_the_file_as_it_was(tmp_path: Path, sync: bool) -> None:
    file = tmp_path / "status.json"
    write_atomically(file, "old")
    with pytest.raises(ValueError), replacing(file, sync) as unfinished:
        unfinished.write_text("half of the n")
        assert file.read_text() == "old"  # what a reader sees meanwhile
        raise ValueError
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]
