"""Disturb the product at large and print the account: `make soak`, or `python -m tests.soak --help`."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from tests.soak.account import Trial, failed, show
from tests.soak.corpus import corpus
from tests.soak.homes import empty_home
from tests.soak.hostile import set_beside
from tests.soak.kills import kill_everything
from tests.soak.malformed import deliver
from tests.soak.stream_faults import disturb_streams
from tests.soak.stream_kills import kill_streams
from tests.soak.surroundings import fill_the_disk, move_the_clock


def main(
    kills: Annotated[int, typer.Option(help="Kills of each command, at random points.")] = 10,
    every: Annotated[int, typer.Option(help="Take every so many-th malformed export.")] = 1,
    only: Annotated[
        str, typer.Option(help="One part alone: exports, kills, surroundings, hostile, streams.")
    ] = "",
) -> None:
    """Try malformed exports, kills, bombs, links, clocks, a full disk and streams, each beside a twin.

    The exit status is 1 if anything was lost, crossed to another client, or said unclearly.
    """
    trials: list[Trial] = []
    with TemporaryDirectory() as folder:
        if only in ("", "exports"):
            trials += deliver(corpus()[::every], _entered(Path(folder, "exports")))
        if only in ("", "kills"):
            trials += kill_everything(kills, Path(folder, "kills"))
        if only in ("", "surroundings"):
            trials += fill_the_disk(Path(folder, "disk"))
            trials += move_the_clock(_entered(Path(folder, "clock")))
        if only in ("", "hostile"):
            trials += set_beside(Path(folder, "hostile"))
        if only in ("", "streams"):
            trials += disturb_streams(_entered(Path(folder, "streams")), seeds=5 * kills)
            trials += kill_streams(kills, Path(folder, "stream_kills"))
    show(trials)
    raise typer.Exit(bool(failed(trials)))


def _entered(home: Path) -> Path:
    """Make an empty home that this process works on."""
    os.environ["ATTRIBUTION_HOME"] = str(empty_home(home))
    return home


if __name__ == "__main__":
    typer.run(main)
