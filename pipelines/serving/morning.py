"""Serve every client's morning: run what ingest brought, promote who passes, hold who does not."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pipelines.learning.learners import learners
from pipelines.learning.training import TrainingError, due, retrain, untrained, utc_now
from pipelines.processes import in_processes
from pipelines.serving import memory
from pipelines.settings.client import Client


class Report(NamedTuple):
    """How a client's morning went, and what its published tables say."""

    client: str
    result: str  # published, nothing new, or held: it keeps what it had
    reasons: list[str] = []
    published: dict[str, str] = {}


def serve(clients: Iterable[Client], processes=in_processes) -> Iterator[Report]:
    """Serve the clients, a process for each shard; yield a report of each.

    A client with nothing new since it was last published, and nothing to learn, costs no run.
    """
    stirred: dict[str, list[Client]] = {}
    states: dict[str, str] = {}
    for client in clients:
        try:
            states[client.id] = memory.state(client)
            learns = due(client, utc_now())
        except OSError as error:
            yield Report(client.id, "held", [f"its lake is not readable: {error}"])
            continue
        said = memory.recall(client, states[client.id])
        if said and not learns:
            yield Report(client.id, "nothing new", *said)
        else:
            stirred.setdefault(client.shard, []).append(client)
    if stirred:
        import pipelines.serving.warehouse  # noqa: F401 - once for all processes, they are forked
    for members, answer in processes(_serve_shard, stirred.values()):
        died = f"the process of warehouse/{members[0].shard}.duckdb died; run it again"
        reports = answer or [Report(client.id, "held", [died]) for client in members]
        said = {report.client: report[2:] for report in reports if report.result == "published"}
        memory.remember(members, states, said)
        yield from reports


def _serve_shard(clients: list[Client]) -> list[Report]:
    try:
        return _run(clients)
    except Exception as error:  # a locked or corrupt file: this shard's clients, nobody else's
        return [Report(client.id, "held", [_reason(error)]) for client in clients]


def _run(clients: list[Client]) -> list[Report]:
    """Run the clients in `daily`, promote who passes, and let who is held keep its version."""
    from pipelines.serving.warehouse import Warehouse  # here: it loads all of SQLMesh

    warehouse = Warehouse(clients[0].shard)
    try:
        not_trained, rebuilt = _train(warehouse, clients)
        if rebuilt:  # SQLMesh sees a first version when it loads the models
            warehouse.close()
            warehouse = Warehouse(clients[0].shard)
        local = warehouse.local()
        refused = _introduce(warehouse, _new(warehouse, local, clients))
        refused |= _rebuild(warehouse, rebuilt)
        names = [client.id for client in clients if client.id not in refused]
        failures = warehouse.run("daily", names)
        daily, prod = warehouse.promoted("daily"), warehouse.promoted("prod")
        passed = [name for name in names if name not in failures]
        fresh = [name for name in passed if daily[name] == local[name] != prod.get(name)]
        if fresh:
            warehouse.plan("prod", fresh, backfill=False)
        behind = {name for name in names if name in prod and prod[name] != daily[name]}
        if behind := sorted(behind - set(fresh)):
            warehouse.run("prod", behind)
        in_prod = warehouse.promoted("prod")
        return [
            Report(
                name,
                "published" if name in in_prod and name not in failures else "held",
                [str(failure) for failure in failures.get(name, [])]
                + ([_PENDING.format(client=name)] if local[name] != daily[name] else [])
                + ([not_trained[name]] if name in not_trained else []),
                _published(warehouse, name) if name in in_prod else {},
            )
            for name in names
        ] + [Report(name, "held", [reason]) for name, reason in refused.items()]
    finally:
        warehouse.close()


def _train(warehouse, clients: list[Client]) -> tuple[dict[str, str], list[str]]:
    """Train what is due; return why, where it failed, and the clients with a first version.

    A first version changes the client's models: it waits while an edit waits for its promotion.
    """
    failed, first = {}, []
    if not (pupils := [client for client in clients if learners(client)]):
        return failed, first
    local, daily, prod = warehouse.local(), warehouse.promoted("daily"), warehouse.promoted("prod")
    for client in pupils:
        waits = local.get(client.id) != daily.get(client.id)
        if client.id not in prod or (waits and untrained(client)):
            continue
        try:
            lessons = retrain(warehouse.connection(), client, utc_now())
        except TrainingError as error:
            failed[client.id] = str(error).removeprefix(f"{client.id}: ")
        else:
            first += [client.id] if any(lesson.is_first for lesson in lessons) else []
    return failed, first


def _rebuild(warehouse, clients: list[str]) -> dict[str, str]:
    """Bring clients with a first version into `daily`; return why, for those that do not pass."""
    refused = {}
    for client in clients:
        try:
            warehouse.plan("daily", [client])
        except Exception as error:
            refused[client] = _reason(error)
    return refused


def _new(warehouse, local: dict[str, frozenset], clients: list[Client]) -> list[str]:
    """Return the clients to bring into `daily`: those that were never published, as their files are."""
    daily, prod = warehouse.promoted("daily"), warehouse.promoted("prod")
    names = [client.id for client in clients]
    return [name for name in names if name not in prod and daily.get(name) != local[name]]


def _introduce(warehouse, new: list[str]) -> dict[str, str]:
    """Bring new clients into `daily`; return why, for those that cannot be: one stops no other."""
    if not new:
        return {}
    try:
        warehouse.plan("daily", new, backfill=False)
    except Exception as error:
        if len(new) == 1:
            return {new[0]: _reason(error)}
        return {name: why for one in new for name, why in _introduce(warehouse, [one]).items()}
    return {}


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


_PENDING = (
    "changed, but not promoted: make preview CLIENT={client}, then make promote CLIENT={client}"
)


def _published(warehouse, client: str) -> dict[str, str]:
    columns = (
        "loaded_until",
        "conversions",
        "currency",
        "revenue",
        "unattributed_revenue",
        "spend",
    )
    rows = warehouse.rows(f"SELECT {', '.join(columns)} FROM {client}_publish.freshness_v1")
    return {column: str(value) for column, value in zip(columns, rows[0])} if rows else {}
