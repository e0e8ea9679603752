"""Keep the models that a promotion takes out of force in an environment of their own, and put them back.

SQLMesh's janitor deletes a model's older version, and its table, a week after nobody shows it any more.
What is in an environment stays. So a promotion notes what `prod` shows of the client in a new one, such as
`acme_before_20261127t060000000000`: it has no views, and expires when the client's older published files
do. The record has each model as it was planned: its query, its macros, and which days are computed.
"""

from datetime import datetime, timezone
from typing import NamedTuple
from uuid import uuid4

from sqlglot import exp
from sqlmesh.core.context import GenericContext
from sqlmesh.core.context_diff import ContextDiff
from sqlmesh.core.environment import Environment
from sqlmesh.core.plan import PlanBuilder
from sqlmesh.core.snapshot import SnapshotTableInfo
from sqlmesh.utils.date import now_timestamp, to_timestamp

from pipelines.lake.merged_files import is_merged


class Kept(NamedTuple):
    """A client's models as they were in `prod` until a promotion, and until when they are kept, UTC."""

    models: frozenset
    until: datetime
    published: frozenset[str]  # the tables that outsiders' files were written from


def keep_shown(context: GenericContext, client: str, name: str, until: datetime) -> None:
    """Keep what `prod` shows of a client until a time."""
    prod = context.state_reader.get_environment("prod")
    own = _of_client(prod, client)
    kept = Environment(
        name=_named(client, name),
        snapshots=own,
        promoted_snapshot_ids=[],  # no views
        start_at=prod.start_at if prod else now_timestamp(),
        plan_id=uuid4().hex,
        expiration_ts=to_timestamp(until),
    )
    context.state_sync.promote(kept, no_gaps_snapshot_names=set())
    context.state_sync.finalize(kept)


def shown(context: GenericContext, client: str, environment: str = "prod") -> frozenset | None:
    """Return the models that an environment shows of a client; None if it shows none."""
    record = context.state_reader.get_environment(environment)
    return frozenset(each.snapshot_id for each in _of_client(record, client)) or None


def kept(context: GenericContext, client: str, name: str) -> Kept | None:
    """Return what is kept; None where it has expired, or the warehouse is another one."""
    found = context.state_reader.get_environment(_named(client, name))
    if not found or found.expired:
        return None
    until = datetime.fromtimestamp((found.expiration_ts or 0) / 1000, timezone.utc)
    published = frozenset(
        exp.to_table(each.table_name()).name
        for each in found.snapshots
        if exp.to_table(each.name).db == f"{client}_publish"
    )
    return Kept(frozenset(each.snapshot_id for each in found.snapshots), until, published)


def reads_merged_files(context: GenericContext, client: str, name: str) -> bool:
    """Return whether what is kept reads merged files of the lake; models keep the macros of their time."""
    record = context.state_reader.get_environment(_named(client, name))
    staging = [
        each
        for each in (record.snapshots if record else [])
        if exp.to_table(each.name).db == f"{client}_staging"
    ]
    models = context.state_reader.get_snapshots(staging).values()
    return all(
        any(is_merged.__name__ in macro.payload for macro in each.model.python_env.values())
        for each in models
    )


def put_back(context: GenericContext, environment: str, client: str, name: str) -> None:
    """Show what is kept of a client in an environment again; other clients' models stay as they are.

    Nothing is computed: the next run goes on where these models were left.
    """
    there = context.state_reader.get_environment(environment)
    again = context.state_reader.get_environment(_named(client, name))
    assert there and again  # whoever calls this has seen them
    others = set(there.snapshots) - set(_of_client(there, client))
    wanted = context.state_reader.get_snapshots([*others, *again.snapshots])
    change = ContextDiff.create(
        environment,
        {each.name: each for each in wanted.values()},
        create_from="prod",
        state_reader=context.state_reader,
        environment_statements=context.state_reader.get_environment_statements(environment),
    )
    plan = PlanBuilder(
        change,
        skip_backfill=True,
        is_dev=environment != "prod",
        include_unmodified=True,
        environment_suffix_target=context.config.environment_suffix_target,
    ).build()
    context.apply(plan)


def forget_kept(context: GenericContext, client: str) -> None:
    """Forget all that is kept of a client: the janitor takes what no other environment has."""
    for each in context.state_reader.get_environments():
        if each.name.startswith(_named(client, "")):
            context.invalidate_environment(each.name, sync=True)


def _of_client(environment: Environment | None, client: str) -> list[SnapshotTableInfo]:
    snapshots = environment.snapshots if environment else []
    return [each for each in snapshots if exp.to_table(each.name).db.split("_")[0] == client]


def _named(client: str, name: str) -> str:
    return f"{client}_before_{name.lower()}"
