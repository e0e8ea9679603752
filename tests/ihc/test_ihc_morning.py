"""A morning with IHC by the service: one client asks, its neighbours do not notice."""

import re
from collections.abc import Iterator
from datetime import timedelta

import duckdb
import pytest
from typer.testing import CliRunner

from demo.servers.ihc_server import IhcServer, down
from pipelines.__main__ import app
from pipelines.blueprints.ihc_variables import ihc
from pipelines.ihc import request_log
from pipelines.learning import curves
from pipelines.learning.versions import versions
from pipelines.published.version_folders import whole_versions, written_at
from pipelines.serving import morning, shard_run
from pipelines.serving.promotion import promote
from pipelines.serving.replaying import recompute
from pipelines.serving.warehouse import Warehouse
from tests.builders.restating import restate
from tests.conftest import House


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[IhcServer]:
    with IhcServer() as served:
        monkeypatch.setenv("CLIENTS__ACME__IHC__API_KEY", served.key)
        yield served


@pytest.fixture
def asking(house: House, server: IhcServer) -> House:
    """Two clients: acme asks the service, and compares; borealis does not."""
    for name in ("cobalt", "shop"):
        (house.home / f"clients/{name}.yaml").unlink()
    ihc = {"by": "service", "conv_type_id": "deals", "patience_minutes": 0.01}
    ihc |= {"base_url": server.base_url}
    house.change(
        "acme", attribution={"model": "ihc", "compare": ["ihc_local", "linear"], "ihc": ihc}
    )
    house.export()
    house.ingest()
    house.backdate(days=2)
    return house


def calls(server: IhcServer) -> int:
    """Return how many journeys were paid for; each but once."""
    assert set(server.paid.values()) <= {1}
    return server.paid.total()


@pytest.mark.slow
def test_a_client_is_published_by_the_service_and_held_while_it_is_down(
    asking: House, server: IhcServer
) -> None:
    assert {report.result for report in asking.serve().values()} == {"published"}
    first = calls(server)
    assert first == len(
        asking.rows("SELECT DISTINCT conversion_id FROM acme_journeys.paths WHERE path_length > 0")
    )
    shares = (
        "SELECT DISTINCT method FROM acme_marts.fct_credit WHERE model = 'ihc' AND is_attributed"
    )
    assert asking.rows(shares) == [("service",)]
    compared = asking.rows(
        "SELECT SUM(conversions), SUM(ABS(conversions_moved)) FROM acme_publish.model_comparison"
        " WHERE model = 'ihc_local'"
    )
    assert compared[0][0] == pytest.approx(
        float(asking.rows("SELECT conversions FROM acme_publish.freshness_v1")[0][0])
    )
    assert 0 < compared[0][1] < 0.01  # the server computes by the same definition, to 4 decimals
    ((moved,),) = asking.rows("SELECT MAX(moved) FROM acme_attribution.ihc_scores")
    assert 0 < moved < 1e-3

    # a rebuild asks for nothing: every answer is in the log of requests
    credit = "FROM acme_attribution.ihc_scores ORDER BY ALL"
    before = asking.rows(credit)
    warehouse = Warehouse("home")
    promoted = warehouse.promoted("prod")
    assert {name: warehouse.local(name) for name in promoted} == promoted  # the version is stable
    warehouse.close()
    restate("prod", "acme_attribution.ihc_local")
    assert asking.rows(credit) == before
    assert calls(server) == first

    # the service is down: acme keeps yesterday's numbers, borealis has today's
    yesterday = asking.published("acme")
    asking.export(day=1)
    asking.ingest()
    server.fail(down(), times=None)
    reports = asking.serve()
    assert (reports["acme"].result, reports["borealis"].result) == ("held", "published")
    (reason,) = reports["acme"].reasons
    assert reason.startswith("acme_attribution.ihc_answers: platform_down: 127.0.0.1")
    assert asking.published("acme") == yesterday

    # it is back: acme is published, and only what is new was paid for
    server.heal()
    ran = asking.sqlmesh("run", "daily")  # as typed: it loads no project
    assert ran.returncode == 0, ran.stdout
    reports = asking.serve()
    # sqlmesh as typed wrote to the warehouse, so both are run once more
    assert (reports["acme"].result, reports["borealis"].result) == ("published", "published")
    assert asking.published("acme") != yesterday
    asked = [file for file in request_log.log_folder("acme").glob("answers/*.parquet")]
    assert len(asked) == 2
    assert asking.rows(shares) == [("service",)]

    # yesterday's numbers are computed again by what was answered then, and nobody is asked
    paid, first_shown = calls(server), whole_versions("acme")[0]
    shown = yesterday["attribution_v1"]
    moment = written_at(first_shown).replace(tzinfo=None)
    credited = "FROM acme_publish__daily.attribution_v1 ORDER BY ALL"
    again: list[tuple] = []

    def look(private: duckdb.DuckDBPyConnection) -> None:
        again.extend(private.execute(credited).fetchall())

    found = recompute(asking.client("acme"), moment, False, lambda *_: None, look)
    assert found.made.version == first_shown and again == shown
    assert calls(server) == paid


def test_how_patiently_the_service_is_asked_is_no_part_of_a_version(house: House) -> None:
    before = ihc("acme", house.client("acme").attribution)
    house.change("acme", attribution={"ihc": {"concurrency": 2, "calls_per_month": 500}})
    assert ihc("acme", house.client("acme").attribution) == before
    house.change("acme", attribution={"ihc": {"sessions_per_request": 200}})
    assert ihc("acme", house.client("acme").attribution) != before


def train(client: str) -> str:
    """Return what `make train` says, in this process."""
    done = CliRunner().invoke(app, ["train", client])
    assert done.exit_code == 0, done.output
    return " ".join(done.output.split())


@pytest.mark.slow
def test_curves_that_were_learnt_are_promoted_and_named(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("borealis", "cobalt", "shop"):
        (house.home / f"clients/{name}.yaml").unlink()
    house.edit("acme", "model: position_based", "model: ihc")
    house.export()
    house.ingest()
    house.backdate(days=2)
    said = "SELECT DISTINCT method, version FROM acme_attribution.ihc_scores"
    assert house.serve()["acme"].result == "published"
    assert house.rows(said) == [("local: default curves", None)]

    monkeypatch.setattr(curves, "MINIMUM_JOURNEYS", 500)
    assert "acme: ihc: nothing learnt: it needs 500 journeys" in train("acme")
    monkeypatch.setattr(curves, "MINIMUM_JOURNEYS", 2)
    assert re.search(
        r"acme: ihc, version \d+T\d+: \d+ journeys: .* acme: its first version", train("acme")
    )
    (version,) = versions(str(house.home), "acme", "ihc")
    assert "not promoted" in house.serve()["acme"].reasons[0]
    assert promote(house.client("acme"))

    assert house.rows(said) == [("local", version.name)]
    ((total,),) = house.rows(
        "SELECT COUNT(*) FROM (SELECT SUM(score) AS score FROM acme_attribution.ihc_scores"
        " GROUP BY conversion_id, revised_at) WHERE ABS(score - 1) > 1e-9"
    )
    assert total == 0

    later = version.trained_at + timedelta(days=31)
    for module in (morning, shard_run):
        monkeypatch.setattr(module, "utc_now", lambda: later)
    assert house.serve()["acme"].result == "published"
    assert [one.trained_at for one in versions(str(house.home), "acme", "ihc")] == [
        version.trained_at,
        later,
    ]
    assert house.serve()["acme"].result == "nothing new"
