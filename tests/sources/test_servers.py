"""The local platforms: they page, check, refuse and fail as the real ones are documented to."""

import io
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pyarrow as pa
import pytest
import requests
from pyarrow import fs
from pyarrow import parquet as pq

from demo.servers import Cut, Html, Slow, Status, Truncated
from demo.servers import bucket_server as buckets
from demo.servers import facebook_ads_server as facebook
from demo.servers import google_ads_server as google
from demo.servers import salesforce_server as sf
from demo.servers.bucket_server import BucketServer
from demo.servers.facebook_ads_server import FacebookAdsServer
from demo.servers.google_ads_server import GoogleAdsServer
from demo.servers.salesforce_server import SalesforceServer

DAYS = [f"2026-10-0{day}" for day in range(1, 6)]
COST = "SELECT campaign.id, segments.date, metrics.cost_micros FROM campaign"


class Google:
    """A caller of the Google Ads server, with a token."""

    def __init__(self, server: GoogleAdsServer) -> None:
        self.server = server
        self.headers = {"developer-token": server.developer_token}
        self.headers["Authorization"] = f"Bearer {self.token().json()['access_token']}"

    def token(self, **changes: str) -> requests.Response:
        form = {"grant_type": "refresh_token", **self.server.credentials, **changes}
        return requests.post(f"{self.server.url}/token", data=form)

    def ask(
        self, query: str, customer: str = "1", verb: str = "searchStream", **body: str
    ) -> requests.Response:
        url = f"{self.server.url}/v26/customers/{customer}/googleAds:{verb}"
        return requests.post(url, json={"query": query, **body}, headers=self.headers)

    def refusal(self, *asked: str, **more: str) -> tuple[int, str, str]:
        answer = self.ask(*asked, **more)
        error = answer.json()[0]["error"]
        (code,) = error["details"][0]["errors"][0]["errorCode"].values()
        return answer.status_code, error["status"], code


@pytest.fixture
def google_ads() -> Iterator[Google]:
    with GoogleAdsServer() as server:
        rows = [
            {"date": day, "campaign_id": "7", "campaign": "Brand", "ad_group_id": group}
            | {"cost_micros": 1_000_000, "clicks": 0, "impressions": 3, "conversions": 0.5}
            for day in DAYS
            for group in ("1", "2")
        ]
        server.customers = {"1": google.Customer("USD", rows=rows)}
        yield Google(server)


def test_google_groups_rows_and_shows_what_is_selected(google_ads: Google) -> None:
    fields = (
        "campaign.name, segments.date, metrics.cost_micros, metrics.clicks, metrics.conversions"
    )
    where = "segments.date BETWEEN '2026-10-02' AND '2026-10-03' AND campaign.status != 'REMOVED'"
    answer = google_ads.ask(f"SELECT {fields} FROM campaign WHERE {where}")
    (chunk,) = answer.json()
    assert [row["segments"]["date"] for row in chunk["results"]] == DAYS[1:3]
    assert chunk["results"][0] == {
        "campaign": {"resourceName": "customers/1/campaigns/7", "name": "Brand"},
        "segments": {"date": DAYS[1]},
        "metrics": {"costMicros": "2000000", "conversions": 1.0},
    }
    customer = google_ads.ask("SELECT customer.currency_code, customer.id FROM customer LIMIT 1")
    assert customer.json()[0]["results"][0]["customer"]["currencyCode"] == "USD"


def test_google_chunks_streams_and_pages_searches(google_ads: Google) -> None:
    google_ads.server.chunk_rows = google_ads.server.page_rows = 2
    assert [len(chunk["results"]) for chunk in google_ads.ask(COST).json()] == [2, 2, 1]
    first = google_ads.ask(COST, verb="search").json()
    second = google_ads.ask(COST, verb="search", pageToken=first["nextPageToken"]).json()
    third = google_ads.ask(COST, verb="search", pageToken=second["nextPageToken"]).json()
    assert [len(page["results"]) for page in (first, second, third)] == [2, 2, 1]
    assert "nextPageToken" not in third
    (empty,) = google_ads.ask(f"{COST} WHERE segments.date = '2020-01-01'").json()
    assert "results" not in empty


