"""Event exports: GA4's and Snowplow's events become sessions, however they are spread over files."""

import gzip
import json
import shutil
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.contracts.people import CLICK_IDS
from pipelines.ingest.delta import changes
from pipelines.ingest.fetching import fetch_request
from pipelines.ingest.load_counts import Counts
from pipelines.ingest.pending import Round
from pipelines.ingest.run import Outcome, ingest_source
from pipelines.ingest.source_log import SourceLog
from pipelines.ingest.table import Table
from pipelines.lake.loads import committed_loads
from pipelines.settings.reader import read
from pipelines.sources.deliveries import delivery_of, exported
from pipelines.sources.files import snowplow_columns
from tests.builders.pasting import paste
from tests.builders.tenant import Tenant
from tests.conftest import House

SESSIONS = """
name: {name}
currency: EUR
quality: {{quarantine_limit: 0.5}}
sources:
  web:
    sessions:
      files: exports/{name}/events*
      expected_every: never
      format: {form}
"""

FACTS = "session_id, visitor_id, customer_id, started_at, source, medium, campaign, referrer, gclid, fbclid"


class Site(Tenant):
    """A client whose web sessions come as events."""

    def __init__(self, home: Path, form: str) -> None:
        super().__init__(home)
        self.form = form
        self.settings.write_text(SESSIONS.format(name=self.name, form=form))

    def ingest(self, source: str = "web") -> Outcome:
        return super().ingest(source)

    def sessions(self) -> set[tuple]:
        return self.newest(FACTS)

    def log(self, columns: str, source: str = "web", table: str = "sessions") -> list[tuple]:
        return super().log(columns, source, table)


@pytest.fixture
def ga4(house: House) -> Site:
    return Site(house.home, "ga4")


@pytest.fixture
def snow(house: House) -> Site:
    return Site(house.home, "snowplow")


def event(
    at: int, name: str = "page_view", user: str | None = "1.1", session: int | None = 7, **more
) -> dict:
    """Return an event as BigQuery exports it to JSON: numbers of 64 bits are text, NULLs are absent."""
    parameters = more.pop("parameters", {})
    entries = [{"key": key, "value": {"string_value": value}} for key, value in parameters.items()]
    if session:
        entries.append({"key": "ga_session_id", "value": {"int_value": str(session)}})
    entries.append({"key": "engaged_session_event", "value": {"int_value": "1"}})
    written = {"event_date": "20261001", "event_timestamp": str(1_790_812_800_000_000 + at)}
    written |= {"event_name": name, "event_params": entries, "user_properties": [], "items": []}
    if user:
        written["user_pseudo_id"] = user
    return written | more


LANDING = "https://shop.example/sale?utm_source=news&fbclid=fb-1&x=1#top"

GA4_EVENTS = [
    # a session_start carries no traffic source; the page view of the same moment does
    event(0, "session_start", parameters={"page_location": LANDING}),
    event(
        0,
        parameters={"page_location": LANDING, "page_referrer": "https://www.facebook.com/"},
        collected_traffic_source={
            "manual_source": "news",
            "manual_medium": "email",
            "manual_campaign_name": "Sale",
        },
        traffic_source={"name": "(direct)", "medium": "(none)", "source": "(direct)"},
    ),
    event(60_000_000, "login", user_id="C1"),
    event(90_000_000, "purchase", user_id="C2"),
    # another browser with the same ga_session_id: a click on a Google ad
    event(
        5,
        user="2.2",
        parameters={"page_location": "https://shop.example/?gclid=g-1"},
        collected_traffic_source={"gclid": "g-1", "manual_campaign_name": "(not set)"},
        session_traffic_source_last_click={
            "google_ads_campaign": {"campaign_name": "Brand", "customer_id": "1"},
            "manual_campaign": {"source": "google", "medium": "cpc"},
        },
    ),
    # a direct visit, though the visitor once came by a campaign
    event(
        7,
        user="1.1",
        session=8,
        parameters={
            "page_location": "https://shop.example/a",
            "page_referrer": "https://shop.example/b",
        },
        session_traffic_source_last_click={"manual_campaign": {"source": "news"}},
        traffic_source={"source": "news"},
    ),
    # an older export: the source among the parameters
    event(
        9, session=9, parameters={"source": "bing", "medium": "organic", "campaign": "(organic)"}
    ),
    # consent refused
    event(9, user=None, session=None),
    event(9, user=None),
]

