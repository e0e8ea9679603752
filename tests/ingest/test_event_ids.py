"""An event with an id of its own is known by it: two of one content are two, and one twice is one."""

import pytest
import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pipelines.ingest.load_counts import Counts
from tests.builders.tenant import Tenant
from tests.conftest import House

COLUMNS = ("client_id", "event_type", "event_time", "revenue", "plan", "number", "event_id")
ABSENT = ("session_id", "channel", "campaign_id", "utm_source", "utm_medium", "page_url")
MAPPED = dict.fromkeys([*ABSENT, "referrer_url", "product_id", "product_category"])
KNOWN = "event_id, event_type, revenue"
NOON = "2026-10-01 12:00:00"


@pytest.fixture
def tenant(house: House) -> Tenant:
    """A client with a shop's events, and nothing delivered."""
    return reads(Tenant(house.home))


def reads(tenant: Tenant, by: str = "event_id", delivery: str = "increment", **more) -> Tenant:
    """Let a client's file say which column of its events is their id; `nothing` for none."""
    file = yaml.safe_load(tenant.settings.read_text())
    file["sources"]["web"] = {
        "events": {
            "files": "exports/one/events*",
            "delivery": delivery,
            "expected_every": "never",
            "columns": MAPPED | {"event_id": None if by == "nothing" else by},
            **more,
        }
    }
    tenant.settings.write_text(yaml.safe_dump(file))
    return tenant


def deliver(tenant: Tenant, file: str, *rows: str) -> None:
    """Write events; a row is `client,type,revenue,plan,number,id`, all at noon."""
    lines = []
    for row in rows:
        client, event, *others = row.split(",")
        lines.append(",".join([client, event, NOON, *others]))
    tenant.deliver(f"events-{file}.csv", "\n".join([",".join(COLUMNS), *lines]))


def events(tenant: Tenant) -> list[tuple]:
    """Return id, type and revenue of the events that count."""
    rows = {
        key: (is_deleted, said)
        for key, is_deleted, *said in tenant.log(f"row_key, is_deleted, {KNOWN}", "web", "events")
    }
    return sorted(tuple(said) for is_deleted, said in rows.values() if not is_deleted)


def test_two_equal_purchases_of_one_second_are_two(tenant: Tenant) -> None:
    deliver(tenant, "1", "ann,purchase,10,,,e1", "ann,purchase,10,,,e2", "ann,purchase,10,,,e1")
    assert tenant.ingest("web").counts == Counts(3, 2, superseded=1)
    deliver(tenant, "2", "ann,purchase,10,,,e2", "ann,purchase,10,,,e3")
    assert tenant.ingest("web").counts == Counts(2, 1, unchanged=1)
    assert events(tenant) == [
        ("e1", "purchase", "10"),
        ("e2", "purchase", "10"),
        ("e3", "purchase", "10"),
    ]


def test_without_an_id_they_are_one(tenant: Tenant) -> None:
    reads(tenant, by="nothing")
    deliver(tenant, "1", "ann,purchase,10,,,e1", "ann,purchase,10,,,e2")
    tenant.ingest("web")
    assert events(tenant) == [(None, "purchase", "10")]


def test_one_id_with_other_content_is_refused_in_a_file_and_newer_in_the_next(
    tenant: Tenant,
) -> None:
    deliver(tenant, "1", "ann,purchase,10,,,e1", "ann,purchase,12,,,e1")
    problem = tenant.ingest("web").problem
    assert "lines 2 and 3 have event_id 'e1', but revenue '10', '12'." in problem
    assert "Map event_id to what tells them apart" in problem
    deliver(tenant, "1", "ann,purchase,10,,,e1")
    tenant.ingest("web")
    deliver(tenant, "2", "ann,refund,12,,,e1")
    tenant.ingest("web")
    assert events(tenant) == [("e1", "refund", "12")]


