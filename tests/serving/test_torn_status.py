"""A status file that was torn holds its own client, by name, and no other."""

import pytest

from pipelines.serving.shard_run import ShardRun
from tests.conftest import House

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("morning")]


def test_a_torn_status_holds_its_client_alone(served: House) -> None:
    (served.home / "lake/acme/google_ads/status.json").write_text('{"source": "goo')

    shard_run = ShardRun("home", print)
    reports = {name: shard_run.serve(served.client(name)) for name in ("acme", "shop")}

    assert reports["shop"].result == "published"
    assert reports["acme"].result == "held"
    assert "lake/acme/google_ads/status.json is not readable" in reports["acme"].reasons[0]