GA4_SESSIONS = {
    (
        "1.1.7",
        "1.1",
        "C1",
        "2026-10-01 00:00:00+00",
        "news",
        "email",
        "Sale",
        "https://www.facebook.com/",
        None,
        "fb-1",
    ),
    (
        "2.2.7",
        "2.2",
        None,
        "2026-10-01 00:00:00.000005+00",
        "google",
        "cpc",
        "Brand",
        None,
        "g-1",
        None,
    ),
    ("1.1.8", "1.1", None, "2026-10-01 00:00:00.000007+00", None, None, None, None, None, None),
    (
        "1.1.9",
        "1.1",
        None,
        "2026-10-01 00:00:00.000009+00",
        "bing",
        "organic",
        None,
        None,
        None,
        None,
    ),
}


def as_jsonl(path: Path, events: list[dict]) -> None:
    path.write_text("".join(json.dumps(one) + "\n" for one in events))


GA4_SCHEMA = """{event_date: 'VARCHAR', event_timestamp: 'BIGINT', event_name: 'VARCHAR',
event_params: 'STRUCT("key" VARCHAR, "value" STRUCT(string_value VARCHAR, int_value BIGINT,
  float_value DOUBLE, double_value DOUBLE))[]',
user_properties: 'STRUCT("key" VARCHAR, "value" STRUCT(string_value VARCHAR, int_value BIGINT))[]',
user_id: 'VARCHAR', user_pseudo_id: 'VARCHAR',
traffic_source: 'STRUCT("name" VARCHAR, medium VARCHAR, source VARCHAR)',
collected_traffic_source: 'STRUCT(manual_campaign_name VARCHAR, manual_source VARCHAR,
  manual_medium VARCHAR, gclid VARCHAR)',
session_traffic_source_last_click: 'STRUCT(manual_campaign STRUCT(source VARCHAR, medium VARCHAR),
  google_ads_campaign STRUCT(customer_id VARCHAR, campaign_name VARCHAR))'}"""

SNOWPLOW_SCHEMA = (
    "{"
    + ", ".join(
        f"{name}: '{'TIMESTAMP' if name.endswith('tstamp') else 'VARCHAR'}'"
        for name in snowplow_columns.COLUMNS
    )
    + "}"
)


def as_parquet(path: Path, events: list[dict], schema: str) -> None:
    as_jsonl(lines := path.parent / "lines", events)
    duckdb.sql(f"COPY (FROM read_json('{lines}', columns = {schema})) TO '{path}' (FORMAT parquet)")
    lines.unlink()


def as_tsv(path: Path, events: list[dict]) -> None:
    lines = ["\t".join(one.get(name) or "" for name in snowplow_columns.COLUMNS) for one in events]
    path.write_text("".join(line + "\n" for line in lines))


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_ga4_events_become_sessions(ga4: Site, form: str) -> None:
    if form == "jsonl":
        as_jsonl(ga4.exports / "events.jsonl", GA4_EVENTS)
    else:
        as_parquet(ga4.exports / "events.parquet", GA4_EVENTS, GA4_SCHEMA)
    outcome = ga4.ingest()
    assert (outcome.problem, outcome.counts.read, outcome.counts.appended) == ("", 4, 4)
    assert ga4.sessions() == GA4_SESSIONS


def test_events_without_a_session_are_counted_in_the_ledger(ga4: Site) -> None:
    as_jsonl(ga4.exports / "events.jsonl", GA4_EVENTS)
    ga4.ingest()
    assert ga4.log("rows_read, rows_left_out", table="exports") == [(4, 2)]
    assert not ga4.quarantine("web")


