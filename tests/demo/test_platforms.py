"""The whole way in, over the wire: what platforms answer is published as what they export is."""

from datetime import datetime, timezone

import pytest
import time_machine

from demo import write_exports
from demo.servers.platform_world import Platforms
from pipelines.ingest.run import ingest_client
from pipelines.ingest.source_status import statuses
from tests.conftest import PROJECT, House

pytestmark = pytest.mark.xdist_group("platforms")  # its house is furnished once

MORNING = datetime(2026, 11, 1, 5, tzinfo=timezone.utc)


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> House:
    """Return a house in which acme delivers files and nova, whose world is the same, has platforms."""
    house = House(tmp_path_factory.mktemp("wire") / "house").enter()
    (house.home / "clients").mkdir(parents=True)
    acme = (PROJECT / "clients/acme.yaml").read_text()
    (house.home / "clients/acme.yaml").write_text(acme)
    write_exports(house.home / "exports", sessions=100, clients=["acme"])
    with (
        Platforms(sessions=100) as platforms,
        pytest.MonkeyPatch.context() as patched,
        time_machine.travel(MORNING, tick=True),
    ):
        settings = platforms.settings("Nova", start=MORNING.date())
        (house.home / "clients/nova.yaml").write_text(settings)
        for name, value in platforms.credentials("nova").items():
            patched.setenv(name, value)
        for outcome in house.ingest().values():
            assert not outcome.problem
        assert {report.result for report in house.serve().values()} == {"published"}
    return house


def test_credit_is_the_same_whether_exported_or_asked_for(morning: House) -> None:
    acme, nova = (
        morning.rows(f"SELECT * FROM {client}_publish.attribution_v1 ORDER BY ALL")
        for client in ("acme", "nova")
    )
    assert acme == nova
    assert len(acme) > 10


def test_spend_is_the_same_whether_exported_or_asked_for(morning: House) -> None:
    since = "WHERE date > DATE '2026-10-03'"  # as far back as both platforms are asked
    acme, nova = (
        morning.rows(f"SELECT * FROM {client}_publish.campaigns_v1 {since} ORDER BY ALL")
        for client in ("acme", "nova")
    )
    assert acme == nova
    assert len(acme) > 100


def test_a_client_with_platforms_is_complete_and_says_so(morning: House) -> None:
    morning.enter()
    with time_machine.travel(MORNING, tick=True):
        assert {said.code for said in statuses(morning.client("nova"))} == {"ok"}
    stands = "SELECT source, code, days_missing FROM nova_marts.source_status ORDER BY source"
    sources = ("facebook_ads", "google_ads", "salesforce", "web")
    assert morning.rows(stands) == [(source, "ok", 0) for source in sources]


def test_no_secret_is_written(morning: House) -> None:
    with Platforms(sessions=1) as platforms:
        secrets = {value.encode() for value in platforms.credentials("nova").values()} - {b"demo"}
    for file in morning.home.rglob("*"):
        if file.is_file():
            assert not [secret for secret in secrets if secret in file.read_bytes()], file


def test_a_source_in_trouble_is_late_and_the_rest_is_published(morning: House) -> None:
    morning.enter()
    ingest_client(morning.client("nova"))  # no credentials are left in the environment
    report = morning.serve()["nova"]
    assert report.result == "published"
    ((late,),) = morning.rows("SELECT late_sources FROM nova_publish.freshness_v1")
    assert late == (
        "facebook_ads: credentials_missing; google_ads: credentials_missing;"
        " salesforce: credentials_missing; web: credentials_missing"
    )
    problems = {said.source: said.problem for said in statuses(morning.client("nova"))}
    assert problems["facebook_ads"].startswith(
        "nova has no access_token for facebook_ads; set CLIENTS__NOVA__FACEBOOK_ADS__ACCESS_TOKEN"
    )
