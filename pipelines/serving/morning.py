"""Serve every client's morning: run the clients that have something new, a process for each shard."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from pipelines.learning.training import due, utc_now
from pipelines.processes import in_processes
from pipelines.serving import memory
from pipelines.serving.report import Report, held
from pipelines.settings.client import Client


def serve(clients: Iterable[Client], processes=in_processes) -> Iterator[Report]:
    """Serve the clients and yield a report of each, as they end.

    A client that has nothing new since it was last published, and nothing to learn, costs no run.
    """
    states, shards = {}, defaultdict(list)
    for client in clients:
        try:
            states[client.id] = memory.state(client)
            report = None if due(client, utc_now()) else memory.recall(client, states[client.id])
        except OSError as error:
            report = held(client.id, f"its lake is not readable: {error}")
        if report:
            yield report
        else:
            shards[client.shard].append(client)
    if shards:
        import pipelines.serving.shard_run  # noqa: F401 - once: the processes are forked from this one
    for members, reports in processes(serve_shard, shards.values()):
        died = f"the process of warehouse/{members[0].shard}.duckdb died; run it again"
        reports = reports or [held(client.id, died) for client in members]
        memory.remember(members[0].shard, states, reports)
        yield from reports


def serve_shard(clients: list[Client]) -> list[Report]:
    """Run the clients of one shard; what stops all of them, as a locked file, stops nobody else."""
    from pipelines.serving.shard_run import run  # here: it loads all of SQLMesh

    try:
        return run(clients)
    except Exception as error:
        return [held(client.id, error) for client in clients]