def test_a_key_twice_within_an_event_is_in_quarantine(ga4: Site) -> None:
    lines = [json.dumps(one) for one in GA4_EVENTS]
    assert '"string_value": ' in lines[0]
    lines[0] = lines[0].replace('"string_value": ', '"string_value": "other", "string_value": ', 1)
    ga4.deliver("events.jsonl", "".join(f"{line}\n" for line in lines))
    ga4.ingest()
    ((_, line, reason, _),) = ga4.quarantine("web")
    assert (line, reason) == (1, "a key stands twice in the object: in one within it")


def hit(at: str, session: str | None = "s1", **more: str) -> dict:
    """Return an enriched event."""
    written = {"app_id": "shop", "platform": "web", "collector_tstamp": f"2026-10-01 11:{at}"}
    written |= {"derived_tstamp": f"2026-10-01 10:{at}", "event": "page_view", "event_id": at}
    written |= {"domain_userid": "v1", "domain_sessionid": session, "useragent": '"Mozilla'}
    return written | more


SNOWPLOW_EVENTS = [
    hit("05:00.000", user_id="C1"),
    hit(
        "00:00.250",
        mkt_source="google",
        mkt_medium="cpc",
        mkt_campaign="Brand",
        mkt_clickid="g-1",
        mkt_network="Google",
        page_referrer="https://www.google.com/",
        refr_medium="search",
        refr_source="Google",
    ),
    hit("09:00.000", user_id="C2"),
    hit("01:00.000", "s2", refr_medium="search", refr_source="Ecosia", refr_urlscheme="https")
    | {"refr_urlhost": "www.ecosia.org", "refr_urlpath": "/search"},
    hit("02:00.000", "s3", refr_medium="internal", page_referrer="https://shop.example/a"),
    hit("03:00.000", "s4", page_urlquery="a=1&fbclid=fb-1", derived_tstamp=None),
    hit("04:00.000", None, domain_userid=None),
]

SNOWPLOW_SESSIONS = {
    (
        "s1",
        "v1",
        "C1",
        "2026-10-01 10:00:00.25+00",
        "google",
        "cpc",
        "Brand",
        "https://www.google.com/",
        "g-1",
        None,
    ),
    (
        "s2",
        "v1",
        None,
        "2026-10-01 10:01:00+00",
        "Ecosia",
        "organic",
        None,
        "https://www.ecosia.org/search",
        None,
        None,
    ),
    ("s3", "v1", None, "2026-10-01 10:02:00+00", None, None, None, None, None, None),
    ("s4", "v1", None, "2026-10-01 11:03:00+00", None, None, None, None, None, "fb-1"),
}


@pytest.mark.parametrize("form", ["jsonl", "parquet", "tsv"])
def test_snowplow_events_become_sessions(snow: Site, form: str) -> None:
    path = snow.exports / f"events.{form}"
    if form == "jsonl":
        as_jsonl(path, SNOWPLOW_EVENTS)
    elif form == "parquet":
        as_parquet(path, SNOWPLOW_EVENTS, SNOWPLOW_SCHEMA)
    else:
        as_tsv(path, SNOWPLOW_EVENTS)
    outcome = snow.ingest()
    assert (outcome.problem, outcome.counts.read, outcome.counts.appended) == ("", 4, 4)
    assert snow.sessions() == SNOWPLOW_SESSIONS
    assert snow.log("rows_left_out", table="exports") == [(1,)]


NETWORKS = {"gclid": "Google", "dclid": "DoubleClick", "msclkid": "Microsoft", "twclid": "Twitter"}


ONE_EACH = {tuple(f"{name}-1" if name == one else None for one in CLICK_IDS) for name in CLICK_IDS}


def test_ga4_tells_every_click_id(ga4: Site) -> None:
    urls = [f"https://shop.example/?a=1&{name}={name}-1&b#top" for name in CLICK_IDS]
    views = [event(0, session=i, parameters={"page_location": u}) for i, u in enumerate(urls, 1)]
    as_jsonl(ga4.exports / "events.jsonl", views)
    assert not ga4.ingest().problem
    assert ga4.newest(", ".join(CLICK_IDS)) == ONE_EACH


