"""Name the clients that have data but no settings file, and retire them."""

import re
from collections.abc import Iterable

import duckdb

from pipelines.home import lake_folder, warehouse_folder
from pipelines.ledger.recording import recorded
from pipelines.published.old_versions import remove_files
from pipelines.serving import memory
from pipelines.settings.reader import Problem, is_retired, named_by_files, read, set_aside
from pipelines.stream.follow_status import forget_status

_PUBLISHED = """
SELECT DISTINCT REGEXP_EXTRACT(schema_name, '^([a-z][a-z0-9]*)_publish(__daily)?$', 1) AS client
FROM DUCKDB_VIEWS() WHERE client <> ''
"""


class RetirementError(Exception):
    """A client that cannot be retired; the text names it and the remedy."""


def without_file() -> list[Problem]:
    """Return a problem for each client that is published or has a lake, but has no settings file.

    No warehouse is opened: that could stop a morning. A client that was retired is no longer named.
    """
    published = set().union(*memory.remembered().values())
    delivered = {client for client in _with_a_lake() if not is_retired(client)}
    return [
        Problem(
            client,
            f"clients/{client}.yaml is gone: restore it,"
            f" or retire the client with `make promote CLIENT={client}`",
            "it is left out until then; what is published of it stays",
        )
        for client in sorted((published | delivered) - named_by_files())
    ]


def with_data() -> set[str]:
    """Return the clients that are published or have a lake."""
    return _with_a_lake().union(*_published()[0].values())


def retire(clients: Iterable[str]) -> None:
    """Take clients without a file out of `daily` and `prod`; their lake stays.

    Raise RetirementError if there is no such client, or its warehouse cannot be changed now, and
    PlanError if SQLMesh refuses.
    """
    by_shard, locked = _published()
    chosen = {shard: members & set(clients) for shard, members in by_shard.items()}
    if unpublished := set(clients).difference(*chosen.values()):
        if locked:
            raise RetirementError(locked[0])
        if unknown := unpublished - _with_a_lake():
            raise RetirementError(_UNKNOWN.format(client=min(unknown)))
    for shard in memory.remembered():
        for client in clients:
            memory.forget(client, shard)
    for shard, members in chosen.items():
        if members:
            _retire_in(shard, members, others=by_shard[shard] - members)
    for client in clients:
        with recorded(client, "retire") as run:
            remove_files(client)
            forget_status(client)
            set_aside(client)
            run.outcome = "retired"


_UNKNOWN = (
    "there is no client {client}: it has no clients/{client}.yaml, no lake, and nothing published;"
    " check its name"
)


def _retire_in(shard: str, clients: set[str], others: set[str]) -> None:
    if not read(shard)[0]:
        _remove(shard, clients, others)
        return
    # here: they load all of SQLMesh
    from pipelines.serving.kept_environments import forget_kept
    from pipelines.serving.warehouse import opened

    with opened(shard) as warehouse:
        for environment in ("daily", "prod"):
            if warehouse.promoted(environment).keys() & clients:
                warehouse.plan(environment, sorted(clients))
        for client in sorted(clients):
            forget_kept(warehouse.context, client)


def _remove(shard: str, clients: set[str], others: set[str]) -> None:
    """Remove a warehouse file that holds nobody else: SQLMesh plans nothing without any client."""
    if others:
        raise RetirementError(
            f"no client of warehouse/{shard}.duckdb has a settings file that can be used: restore"
            f" that of {' or '.join(sorted(others))}, or retire them together with"
            f' `make promote CLIENT="{" ".join(sorted(clients | others))}"`'
        )
    for file in (
        f"{shard}.duckdb",
        f"{shard}.duckdb.wal",
        f"{shard}.morning.json",
        f"{shard}.running.json",
        f"{shard}.shares.json",
    ):
        (warehouse_folder() / file).unlink(missing_ok=True)


def _with_a_lake() -> set[str]:
    """Return the clients of whom a load was ever committed."""
    folders = {marker.parents[1].name for marker in lake_folder().glob("*/*/_dlt_loads")}
    return {name for name in folders if re.fullmatch("[a-z][a-z0-9]*", name)}


def _published() -> tuple[dict[str, set[str]], list[str]]:
    """Return the clients published in each warehouse, and why, for those that cannot be read now."""
    published, locked = {}, []
    for file in sorted(warehouse_folder().glob("*.duckdb")):
        try:
            with duckdb.connect(file, read_only=True) as warehouse:
                rows = warehouse.execute(_PUBLISHED).fetchall()
        except duckdb.Error as error:
            reason = f"warehouse/{file.name} cannot be read now: {' '.join(str(error).split())}"
            locked.append(f"{reason}; try again when its morning has ended")
        else:
            published[file.stem] = {client for (client,) in rows}
    return published, locked
