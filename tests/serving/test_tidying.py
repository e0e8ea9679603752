"""Old tables go by themselves once nobody needs them, and what may still be needed stays."""

import json
from datetime import datetime, timezone

import pytest
from sqlmesh import Context
from sqlmesh.core.environment import Environment
from sqlmesh.core.snapshot import Snapshot
from sqlmesh.utils.errors import SQLMeshError

from pipelines.serving.disk_use import disk_use
from pipelines.serving.tidying import Tidied, is_due, tidy
from pipelines.serving.warehouse import Warehouse
from tests.conftest import House

pytestmark = pytest.mark.xdist_group("morning")  # its house is furnished once

NAME = "campaigns_v1"


def old_version(warehouse: Warehouse, name: str, updated_at: int) -> Snapshot:
    """Note that acme's published table had another version once, with its table; no environment has it."""
    context = warehouse.context
    shown = context.state_reader.get_environment("prod").snapshots
    (info,) = [each for each in shown if f'"acme_publish"."{NAME}"' in each.name]
    (snapshot,) = context.state_reader.get_snapshots([info]).values()
    other = {"fingerprint": {"data_hash": name, "metadata_hash": name}, "version": name}
    other |= {"dev_version": name, "updated_ts": updated_at}
    old = Snapshot.model_validate(json.loads(snapshot.json()) | other)
    context.state_sync.push_snapshots([old])
    context.engine_adapter.execute(f"CREATE TABLE {old.table_name()} AS SELECT 1 AS cost")
    return old


def tables(warehouse: Warehouse) -> set[str]:
    found = warehouse.rows(
        f"SELECT table_name FROM DUCKDB_TABLES() WHERE table_name LIKE '%{NAME}\\_\\_%' ESCAPE '\\'"
        " AND schema_name = 'sqlmesh__acme_publish'"
    )
    return {name.rpartition("__")[2] for (name,) in found}


def test_a_table_goes_when_no_environment_has_it_any_more(
    served: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = served.published("acme")
    now = round(datetime.now(timezone.utc).timestamp() * 1000)
    warehouse = Warehouse("home")
    shown = tables(warehouse)
    old_version(warehouse, "1001", 1)
    old_version(warehouse, "1002", now)  # it left the last environment just now
    kept = old_version(warehouse, "1003", 1)
    sync = warehouse.context.state_sync
    # As a promotion keeps what it replaces, for make rollback.
    for name, snapshot, until in (("kept", kept, now + 10**8), ("gone", kept, 1)):
        made = Environment(
            name=name,
            snapshots=[snapshot.table_info],
            start_at=1,
            plan_id=name,
            expiration_ts=until,
        )
        sync.promote(made, no_gaps_snapshot_names=set())
        sync.finalize(made)
    warehouse.close()
    assert is_due("home") and not disk_use(served.client("acme")).warehouse

    with monkeypatch.context() as patched:
        patched.setattr(Context, "run_janitor", fails)
        said = tidy("home", warehouse).line
    assert said.startswith(
        "warehouse/home.duckdb: old tables stay until another morning: SQLMeshError"
    )
    assert is_due("home")
    assert tidy("home", warehouse) == Tidied("warehouse/home.duckdb: removed 1 old table")
    assert tidy("home", warehouse) == Tidied()

    assert tables(warehouse) == shown | {"1002", "1003"}
    assert {each.name for each in sync.get_environments()} == {"daily", "prod", "kept"}
    warehouse.close()
    assert served.published("acme") == before
    assert not is_due("home") and disk_use(served.client("acme")).warehouse


def fails(*_: object, **__: object) -> None:
    raise SQLMeshError("a table is in use")