def test_ga4_tells_the_ids_of_an_ad(ga4: Site) -> None:
    shop = "https://shop.example/"
    click = {"campaign_name": "Brand", "campaign_id": "77", "ad_group_id": "5"}
    last = {"session_traffic_source_last_click": {"google_ads_campaign": click}}
    ours = {"gclid": "g-1", "manual_campaign_id": "9"}
    views = [
        event(0, session=1, parameters={"page_location": f"{shop}?gclid=g-1"}, **last),
        event(0, session=2, parameters={"page_location": shop}, **last),
        event(0, session=3, collected_traffic_source=ours, **last),
        event(0, session=4, parameters={"page_location": f"{shop}?utm_id=8&hsa_grp=6&hsa_ad=4"}),
        event(0, session=5, collected_traffic_source={"dclid": "d-1"}),
    ]
    as_jsonl(ga4.exports / "events.jsonl", views)
    assert not ga4.ingest().problem
    assert ga4.newest("session_id, dclid, campaign_id, ad_group_id, ad_id") == {
        ("1.1.1", None, "77", "5", None),
        ("1.1.2", None, None, None, None),  # the click was an earlier visit's
        ("1.1.3", None, "9", "5", None),
        ("1.1.4", None, "8", "6", "4"),
        ("1.1.5", "d-1", None, None, None),
    }


def test_snowplow_tells_every_click_id(snow: Site) -> None:
    hits = [hit("00:00", name, page_urlquery=f"{name}={name}-1") for name in CLICK_IDS]
    hits += [
        hit("00:00", f"by {network}", mkt_clickid=f"{name}-1", mkt_network=network)
        for name, network in NETWORKS.items()
    ]
    as_jsonl(snow.exports / "events.jsonl", hits)
    assert not snow.ingest().problem
    assert snow.newest(", ".join(CLICK_IDS)) == ONE_EACH
    assert len(snow.log("session_id")) == len(hits)


def test_a_column_may_be_named_otherwise(ga4: Site, house: House) -> None:
    names = "{customer_id: user_properties.crm_id, campaign: event_params.promo, channel: device.category}"
    house.edit("one", "format: ga4", f"format: ga4\n      columns: {names}")
    user = {"key": "crm_id", "value": {"string_value": "C9"}}
    more = {"user_id": "C1", "user_properties": [user], "device": {"category": "mobile"}}
    as_jsonl(ga4.exports / "events.jsonl", [event(0, parameters={"promo": "Spring"}, **more)])
    assert not ga4.ingest().problem
    assert ga4.newest("customer_id, campaign, channel") == {("C9", "Spring", "mobile")}
    as_jsonl(ga4.exports / "events.jsonl", [event(0)])
    assert (
        "events.jsonl: missing column device.category (for channel); it has "
        in ga4.ingest().problem
    )


@pytest.mark.parametrize(
    ("form", "file", "content", "said"),
    [
        (
            "ga4",
            "events.csv",
            "session_id,started_at\n",
            "missing column event_params, event_timestamp",
        ),
        ("ga4", "events.tsv", "a\tb\n", "missing column event_params, event_timestamp"),
        (
            "snowplow",
            "events.jsonl",
            '{"event_name": 1}\n',
            "missing column collector_tstamp, domain_",
        ),
        (
            "snowplow",
            "events.tsv",
            "a\tb\n",
            "1 of 1 rows are bad: a line has 2 values, the header has 131: 'a b' (line 1)",
        ),
    ],
)
def test_what_is_no_export_of_the_format_is_refused(
    house: House, form: str, file: str, content: str, said: str
) -> None:
    site = Site(house.home, form)
    site.deliver(file, content)
    problem = site.ingest().problem
    assert problem.startswith(f"{file}: ") and said in problem


def test_a_format_is_for_sessions_and_one_that_is_known(ga4: Site, house: House) -> None:
    house.edit("one", "format: ga4", "format: ga5")
    assert "sources.web.sessions.format: write ga4, snowplow, segment" in str(read()[1])
    house.edit("one", "format: ga5", "format: ga4")
    house.edit("one", "sessions:", "clients:")
    assert "web.clients.format: an export of ga4 makes web.sessions, web.conversions and" in str(
        read()[1]
    )


