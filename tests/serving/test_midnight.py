"""A load that is committed after a run of the new day is staged by the next run, whenever it was begun."""

from contextlib import closing
from datetime import datetime, timezone

import pytest
import time_machine
from dlt.destinations.impl.filesystem.filesystem import FilesystemClient

from pipelines.serving.warehouse import Warehouse
from tests.builders.tenant import Tenant
from tests.conftest import House

EVENING = datetime(2026, 11, 3, 23, 59, 59, 900000, timezone.utc)
AFTER_MIDNIGHT = datetime(2026, 11, 4, 0, 0, 5, tzinfo=timezone.utc)
STAGED = "SELECT cost::TEXT FROM one_staging__daily.stg_ad_spend ORDER BY loaded_at"


@pytest.mark.slow
def test_a_load_begun_before_midnight_and_committed_after_a_run_is_staged(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in (house.home / "clients").iterdir():
        file.unlink()
    tenant = Tenant(house.home)
    with (
        time_machine.travel(EVENING.replace(hour=12), tick=False) as clock,
        closing(Warehouse("home")) as warehouse,
    ):
        tenant.spend("spend.csv", "01,a,1")
        tenant.ingest()
        clock.move_to(EVENING.replace(hour=13))
        warehouse.plan("daily", ["one"], backfill=False)
        assert warehouse.run("daily", ["one"]) == {}

        complete = FilesystemClient.complete_load

        def run_first(client: FilesystemClient, load_id: str) -> None:
            clock.move_to(AFTER_MIDNIGHT)
            assert warehouse.run("daily", ["one"]) == {}
            clock.move_to(EVENING)  # and the machine's clock is put back
            complete(client, load_id)

        monkeypatch.setattr(FilesystemClient, "complete_load", run_first)
        clock.move_to(EVENING)
        tenant.spend("spend.csv", "01,a,2")
        tenant.ingest()

        clock.move_to(AFTER_MIDNIGHT.replace(second=30))
        assert warehouse.run("daily", ["one"]) == {}  # rows_accounted_for among the audits
        assert warehouse.rows(STAGED) == [("1.000000",), ("2.000000",)]