def test_google_checks_tokens(google_ads: Google) -> None:
    server = google_ads.server
    assert google_ads.token(client_id="other").json()["error"] == "invalid_client"
    server.expire_tokens()
    assert google_ads.refusal(COST) == (401, "UNAUTHENTICATED", "OAUTH_TOKEN_EXPIRED")
    server.token_seconds = 0
    google_ads = Google(server)
    assert google_ads.refusal(COST)[2] == "OAUTH_TOKEN_EXPIRED"
    server.revoke()
    assert google_ads.refusal(COST)[2] == "OAUTH_TOKEN_INVALID"
    dead = google_ads.token()
    assert (dead.status_code, dead.json()["error"]) == (400, "invalid_grant")
    server.credentials["refresh_token"] = "1//new"
    assert google_ads.token().ok


def test_google_refuses_in_its_own_words(google_ads: Google) -> None:
    refusal, server = google_ads.refusal, google_ads.server
    unknown = refusal("SELECT campaign.foo FROM campaign")
    assert unknown == (400, "INVALID_ARGUMENT", "UNRECOGNIZED_FIELD")
    assert refusal("SELECT campaign.id FROM moon")[2] == "BAD_RESOURCE_TYPE_IN_FROM_CLAUSE"
    assert refusal("SELEC campaign.id")[2] == "UNEXPECTED_INPUT"
    assert refusal(f"{COST} WHERE segments.date ~ 'x'")[2] == "UNEXPECTED_INPUT"
    assert refusal(COST, "2") == (401, "UNAUTHENTICATED", "CUSTOMER_NOT_FOUND")
    assert refusal(COST, "1-2") == (400, "INVALID_ARGUMENT", "INVALID_CUSTOMER_ID")
    server.manager = "99"
    assert refusal(COST) == (403, "PERMISSION_DENIED", "USER_PERMISSION_DENIED")
    google_ads.headers["login-customer-id"] = "99"
    server.customers["1"].enabled = False
    assert refusal(COST) == (403, "PERMISSION_DENIED", "CUSTOMER_NOT_ENABLED")
    del google_ads.headers["developer-token"]
    assert refusal(COST)[2] == "DEVELOPER_TOKEN_PARAMETER_MISSING"


def test_google_quota_ends_until_healed(google_ads: Google) -> None:
    google_ads.server.quota = 1
    assert google_ads.ask(COST).ok
    assert google_ads.refusal(COST) == (429, "RESOURCE_EXHAUSTED", "RESOURCE_EXHAUSTED")
    google_ads.server.heal()
    google_ads.server.fail(google.account_quota("30s"))
    assert google_ads.token().ok
    error = google_ads.ask(COST).json()[0]["error"]["details"][0]["errors"][0]
    assert error["details"]["quotaErrorDetails"]["rateScope"] == "ACCOUNT"
    assert error["details"]["quotaErrorDetails"]["retryDelay"] == "30s"
    google_ads.server.fail(google.developer_token_not_approved())
    assert google_ads.refusal(COST)[2] == "DEVELOPER_TOKEN_NOT_APPROVED"


@pytest.mark.parametrize(
    ("fault", "code"), [(google.internal_error(), 500), (google.unavailable(), 503)]
)
def test_faults_wait_hit_and_end(google_ads: Google, fault: Status, code: int) -> None:
    google_ads.server.fail(fault, times=2, after=1, path="customers/1/")
    codes = [google_ads.ask(COST).status_code for _ in range(4)]
    assert codes == [200, code, code, 200]
    google_ads.server.fail(fault, times=None)
    assert [google_ads.ask(COST).status_code for _ in range(3)] == [code] * 3
    google_ads.server.heal()
    assert google_ads.ask(COST).ok


