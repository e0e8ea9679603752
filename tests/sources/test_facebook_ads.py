"""Facebook Ads by its API: what is asked, what is loaded, and what becomes of every trouble."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
import time_machine

from demo.servers import Status
from demo.servers import facebook_ads_server as facebook
from demo.servers.facebook_ads_server import Account, FacebookAdsServer
from demo.servers.graph import failure
from demo.servers.http_server import Answer, Fault, Request
from pipelines.ingest.load_counts import Counts
from pipelines.ingest.run import ingest_client
from pipelines.ingest.source_status import statuses
from pipelines.settings.reader import parse
from pipelines.sources.platforms import facebook_ads
from tests.builders.advertiser import NAMED, ONCE, Advertiser, date_of, day, leaks
from tests.builders.remedied import assert_helps
from tests.conftest import House

TOKEN = "EAAsecretOfOne"
ALL = "spend_date, account_id, campaign_id, campaign, ad_group_id, ad_group, ad_id, ad, cost"
ALL += ", currency, clicks, impressions, conversions, is_deleted"

Enrol = Callable[..., Advertiser]


@pytest.fixture
def server() -> Iterator[FacebookAdsServer]:
    with FacebookAdsServer(today=date_of(0)) as server:
        server.token, server.polls = TOKEN, 0
        server.accounts = {"1": Account(rows=spent(1, 2, 3)), "2": Account(rows=spent(1, 2))}
        yield server


@pytest.fixture
def enrol(house: House, server: FacebookAdsServer, monkeypatch: pytest.MonkeyPatch) -> Enrol:
    """Return a client with an account at the server, and its token."""

    def enrol(name: str = "one", accounts: str = "1", days: int = 3, **more) -> Advertiser:
        monkeypatch.setenv(f"CLIENTS__{name.upper()}__FACEBOOK_ADS__ACCESS_TOKEN", TOKEN)
        api = {"base_url": server.url, "accounts": [*accounts]}
        api |= {"restate_days": days, "days_per_request": 2} | more.pop("api", {})
        return Advertiser(house.home, "facebook_ads", api, name, **more)

    return enrol


def spent(*ago: int, **facts: object) -> list[dict]:
    """Return a row for each of some days: ad 700 of ad set 70 of campaign 7."""
    row = {"campaign_id": "7", "campaign": "Brand", "adset_id": "70", "adset": "Shoes"}
    row |= {"ad_id": "700", "ad": "Red shoes", "spend": "1.23", "clicks": 2, "impressions": 30}
    return [row | {"date": day(one)} | facts for one in ago]


def did(**kinds: object) -> dict:
    """Return the actions of a row, by kind."""
    return {"actions": [{"action_type": kind, "value": value} for kind, value in kinds.items()]}


def asked(server: FacebookAdsServer, method: str = "GET") -> list[tuple[str, str, str]]:
    """Return the account, first and last day of every report that was asked for, once a page."""
    found = []
    for request in server.requests:
        said = request.query | request.form()
        if request.method == method and "time_range" in said:
            days = json.loads(said["time_range"])
            account = request.path.split("/act_")[1].split("/")[0]
            found.append((account, days["since"], days["until"]))
    return found


def test_a_first_run_asks_for_the_restated_days_and_loads_exact_money(
    server: FacebookAdsServer, enrol: Enrol
) -> None:
    one = enrol()
    outcome = one.ingest()
    assert (outcome.status.code, outcome.counts.appended) == ("ok", 3)
    assert asked(server) == [("1", day(3), day(3)), ("1", day(2), day(1))]
    first = (day(3), "1", "7", "Brand", "70", "Shoes", "700", "Red shoes", "1.23", "EUR")
    assert one.spend_log(ALL)[0] == (*first, "2", "30", "0", False)
    assert one.spend_log("SUM(cost::DECIMAL(18, 6)) OVER ()")[0] == (Decimal("3.690000"),)
    query = server.requests[-1].query
    assert (query["level"], query["time_increment"]) == ("ad", "1")
    assert server.requests[-1].bearer() == TOKEN and TOKEN not in str(query)


def test_conversions_are_the_actions_that_the_client_counts(
    server: FacebookAdsServer, enrol: Enrol
) -> None:
    one = enrol(api={"conversions": ["purchase", "lead's"]}, days=1)
    many = did(purchase="2.50", link_click="9", **{"lead's": "1"})
    server.accounts["1"].rows = [
        *spent(1, ad_id="1", **many),
        *spent(1, ad_id="2", **did(link_click="9")),
        *spent(1, ad_id="3"),
    ]
    one.ingest()
    said = {ad: Decimal(number) for ad, number in one.spend_log("ad_id, conversions")}
    assert said == {"1": Decimal("3.5"), "2": 0, "3": 0}


def test_pages_are_followed_and_the_token_in_their_address_is_not(
    server: FacebookAdsServer, enrol: Enrol, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facebook_ads, "PAGE_ROWS", "2")
    server.accounts["1"].rows = [row for ad in "12345" for row in spent(1, ad_id=ad)]
    one = enrol(days=1)
    assert one.ingest().counts.appended == 5
    assert len(asked(server)) == 3
    assert all("access_token" not in request.query for request in server.requests)
    assert not leaks(house.home, [TOKEN])


def test_a_long_span_is_asked_for_as_a_report(server: FacebookAdsServer, enrol: Enrol) -> None:
    server.polls = 2
    one = enrol(days=8, api={"days_per_request": 28})
    assert one.ingest().counts.appended == 3
    assert asked(server, "POST") == [("1", day(8), day(1))]
    assert asked(server) == []


def test_a_second_run_with_nothing_changed_commits_nothing(
    server: FacebookAdsServer, enrol: Enrol
) -> None:
    one = enrol()
    one.ingest()
    outcome = one.ingest()
    assert (outcome.status.code, outcome.counts, one.commits()) == ("ok", Counts(), 1)


def test_restated_spend_appends_the_changed_rows_and_history_stays(
    server: FacebookAdsServer, enrol: Enrol
) -> None:
    one = enrol()
    one.ingest()
    server.accounts["1"].rows[1]["spend"] = "2.34"
    assert one.ingest().counts.appended == 1
    versions = [cost for spent, cost in one.spend_log("spend_date, cost") if spent == day(2)]
    assert versions == ["1.23", "2.34"]
    assert len(one.spend_log("cost")) == 4


def test_a_row_that_vanished_is_deleted_and_no_other_is(
    server: FacebookAdsServer, enrol: Enrol
) -> None:
    one = enrol(accounts="12")
    server.accounts["1"].rows += spent(2, ad_id="701")
    one.ingest()
    server.accounts["1"].rows.pop()
    assert one.ingest().counts.deleted == 1
    columns = "account_id, spend_date, ad_id, cost"
    deleted = [row for *row, is_deleted in one.spend_log(f"{columns}, is_deleted") if is_deleted]
    assert deleted == [["1", day(2), "701", "1.23"]]


def test_days_that_are_no_longer_restated_stay(server: FacebookAdsServer, enrol: Enrol) -> None:
    one = enrol()
    one.ingest()
    server.accounts["1"].rows = []
    with time_machine.travel(datetime.now(timezone.utc) + timedelta(days=1), tick=True):
        assert one.ingest().counts.deleted == 2
    assert one.costs() == {(day(3), "7"): "1.23"}


def test_a_limit_keeps_what_was_answered_and_the_next_run_goes_on_from_there(
    server: FacebookAdsServer, enrol: Enrol
) -> None:
    one = enrol()
    server.fail(facebook.business_limit(7, "1"), times=None, after=1)
    status = one.ingest().status
    assert (status.code, status.days_missing) == ("rate_limited", [day(2), day(1)])
    at = datetime.strptime(status.retry_at, "%Y-%m-%d %H:%M").replace(tzinfo=timezone.utc)
    assert (at - datetime.now(timezone.utc)).total_seconds() == pytest.approx(420, abs=90)
    assert set(one.costs()) == {(day(3), "7")}
    server.heal()
    server.requests.clear()
    assert one.ingest().status.code == "ok"
    assert asked(server)[0] == ("1", day(2), day(1))
    assert set(one.costs()) == {(day(3), "7"), (day(2), "7"), (day(1), "7")}


@pytest.mark.parametrize("limit", [facebook.account_limit(17), facebook.account_limit(613)])
def test_an_account_that_is_over_its_limit_leaves_the_others_alone(
    server: FacebookAdsServer, enrol: Enrol, limit: Status
) -> None:
    one = enrol(accounts="12", patience_minutes=0)
    server.fail(limit, times=None, path="act_1/")
    status = one.ingest().status
    assert status.code == "rate_limited" and "account 1:" in status.problem
    assert one.spend_log("account_id") == [("2",), ("2",)]


@dataclass(frozen=True)
class Nearly(Fault):
    """Answer well, but with a limit that is nearly used up."""

    def spoil(self, server: FacebookAdsServer, produce: Callable[[], Answer]) -> Answer:
        answer = produce()
        answer.headers["x-business-use-case-usage"] = json.dumps({"1": [{"call_count": 96}]})
        return answer


def test_a_limit_that_is_nearly_used_up_slows_down_a_little(
    server: FacebookAdsServer, enrol: Enrol, waits: list[float]
) -> None:
    one = enrol(patience_minutes=0.5)
    server.fail(Nearly(), times=None)
    assert one.ingest().status.code == "ok"
    assert waits and all(0 < seconds <= 3 for seconds in waits)  # a tenth of the patience


@pytest.mark.parametrize("days", [7, 16])
def test_too_much_data_is_asked_for_in_halves(
    server: FacebookAdsServer, enrol: Enrol, days: int
) -> None:
    one = enrol(days=days, api={"days_per_request": days})
    server.accounts["1"].rows = spent(*range(1, days + 1))
    server.sync_rows = 2
    if days > 7:
        server.fail(failure(500, 1, facebook.TOO_MUCH))
    assert one.ingest().status.code == "ok"
    assert len(one.costs()) == len(one.spend_log("cost")) == days


def test_a_day_that_is_too_much_at_once_is_asked_for_as_a_report(
    server: FacebookAdsServer, enrol: Enrol
) -> None:
    one = enrol(days=1)
    server.sync_rows = 0
    assert one.ingest().counts.appended == 1


def test_too_much_for_any_report_is_named(server: FacebookAdsServer, enrol: Enrol) -> None:
    one = enrol()
    server.fail(failure(500, 1, facebook.TOO_MUCH), times=None)
    status = one.ingest().status
    assert status.code == "request_refused" and "reduce the amount" in status.problem


def test_a_later_page_that_is_too_much_doubles_no_row(
    server: FacebookAdsServer, enrol: Enrol, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facebook_ads, "PAGE_ROWS", "1")
    one = enrol(days=2)
    server.fail(failure(500, 1, facebook.TOO_MUCH), after=1)
    outcome = one.ingest()
    assert (outcome.status.code, outcome.counts.read) == ("ok", 2)


@pytest.mark.parametrize("ends", [facebook.job_fails(), facebook.job_skipped()])
def test_a_report_that_fails_is_asked_for_once_more(
    server: FacebookAdsServer, enrol: Enrol, ends: facebook.JobEnds
) -> None:
    one = enrol(days=8, api={"days_per_request": 28})
    server.fail(ends)
    assert one.ingest().counts.appended == 3
    server.fail(ends, times=2)
    server.requests.clear()
    status = one.ingest().status
    assert status.code == "platform_down" and "failed twice" in status.problem
    assert len(asked(server, "POST")) == 2


def test_a_report_that_is_never_ready_is_waited_for_as_long_as_patience_lasts(
    server: FacebookAdsServer, enrol: Enrol, waits: list[float]
) -> None:
    one = enrol(days=8, api={"days_per_request": 28}, patience_minutes=1)
    server.polls = 10**6
    status = one.ingest().status
    assert status.code == "platform_down" and "not ready" in status.problem
    assert 30 < sum(waits) <= 60  # the next wait would have been too long


def expired(server: FacebookAdsServer) -> None:
    server.expire_token()


def revoked(server: FacebookAdsServer) -> None:
    server.revoke()


def new_password(server: FacebookAdsServer) -> None:
    server.fail(failure(400, 190, "The password was changed.", 460), times=None)


def another_token(server: FacebookAdsServer) -> None:
    server.token = "EAAother"


def not_permitted(server: FacebookAdsServer) -> None:
    server.accounts["1"].permitted = False


def not_permitted_at_all(server: FacebookAdsServer) -> None:
    server.fail(failure(403, 10, "(#10) Application has no permission"), times=None)


def unknown_account(server: FacebookAdsServer) -> None:
    server.accounts = {}


def app_limit(server: FacebookAdsServer) -> None:
    server.fail(facebook.app_limit(), times=None)


def account_limit(server: FacebookAdsServer) -> None:
    server.fail(facebook.account_limit(), times=None)


def server_error(server: FacebookAdsServer) -> None:
    server.fail(facebook.server_error(), times=None)


def unknown_error(server: FacebookAdsServer) -> None:
    server.fail(failure(400, 9999, "Something else is wrong"), times=None)


def ended_version(server: FacebookAdsServer) -> None:
    server.oldest_version = 28


def forgotten_version(server: FacebookAdsServer) -> None:
    page = Status(404, "<html>Not Found</html>", {"Content-Type": "text/html"})
    server.fail(page, times=None)


def another_answer(server: FacebookAdsServer) -> None:
    server.fail(Status(200, {"hello": "world"}), times=None)


def an_endless_page(server: FacebookAdsServer) -> None:
    paging = {"next": f"{server.url}/v27.0/act_1/insights?after=x&access_token={TOKEN}"}
    server.fail(Status(200, {"data": [], "paging": paging}), times=None)


def an_endless_report(server: FacebookAdsServer) -> None:
    """Name a new cursor with each page, and answer the first page again."""
    rows, more = [{"date_start": day(1)}], f"{server.url}/v27.0/act_1/insights?after="
    for number in range(3):
        paging = {"next": f"{more}{number}"}
        server.fail(Status(200, {"data": rows, "paging": paging}))


def odd_error(server: FacebookAdsServer) -> None:
    server.fail(Status(400, {"error": f"no {TOKEN} here"}), times=None)


TROUBLES = [
    (expired, "credentials_expired", "new access_token"),
    (revoked, "consent_revoked", "consent again"),
    (new_password, "consent_revoked", "password"),
    (another_token, "credentials_refused", "190"),
    (not_permitted, "consent_revoked", "account 1"),
    (not_permitted_at_all, "consent_revoked", "ads_read"),
    (unknown_account, "unknown_account", "api.accounts"),
    (app_limit, "rate_limited", "Application request limit"),
    (account_limit, "rate_limited", "account 1"),
    (server_error, "platform_down", "tries again"),
    (unknown_error, "request_refused", "Something else"),
    (ended_version, "version_expired", "set sources.facebook_ads.api.version: v27.0"),
    (forgotten_version, "version_expired", "set sources.facebook_ads.api.version: v27.0"),
    (another_answer, "malformed_answer", "data"),
    (an_endless_page, "malformed_answer", "one empty page after another, and names a next page"),
    (an_endless_report, "malformed_answer", "the same page again, and names a next page"),
    (odd_error, "request_refused", "no *** here"),
]


@pytest.mark.parametrize(
    ("fail", "code", "said"), TROUBLES, ids=[one[0].__name__ for one in TROUBLES]
)
def test_every_trouble_has_its_name_and_leaves_other_sources_alone(
    server: FacebookAdsServer, enrol: Enrol, house: House, fail: Callable, code: str, said: str
) -> None:
    one = enrol(patience_minutes=0)
    one.sell()
    fail(server)
    deals, ads = ingest_client(house.client("one"))
    assert (ads.status.code, deals.status.code) == (code, "ok")
    assert said in ads.status.problem
    assert_helps(ads.status)
    assert ads.status.days_missing == [day(3), day(2), day(1)]
    assert (deals.counts.appended, ads.status.holds) == (1, False)
    assert not leaks(house.home, [TOKEN], ads, deals)


def test_a_version_that_is_raised_silently_is_told(server: FacebookAdsServer, enrol: Enrol) -> None:
    one = enrol()
    assert one.ingest().status.warnings == []
    server.oldest_version, server.raises_versions = 28, True
    outcome = one.ingest()
    assert (outcome.status.code, outcome.status.warnings) == (
        "ok",
        [
            "version v27.0 of the API is asked, and answered in v28.0; the platform says: The call has been"
            " auto-upgraded to v28.0 as v27.0 has ended: set sources.facebook_ads.api.version: v28.0,"
            " and compare the numbers of the days before"
        ],
    )
    (kept,) = statuses(parse(one.settings))
    assert kept.warnings == outcome.status.warnings
    House(one.home).change("one", sources={"facebook_ads": {"api": {"version": "v28.0"}}})
    assert one.ingest().status.warnings == []


def test_a_number_with_a_comma_is_never_read_as_another(
    server: FacebookAdsServer, enrol: Enrol
) -> None:
    one = enrol(days=1)
    server.accounts["1"].rows = [*spent(1, ad_id="1"), *spent(1, ad_id="2")]
    report = server.report

    def in_words(request: Request, account_id: str) -> Answer:
        answer = report(request, account_id)
        answer.body = answer.body.replace(b"1.23", b"1,230.50", 1)
        return answer

    server.report = in_words  # type: ignore[method-assign]
    outcome = one.ingest()
    assert (outcome.status.code, one.spend_log("cost")) == ("refused", [])
    assert "cost '1,230.50' is no money (row 1)" in outcome.problem
    assert outcome.problem.endswith("The platform's API answered so; the next run asks again")


def test_an_unknown_account_leaves_the_others_alone(
    server: FacebookAdsServer, enrol: Enrol
) -> None:
    one = enrol(accounts="512")
    status = one.ingest().status
    assert status.code == "unknown_account" and "account 5" in status.problem
    assert len(one.spend_log("cost")) == 5


def test_a_missing_token_is_named_and_nothing_is_asked(
    server: FacebookAdsServer, enrol: Enrol, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = enrol()
    monkeypatch.delenv("CLIENTS__ONE__FACEBOOK_ADS__ACCESS_TOKEN")
    status = one.ingest().status
    assert status.code == "credentials_missing" and not server.requests
    assert "CLIENTS__ONE__FACEBOOK_ADS__ACCESS_TOKEN" in status.problem


def test_a_report_with_another_address_for_a_name_is_sent_no_token(
    server: FacebookAdsServer, enrol: Enrol
) -> None:
    one = enrol(days=8, api={"days_per_request": 28})
    server.fail(Status(200, {"report_run_id": f"{server.url}/elsewhere"}))
    assert one.ingest().status.code == "malformed_answer"
    assert len(server.requests) == 1


@pytest.mark.parametrize("fault", ONCE)
def test_what_happens_once_is_healed_by_asking_again(
    server: FacebookAdsServer, enrol: Enrol, fault: str
) -> None:
    one = enrol()
    server.fail(ONCE[fault], after=1)
    assert one.ingest().status.code == "ok"
    assert len(one.costs()) == 3


@pytest.mark.parametrize("fault", ONCE)
def test_what_lasts_is_named_and_what_was_answered_before_is_kept(
    server: FacebookAdsServer, enrol: Enrol, fault: str
) -> None:
    one = enrol(patience_minutes=0)
    server.fail(ONCE[fault], times=None, after=1)
    status = one.ingest().status
    assert (status.code, status.days_missing) == (NAMED[fault], [day(2), day(1)])
    assert set(one.costs()) == {(day(3), "7")}


def test_a_row_without_money_goes_to_quarantine(server: FacebookAdsServer, enrol: Enrol) -> None:
    one = enrol(days=1)
    rows = [{"date_start": day(1), "campaign_id": "7", "ad_id": ad, "spend": "2"} for ad in "123"]
    rows[1] |= {"spend": "much"}
    rows[2] |= did(purchase="a few", lead="1")
    server.fail(Status(200, {"data": [*rows, rows[0] | {"ad_id": "4"}]}))
    outcome = one.ingest()
    assert (outcome.status.code, outcome.counts.quarantined) == ("ok", 2)
    reasons = [reason for _, _, reason, _ in one.quarantine("facebook_ads")]
    assert sorted(reasons) == ["conversions 'a few' is no money", "cost 'much' is no money"]


def test_too_many_rows_without_money_refuse_the_answer(
    server: FacebookAdsServer, enrol: Enrol
) -> None:
    one = enrol(days=1, limit=0.1)
    row = {"date_start": day(1), "campaign_id": "7", "spend": "?"}
    server.fail(Status(200, {"data": [row | {"ad_id": str(ad)} for ad in range(5)]}))
    status = one.ingest().status
    assert status.code == "refused" and "facebook_ads/spend/1" in status.problem
    assert one.commits() == 0


def test_an_app_limit_hit_midway_keeps_what_every_account_answered(
    server: FacebookAdsServer, enrol: Enrol
) -> None:
    one = enrol(accounts="12", patience_minutes=0)
    server.fail(facebook.app_limit(), times=None, after=3)
    status = one.ingest().status
    assert (status.code, len(server.requests)) == ("rate_limited", 4)
    assert {*one.spend_log("account_id, spend_date")} == {("1", day(ago)) for ago in (1, 2, 3)}


@pytest.mark.slow
@pytest.mark.parametrize("way", ["at once", "by job"])
@pytest.mark.parametrize("fault", ["500", "cut", "truncated", "limit"])
def test_a_fault_at_any_request_leaves_the_same_lake_after_the_next_run(
    server: FacebookAdsServer,
    enrol: Enrol,
    fault: str,
    way: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(facebook_ads, "PAGE_ROWS", "1")
    faults = ONCE | {"limit": facebook.account_limit()}
    spans = {"at once": {"days": 3}, "by job": {"days": 8, "api": {"days_per_request": 28}}}[way]
    clean = enrol("clean", "12", **spans)
    clean.ingest()
    requests = len(server.requests)
    assert requests == {"at once": 6, "by job": 9}[way]
    for number in range(requests):
        one = enrol(f"client{number}", "12", patience_minutes=0, **spans)
        server.fail(faults[fault], after=number)
        first = one.ingest().status.code
        server.heal()
        assert (one.ingest().status.code, first == "ok") == ("ok", False), number
        assert sorted(one.spend_log(ALL)) == sorted(clean.spend_log(ALL)), number


def test_no_secret_is_in_any_file_after_any_trouble(
    server: FacebookAdsServer, enrol: Enrol, house: House
) -> None:
    one, said = enrol(patience_minutes=0), []
    for fault in (failure(400, 1234, f"odd {TOKEN}"), *ONCE.values(), facebook.app_limit()):
        server.fail(fault, times=None)
        said.append(one.ingest())
        server.heal()
    said.append(one.ingest())
    assert said[-1].status.code == "ok" and "***" in said[0].status.problem
    assert not leaks(house.home, [TOKEN], *said)