def test_what_stands_for_nothing_is_no_id(tenant: Tenant) -> None:
    rows = ["ann,purchase,10,,,(not set)", "bob,purchase,10,,,(not set)", "cem,purchase,10,,,000"]
    deliver(tenant, "1", *rows, "dan,page_view,,,,")
    assert tenant.ingest("web").counts == Counts(4, 4)
    assert {event for event, *_ in events(tenant)} == {None}


def test_an_id_that_is_mapped_later_doubles_nothing(tenant: Tenant) -> None:
    reads(tenant, by="nothing")
    deliver(tenant, "1", "ann,purchase,10,,,e1", "ann,purchase,10,,,e2", "bob,signup,,,,e3")
    deliver(tenant, "2", "cem,purchase,5,,,e4", "bob,signup,,,,e3")
    tenant.ingest("web")
    reads(tenant)
    said = "; ".join(tenant.ingest("web").status.notes)
    assert "2 files read again, as settings changed (columns.event_id:" in said
    assert events(tenant) == [
        ("e1", "purchase", "10"),
        ("e2", "purchase", "10"),
        ("e3", "signup", None),
        ("e4", "purchase", "5"),
    ]
    reads(tenant, by="nothing")
    tenant.ingest("web")
    assert len(events(tenant)) == 3


@pytest.mark.parametrize("delivery", ["increment", "full"])
def test_an_event_of_a_file_that_is_gone_is_known_by_its_id_from_now_on(
    tenant: Tenant, delivery: str
) -> None:
    rows = [f"ann,purchase,{revenue},,,e{revenue}" for revenue in range(20)]
    reads(tenant, by="nothing", delivery=delivery)
    deliver(tenant, "2026-10-01", *rows)
    tenant.ingest("web")
    (tenant.exports / "events-2026-10-01.csv").unlink()
    reads(tenant, delivery=delivery)
    deliver(tenant, "2026-10-02", *rows, "ann,purchase,19,,,e20")
    assert tenant.ingest("web").problem == ""
    assert [event for event, *_ in events(tenant)] == sorted(f"e{number}" for number in range(21))


ROW = st.tuples(st.sampled_from(["ann", "bob"]), st.sampled_from(["1", "2"]), st.integers(1, 6))


@settings(max_examples=8, phases=[Phase.generate])
@given(files=st.lists(st.lists(ROW, min_size=1, max_size=5), min_size=1, max_size=3))
def test_a_lake_that_learns_of_ids_is_as_one_that_always_had_them(
    tmp_path_factory: pytest.TempPathFactory, files: list
) -> None:
    """Of an id the content is the same in all files; ids come with the last one."""
    content: dict[int, tuple] = {}
    rows = [
        [
            ",".join(
                [
                    (one := content.setdefault(id_, (who, much)))[0],
                    "purchase",
                    one[1],
                    "",
                    "",
                    f"e{id_}",
                ]
            )
            for who, much, id_ in file
        ]
        for file in files
    ]
    found = []
    for by in ("nothing", "event_id"):
        home = tmp_path_factory.mktemp("ids")
        (home / "clients").mkdir()
        House(home).enter()
        tenant = reads(Tenant(home), by=by)
        for number, file in enumerate(rows):
            deliver(tenant, str(number), *file)
            tenant.ingest("web")
        reads(tenant).ingest("web")
        found.append(events(tenant))
    assert found[0] == found[1]
    assert len(found[0]) == len(content)


def test_properties_are_kept_as_they_were_delivered(tenant: Tenant) -> None:
    reads(tenant, properties={"plan": "plan", "value": "number"})
    deliver(tenant, "1", "ann,signup,,pro,12.50,e1", "bob,signup,,n/a,,e2")
    tenant.ingest("web")
    found = tenant.log("event_id, properties", "web", "events")
    assert found == [("e1", '{"plan":"pro","value":"12.50"}'), ("e2", '{"plan":null,"value":null}')]
    reads(tenant, properties=["plan", "size"])
    problem = tenant.ingest("web").problem
    assert "missing column size (for properties.size); it has client_id, event_id" in problem
    reads(tenant, properties=["plan"])
    tenant.ingest("web")
    assert tenant.log("properties", "web", "events")[-1] == ('{"plan":null}',)