def test_faults_spoil_the_line_and_the_body(google_ads: Google) -> None:
    server = google_ads.server
    server.fail(Cut(0))
    with pytest.raises(requests.ConnectionError):
        google_ads.ask(COST)
    server.fail(Cut(10))
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        google_ads.ask(COST)
    server.fail(Truncated(0.5))
    with pytest.raises(requests.JSONDecodeError):
        google_ads.ask(COST).json()
    server.fail(Html())
    page = google_ads.ask(COST)
    assert page.ok and page.headers["Content-Type"].startswith("text/html")
    server.fail(Slow(0.05))
    start = time.monotonic()
    assert google_ads.ask(COST).ok
    assert time.monotonic() - start > 0.05


def test_servers_record_requests_of_many_callers_and_end(google_ads: Google) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: google_ads.ask(COST), range(40)))
    assert all(answer.ok for answer in answers)
    request = google_ads.server.requests[-1]
    assert (request.method, request.json()["query"]) == ("POST", COST)
    assert request.headers["Developer-Token"] == google_ads.server.developer_token
    with requests.Session() as session:
        with GoogleAdsServer() as server:
            assert session.get(server.url).status_code == 404
        with pytest.raises(requests.ConnectionError):
            session.get(server.url)


class Meta:
    """A caller of the Facebook Ads server, with a token."""

    def __init__(self, server: FacebookAdsServer) -> None:
        self.server = server
        self.headers = {"Authorization": f"Bearer {server.token}"}
        self.report = {"level": "ad", "time_increment": "1", "limit": "3"}
        self.report |= {"fields": "ad_id,spend,clicks,actions", "time_range": span(*DAYS[:2])}

    def get(self, path: str, **query: str) -> requests.Response:
        return requests.get(f"{self.server.url}/v27.0/{path}", query, headers=self.headers)

    def insights(self, **changes: str) -> requests.Response:
        return self.get("act_1/insights", **(self.report | changes))

    def start(self) -> str:
        url = f"{self.server.url}/v27.0/act_1/insights"
        return requests.post(url, self.report, headers=self.headers).json()["report_run_id"]

    def polled(self, name: str, times: int) -> list[str]:
        return [self.get(name).json()["async_status"] for _ in range(times)]


@pytest.fixture
def meta() -> Iterator[Meta]:
    with FacebookAdsServer(today=date(2026, 10, 8)) as server:
        rows = [
            {"date": day, "campaign_id": "7", "campaign": "Brand", "ad_id": ad, "spend": "1.25"}
            | {"clicks": 2, "impressions": 0, "actions": [{"action_type": "lead", "value": "2"}]}
            for day in DAYS
            for ad in ("1", "2")
        ]
        server.accounts = {"1": facebook.Account("USD", rows=rows)}
        yield Meta(server)


def span(since: str, until: str) -> str:
    return json.dumps({"since": since, "until": until})


def refusal(answer: requests.Response) -> tuple[int, int, int | None]:
    error = answer.json()["error"]
    return answer.status_code, error["code"], error.get("error_subcode")


def test_meta_pages_by_cursor_and_by_link(meta: Meta) -> None:
    first = meta.insights()
    page = first.json()
    lead = {"action_type": "lead", "value": "2"}
    assert page["data"][0] == {
        **{"ad_id": "1", "spend": "1.25", "clicks": "2", "actions": [lead]},
        **{"date_start": DAYS[0], "date_stop": DAYS[0]},
    }
    by_cursor = meta.insights(after=page["paging"]["cursors"]["after"]).json()
    by_link = requests.get(page["paging"]["next"]).json()
    assert by_cursor == by_link and len(by_link["data"]) == 1 and "next" not in by_link["paging"]
    assert meta.server.token in page["paging"]["next"]
    assert {"x-app-usage", "x-ad-account-usage"} <= {*map(str.lower, first.headers)}
    (campaign,) = meta.insights(level="campaign", time_increment="all_days").json()["data"]
    assert (campaign["spend"], campaign["date_stop"]) == ("5.00", DAYS[1])