def test_torn_lines_and_unreadable_times_go_to_quarantine(snow: Site) -> None:
    as_tsv(path := snow.exports / "events.tsv", [hit("00:00"), hit("01:00", derived_tstamp="soon")])
    path.write_text(path.read_text() + "shop\tweb\n")
    assert snow.ingest().counts.quarantined == 1
    as_tsv(path, [hit("00:00", "s9", derived_tstamp="soon"), hit("00:00")])
    assert snow.ingest().counts.quarantined == 1
    assert next(reason for _, _, reason, _ in snow.quarantine("web")) == "started_at is missing"


def test_a_session_over_midnight_keeps_its_beginning_and_learns_its_customer(snow: Site) -> None:
    said = "session_id, customer_id, started_at, source"
    as_tsv(snow.exports / "events-2.tsv", [hit("30:00", mkt_source="later")])
    snow.ingest()
    assert snow.newest(said) == {("s1", None, "2026-10-01 10:30:00+00", "later")}
    as_tsv(snow.exports / "events-1.tsv", [hit("10:00", mkt_source="news")])
    snow.ingest()
    as_tsv(snow.exports / "events-3.tsv", [hit("40:00", user_id="C1")])
    snow.ingest()
    assert snow.newest(said) == {("s1", "C1", "2026-10-01 10:10:00+00", "news")}
    as_tsv(snow.exports / "events-4.tsv", [hit("50:00", user_id="C2")])
    assert snow.ingest().counts == Counts(1, 0, 1)


