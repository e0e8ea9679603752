"""The benchmarks run, and their sides agree; what they measure is not looked at here."""

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


def run(*arguments: str) -> str:
    """Return what a benchmark prints."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    return done.stdout


def rows(table: str) -> dict[str, list[str]]:
    """Return the cells of a printed table's rows, by the first of them."""
    lines = [[cell.strip() for cell in line.split("│")[1:-1]] for line in table.splitlines()]
    return {first: cells for first, *cells in filter(None, lines)}


def test_heuristics() -> None:
    found = rows(run("benchmarks/heuristics.py", "--sessions", "3000"))

    for by in ("ours", "by_hand", "pandas"):  # polars is no part of the project
        count, *_, off, cents = found[by]
        assert (count, cents) == (found["ours"][0], "0")
        assert float(off) < 1e-14


@pytest.mark.parametrize(
    "arguments",
    [
        ("training_cost.py", "--paths", "2000", "--runs", "1"),
        ("load_time.py", "--clients", "1", "--runs", "1", "--no-demo"),
        ("ingest.py", "--rows", "2000", "--runs", "1"),
        ("ingest.py", "--clients", "2"),
        ("fleet.py", "--clients", "1", "--sessions", "100"),
        ("lake_files.py", "--days", "9"),
        (
            "fast_path.py",
            "--sessions",
            "60",
            "--deals",
            "2",
            "--burst",
            "9",
            "--idle",
            "0",
            "--no-mornings",
        ),
    ],
)
def test_the_others_run(arguments: tuple[str, ...]) -> None:
    assert "│" in run(f"benchmarks/{arguments[0]}", *arguments[1:])
