"""Onboarding: months of history, in slices, whoever is killed, and nobody's morning waits."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from demo.servers import Slow
from demo.servers.google_ads_server import Customer, GoogleAdsServer, developer_quota
from pipelines.ingest.backfill import backfill
from pipelines.settings.reader import parse
from tests.builders.advertiser import Advertiser, date_of, day, leaks
from tests.conftest import PROJECT, House

DAYS = 92


@pytest.fixture
def server() -> Iterator[GoogleAdsServer]:
    with GoogleAdsServer() as server:
        server.customers = {"1": Customer(rows=[spent(ago) for ago in range(1, DAYS + 1)])}
        yield server


@pytest.fixture
def one(house: House, server: GoogleAdsServer, monkeypatch: pytest.MonkeyPatch) -> Advertiser:
    """A client whose morning asks for three days, and whose history for ten at a time."""
    return enrol(house, server, monkeypatch, "one")


def enrol(
    house: House, server: GoogleAdsServer, monkeypatch: pytest.MonkeyPatch, name: str
) -> Advertiser:
    for key, value in {"developer_token": server.developer_token, **server.credentials}.items():
        monkeypatch.setenv(f"CLIENTS__{name.upper()}__GOOGLE_ADS__{key.upper()}", value)
    api = {"base_url": server.url, "token_url": f"{server.url}/token", "customers": ["1"]}
    api |= {"restate_days": 3, "days_per_request": 10}
    return Advertiser(house.home, "google_ads", api, name)


def spent(ago: int) -> dict:
    row = {"campaign_id": "7", "campaign": "Brand", "ad_group_id": "70", "ad_group": "Shoes"}
    return row | {"date": day(ago), "cost_micros": ago * 1_000_000, "clicks": 1, "impressions": 1}


def whole() -> dict[tuple[str, str], str]:
    """Return the cost of every day of three months."""
    return {(day(ago), "7"): f"{ago}.000000" for ago in range(1, DAYS + 1)}


def command(client: str = "one", since: int = DAYS) -> list[str]:
    return [sys.executable, "-m", "pipelines", "backfill", client, "--since", day(since)]


def test_three_months_come_in_slices_the_newest_first(
    one: Advertiser, server: GoogleAdsServer
) -> None:
    one.ingest()
    slices = list(backfill(parse(one.settings), "google_ads", date_of(DAYS)))
    assert [slice_.days_missing for slice_ in slices] == [89, 79, 69, 59, 49, 39, 29, 19, 9, 0]
    assert slices[1].name == f"google_ads/spend/1/{day(13)}/{day(4)}"
    assert one.costs() == whole()
    assert one.ingest().status.days_missing == []
    server.requests.clear()
    assert [
        slice_.days_missing for slice_ in backfill(parse(one.settings), "google_ads", date_of(DAYS))
    ] == [0]
    assert not [request for request in server.requests if "googleAds:" in request.path]


def test_a_killed_backfill_goes_on_where_it_was(
    house: House, one: Advertiser, server: GoogleAdsServer
) -> None:
    one.ingest()
    server.requests.clear()
    server.fail(Slow(60), times=None, after=6)  # the seventh answer does not come before the kill
    running = subprocess.Popen(command(), cwd=PROJECT, stdout=subprocess.DEVNULL)
    while len(server.requests) < 7 and running.poll() is None:
        time.sleep(0.01)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    server.heal()
    before = one.commits()
    assert 1 < before < 9
    assert one.ingest().status.days_missing == []  # there is no gap that a morning would fill
    done = house.run(*command())
    assert done.returncode == 0, done.stdout
    assert "google_ads" in done.stdout and " 0 " in done.stdout
    assert one.costs() == whole()
    assert len(one.spend_log("*")) == DAYS  # and none of them twice


def test_no_morning_waits_for_a_backfill(
    house: House, one: Advertiser, server: GoogleAdsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = enrol(house, server, monkeypatch, "two")
    server.fail(Slow(60), times=1, after=1)  # the answer to the first slice takes its time
    running = subprocess.Popen(command(), cwd=PROJECT, stdout=subprocess.DEVNULL)
    try:
        while len(server.requests) < 2:
            time.sleep(0.01)
        assert two.ingest().counts.appended == 3
        assert one.ingest().counts.appended == 3
    finally:
        running.kill()
        running.wait()


def test_a_backfill_that_meets_trouble_keeps_what_it_has_and_says_so(
    house: House, one: Advertiser, server: GoogleAdsServer
) -> None:
    one.ingest()
    server.fail(developer_quota("40591s"), after=4, times=None)
    done = house.run(*command())
    assert done.returncode == 1
    assert (
        "one: google_ads: rate_limited: the quota of the Google Ads developer token" in done.stdout
    )
    assert len(one.costs()) == 3 + 20
    secrets = [server.developer_token, *server.credentials.values()]
    assert leaks(house.home, secrets, done.stdout) == []


def test_a_backfill_of_exports_says_what_to_do(house: House) -> None:
    done = house.run(*command("acme"))
    assert done.returncode == 1
    assert "acme has no source with `api:` in its file" in done.stdout


def test_a_bad_slice_is_refused_and_kept(one: Advertiser, server: GoogleAdsServer) -> None:
    one.ingest()
    server.customers["1"].currency = "USD"
    *_, last = backfill(parse(one.settings), "google_ads", date_of(20))
    assert "currency USD, the client has EUR" in last.problem
    assert list((one.home / "lake/one/_refused/google_ads").glob("*.jsonl"))
    assert len(one.costs()) == 3


def test_a_bad_answer_is_refused_and_kept(one: Advertiser, server: GoogleAdsServer) -> None:
    server.customers["1"].currency = "USD"
    assert "currency USD, the client has EUR" in one.ingest().problem
    (answer,) = (one.home / "lake/one/_refused/google_ads").glob("*.jsonl")
    assert "USD" in answer.read_text()
    assert "currency USD" in answer.with_name(f"{answer.name}.reason").read_text()


def test_days_before_history_are_days_without_spend(
    one: Advertiser, server: GoogleAdsServer
) -> None:
    """A backfill beyond the account's first day is complete: Google answers with no rows."""
    one.ingest()
    server.customers["1"].rows = [spent(ago) for ago in range(1, 10)]
    *_, last = backfill(parse(one.settings), "google_ads", date_of(30))
    assert last.days_missing == 0
    assert len(one.costs()) == 9