def test_meta_jobs_run_complete_and_fail(meta: Meta) -> None:
    name = meta.start()
    assert refusal(meta.get(f"{name}/insights"))[0] == 400
    states = ["Job Not Started", "Job Running", "Job Completed"]
    assert meta.polled(name, 3) == states
    assert len(meta.get(f"{name}/insights").json()["data"]) == 4
    meta.server.fail(facebook.job_fails())
    assert meta.polled(meta.start(), 3)[-1] == "Job Failed"
    meta.server.fail(facebook.job_skipped())
    assert meta.polled(meta.start(), 3)[-1] == "Job Skipped"
    assert meta.polled(meta.start(), 3) == states


def test_meta_refuses_in_its_own_words(meta: Meta) -> None:
    assert refusal(meta.insights(fields="moon")) == (400, 100, None)
    assert meta.insights(time_range=span("2023-09-08", DAYS[1])).ok
    assert refusal(meta.insights(time_range=span("2023-09-07", DAYS[1]))) == (400, 3018, None)
    assert refusal(meta.get("act_2", fields="currency")) == (400, 100, 33)
    account = meta.get("act_1", fields="currency,timezone_name,account_status").json()
    assert (account["currency"], account["account_status"]) == ("USD", 1)
    meta.server.sync_rows = 3
    assert refusal(meta.insights()) == (500, 1, None)
    meta.server.accounts["1"].permitted = False
    assert refusal(meta.insights()) == (403, 200, None)
    meta.server.expire_token()
    assert refusal(meta.insights()) == (400, 190, 463)
    meta.server.revoke()
    assert refusal(meta.insights()) == (400, 190, 458)
    meta.headers = {}
    assert refusal(meta.insights(access_token="other")) == (400, 190, None)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (facebook.app_limit(), (400, 4, None)),
        (facebook.account_limit(), (400, 17, 2446079)),
        (facebook.account_limit(613), (400, 613, 1487742)),
        (facebook.business_limit(7, "1"), (400, 80000, 2446079)),
        (facebook.server_error(), (500, 2, None)),
    ],
)
def test_meta_limits_and_fails(meta: Meta, fault: Status, expected: tuple) -> None:
    meta.server.fail(fault)
    answer = meta.insights()
    assert refusal(answer) == expected
    if expected[1] == 80000:
        (usage,) = json.loads(answer.headers["x-business-use-case-usage"])["1"]
        assert usage["estimated_time_to_regain_access"] == 7
    assert meta.insights().ok


class Salesforce:
    """A caller of the Salesforce server, with a session."""

    def __init__(self, server: SalesforceServer) -> None:
        self.server = server
        self.renew()

    def token(self, **changes: str) -> requests.Response:
        form = {"grant_type": "client_credentials", **self.server.credentials, **changes}
        return requests.post(f"{self.server.url}/services/oauth2/token", data=form)

    def renew(self) -> None:
        self.headers = {"Authorization": f"Bearer {self.token().json()['access_token']}"}

    def get(self, path: str, **query: str) -> requests.Response:
        return requests.get(f"{self.server.url}{path}", query, headers=self.headers)

    def ask(self, soql: str, verb: str = "query") -> requests.Response:
        return self.get(f"/services/data/v62.0/{verb}", q=soql)

    def ids(self, soql: str, verb: str = "query") -> list[str]:
        return [record["Id"] for record in self.ask(soql, verb).json()["records"]]


@pytest.fixture
def salesforce() -> Iterator[Salesforce]:
    with SalesforceServer() as server:
        server.objects["Account"] = [{"Id": "A1", "Name": "Acme"}]
        server.objects["Opportunity"] = [
            {"Id": f"O{n}", "SystemModstamp": f"{day}T12:00:00Z", "IsDeleted": n == 5}
            | {"Amount": 10 * n if n > 1 else None, "StageName": "Won't do", "Tier__c": "gold"}
            | {"AccountId": "A1" if n == 1 else None}
            for n, day in enumerate(DAYS, 1)
        ]
        yield Salesforce(server)


