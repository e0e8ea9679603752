"""Take back all that a warehouse has computed of a client, so that the next run computes it from the lake."""

from sqlglot import exp
from sqlmesh import Context
from sqlmesh.core.snapshot import DeployabilityIndex, Snapshot, SnapshotId
from sqlmesh.core.snapshot.definition import Interval, SnapshotTableCleanupTask

_EVER: Interval = (0, 32_503_680_000_000)  # milliseconds, up to the year 3000


def empty(context: Context, client: str) -> None:
    """Drop the tables of a client's versions in `daily` and `prod`; nothing of them counts as computed.

    First SQLMesh's state says so, then the tables go: killed in between, they are computed over. A
    restatement plan does the first, too, and writes over the tables; it would have to read those whose
    blocks are torn. Dropping reads none.
    """
    snapshots = [
        each for name in ("daily", "prod") for each in _promoted(context, name, client).values()
    ]
    if not snapshots:
        return
    every = [(snapshot, _EVER) for snapshot in snapshots]
    context.state_sync.remove_intervals(every, remove_shared_versions=True)
    tables = {snapshot.snapshot_id: snapshot.table_info for snapshot in snapshots}
    evaluator = context.snapshot_evaluator
    evaluator.cleanup(
        SnapshotTableCleanupTask(snapshot=table, dev_table_only=False) for table in tables.values()
    )
    evaluator.create_physical_schemas(snapshots, DeployabilityIndex.all_deployable())


def show_again(context: Context, client: str) -> None:
    """Make the views of a client's versions in `daily` and `prod`: they may have been lost as well."""
    for name in ("daily", "prod"):
        snapshots = _promoted(context, name, client)
        record = context.state_reader.get_environment(name)
        if record and snapshots:
            context.snapshot_evaluator.promote(
                snapshots.values(), record.naming_info, snapshots=snapshots
            )


def _promoted(context: Context, environment: str, client: str) -> dict[SnapshotId, Snapshot]:
    """Return what an environment has of a client, as it is kept: its file may say otherwise by now."""
    if not (record := context.state_reader.get_environment(environment)):
        return {}
    own = [each for each in record.snapshots if exp.to_table(each.name).db.split("_")[0] == client]
    return context.state_reader.get_snapshots(own)
