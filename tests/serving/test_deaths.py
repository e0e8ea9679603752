"""A model of which DuckDB dies holds its client alone, by name: the others of its warehouse are served."""

import os
import signal
from typing import Any

import pytest
from sqlmesh.core.snapshot import SnapshotEvaluator

from pipelines.serving import memory
from pipelines.serving.morning import Waiting, morning
from pipelines.serving.report import Report
from pipelines.settings.reader import read
from tests.conftest import House


@pytest.mark.slow
def test_a_model_that_kills_its_process_twice_holds_its_client_alone(
    served: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once may have been anything: then the file is read whole, and the clients are run once more."""
    compute = SnapshotEvaluator._evaluate_snapshot
    deaths = served.home / "deaths"

    def dies(self: SnapshotEvaluator, **named: Any) -> Any:
        if "shop_attribution" in named["snapshot"].name:
            with deaths.open("a") as file:
                file.write("x")
            os.kill(os.getpid(), signal.SIGKILL)
        return compute(self, **named)

    monkeypatch.setattr(SnapshotEvaluator, "_evaluate_snapshot", dies)
    served.export(day=1)
    clients = [client for client in read()[0] if client.id in ("acme", "shop")]
    events = list(morning(clients))

    reports = {event.client: event for event in events if isinstance(event, Report)}
    waits = [event.line for event in events if isinstance(event, Waiting)]
    assert deaths.read_text() == "xx"
    assert waits[0].startswith(
        "the process of warehouse/home.duckdb died as it computed shop_attribution."
    )
    assert waits[0].endswith(": shop is run once more")
    assert reports["acme"].result == "published"
    assert not (served.home / "warehouse/home.duckdb.at_work").exists()
    assert reports["shop"].result == "held"
    (reason,) = reports["shop"].reasons
    assert "died as it computed shop_attribution." in reason and "twice" in reason
    (shop,) = [client for client in clients if client.id == "shop"]
    assert memory.held_for(shop) == [reason]
    assert served.files("acme") == served.published("acme")