def test_salesforce_shapes_records(salesforce: Salesforce) -> None:
    body = salesforce.ask("SELECT Id, SystemModstamp, Account.Name FROM Opportunity LIMIT 2").json()
    url = "/services/data/v62.0/sobjects"
    assert (body["totalSize"], body["done"]) == (2, True)
    assert body["records"][0] == {
        "attributes": {"type": "Opportunity", "url": f"{url}/Opportunity/O1"},
        "Id": "O1",
        "SystemModstamp": "2026-10-01T12:00:00.000+0000",
        "Account": {"attributes": {"type": "Account", "url": f"{url}/Account/A1"}, "Name": "Acme"},
    }
    assert body["records"][1]["Account"] is None


@pytest.mark.parametrize(
    ("clause", "ids"),
    [
        ("SystemModstamp >= 2026-10-03T12:00:00Z", ["O3", "O4"]),
        ("SystemModstamp > 2026-10-03T14:00:00.000+02:00", ["O4"]),
        ("Amount = null", ["O1"]),
        ("Amount != null AND Amount < 40", ["O2", "O3"]),
        ("StageName = 'won\\'t do' AND IsDeleted = false AND Id IN ('O1', 'O9')", ["O1"]),
        ("Account.Name = 'Acme' AND Tier__c != 'silver'", ["O1"]),
    ],
)
def test_salesforce_filters(salesforce: Salesforce, clause: str, ids: list[str]) -> None:
    assert salesforce.ids(f"SELECT Id FROM Opportunity WHERE {clause}") == ids


def test_salesforce_orders_and_shows_the_deleted_to_query_all(salesforce: Salesforce) -> None:
    newest = "SELECT Id FROM Opportunity ORDER BY SystemModstamp DESC, Id LIMIT 2"
    assert salesforce.ids(newest) == ["O4", "O3"]
    assert salesforce.ids(newest, "queryAll") == ["O5", "O4"]
    assert salesforce.ids("SELECT Id FROM Lead WHERE IsConverted = true") == []


def test_salesforce_pages(salesforce: Salesforce) -> None:
    salesforce.server.page_rows = 3
    first = salesforce.ask("SELECT Id FROM Opportunity").json()
    assert (first["totalSize"], len(first["records"]), first["done"]) == (4, 3, False)
    second = salesforce.get(first["nextRecordsUrl"]).json()
    assert ([record["Id"] for record in second["records"]], second["done"]) == (["O4"], True)
    salesforce.server.expire_locators()
    lost = salesforce.get(first["nextRecordsUrl"])
    assert (lost.status_code, lost.json()[0]["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("SELECT Moon FROM Opportunity", "INVALID_FIELD"),
        ("SELECT Id FROM Opportunity WHERE SystemModstamp > '2026-10-01'", "INVALID_FIELD"),
        ("SELECT Moon.Name FROM Opportunity", "INVALID_FIELD"),
        ("SELECT Id FROM Moon", "INVALID_TYPE"),
        ("SELECT Id FROM Opportunity WHERE Amount IS NULL", "MALFORMED_QUERY"),
        ("SELECT Id, FROM Opportunity", "MALFORMED_QUERY"),
        ("SELECT Id FROM Opportunity ORDER BY", "MALFORMED_QUERY"),
    ],
)
def test_salesforce_refuses_queries(salesforce: Salesforce, query: str, code: str) -> None:
    answer = salesforce.ask(query)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)