MOMENTS, USERS = st.integers(0, 3), st.sampled_from([None, "C1", "C2", "C3"])
HITS = st.lists(
    st.builds(
        lambda at, session, user, source, medium, file: (
            hit(f"0{at}:00", session, user_id=user, mkt_source=source, mkt_medium=medium),
            file,
        ),
        MOMENTS,
        st.sampled_from(["s1", "s2"]),
        USERS,
        st.sampled_from([None, "a", " a", "b"]),
        st.sampled_from([None, "cpc"]),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=6,
)


def test_sessions_read_again_are_made_of_all_files_that_are_there(ga4: Site) -> None:
    for number, part in enumerate((GA4_EVENTS[:3], GA4_EVENTS[3:])):
        lines = "\n".join(json.dumps(each) for each in part)
        ga4.deliver(f"events-{number}.jsonl", lines + "\n")
        ga4.ingest()
    expected = ga4.sessions()
    client = House(ga4.home).client("one")
    outcome = ingest_source(client, "web", is_asked=True)

    assert outcome.counts.appended == outcome.counts.deleted == 0
    assert ga4.sessions() == expected != set()

    ga4.settings.write_text(ga4.settings.read_text() + "      columns: {visitor_id: user_id}\n")
    ga4.ingest()
    again, folder = ga4.sessions(), ga4.home / "lake/one/web"
    shutil.rmtree(folder)
    ga4.ingest()
    assert again == ga4.sessions() != expected


def _half(site: Site, form: str, number: int) -> list[dict]:
    """Return half of the events of a format."""
    events = GA4_EVENTS if site.form == "ga4" else SNOWPLOW_EVENTS
    return (events[:3], events[3:])[number]


@pytest.mark.parametrize("form", ["ga4", "snowplow"])
def test_packed_events_beyond_their_limit_are_refused_and_read_once_it_is_raised(
    house: House, form: str
) -> None:
    site = Site(house.home, form)
    plain = site.exports / ("events.jsonl" if form == "ga4" else "events.tsv")
    for number in (0, 1):
        (as_jsonl if form == "ga4" else as_tsv)(plain, _half(site, form, number))
        content = plain.read_bytes() + b"\n" * 700_000
        site.deliver(
            f"events-{number}.{plain.name.partition('.')[2]}.gz", gzip.compress(content * 2)
        )
    plain.unlink()
    House(site.home).change("one", limits={"unpacked_mb": 1})
    problem = site.ingest().problem
    assert "unpacked it is larger than 1 MB" in problem and site.sessions() == set()
    paste(site.settings, problem)
    assert not site.ingest().problem
    assert site.sessions()


READ_OTHERWISE = {
    ("ga4", "jsonl"): "columns: {visitor_id: user_id, campaign: user_pseudo_id}",
    ("ga4", "parquet"): "columns: {session_id: event_params.ga_session_id}",
    ("snowplow", "tsv"): "columns: {session_id: domain_userid, campaign: mkt_source}",
    ("snowplow", "parquet"): "columns: {started_at: collector_tstamp}",
}


@pytest.mark.parametrize(("form", "kind"), READ_OTHERWISE)
def test_events_are_read_again_as_a_new_lake_reads_them(house: House, form: str, kind: str) -> None:
    """Those of a session of which a file is gone stay; the others are made anew, from what is there."""
    site = Site(house.home, form)
    for number in (0, 1):
        path, part = site.exports / f"events-{number}.{kind}", _half(site, form, number)
        if kind == "parquet":
            as_parquet(path, part, GA4_SCHEMA if form == "ga4" else SNOWPLOW_SCHEMA)
        elif kind == "tsv":
            as_tsv(path, part)
        else:
            as_jsonl(path, part)
        site.ingest()
    before = site.sessions()
    site.settings.write_text(f"{site.settings.read_text()}      {READ_OTHERWISE[form, kind]}\n")
    outcome = site.ingest()
    assert "2 files read again, as settings changed (columns." in "; ".join(outcome.status.notes)
    again = site.sessions()
    assert site.ingest().counts.read == 0
    asked = ingest_source(House(site.home).client("one"), "web", is_asked=True)
    assert (asked.problem, asked.counts.appended, asked.counts.deleted) == ("", 0, 0)

    kept = site.home / "lake/kept"
    (site.home / "lake/one/web").rename(kept)
    site.ingest()
    assert again == site.sessions() != before
    shutil.rmtree(site.home / "lake/one/web")
    kept.rename(site.home / "lake/one/web")

    (site.exports / f"events-1.{kind}").unlink()
    said = "; ".join(site.ingest().status.notes)
    text = site.settings.read_text()
    site.settings.write_text(text.replace(READ_OTHERWISE[form, kind], "columns: {}"))
    said = "; ".join(site.ingest().status.notes)
    assert f"that is gone stay as they were read before: exports/one/events-1.{kind}" in said
    assert site.sessions() & again


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(hits=HITS, together=st.booleans())
@pytest.mark.slow
def test_however_events_are_spread_over_files_they_give_the_same_sessions(
    snow: Site, hits: list[tuple[dict, int]], together: bool
) -> None:
    empty(snow)
    as_tsv(snow.exports / "events.tsv", [one for one, _ in hits])
    load(snow)
    expected = snow.sessions()
    empty(snow)
    for file in range(3):
        as_tsv(snow.exports / f"events-{file}.tsv", [one for one, number in hits if number == file])
        if not together:
            load(snow)
            (snow.exports / f"events-{file}.tsv").unlink()
    if together:
        load(snow)
    assert snow.sessions() == expected != set()


def empty(site: Site) -> None:
    """Take away all exports and all loads."""
    shutil.rmtree(site.home / "lake", ignore_errors=True)
    for file in site.exports.iterdir():
        file.unlink()


def load(site: Site) -> None:
    """Load all exports that are there, as ingest does, but without dlt: it takes ten times as long."""
    (client,) = (client for client in read()[0] if client.id == site.name)
    folder = site.home / "lake/one/web"
    delivery = delivery_of(client, "web", "sessions")
    loads = committed_loads(str(folder))
    request = fetch_request(client, SourceLog("one", "web"), site.home)
    batches = [batch for batch in exported(request, "web", "sessions") if batch.path.stat().st_size]
    if not batches:
        return
    scratch = site.home / "scratch"
    scratch.mkdir(exist_ok=True)
    table = Table(client, "sessions", delivery, SourceLog("one", "web"))
    taken = changes(table, Round(batches), scratch)
    name = f"{len(loads) + 1}.0"
    for part in ("sessions", "_dlt_loads"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for number, file in enumerate(taken.rows):
        shutil.move(file, folder / f"sessions/{name}.{number}.parquet")
    moment = f"2026-10-01T10:0{len(loads)}:00+00:00"
    marker = {"load_id": name, "status": 0, "inserted_at": moment}
    (folder / f"_dlt_loads/{name}.jsonl").write_text(json.dumps(marker))
