"""Google Ads by its API: what is asked, what is loaded, and what becomes of every trouble."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
import time_machine

from demo.servers import Status
from demo.servers import google_ads_server as google
from demo.servers.google_ads_server import Customer, GoogleAdsServer
from pipelines.ingest import validation
from pipelines.ingest.load_counts import Counts
from pipelines.ingest.run import ingest_client
from tests.builders.advertiser import NAMED, ONCE, Advertiser, day, leaks
from tests.builders.remedied import assert_helps
from tests.conftest import House, slow

KEYS = ("developer_token", "client_id", "client_secret", "refresh_token")
ALL = "spend_date, account_id, campaign_id, campaign, ad_group_id, ad_group, cost, currency"
ALL += ", clicks, impressions, conversions, is_deleted"

Enrol = Callable[..., Advertiser]


@pytest.fixture
def server() -> Iterator[GoogleAdsServer]:
    with GoogleAdsServer() as server:
        server.customers = {"1": Customer(rows=spent(1, 2, 3)), "2": Customer(rows=spent(1, 2))}
        yield server


@pytest.fixture
def enrol(house: House, server: GoogleAdsServer, monkeypatch: pytest.MonkeyPatch) -> Enrol:
    """Return a client with an account at the server, and its credentials."""

    def enrol(name: str = "one", customers: str = "1", days: int = 3, **more) -> Advertiser:
        for key, value in secrets(server).items():
            monkeypatch.setenv(f"CLIENTS__{name.upper()}__GOOGLE_ADS__{key.upper()}", value)
        api = {"base_url": server.url, "token_url": f"{server.url}/token"}
        api |= {"customers": [*customers], "restate_days": days, "days_per_request": 2}
        api |= more.pop("api", {})
        return Advertiser(house.home, "google_ads", api, name, **more)

    return enrol


def secrets(server: GoogleAdsServer) -> dict[str, str]:
    return {"developer_token": server.developer_token, **server.credentials}


def spent(*ago: int, **facts: object) -> list[dict]:
    """Return a row for each of some days: ad group 70 of campaign 7."""
    row = {"campaign_id": "7", "campaign": "Brand", "ad_group_id": "70", "ad_group": "Shoes"}
    row |= {"cost_micros": 1_234_567, "clicks": 2, "impressions": 30, "conversions": 1.5}
    return [row | {"date": day(one)} | facts for one in ago]


def asked(server: GoogleAdsServer) -> list[tuple[str, str, str]]:
    """Return what was asked for by ad group: customer, first day, last day."""
    found = []
    for request in server.requests:
        query = request.json().get("query", "") if "googleAds:" in request.path else ""
        if "FROM ad_group" in query:
            days = re.search(r"BETWEEN '(.+)' AND '(.+)'", query)
            found.append((re.search(r"customers/(\d+)/", request.path)[1], *days.groups()))
    return found


def expired_token() -> Status:
    code, message = "OAUTH_TOKEN_EXPIRED", "The token has expired."
    return google.failure("UNAUTHENTICATED", "authenticationError", code, message)


def test_a_first_run_asks_for_the_restated_days_and_loads_exact_money(
    server: GoogleAdsServer, enrol: Enrol
) -> None:
    one = enrol(api={"manager": "99"})
    server.manager = "99"
    outcome = one.ingest()
    assert (outcome.status.code, outcome.counts.appended) == ("ok", 3)
    assert asked(server) == [("1", day(3), day(3)), ("1", day(2), day(1))]
    first = (day(3), "1", "7", "Brand", "70", "Shoes", "1.234567", "EUR", "2", "30", "1.5", False)
    assert one.spend_log(ALL)[0] == first
    assert one.spend_log("SUM(cost::DECIMAL(18, 6)) OVER ()")[0] == (Decimal("3.703701"),)
    assert outcome.status.days_missing == []
    request = server.requests[-1]
    assert request.headers["login-customer-id"] == "99"
    assert request.headers["developer-token"] == server.developer_token


def test_a_second_run_with_nothing_changed_commits_nothing(
    server: GoogleAdsServer, enrol: Enrol
) -> None:
    one = enrol()
    one.ingest()
    outcome = one.ingest()
    assert (outcome.status.code, outcome.counts, one.commits()) == ("ok", Counts(), 1)


def ingest_in_dollars(server: GoogleAdsServer, one: Advertiser) -> None:
    """Ingest rows that want rates, as a version did that refused no answer for them."""
    server.customers["1"] = Customer(rows=spent(1, 2, 3), currency="USD")
    with pytest.MonkeyPatch.context() as older:
        older.setattr(validation, "refuse_bad_rows", lambda *of: None)
        counts = one.ingest().counts
    assert (counts.appended, counts.quarantined) == (0, 3)


def deliver_rates(one: Advertiser) -> None:
    """Let the client have rates."""
    rates = {"rates": {"rates": {"files": "exports/one/rates*", "expected_every": "never"}}}
    House(one.home).change("one", sources=rates)


@pytest.mark.parametrize("later", [0, 5])
def test_days_in_quarantine_are_asked_for_again_once_rates_come(
    server: GoogleAdsServer, enrol: Enrol, later: int
) -> None:
    """Beyond the days that are restated, too, and once: whatever the platform answers then."""
    one, days = enrol(), [day(3), day(2), day(1)]
    ingest_in_dollars(server, one)
    with time_machine.travel(datetime.now(timezone.utc) + timedelta(days=later), tick=True):
        deliver_rates(one)
        outcome = one.ingest()
        assert (outcome.status.code, outcome.counts.appended) == ("ok", 3)
        (note,) = [each for each in outcome.status.notes if "quarantine" in each]
        assert note.startswith(f"spend: rows in quarantine can be read now: {days[0]}")
        assert {row[0] for row in one.spend_log("currency")} == {"USD"}
        server.requests.clear()
        assert one.ingest().counts.appended == 0
        assert min(first for _, first, _ in asked(server)) == day(3)  # the first that is restated


def test_what_is_gone_by_then_is_not_asked_for_forever(
    server: GoogleAdsServer, enrol: Enrol
) -> None:
    one = enrol()
    ingest_in_dollars(server, one)
    server.customers["1"] = Customer(rows=[])
    deliver_rates(one)
    assert "can be read now" in "".join(one.ingest().status.notes)
    commits = one.commits()
    one.ingest()
    assert one.commits() == commits


def test_the_next_day_asks_for_the_missing_day_before_the_restated_ones(
    server: GoogleAdsServer, enrol: Enrol
) -> None:
    one = enrol(customers="12")
    one.ingest()
    server.requests.clear()
    with time_machine.travel(datetime.now(timezone.utc) + timedelta(days=1), tick=True):
        assert one.ingest().status.days_missing == []
        days = (day(3), day(3)), (day(2), day(1))
    new, old = [(customer, *days[1]) for customer in "12"], [(one, *days[0]) for one in "12"]
    assert asked(server) == new + old


def test_restated_spend_appends_the_changed_rows_and_history_stays(
    server: GoogleAdsServer, enrol: Enrol
) -> None:
    one = enrol()
    one.ingest()
    server.customers["1"].rows[1]["cost_micros"] = 2_000_001
    assert one.ingest().counts.appended == 1
    versions = [cost for spent, cost in one.spend_log("spend_date, cost") if spent == day(2)]
    assert versions == ["1.234567", "2.000001"]
    assert len(one.spend_log("cost")) == 4


def test_a_row_that_vanished_is_deleted_and_no_other_is(
    server: GoogleAdsServer, enrol: Enrol
) -> None:
    one = enrol(customers="12", days=4)
    server.customers["1"].rows += spent(1, 2, ad_group_id="71", campaign_id="8")
    one.ingest()
    server.customers["1"].rows = [
        row
        for row in server.customers["1"].rows
        if (row["date"], row["campaign_id"]) != (day(2), "8")
    ]
    assert one.ingest().counts.deleted == 1
    deleted = one.spend_log("account_id, spend_date, campaign_id, cost, is_deleted")[-1]
    assert deleted == ("1", day(2), "8", "1.234567", True)
    assert [row for row in one.spend_log("is_deleted") if row[0]] == [(True,)]


def test_days_that_are_no_longer_restated_stay(server: GoogleAdsServer, enrol: Enrol) -> None:
    one = enrol(days=3)
    one.ingest()
    server.customers["1"].rows = []
    with time_machine.travel(datetime.now(timezone.utc) + timedelta(days=1), tick=True):
        assert one.ingest().counts.deleted == 2
    assert one.costs() == {(day(3), "7"): "1.234567"}


@pytest.mark.parametrize("ad_group", ["", "90"], ids=["no ad group", "an ad group some day"])
def test_performance_max_spend_is_loaded_once_and_by_campaign(
    server: GoogleAdsServer, enrol: Enrol, ad_group: str
) -> None:
    one = enrol()
    most = {"campaign_id": "9", "channel_type": "PERFORMANCE_MAX", "cost_micros": 5_000_000}
    server.customers["1"].rows += spent(1, **most, ad_group_id=ad_group, ad_group="")
    assert one.ingest().counts.appended == 4
    assert ("9", None, None, "5.000000") in one.spend_log(
        "campaign_id, ad_group_id, ad_group, cost"
    )


def test_a_row_without_clicks_means_none(server: GoogleAdsServer, enrol: Enrol) -> None:
    one = enrol()
    server.customers["1"].rows = spent(1, clicks=0, conversions=0, cost_micros=0)
    one.ingest()
    assert one.spend_log("cost, clicks, impressions, conversions") == [("0.000000", "0", "30", "0")]


def test_a_quota_keeps_what_was_answered_and_the_next_run_goes_on_from_there(
    server: GoogleAdsServer, enrol: Enrol
) -> None:
    one = enrol()
    server.fail(google.account_quota("3600s"), times=None, after=2, path="googleAds:")
    status = one.ingest().status
    assert (status.code, status.days_missing) == ("rate_limited", [day(2), day(1)])
    assert until(status.retry_at) == pytest.approx(3600, abs=90)
    assert set(one.costs()) == {(day(3), "7")}
    server.heal()
    server.requests.clear()
    assert one.ingest().status.code == "ok"
    assert asked(server)[0] == ("1", day(2), day(1))
    assert set(one.costs()) == {(day(3), "7"), (day(2), "7"), (day(1), "7")}


def test_a_developer_quota_stops_every_client_that_shares_it_without_a_request(
    server: GoogleAdsServer, enrol: Enrol, house: House
) -> None:
    server.quota = 2
    first = enrol("one").ingest().status
    two = enrol("two", customers="2")
    server.requests.clear()
    second, third = two.ingest().status, enrol("three").ingest().status
    assert not server.requests
    for status in (first, second, third):
        assert status.code == "rate_limited"
        assert "developer token" in status.problem and "all clients" in status.problem
        assert "operations for basic access" in status.problem
        assert until(status.retry_at) == pytest.approx(until(first.retry_at), abs=61)
    assert until(first.retry_at) == pytest.approx(40591, abs=120)
    assert (len(first.days_missing), len(second.days_missing)) == (2, 3)
    server.heal()
    assert two.ingest().status.code == "rate_limited" and not server.requests
    with time_machine.travel(datetime.now(timezone.utc) + timedelta(seconds=40600), tick=True):
        assert two.ingest().status.code == "ok"
    with time_machine.travel(datetime.now(timezone.utc) - timedelta(days=365), tick=True):
        assert two.ingest().status.code == "ok"  # a clock that was ahead bars nobody for a year
    (file,) = (house.home / "lake/_quotas").iterdir()
    assert server.developer_token not in file.name + file.read_text()


def test_a_developer_quota_of_another_token_stops_nobody(
    server: GoogleAdsServer, enrol: Enrol, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.quota = 0
    enrol("one").ingest()
    server.heal()
    two = enrol("two")
    server.developer_token = "another-developer-token"
    monkeypatch.setenv("CLIENTS__TWO__GOOGLE_ADS__DEVELOPER_TOKEN", server.developer_token)
    assert two.ingest().status.code == "ok"


def test_a_short_quota_is_waited_out(server: GoogleAdsServer, enrol: Enrol) -> None:
    one = enrol()
    server.fail(google.developer_quota("0.05s"))
    assert one.ingest().status.code == "ok"


def refused_consent(server: GoogleAdsServer) -> None:
    server.revoke()


def refused_client(server: GoogleAdsServer) -> None:
    server.credentials = server.credentials | {"client_secret": "new"}


def refused_developer(server: GoogleAdsServer) -> None:
    server.fail(google.developer_token_not_approved(), times=None)


def refused_token(server: GoogleAdsServer) -> None:
    server.fail(expired_token(), times=None)


def unknown_customer(server: GoogleAdsServer) -> None:
    server.customers = {}


def disabled_customer(server: GoogleAdsServer) -> None:
    server.customers["1"].enabled = False


def forbidden_customer(server: GoogleAdsServer) -> None:
    server.customers["1"].permitted = False


def manager_as_customer(server: GoogleAdsServer) -> None:
    message = "Metrics cannot be requested for a manager account."
    code = "REQUESTED_METRICS_FOR_MANAGER"
    server.fail(google.failure("INVALID_ARGUMENT", "queryError", code, message), times=None)


def unknown_error(server: GoogleAdsServer) -> None:
    message = "Something else is wrong."
    family, code = "requestError", "UNKNOWN"
    server.fail(google.failure("INVALID_ARGUMENT", family, code, message), times=None)


def ended_version(server: GoogleAdsServer) -> None:
    server.oldest_version = 27


def ended_long_ago(server: GoogleAdsServer) -> None:
    message = "Version v26 is deprecated. Requests to this version will be blocked."
    error = google.failure("INVALID_ARGUMENT", "requestError", "UNKNOWN", message)
    server.fail(error, times=None)


def forgotten_version(server: GoogleAdsServer) -> None:
    page = Status(404, "<html>Not Found</html>", {"Content-Type": "text/html"}, path="googleAds:")
    server.fail(page, times=None)


def account_quota(server: GoogleAdsServer) -> None:
    server.fail(google.account_quota("30s"), times=None)


def platform_down(server: GoogleAdsServer) -> None:
    server.fail(google.unavailable(), times=None)


def another_answer(server: GoogleAdsServer) -> None:
    server.fail(Status(200, {"hello": "world"}), times=None)


def a_stream_that_breaks_off(server: GoogleAdsServer) -> None:
    error = google.internal_error().body["error"]
    server.fail(Status(200, [{"results": []}, {"error": error}], path="googleAds:"), times=None)


TROUBLES = [
    (refused_consent, "consent_revoked", "refresh_token"),
    (refused_client, "credentials_refused", "client_secret"),
    (refused_developer, "credentials_refused", "developer_token"),
    (refused_token, "credentials_refused", "OAUTH_TOKEN_EXPIRED"),
    (unknown_customer, "unknown_account", "account 1"),
    (disabled_customer, "unknown_account", "not yet enabled"),
    (forbidden_customer, "unknown_account", "api.manager"),
    (manager_as_customer, "unknown_account", "accounts below it"),
    (unknown_error, "request_refused", "Something else"),
    (ended_version, "version_expired", "set sources.google_ads.api.version: v26"),
    (ended_long_ago, "version_expired", "set sources.google_ads.api.version: v26"),
    (forgotten_version, "version_expired", "set sources.google_ads.api.version: v26"),
    (account_quota, "rate_limited", "account 1"),
    (platform_down, "platform_down", "503"),
    (another_answer, "malformed_answer", "tries again"),
    (a_stream_that_breaks_off, "platform_down", "tries again"),
]


@pytest.mark.parametrize(
    ("fail", "code", "said"), TROUBLES, ids=[one[0].__name__ for one in TROUBLES]
)
def test_every_trouble_has_its_name_and_leaves_other_sources_alone(
    server: GoogleAdsServer, enrol: Enrol, house: House, fail: Callable, code: str, said: str
) -> None:
    one, known = enrol(patience_minutes=0), [*secrets(server).values(), "ya29.demo"]
    one.sell()
    fail(server)
    deals, ads = ingest_client(house.client("one"))
    assert (ads.status.code, deals.status.code) == (code, "ok")
    assert said in ads.status.problem
    assert_helps(ads.status)
    assert ads.status.days_missing == [day(3), day(2), day(1)]
    assert (deals.counts.appended, ads.status.holds) == (1, False)
    assert not leaks(house.home, known, ads, deals)


def test_missing_credentials_are_named_and_nothing_is_asked(
    server: GoogleAdsServer, enrol: Enrol, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = enrol()
    monkeypatch.delenv("CLIENTS__ONE__GOOGLE_ADS__REFRESH_TOKEN")
    status = one.ingest().status
    assert status.code == "credentials_missing" and not server.requests
    assert "CLIENTS__ONE__GOOGLE_ADS__REFRESH_TOKEN" in status.problem


def test_an_unknown_account_leaves_the_others_alone(server: GoogleAdsServer, enrol: Enrol) -> None:
    one = enrol(customers="512")
    status = one.ingest().status
    assert status.code == "unknown_account" and "account 5" in status.problem
    assert {*one.spend_log("account_id, spend_date")} == {
        *[("1", day(ago)) for ago in (1, 2, 3)],
        *[("2", day(ago)) for ago in (1, 2)],
    }


@pytest.mark.parametrize("fault", ONCE)
def test_what_happens_once_is_healed_by_asking_again(
    server: GoogleAdsServer, enrol: Enrol, fault: str
) -> None:
    one = enrol()
    server.fail(ONCE[fault], after=1)
    assert one.ingest().status.code == "ok"
    assert len(one.costs()) == 3


@pytest.mark.parametrize("fault", ONCE)
def test_what_lasts_is_named_and_what_was_answered_before_is_kept(
    server: GoogleAdsServer, enrol: Enrol, fault: str
) -> None:
    one = enrol(patience_minutes=0)
    server.fail(ONCE[fault], times=None, after=3)
    status = one.ingest().status
    assert (status.code, status.days_missing) == (NAMED[fault], [day(2), day(1)])
    assert set(one.costs()) == {(day(3), "7")}


def test_an_access_token_that_expires_midway_is_renewed_once(
    server: GoogleAdsServer, enrol: Enrol
) -> None:
    one = enrol()
    server.fail(expired_token(), after=2, path="googleAds:")
    assert one.ingest().status.code == "ok"
    assert [request.path for request in server.requests].count("/token") == 2


def test_a_row_without_money_goes_to_quarantine(server: GoogleAdsServer, enrol: Enrol) -> None:
    one = enrol()
    server.customers["1"].rows += spent(1, ad_group_id="71", cost_micros="much")
    outcome = one.ingest()
    assert (outcome.status.code, outcome.counts.quarantined) == ("ok", 1)
    ((_, _, reason, _),) = one.quarantine("google_ads")
    assert reason == "cost 'much' is no money"


def test_too_many_rows_without_money_refuse_the_answer(
    server: GoogleAdsServer, enrol: Enrol
) -> None:
    one = enrol(limit=0.1)
    for group in range(100, 105):
        server.customers["1"].rows += spent(1, ad_group_id=str(group), cost_micros="much")
    status = one.ingest().status
    assert (
        status.code == "refused"
        and "much" in status.problem
        and "google_ads/spend/1" in status.problem
    )
    assert one.commits() == 0


def test_patience_ends_in_time(server: GoogleAdsServer, enrol: Enrol, waits: list[float]) -> None:
    one = enrol(patience_minutes=1)
    server.fail(google.unavailable(), times=None)
    assert one.ingest().status.code == "platform_down"
    assert 0 < sum(waits) <= 60


@pytest.mark.parametrize("fault", ["cut", *slow("500", "truncated", "quota", "expired")])
def test_a_fault_at_any_request_leaves_the_same_lake_after_the_next_run(
    server: GoogleAdsServer, enrol: Enrol, fault: str
) -> None:
    faults = ONCE | {"quota": google.account_quota("3600s"), "expired": expired_token()}
    clean = enrol("clean", "12")
    clean.ingest()
    requests = len(server.requests)
    assert requests == 9
    for number in range(requests):
        one = enrol(f"client{number}", "12", patience_minutes=0)
        server.fail(faults[fault], after=number)
        first = one.ingest().status.code
        server.heal()
        assert (one.ingest().status.code, first) == ("ok", first), number
        assert sorted(one.spend_log(ALL)) == sorted(clean.spend_log(ALL)), number


def test_no_secret_is_in_any_file_after_any_trouble(
    server: GoogleAdsServer, enrol: Enrol, house: House
) -> None:
    one, said = enrol(patience_minutes=0), []
    known = [*secrets(server).values(), "ya29.demo"]
    echo = {"error": "odd", "error_description": " ".join(known[:4])}
    for fault in (Status(400, echo), *ONCE.values(), google.developer_token_not_approved()):
        server.fail(fault, times=None)
        said.append(one.ingest())
        server.heal()
    said.append(one.ingest())
    assert said[-1].status.code == "ok" and "***" in said[0].status.problem
    assert not leaks(house.home, known, *said)


def until(moment: str) -> float:
    """Return how many seconds from now a status says."""
    at = datetime.strptime(moment, "%Y-%m-%d %H:%M").replace(tzinfo=timezone.utc)
    return (at - datetime.now(timezone.utc)).total_seconds()
