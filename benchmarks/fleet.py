"""Measure what a client costs as the fleet grows: `python benchmarks/fleet.py --clients 20`.

CPU seconds, children included, of each step of a day, on generated clients. Each step is a process
of its own, as cron starts it; `--per-shard` is the number of clients that share a warehouse file.
"""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

PROJECT = Path(__file__).parent.parent


def main(
    clients: Annotated[int, typer.Option(help="Clients of the fleet.")] = 20,
    per_shard: Annotated[int, typer.Option(help="Clients that share a warehouse file.")] = 10,
    sessions: Annotated[int, typer.Option(help="Sessions a client has at first.")] = 400,
) -> None:
    """Print CPU seconds of the first morning, a usual one, an idle one, a preview and a promotion."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        demo = [
            "demo",
            "--copies",
            clients,
            "--per-shard",
            per_shard,
            "--sessions",
            sessions,
        ]
        steps = {
            "first morning": [(*demo, "--day", 0), ("pipelines", "daily")],
            "usual morning": [(*demo, "--day", 1), ("pipelines", "daily")],
            "of which ingest": [(*demo, "--day", 2), ("pipelines", "ingest")],
            "of which run": [("pipelines", "daily")],
            "idle morning": [("pipelines", "daily")],
            "preview of one client": [("edit",), ("pipelines", "preview", "bench001")],
            "promotion of one client": [("pipelines", "promote", "bench001")],
        }
        table = Table("step", "CPU s", "CPU s per client", "peak MiB of a process")
        for step, commands in steps.items():
            *before, last = commands
            for command in before:
                _edit(home) if command == ("edit",) else _run(home, *command)
            seconds, peak = _run(home, *last)
            table.add_row(step, f"{seconds:.1f}", f"{seconds / clients:.2f}", f"{peak:.0f}")
        seconds, _ = _run(home, "pipelines", "--help")
        table.add_row("start of the command", f"{seconds:.1f}", "", "")
        seconds, _ = _run(home, "sqlmesh.cli.main", "--version")
        table.add_row("start of SQLMesh", f"{seconds:.1f}", "", "")
        Console().print(f"{clients} clients, {per_shard} a shard, {sessions} sessions each", table)


def _edit(home: Path) -> None:
    file = home / "clients/bench001.yaml"
    file.write_text(file.read_text().replace("lookback_days: 30", "lookback_days: 20"))


def _run(home: Path, *command: object) -> tuple[float, float]:
    """Run a Python module; return its CPU seconds with children, and the peak memory in MiB."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-m", *map(str, command)],
        cwd=PROJECT,
        env={**os.environ, "ATTRIBUTION_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, after.ru_maxrss / 1024


if __name__ == "__main__":
    typer.run(main)
