"""Measure what loading the models costs: `python benchmarks/load_time.py --runs 3`.

CPU seconds of SQLMesh's context with all versions, without imports of Python, and how many models
were made of their files; each load is a process of its own, the least of the runs counts. Another
checkout is measured with `--code`.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

PROJECT = Path(__file__).parent.parent
LOAD = """
import json, os, time
os.environ["MAX_FORK_WORKERS"] = "1"  # all in this process
import pandas
from sqlmesh import Context
from sqlmesh.core.console import NoopConsole, set_console
from sqlmesh.core.model import definition

made = 0
load = definition.load_sql_based_model

def counted(*arguments, **settings):
    global made
    made += 1
    return load(*arguments, **settings)

definition.load_sql_based_model = counted
set_console(NoopConsole())
begin = time.process_time()
models = len(Context(paths=os.getcwd()).snapshots)
print(json.dumps([time.process_time() - begin, made, models]))
"""


class Home:
    """A fleet's clients in a folder, and the shard that all of them are in."""

    def __init__(self, folder: Path, shard: str) -> None:
        self.folder = folder
        self.shard = shard
        self._days = 100

    def forget(self) -> None:
        """Remove what was loaded before."""
        shutil.rmtree(self.folder / ".cache", ignore_errors=True)

    def comment(self) -> None:
        """Write a comment into one client's file."""
        self._write(self._file().read_text() + "# reviewed\n")

    def edit(self) -> None:
        """Set another look-back in one client's file, one that it never had."""
        self._days += 1
        kept = re.sub(r"\n  lookback_days: \d+", "", self._file().read_text())
        self._write(re.sub(r"\nattribution:", rf"\g<0>\n  lookback_days: {self._days}", kept))

    def _file(self) -> Path:
        return sorted((self.folder / "clients").glob("*.yaml"))[-1]

    def _write(self, text: str) -> None:
        self._file().write_text(text)


def main(
    runs: Annotated[int, typer.Option(help="Loads of each kind; the least counts.")] = 3,
    code: Annotated[Path, typer.Option(help="The checkout to measure.")] = PROJECT,
    clients: Annotated[int, typer.Option(help="Clients of the larger fleet.")] = 10,
    demo: Annotated[bool, typer.Option(help="Measure the demo's clients, too.")] = True,
) -> None:
    """Print CPU seconds and models made, of the demo's clients and of a larger fleet."""
    table = Table("clients", "load", "CPU s", "models made", "models")
    with tempfile.TemporaryDirectory() as folder:
        homes = {"demo": _demo(Path(folder, "demo"))} if demo else {}
        homes[str(clients)] = _fleet(Path(folder, "fleet"), clients)
        for name, home in homes.items():
            for load, prepare in (
                ("cold", home.forget),
                ("nothing changed", lambda: None),
                ("a comment in one file", home.comment),
                ("another look-back in one file", home.edit),
            ):
                seconds, made, models = min(_load(code, home, prepare) for _ in range(runs))
                table.add_row(name, load, f"{seconds:.1f}", str(made), str(models))
    Console().print(table)


def _demo(folder: Path) -> Home:
    shutil.copytree(PROJECT / "clients", folder / "clients")
    (folder / "warehouse").mkdir()
    return Home(folder, "home")


def _fleet(folder: Path, clients: int) -> Home:
    (folder / "warehouse").mkdir(parents=True)
    copies = ["--copies", str(clients), "--per-shard", str(clients), "--sessions", "50"]
    subprocess.run(
        [sys.executable, "-m", "demo", *copies],
        cwd=PROJECT,
        env={**os.environ, "ATTRIBUTION_HOME": str(folder)},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return Home(folder, "s01")


def _load(code: Path, home: Home, prepare: Callable[[], None]) -> tuple[float, int, int]:
    prepare()
    done = subprocess.run(
        [sys.executable, "-c", LOAD],
        cwd=code,
        env={**os.environ, "ATTRIBUTION_HOME": str(home.folder), "SHARD": home.shard},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return tuple(json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    typer.run(main)
