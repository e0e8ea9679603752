"""Read what models take from files: the committed loads of an interval, and what was learnt."""

from datetime import datetime
from typing import NamedTuple

from pipelines.fastpath.rendered_models import LEARNED, OF_A_LOAD
from pipelines.home import home, lake_folder
from pipelines.lake.loads import committed_files, committed_loads, read_loads
from pipelines.learning.versions import read_versions
from pipelines.sql import identifier


class Table(NamedTuple):
    """A table of the schema `raw`: its rows as a query."""

    name: str  # such as web_sessions
    query: str
    is_of_loads: bool  # its rows say when they were loaded


def raw_table(
    client: str, name: str, typed: dict[str, str], start: datetime, until: datetime
) -> Table:
    """Return a raw table, such as `web.sessions`, with the loads seen from a start until a moment, excluded.

    Of what models have learnt, `_models.markov_order_1`, all versions are read.
    """
    source, _, own = name.partition(".")
    rows = None
    if source == LEARNED:
        rows = read_versions(str(home()), client, own)
    else:
        folder = str(lake_folder() / client / source)
        seen = committed_loads(folder).items()
        loads = {load: moment for load, moment in seen if start <= moment < until}
        if files := committed_files(folder, own, loads):
            texts = [column for column in typed if column not in OF_A_LOAD]
            rows = read_loads(files, loads, texts)
    columns = ", ".join(
        f"{identifier(column) if rows else 'NULL'}::{type_} AS {identifier(column)}"
        for column, type_ in typed.items()
    )
    found = f"FROM {rows} AS rows" if rows else "WHERE FALSE"
    return Table(name.replace(".", "_"), f"SELECT {columns} {found}", source != LEARNED)


def are_newer_loads(client: str, start: datetime, until: datetime) -> bool:
    """Return whether a client has committed loads that are seen from a start until a moment, excluded."""
    folders = (lake_folder() / client).glob("[a-z]*/")
    return any(
        start <= moment < until
        for folder in folders
        for moment in committed_loads(str(folder)).values()
    )
