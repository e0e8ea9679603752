"""Buckets: new and changed objects are read as files, and every refusal has a name."""

import gzip
import shutil
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from demo.servers import Cut, Html, Truncated
from demo.servers import bucket_server as buckets
from demo.servers.bucket_server import LONG_AGO, BucketServer
from demo.servers.http_server import Answer, Request
from pipelines.ingest.load_counts import Counts
from pipelines.ingest.run import ingest, ingest_source
from pipelines.settings.reader import read
from pipelines.sources.files import buckets as objects
from tests.builders.pasting import paste
from tests.builders.tenant import SPEND, Tenant
from tests.conftest import House

SETTINGS = """
name: one
currency: EUR
patience_minutes: {patience}
quality: {{quarantine_limit: 0.5}}
sources:
  google_ads:
    spend:
      files: {files}
      expected_every: never
      bucket: {{region: eu-central-1, endpoint: "{endpoint}", access: {access}}}
      delivery: {delivery}
      table: spend
"""

HEAD = ",".join(SPEND)
SECRET = "demo-secret-key"


class Cloud(Tenant):
    """A client whose spend lies in a bucket."""

    def __init__(self, home: Path, server: BucketServer, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(home)
        self.server, self.objects = server, server.buckets.setdefault("lake", {})
        self.configure()
        monkeypatch.setenv("CLIENTS__ONE__GOOGLE_ADS__ACCESS_KEY_ID", server.access_key)
        monkeypatch.setenv("CLIENTS__ONE__GOOGLE_ADS__SECRET_ACCESS_KEY", SECRET)

    def configure(self, files: str = "s3://lake/one/spend-*", **settings: str) -> None:
        whole = {"endpoint": self.server.url, "access": "keys", "delivery": "increment"}
        whole |= {"patience": "0", "files": files} | settings
        self.settings.write_text(SETTINGS.format(**whole))

    def put(self, key: str, *rows: str) -> None:
        lines = [f"2026-10-{row},EUR,1,1" for row in rows]
        self.objects[key] = "\n".join([HEAD, *lines, ""]).encode()

    def touch(self, key: str, minutes: int) -> None:
        self.server.modified["lake", key] = LONG_AGO + timedelta(minutes=minutes)

    def read(self) -> list[str]:
        """Return the paths that were downloaded since the last call."""
        paths = [one.path for one in self.server.requests if is_download(one)]
        self.server.requests.clear()
        return paths


def is_download(request: Request) -> bool:
    return request.method == "GET" and request.path.count("/") > 1


@pytest.fixture
def cloud(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    with BucketServer() as server:
        yield Cloud(house.home, server, monkeypatch)


def test_objects_that_match_are_read_and_named_by_their_url(cloud: Cloud) -> None:
    cloud.put("one/spend-1.csv", "01,a,A,1")
    cloud.put("one/spend-ü [2].csv", "01,b,B,2")
    cloud.put("one/other.csv", "01,c,C,3")
    cloud.put("one/deeper/spend-3.csv", "01,d,D,3")
    cloud.server.page_keys = 1
    outcome = cloud.ingest()
    assert (outcome.problem, outcome.counts) == ("", Counts(2, 2))
    assert cloud.log("export_file, campaign_id, cost") == [
        ("s3://lake/one/spend-1.csv", "a", "1"),
        ("s3://lake/one/spend-ü [2].csv", "b", "2"),
    ]
    assert not list((cloud.home / "lake").rglob("*.csv"))


def test_a_pattern_may_name_folders(cloud: Cloud) -> None:
    cloud.put("one/2026/10/spend.csv", "01,a,A,1")
    cloud.put("one/2026/11/spend.csv", "01,b,B,2")
    cloud.put("one/2025/11/spend.csv", "01,c,C,2")
    cloud.configure("s3://lake/one/2026/*/spend.csv")
    assert cloud.ingest().counts == Counts(2, 2)


def test_only_new_and_changed_objects_are_downloaded(cloud: Cloud) -> None:
    cloud.put("one/spend-1.csv", "01,a,A,1")
    cloud.put("one/spend-2.csv", "01,b,B,1")
    cloud.ingest()
    assert set(cloud.read()) == {"/lake/one/spend-1.csv", "/lake/one/spend-2.csv"}
    assert cloud.ingest().counts == Counts()
    assert cloud.read() == []
    cloud.put("one/spend-2.csv", "01,b,B,2")
    cloud.touch("one/spend-2.csv", 1)
    assert cloud.ingest().counts == Counts(1, 1)
    assert set(cloud.read()) == {"/lake/one/spend-2.csv"}
    cloud.touch("one/spend-1.csv", 2)
    assert cloud.ingest().counts == Counts(1, 0, 1)
    assert cloud.ingest().counts == Counts()


def test_a_full_export_may_be_several_objects(cloud: Cloud) -> None:
    cloud.configure(delivery="full")
    cloud.setting("parts: true")
    cloud.put("one/spend-1.csv", "01,a,A,1", "01,b,B,1")
    cloud.put("one/spend-2.csv", "01,c,C,1")
    assert cloud.ingest().counts == Counts(3, 3)
    cloud.put("one/spend-1.csv", "01,a,A,1")
    cloud.touch("one/spend-1.csv", 1)
    assert cloud.ingest().counts == Counts(2, 0, 2, 1)


def test_the_object_that_was_changed_last_is_the_newest_delivery(cloud: Cloud) -> None:
    cloud.configure(delivery="full")
    cloud.put("one/spend-b.csv", "01,a,A,1", "01,b,B,1")
    cloud.put("one/spend-a.csv", "01,a,A,1", "01,c,C,1")
    cloud.touch("one/spend-a.csv", 60)
    assert cloud.ingest().counts == Counts(4, 3, 1, 1)
    assert cloud.newest("campaign_id") == {("a",), ("c",)}


def test_of_two_objects_of_one_moment_none_is_newer_however_large(cloud: Cloud) -> None:
    cloud.configure(delivery="full")
    cloud.put("one/spend-b.csv", "01,a,A,1", "01,b,B,1")
    cloud.put("one/spend-a.csv", "01,a,A,1", "01,c,C,1")  # of one size: that says nothing
    assert "is the newest delivery cannot be told" in cloud.ingest().problem


def test_nothing_that_matches_is_refused(cloud: Cloud) -> None:
    cloud.put("one/other.csv", "01,a,A,1")
    said = "no object matches s3://lake/{}; deliver it, or correct `files:`"
    for files in ("one/spend-*", "none/spend-*"):
        cloud.configure(f"s3://lake/{files}")
        outcome = cloud.ingest()
        assert (outcome.status.code, outcome.problem) == ("refused", said.format(files))


def test_a_bad_object_is_refused_and_set_aside(cloud: Cloud) -> None:
    cloud.objects["one/spend-1.csv"] = b"a,b\n1,2\n"
    outcome = cloud.ingest()
    assert outcome.status.code == "refused"
    assert outcome.problem.startswith("spend-1.csv: missing column ")
    (copy,) = (cloud.home / "lake/one/_refused/google_ads").glob("*-spend-1.csv")
    assert copy.read_bytes() == b"a,b\n1,2\n"


FAULTS = {
    "slow down": (buckets.slow_down(), "rate_limited"),
    "internal error": (buckets.internal_error(), "platform_down"),
    "reset": (Cut(0), "connection_cut"),
    "cut": (Cut(10), "connection_cut"),
    "denied": (buckets.failure(403, "AccessDenied", "Access Denied"), "credentials_refused"),
    "expired": (buckets.failure(400, "ExpiredToken", "expired"), "credentials_refused"),
    "moved": (buckets.failure(301, "PermanentRedirect", "elsewhere"), "request_refused"),
}


HELPS = (
    "the next run tries again",
    "correct them, or have its owner",
    "`bucket.region`",
    "`bucket:`",
)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("path", ["/lake/?$", "/lake/one/spend-1.csv"])
def test_a_bucket_in_trouble_makes_the_source_late(cloud: Cloud, fault: str, path: str) -> None:
    cloud.put("one/spend-1.csv", "01,a,A,1")
    spoilt, code = FAULTS[fault]
    cloud.server.fail(spoilt, times=None, path=path)
    outcome = cloud.ingest()
    if path.endswith("csv"):  # the answer to a HEAD has a status, and no body to say more
        code = {"rate_limited": "platform_down"}.get(code, code)
        code = "request_refused" if fault == "expired" else code
    assert outcome.status.code == code and not outcome.status.holds
    assert "s3://lake/one/spend-" in outcome.problem and "\n" not in outcome.problem
    assert any(each in outcome.problem for each in HELPS), outcome.problem
    cloud.server.heal()
    assert cloud.ingest().counts == Counts(1, 1)


def test_a_passing_trouble_is_waited_out(cloud: Cloud) -> None:
    cloud.configure(patience="0.1")
    cloud.put("one/spend-1.csv", "01,a,A,1")
    cloud.server.fail(buckets.slow_down(), times=1)
    cloud.server.fail(Cut(20), times=1, path="csv", after=1)
    assert cloud.ingest().counts == Counts(1, 1)


@pytest.mark.parametrize("fault", [Truncated(0.5), Html()])
def test_less_or_other_than_was_listed_is_not_taken(cloud: Cloud, fault: object) -> None:
    cloud.put("one/spend-1.csv", "01,a,A,1")
    cloud.server.fail(fault, times=None, path="/lake/one/spend-1.csv")
    outcome = cloud.ingest()
    assert outcome.status.code in ("connection_cut", "request_refused")
    assert outcome.counts == Counts()


@pytest.mark.parametrize("after", [0, 1])
def test_a_listing_that_breaks_off_reads_as_no_deletion(cloud: Cloud, after: int) -> None:
    cloud.configure(delivery="full")
    cloud.setting("parts: true")
    cloud.server.page_keys = 10
    for number in range(11):
        cloud.put(f"one/spend-{number:02}.csv", f"01,{number},A,1")
    assert cloud.ingest().counts == Counts(11, 11)
    cloud.server.fail(Html(), times=None, after=after, path="/lake/?$")
    outcome = cloud.ingest()
    assert (outcome.status.code, outcome.counts) == ("malformed_answer", Counts())
    assert "which is there; the next run tries again" in outcome.problem

    cloud.server.heal()
    del cloud.objects["one/spend-10.csv"]
    outcome = cloud.ingest()
    assert outcome.counts == Counts(10, 0, 10)
    assert "spend-10.csv" in " ".join(outcome.status.notes)  # whose rows stay until it is accepted


def test_a_packed_object_is_read_and_one_too_large_unpacked_is_refused(cloud: Cloud) -> None:
    cloud.put("one/spend-1.csv", "01,a,A,1")
    packed = gzip.compress(cloud.objects.pop("one/spend-1.csv"))
    cloud.objects["one/spend-1.csv.gz"] = packed
    assert cloud.ingest().counts == Counts(1, 1)
    House(cloud.home).change("one", limits={"unpacked_mb": 1})
    cloud.objects["one/spend-2.csv.gz"] = packed + gzip.compress(b"\n" * 2_000_000)
    problem = cloud.ingest().problem
    assert problem.startswith("spend-2.csv.gz: unpacked it is larger than 1 MB")
    paste(cloud.settings, problem)
    assert cloud.ingest().counts == Counts(1, unchanged=1)


def test_a_bucket_that_takes_longer_than_its_client_allows_is_late(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However patient its client is with one answer."""
    cloud.configure(patience="60")
    House(cloud.home).change("one", limits={"minutes": 0.02})
    cloud.put("one/spend-1.csv", "01,a,A,1")
    answer, over = cloud.server.answer, threading.Event()
    monkeypatch.setattr(cloud.server, "answer", lambda request: over.wait(60) and answer(request))
    ((outcome,),) = ingest([House(cloud.home).client("one")])
    over.set()
    assert outcome.status.code == "platform_down" and not outcome.status.holds
    assert "google_ads did not end within 0.02 minutes" in outcome.problem
    paste(cloud.settings, outcome.problem)
    assert "minutes: 0.04" in cloud.settings.read_text()
    assert cloud.ingest().counts == Counts(1, 1)


def test_an_object_that_vanishes_or_changes_meanwhile_is_asked_for_again(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.put("one/spend-1.csv", "01,a,A,1")
    get = cloud.server.get_object

    def change(request: Request, bucket: str, key: str) -> Answer:
        if request.method == "GET":
            cloud.touch(key, len(cloud.server.requests))
        return get(request, bucket, key)

    def vanish(request: Request, bucket: str, key: str) -> Answer:
        if request.method == "GET":
            cloud.objects.pop(key, None)
        return get(request, bucket, key)

    for happens, said in ((change, "changed while it was read"), (vanish, "is gone since it was")):
        monkeypatch.setattr(cloud.server, "get_object", happens)
        outcome = cloud.ingest()
        assert outcome.status.code == "request_refused", outcome.problem
        assert f"s3://lake/one/spend-1.csv {said}" in outcome.problem


def test_a_bucket_that_is_not_there_is_named(cloud: Cloud) -> None:
    cloud.configure("s3://nolake/one/spend-*")
    outcome = cloud.ingest()
    assert (outcome.status.code, outcome.problem) == (
        "unknown_account",
        "unknown_account: s3://nolake/one/spend-*: there is no such bucket; correct `files:`",
    )


def test_nobody_who_listens_is_a_cut_connection(cloud: Cloud) -> None:
    for endpoint in ("http://127.0.0.1:1", "https://none.invalid"):
        cloud.configure(endpoint=endpoint)
        assert cloud.ingest().status.code == "connection_cut"


def test_keys_are_the_clients_own(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud.put("one/spend-1.csv", "01,a,A,1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", cloud.server.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("CLIENTS__ONE__GOOGLE_ADS__ACCESS_KEY_ID", "another")
    refused = cloud.ingest()
    assert refused.status.code == "credentials_refused"
    variables = (
        "CLIENTS__ONE__GOOGLE_ADS__ACCESS_KEY_ID and CLIENTS__ONE__GOOGLE_ADS__SECRET_ACCESS_KEY"
    )
    assert f"the keys {variables} are refused, or may not read it" in refused.problem
    monkeypatch.delenv("CLIENTS__ONE__GOOGLE_ADS__ACCESS_KEY_ID")
    outcome = cloud.ingest()
    assert outcome.status.code == "credentials_missing"
    assert "set CLIENTS__ONE__GOOGLE_ADS__ACCESS_KEY_ID" in outcome.problem
    cloud.configure(access="anonymous")
    refused = cloud.ingest()
    assert refused.status.code == "credentials_refused"
    assert "it is not public: write `bucket.access` as keys" in refused.problem
    cloud.configure(access="ambient")
    assert cloud.ingest().counts == Counts(1, 1)


def test_googles_buckets_are_read_by_hmac_keys(cloud: Cloud) -> None:
    cloud.put("one/spend-1.csv", "01,a,A,1")
    cloud.configure("gs://lake/one/spend-*")
    assert cloud.ingest().counts == Counts(1, 1)
    assert cloud.log("export_file") == [("gs://lake/one/spend-1.csv",)]


@pytest.mark.parametrize(
    ("files", "said"),
    {
        "http://lake/x": "write s3://, gs:// or abfss://",
        "s3://lake": "write s3://bucket/name",
        "s3://*/x": "without a pattern in the bucket",
        "s3://lake/**/x": "** does not work in buckets",
        "abfss://lake/x": "write abfss://container@account.dfs.core.windows.net/name",
        "exports/x": "`bucket:` goes with `files:` that begin with s3://",
    }.items(),
)
def test_an_address_that_is_none_is_refused(cloud: Cloud, files: str, said: str) -> None:
    cloud.configure(files)
    assert said in str(read()[1])


def test_an_endpoint_is_private(cloud: Cloud) -> None:
    cloud.configure(endpoint="http://minio.example")
    assert "bucket.endpoint: 'http://minio.example' is not encrypted" in str(read()[1])


def test_no_secret_is_written(cloud: Cloud) -> None:
    cloud.put("one/spend-1.csv", "01,a,A,1")
    cloud.ingest()
    cloud.server.access_key = "changed"
    cloud.put("one/spend-2.csv", "01,a,A,1")
    problem = cloud.ingest().problem
    secrets = (SECRET, "demo-access-key")
    assert problem and not any(secret in problem for secret in secrets)
    for path in (cloud.home / "lake").rglob("*"):
        assert path.is_dir() or not any(one.encode() in path.read_bytes() for one in secrets)


def test_objects_are_read_again_as_a_new_lake_reads_them(cloud: Cloud) -> None:
    cloud.put("one/spend-1.csv", "01,a,A,1", "02,b,B,2")
    cloud.put("one/spend-2.csv", "02,b,B,3")
    cloud.put("one/spend-3.csv", "09,c,C,9")
    cloud.ingest()
    del cloud.objects["one/spend-3.csv"]
    for line in ("unit: {cost: cents}", "columns: {campaign_id: campaign}"):
        cloud.setting(line)
        outcome = cloud.ingest()
        notes = "; ".join(outcome.status.notes)
        assert not outcome.problem
        assert "2 files read again, as settings changed" in notes
        assert (
            "1 delivery that is gone stay as they were read before: s3://lake/one/spend-3" in notes
        )
        cloud.read()
        assert cloud.ingest().counts.read == 0
        assert cloud.read() == []
    asked = ingest_source(House(cloud.home).client("one"), "google_ads", is_asked=True)
    assert (asked.problem, asked.counts) == ("", Counts(3, unchanged=3))
    found = cloud.newest("spend_date, campaign_id, cost")

    shutil.rmtree(cloud.home / "lake/one/google_ads")
    cloud.ingest()
    assert found - {("2026-10-09", "c", "9")} == cloud.newest("spend_date, campaign_id, cost")
    assert len(found) == 3


def test_an_object_that_is_replaced_within_its_second_is_noticed(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has the size and the time of the one before: nothing is read before that second is over."""
    now = datetime.now(timezone.utc)
    cloud.put("one/spend-1.csv", "01,a,A,1")
    cloud.server.modified["lake", "one/spend-1.csv"] = now
    waits: list[float] = []

    def replaced_meanwhile(seconds: float) -> None:
        waits.append(seconds)
        cloud.put("one/spend-1.csv", "01,a,A,2")
        cloud.server.modified["lake", "one/spend-1.csv"] = now

    monkeypatch.setattr(objects, "sleep", replaced_meanwhile)
    assert cloud.ingest().problem == ""
    assert cloud.newest("cost") == {("2",)}
    assert len(waits) == 1 and 0 < waits[0] <= 2
