"""Tests of a group share their set-up: all of them run in one process."""

import subprocess
import sys
from pathlib import Path

TESTS = """
import os
import pytest

@pytest.mark.xdist_group({group!r})
@pytest.mark.parametrize("number", range(6))
def test_it(number):
    with open({out!r}, "a") as out:
        print({group!r}, os.environ["PYTEST_XDIST_WORKER"], file=out)
"""


def test_a_group_runs_in_one_process(tmp_path: Path) -> None:
    """pytest-xdist 3.8 knows no group under pytest 9.2, and says nothing."""
    out = tmp_path / "out"
    for group in ("first", "second"):
        (tmp_path / f"test_{group}.py").write_text(TESTS.format(group=group, out=str(out)))
    (tmp_path / "pytest.ini").write_text("[pytest]\n")

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadgroup"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout
    ran = out.read_text().splitlines()
    assert len(ran) == 12 and len(set(ran)) == 2, sorted(ran)
