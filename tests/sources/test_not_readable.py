"""What a file that cannot be read is said to need: another delivery only where that helps."""

import errno
import os
import zlib
from pathlib import Path

import pytest

from pipelines.sources.files.not_readable import not_readable

CAUSES = {
    "a file of another user": (errno.EACCES, "chmod a+r"),
    "a file that the system guards": (errno.EPERM, "chown"),
    "a file that is gone": (errno.ENOENT, "put back"),
    "a folder": (errno.EISDIR, "correct `files:`"),
    "a broken disk": (errno.EIO, "check that"),
    "a share that went away": (errno.ESTALE, "check that"),
    "too many open files": (errno.EMFILE, "ulimit -n"),
}


@pytest.mark.parametrize("number, remedy", CAUSES.values(), ids=CAUSES)
def test_what_is_no_fault_of_the_file_is_not_to_be_delivered_again(number, remedy):
    said = str(not_readable(OSError(number, os.strerror(number)), Path("spend.csv")))
    assert said.startswith(f"spend.csv: not readable: {os.strerror(number)}; ")
    assert remedy in said and "deliver it again" not in said


def test_a_torn_file_is_to_be_delivered_again():
    for error in (EOFError("it ended"), zlib.error("Error -3"), OSError("Not a gzipped file")):
        said = str(not_readable(error, Path("spend.csv.gz")))
        assert f"not readable: {error}; " in said and said.endswith("deliver it again")


def test_what_a_program_quotes_of_the_system_counts_as_well():
    error = RuntimeError("IO Error: Cannot open file: Permission denied\nand more")
    said = str(not_readable(error, Path("spend.parquet")))
    assert "chmod a+r" in said and "and more" not in said