def test_salesforce_checks_sessions_and_the_day(salesforce: Salesforce) -> None:
    server, query = salesforce.server, "SELECT Id FROM Opportunity"
    assert salesforce.token(client_id="x").json()["error"] == "invalid_client_id"
    assert salesforce.token(client_secret="x").json()["error"] == "invalid_client"
    server.end_sessions()
    ended = salesforce.ask(query)
    assert (ended.status_code, ended.json()[0]["errorCode"]) == (401, "INVALID_SESSION_ID")
    salesforce.renew()
    server.daily_limit = 1
    assert salesforce.ask(query).headers["Sforce-Limit-Info"] == "api-usage=1/1"
    over = salesforce.ask(query)
    assert (over.status_code, over.json()[0]["errorCode"]) == (403, "REQUEST_LIMIT_EXCEEDED")
    server.heal()
    for fault, code in ((sf.request_limit(), 403), (sf.server_unavailable(), 503)):
        server.fail(fault)
        assert salesforce.ask(query).status_code == code
    server.user_active = False
    assert salesforce.token().json()["error_description"] == "inactive user"


def bucket_client(server: BucketServer, access_key: str = "demo-access-key") -> fs.S3FileSystem:
    host = server.url.removeprefix("http://")
    settings = {"access_key": access_key, "secret_key": "any", "region": "eu-central-1"}
    settings["retry_strategy"] = fs.AwsStandardS3RetryStrategy(max_attempts=1)
    return fs.S3FileSystem(endpoint_override=host, scheme="http", **settings)


@pytest.fixture
def bucket() -> Iterator[BucketServer]:
    file = io.BytesIO()
    pq.write_table(pa.table({"n": range(1000)}), file)
    with BucketServer() as server:
        objects = {"a/b/x.parquet": file.getvalue(), "a/ü + 1.csv": b"1,2\n", "z": b"123"}
        server.buckets = {"lake": objects}
        yield server


def test_buckets_list_and_read_through_pyarrow(bucket: BucketServer) -> None:
    bucket.page_keys = 1
    client = bucket_client(bucket)
    below = client.get_file_info(fs.FileSelector("lake/a"))
    assert {info.path: info.type for info in below} == {
        "lake/a/b": fs.FileType.Directory,
        "lake/a/ü + 1.csv": fs.FileType.File,
    }
    everything = client.get_file_info(fs.FileSelector("lake", recursive=True))
    assert sorted(info.path for info in everything if info.is_file) == sorted(
        f"lake/{key}" for key in bucket.buckets["lake"]
    )
    assert pq.read_table("lake/a/b/x.parquet", filesystem=client).num_rows == 1000
    assert client.open_input_stream("lake/a/ü + 1.csv").read() == b"1,2\n"
    assert client.get_file_info("lake/z").mtime == buckets.LONG_AGO
    assert any("Range" in request.headers for request in bucket.requests)


def test_buckets_refuse_and_fail(bucket: BucketServer) -> None:
    client = bucket_client(bucket)
    for path in ("lake/none", "nolake/z"):
        with pytest.raises(FileNotFoundError):
            client.open_input_file(path)
    with pytest.raises(OSError, match="nolake"):
        client.get_file_info(fs.FileSelector("nolake"))
    with pytest.raises(OSError, match="ACCESS_DENIED"):
        bucket_client(bucket, "other").get_file_info(fs.FileSelector("lake"))
    for fault in (buckets.slow_down(), buckets.internal_error(), Cut(1)):
        bucket.fail(fault, path="/lake/z", after=1)
        with pytest.raises(OSError, match="GetObject"):
            client.open_input_file("lake/z").read()
        assert client.open_input_file("lake/z").read() == b"123"


def test_buckets_serve_ranges(bucket: BucketServer) -> None:
    headers = {"Authorization": f"AWS4-HMAC-SHA256 Credential={bucket.access_key}/20260101/x"}

    def part(wanted: str) -> tuple[int, bytes]:
        answer = requests.get(f"{bucket.url}/lake/z", headers=headers | {"Range": wanted})
        return answer.status_code, answer.content[:3]

    assert [part("bytes=0-1"), part("bytes=1-"), part("bytes=-1")] == [
        (206, b"12"),
        (206, b"23"),
        (206, b"3"),
    ]
    assert part("bytes=9-")[0] == 416
    assert b"NoSuchKey" in requests.get(f"{bucket.url}/lake/none", headers=headers).content
    assert b"NoSuchBucket" in requests.get(f"{bucket.url}/none/z", headers=headers).content
