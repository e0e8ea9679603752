"""Compute the numbers of another time in a private home: the loads of then, by the settings of then or today's."""

import os
from collections.abc import Callable
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

import duckdb

from pipelines.explaining.made_then import MadeThen, made_then
from pipelines.explaining.replay import Numbers, numbers
from pipelines.ledger.recording import recorded
from pipelines.processes import Process, heard
from pipelines.serving.private_home import private_home
from pipelines.serving.report import error_text
from pipelines.settings.client import Client
from pipelines.settings.reader import parse

_MEMORY = "2GB"  # what does not fit lies in the private home meanwhile


class ReplayError(Exception):
    """Numbers that cannot be computed; the text names the client and why."""


class Recomputed(NamedTuple):
    """Numbers that were computed again, and of what."""

    settings: Client
    made: MadeThen
    numbers: Numbers


def recompute(
    client: Client,
    moment: datetime,
    by_now: bool,
    watch: Callable[..., None],
    look: Callable[[duckdb.DuckDBPyConnection], None] = lambda warehouse: None,
) -> Recomputed:
    """Return what was published of a client at a UTC time, computed; `by_now`, by today's settings.

    Nothing of it is published, and no warehouse is waited for. `watch` is told of each model, and `look` may
    read the private warehouse. Raise GoneVersion where there is nothing to compute, ReplayError if it fails.
    """
    with recorded(client.id, "replay") as run:
        made = made_then(client, moment, by_now)
        run.loads = {load.source: load.load_id for load in made.loads}
        run.settings, run.models = made.settings_version, made.models or {}
        with private_home(client.id, made) as folder:
            settings = parse(folder / "clients" / f"{client.id}.yaml")
            _compute(folder, settings, watch)
            file = folder / "warehouse" / f"{settings.shard}.duckdb"
            with duckdb.connect(str(file), read_only=True) as warehouse:
                look(warehouse)
                return Recomputed(settings, made, numbers(warehouse, f"{client.id}_publish__daily"))


def _compute(folder: Path, client: Client, watch: Callable[..., None]) -> None:
    """Run a client's models in a process of its own, whose home is the private one."""
    process = Process(_run, folder, client)
    try:
        while heard([process]) and (said := process.hear()) is not None:
            if isinstance(said, str):
                raise ReplayError(f"{client.id}: it cannot be computed: {said}")
            watch(said)
    except EOFError:
        raise ReplayError(f"{client.id}: the process that computed it died; run it again") from None
    finally:
        process.end()


def _run(folder: Path, client: Client, talk: Connection) -> None:
    """Tell of each model as it is computed, then what failed as a text, or None."""
    os.environ["ATTRIBUTION_HOME"] = str(folder)
    from pipelines.ihc.service_answers import ask_nobody
    from pipelines.serving.warehouse import Warehouse  # here: it loads all of SQLMesh

    try:
        ask_nobody()
        warehouse = Warehouse(client.shard)
        warehouse.tell_progress(talk.send)
        warehouse.connection().execute(f"SET memory_limit = '{_MEMORY}'")
        warehouse.plan("daily", [client.id], backfill=False)
        failures = warehouse.run("daily", [client.id]).get(client.id, [])
        warehouse.close()
        talk.send("; ".join(map(str, failures)) or None)
    except Exception as error:  # whatever it is, it is said
        talk.send(error_text(error))
