"""Ingest: the log holds each version once, whatever is delivered, however often, whoever is killed."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import dlt
import duckdb
import pytest
from dlt.destinations.impl.filesystem.filesystem import FilesystemClient
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlglot import exp

from macros.utc import utc
from pipelines.ingest import run as ingesting
from pipelines.ingest.load_counts import Counts
from pipelines.ingest.run import ingest
from pipelines.ingest.source_status import statuses
from pipelines.lake.loads import committed_files, committed_loads, read_loads
from pipelines.settings.client import Client
from pipelines.settings.reader import read
from pipelines.sources.files import reading as files
from tests.builders.tenant import Tenant
from tests.conftest import PROJECT, House

VALUES = {
    "cost": (
        ["1", "1.50", "-0.01", "+5", ".5", "1e3", "1E-2", "0", "999999999999.999999"],
        [
            "1,234.50",
            "1.234,50",
            "$5",
            "5 EUR",
            "a lot",
            "inf",
            "1e99",
            "1000000000000",
            "0x1F",
        ],
    ),
    "clicks": (
        ["0", "12", "-3", "12.0"],
        ["many", "12.5", "12.345", "1e3", "1_000", "0x1F", "true", "9223372036854775808"],
    ),
    "spend_date": (
        ["2026-10-01", "2026/10/01", "2026-10-01 00:00:00", "1970-01-01", "2024-02-29"],
        [
            "2026-10-32",
            "2025-02-29",
            "10/01/2026",
            "infinity",
            "epoch",
            "today",
            "0001-01-01",
            "9999-12-31",
            "2026-10-01 or so",
            "1790812800",
        ],
    ),
}

MOMENTS = (
    [
        "2026-10-01 12:00:00",
        "2026-10-01T12:00:00",
        "2026-10-01T12:00:00Z",
        "2026-10-01T12:00:00.123456Z",
        "2026-10-01T12:00:00.000+0000",
        "2026-10-01 12:00:00+02",
        "2026-10-01T12:00:00-05:30",
        "2026-10-01 12:00:00 UTC",
        "2026-10-01 12:00",
        "2026-10-01",
        "2026/10/01 12:00:00",
        "2026-03-29 02:30:00",
        "1970-01-02",
        "2099-12-31T23:59:59Z",
    ],
    [
        "2026-10-01T25:00:00",
        "2026-10-01 12:00:61",
        "noon",
        "infinity",
        "-infinity",
        "epoch",
        "now",
        "0300-01-01 00:00:00",
        "9999-12-31",
        "1969-12-31T23:59:59Z",
        "2101-01-01",
        "2026-10-01 12:00:00 Europe/Berlin",
        "2026-10-01 12:00:00+02:00:30",
    ],
)

FLAGS = (
    ["true", "false", "TRUE", "False", "t", "f", "yes", "no", "1", "0"],
    ["2", "ja", "won", "on", "-1", "1.0"],
)

DEALS = "opportunity_id,customer_id,stage,is_won,closed_at,amount,currency"


@pytest.fixture
def tenant(house: House) -> Tenant:
    """A client with nothing delivered, of whose rows half may be bad."""
    return Tenant(house.home)


@pytest.fixture
def lenient(house: House) -> Tenant:
    """A client of whose rows all may be bad."""
    return Tenant(house.home, limit=1)


def spend(
    day: str = "2026-10-01", campaign: str = "one", cost: str = "1", clicks: str = "1"
) -> str:
    """Return a line of spend."""
    return f'"{day}",{campaign},"{cost}","{clicks}",Brand,100\n'


# What is bad goes to quarantine, with the reason.


@pytest.mark.parametrize("column", VALUES)
def test_a_value_fits_its_type_or_goes_to_quarantine(lenient: Tenant, column: str) -> None:
    good, bad = VALUES[column]
    name = {"cost": "cost", "clicks": "clicks", "spend_date": "day"}[column]
    lines = [
        spend(**{"campaign": f"c{number}", name: value}) for number, value in enumerate(good + bad)
    ]
    lenient.deliver(
        "spend.csv", "spend_date,campaign_id,cost,clicks,campaign,impressions\n" + "".join(lines)
    )
    assert lenient.ingest().counts.read == len(good + bad)
    assert [value for (value,) in lenient.log(column)] == good
    kind = {"cost": "money", "clicks": "integer", "spend_date": "date"}[column]
    assert [(line, reason) for _, line, reason, _ in lenient.quarantine()] == [
        (line, f"{column} '{value}' is no {kind}") for line, value in enumerate(bad, len(good) + 2)
    ]


def test_a_time_is_one_that_staging_reads_or_goes_to_quarantine(lenient: Tenant) -> None:
    good, bad = MOMENTS
    lines = [f'd{number},,Open,false,"{moment}",1,EUR' for number, moment in enumerate(good + bad)]
    lenient.deliver("deals.csv", "\n".join([DEALS, *lines]))
    lenient.ingest("salesforce")
    taken = [moment for (moment,) in lenient.log("closed_at", "salesforce", "opportunities")]
    assert taken == good
    assert all("is no timestamp" in reason for _, _, reason, _ in lenient.quarantine("salesforce"))
    staged = utc(None, exp.column("moment"), exp.Literal.string("Europe/Berlin"))
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'America/New_York'")
        connection.execute("CREATE TABLE taken (moment TEXT)")
        connection.executemany("INSERT INTO taken VALUES (?)", [[moment] for moment in taken])
        moments = dict(connection.execute(f"SELECT moment, ({staged})::TEXT FROM taken").fetchall())
    assert moments["2026-10-01 12:00:00"] == "2026-10-01 10:00:00"
    assert moments["2026-10-01T12:00:00.000+0000"] == "2026-10-01 12:00:00"
    assert moments["2026-10-01 12:00:00+02"] == "2026-10-01 10:00:00"


def test_a_flag_is_one_or_goes_to_quarantine(lenient: Tenant) -> None:
    good, bad = FLAGS
    lines = [f"d{number},,Open,{flag},2026-10-01,1," for number, flag in enumerate(good + bad)]
    lenient.deliver("deals.csv", "\n".join([DEALS, *lines]))
    lenient.ingest("salesforce")
    assert [flag for (flag,) in lenient.log("is_won", "salesforce", "opportunities")] == good
    assert len(lenient.quarantine("salesforce")) == len(bad)


def test_a_row_says_all_that_is_wrong_with_it(tenant: Tenant) -> None:
    lines = [
        "d1,c1,Won,true,2026-10-01,5,EUR",
        "d2,c1,Won,true,,5,EUR",
        ",c1,Open,,2026-10-01,much,USD",
        "d4,c1,Open,no,,,",
        "d5,c1,Lost,no,2026-10-01,,EUR",
    ]
    tenant.deliver("deals.csv", "\n".join([DEALS, *lines]))
    assert tenant.ingest("salesforce").counts == Counts(5, 3, 0, 0, 2)
    (won, broken) = tenant.quarantine("salesforce")
    assert won[1:3] == (3, "a won opportunity has no closed_at")
    assert broken[1:3] == (
        4,
        "opportunity_id is missing; is_won is missing; amount 'much' is no money;"
        " currency USD, the client has EUR: deliver sources.rates",
    )
    assert json.loads(broken[3])["amount"] == "much"


def halted(client: Client) -> dict[str, str]:
    """Return the sources that hold the client, with the reason."""
    return {status.source: status.problem for status in statuses(client) if status.holds}


def test_too_much_dirt_refuses_the_file_and_a_good_one_clears_it(tenant: Tenant) -> None:
    file = tenant.spend("spend.csv", "01,a,1", "01,b,much", "01,c,more")
    outcome = tenant.ingest()
    assert outcome.problem == (
        "spend.csv: 2 of 3 rows are bad: cost 'much' is no money (2 rows, the first in line 3)."
        " Amounts are read as 1234.56, 1.234,56, 1 234,56 €, (1,234.56) or USD 1'234.50, all of a file in one way"
    )
    client = next(client for client in read()[0] if client.id == "one")
    assert halted(client) == {"google_ads": outcome.problem}
    assert tenant.log("*") == tenant.quarantine() == []
    (copy,) = (tenant.home / "lake/one/_refused/google_ads").glob("*-spend.csv")
    assert copy.read_bytes() == file.read_bytes()
    assert outcome.problem in copy.with_name(f"{copy.name}.reason").read_text()
    tenant.spend("spend.csv", "01,a,1", "01,b,much")  # half of it is still allowed
    assert tenant.ingest().counts == Counts(2, 1, 0, 0, 1)
    assert halted(client) == {}


def test_a_refused_file_refuses_its_source_alone(house: House) -> None:
    house.export()
    clients_csv = house.home / "exports/shop/clients.csv"
    good = clients_csv.read_text()
    clients_csv.write_text(good.replace("cohort", "group", 1))
    ads = house.home / "exports/acme/google_ads-2026-10-31.csv"
    ads.write_bytes(b"")
    outcomes = house.ingest()
    halted_ones = {key for key, outcome in outcomes.items() if outcome.problem}
    assert halted_ones == {("shop", "web"), ("acme", "google_ads")}
    assert "clients.csv: missing column cohort" in outcomes["shop", "web"].problem
    assert not committed_loads(str(house.home / "lake/shop/web"))  # its events neither
    assert all(
        outcome.counts.appended for key, outcome in outcomes.items() if key not in halted_ones
    )
    clients_csv.write_text(good)
    again = house.ingest()
    assert again["shop", "web"].counts.appended and not again["shop", "web"].problem
    assert not any(outcome.counts.read for key, outcome in again.items() if key != ("shop", "web"))


def test_a_column_may_vanish_only_if_it_is_optional(tenant: Tenant) -> None:
    tenant.deliver("deals.csv", f"{DEALS}\nd1,c1,Open,no,2026-10-01,1,EUR\n")
    tenant.ingest("salesforce")
    tenant.deliver("deals.csv", f"{DEALS.removesuffix(',currency')}\nd1,c1,Open,no,2026-10-01,1\n")
    assert tenant.ingest("salesforce").counts.appended == 1
    tenant.deliver(
        "deals.csv", "opportunity_id,stage,is_won,closed_at,amount\nd1,Open,no,2026-10-01,1\n"
    )
    problem = tenant.ingest("salesforce").problem
    assert "deals.csv: missing column customer_id" in problem
    assert "sources.salesforce.opportunities.columns: `customer_id: null`" in problem
    tenant.deliver(
        "deals.csv", f"{DEALS.replace('is_won', 'won')}\nd1,c1,Open,no,2026-10-01,1,EUR\n"
    )
    assert tenant.ingest("salesforce").problem.endswith(
        "is_won may be its won. To read it, write in clients/one.yaml"
        " under sources.salesforce.opportunities.columns: `is_won: won`"
    )
    assert tenant.log("currency", "salesforce", "opportunities") == [("EUR",), (None,)]


def test_a_problem_is_one_printable_line(lenient: Tenant) -> None:
    lenient.settings.write_text(lenient.settings.read_text().replace("limit: 1", "limit: 0"))
    nasty = "\"it's\n@much {{ too }}\x07\x1b[31m" + "x" * 5000 + '"'
    lenient.spend("spend.csv", f"01,a,{nasty}")
    problem = lenient.ingest().problem
    assert problem.isprintable() and len(problem) < 300
    assert problem.startswith("spend.csv: 1 of 1 rows are bad: cost 'it's @much {{ too }} [31mxx")
    assert "xxx…' is no money (line 2). Amounts" in problem


# The log holds each version once.


def test_what_was_loaded_is_not_loaded_again(tenant: Tenant) -> None:
    tenant.spend("spend-1.csv", "01,a,1", "01,b,2")
    assert tenant.ingest().counts == Counts(2, 2)
    before = contents(tenant.home / "lake/one/google_ads")
    assert tenant.ingest().counts == Counts()
    assert contents(tenant.home / "lake/one/google_ads") == before
    tenant.spend("spend-1-again.csv", "01,a,1", "01,b,2")
    assert tenant.ingest().counts == Counts(2, 0, 2)
    tenant.spend("spend-2.csv", "01,b,2", "01,a,3")
    assert tenant.ingest().counts == Counts(2, 1, 1)
    assert tenant.log("campaign_id, cost") == [("a", "1"), ("b", "2"), ("a", "3")]
    assert tenant.ingest().counts == Counts()


def test_a_file_that_is_written_over_is_read_again(tenant: Tenant) -> None:
    for cost in ("1", "2", "1"):
        tenant.spend("spend.csv", f"01,a,{cost}")
        assert tenant.ingest().counts == Counts(1, 1)
    assert tenant.log("cost") == [("1",), ("2",), ("1",)]


def test_several_versions_in_one_file_keep_their_order(tenant: Tenant) -> None:
    text = tenant.settings.read_text()
    tenant.settings.write_text(text.replace("table: spend", "grain: newest", 1))
    tenant.spend("spend.csv", "01,a,1", "01,a,1", "01,a,2", "01,b,5", "01,a,1", "01,a,1")
    assert tenant.ingest().counts == Counts(6, 2, 2, superseded=2)
    assert tenant.log("ordinal, campaign_id, cost") == [
        (1, "a", "1"),
        (3, "a", "2"),
        (4, "b", "5"),
        (5, "a", "1"),
    ]
    assert tenant.log("rows_superseded", table="exports") == [(2,)]
    tenant.spend("spend-2.csv", "01,a,1", "01,b,6")
    assert tenant.ingest().counts == Counts(2, 1, 1)


def test_a_full_export_deletes_what_it_lacks(house: House) -> None:
    tenant = Tenant(house.home, delivery="full")
    for rows, counts in (
        (("01,a,1", "01,b,2", "01,c,3"), Counts(3, 3)),
        (("01,a,1", "01,c,4"), Counts(2, 1, 1, 1)),
        (("01,c,4", "01,a,1"), Counts(2, 0, 2)),  # deleted once is enough
        (("01,a,1", "01,b,2", "01,c,4"), Counts(3, 1, 2)),
        (("01,a,1", "01,b,much", "01,c,4"), Counts(3, 0, 2, 0, 1)),  # unreadable is not missing
    ):
        tenant.spend("spend.csv", *rows)
        assert tenant.ingest().counts == counts
    assert tenant.log("campaign_id, cost, is_deleted") == [
        ("a", "1", False),
        ("b", "2", False),
        ("c", "3", False),
        ("b", "2", True),
        ("c", "4", False),
        ("b", "2", False),
    ]


def test_a_torn_line_of_a_full_export_deletes_nothing(house: House) -> None:
    tenant = Tenant(house.home, delivery="full")
    tenant.spend("spend.csv", "01,a,1", "01,b,2", "01,c,3")
    tenant.ingest()
    path = tenant.spend("spend.csv", "01,a,1", "01,b,2")
    path.write_text(path.read_text()[:-9])  # it may have been cut anywhere, by a full disk
    assert tenant.ingest().counts == Counts(2, 0, 1, 0, 1)
    tenant.spend("spend.csv", "01,a,1", "01,b,2")
    assert tenant.ingest().counts == Counts(2, 0, 2, 1)


def test_a_full_export_of_several_parts_is_read_as_one(house: House) -> None:
    tenant = Tenant(house.home, delivery="full")
    tenant.setting("parts: true")
    tenant.spend("spend-1.csv", "01,a,1")
    tenant.spend("spend-2.csv", "01,b,1")
    assert tenant.ingest().counts == Counts(2, 2)
    tenant.spend("spend-2.csv", "01,c,1")
    assert tenant.ingest().counts == Counts(2, 1, 1, 1)
    tenant.spend("spend-2.csv")
    assert "spend-2.csv: a full export without a row" in tenant.ingest().problem


def test_files_of_one_name_in_two_folders_are_two_files(tenant: Tenant) -> None:
    tenant.settings.write_text(tenant.settings.read_text().replace("one/spend*", "one/*/spend.csv"))
    for folder, cost in (("east", "1"), ("west", "2")):
        (tenant.exports / folder).mkdir()
        tenant.spend(f"{folder}/spend.csv", f"01,{folder},{cost}", "02,both,1")
    assert tenant.ingest().counts == Counts(4, 3, 1)
    assert tenant.ingest().counts == Counts()
    assert len(tenant.log("*", table="exports")) == 2


def test_a_file_that_grows_while_it_is_read_is_taken_once_it_is_still(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tenant.spend("spend.csv", "01,a,1")
    reader, waited = files._READERS[".csv"], list[float]()

    def growing(reading):
        rows = reader(reading)
        if len(waited) < still_after:
            path.write_text(path.read_text() + "2026-1")
        return rows

    monkeypatch.setitem(files._READERS, ".csv", growing)
    monkeypatch.setattr(ingesting.time, "sleep", waited.append)
    still_after = 9
    assert "spend.csv: it changed while it was read; run it again" in tenant.ingest().problem
    assert waited == [1, 2, 4]
    still_after = 5
    assert tenant.ingest().counts == Counts(2, 1, 0, 0, 1)


KEYS, COSTS = ["a", "b", "c"], ["1", "2", "much"]
ROWS = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(COSTS)).map(
    lambda costs: list(costs.items())  # of one file a key has one row
)
DELIVERIES = st.lists(
    st.tuples(st.sampled_from(["east", "west"]), ROWS, st.booleans()), min_size=1, max_size=5
)


@settings(max_examples=12, deadline=None, derandomize=True, phases=[Phase.generate])
@given(deliveries=DELIVERIES, delivery=st.sampled_from(["increment", "full"]))
@pytest.mark.slow
def test_the_log_tells_what_was_delivered(deliveries: list, delivery: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "clients").mkdir()
        House(home).enter()
        tenant = Tenant(home, limit=1, delivery=delivery, deletion_limit=1)
        if delivery == "full":
            tenant.setting("parts: true")
        expected: dict[str, str] = {}
        lying: dict[
            str, tuple[list, bool]
        ] = {}  # in the folder: rows, and whether a torn line follows
        for hour, (name, rows, torn) in enumerate(deliveries):
            is_new = lying.pop(name, None) != (rows, torn)
            lying[name] = (rows, torn)  # the newest is the last
            path = tenant.spend(f"spend-{name}.csv", *(f"01,{key},{cost}" for key, cost in rows))
            path.write_text(path.read_text() + "2026-1" * torn)
            os.utime(path, (3600 * hour, 3600 * hour))
            counts = tenant.ingest().counts
            taken = [lying[key] for key in (lying if delivery == "full" else [name])] * is_new
            is_empty = any(not rows and not torn for rows, torn in taken)
            are_bad = any(
                (rows or torn) and all(cost == "much" for _, cost in rows) for rows, torn in taken
            )
            if are_bad or (delivery == "full" and is_empty):
                assert counts == Counts()
                lying[name] = ([], None)  # refused: it is read again, whatever it holds
                if delivery == "increment":  # it would refuse the others, too
                    path.unlink()
            elif taken:
                read_rows = [row for rows, _ in taken for row in rows]
                assert counts.read == len(read_rows) + sum(torn for _, torn in taken)
                if delivery == "full" and not any(torn for _, torn in taken):
                    named = {key for key, _ in read_rows}
                    expected = {key: cost for key, cost in expected.items() if key in named}
                expected |= {key: cost for key, cost in read_rows if cost != "much"}
            else:
                assert counts == Counts()
            assert counts.read == counts.appended + counts.unchanged + counts.quarantined
            assert tenant.newest("campaign_id, cost") == set(expected.items())
        if tenant.log("*", table="exports"):
            read_, appended, unchanged, bad, superseded, deleted = load_counts(tenant)
            assert read_ == appended + unchanged + bad
            log = tenant.log("row_key, load_id, is_deleted")
            assert len(log) == appended + deleted
            assert len({row[:2] for row in log}) == appended + deleted - superseded
            assert sum(row[2] for row in log) == deleted
            assert len(tenant.quarantine()) == bad


def load_counts(tenant: Tenant) -> list[int]:
    """Return the sums of the load counts: read, appended, unchanged, quarantined, superseded, deleted."""
    columns = ("read", "appended", "unchanged", "quarantined", "superseded", "deleted")
    rows = tenant.log(", ".join(f"rows_{column}" for column in columns), table="exports")
    return [sum(column) for column in zip(*rows)]


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count how often load markers are scanned, and load counts are read, whoever asks."""
    looks: Counter[str] = Counter()

    def counted(name: str, function: Callable, counts: Callable) -> Callable:
        def looking(*arguments, **options):
            looks[name] += counts(*arguments)
            return function(*arguments, **options)

        return looking

    for module in [module for name, module in sys.modules.items() if name.startswith("pipelines")]:
        for name, function, counts in (
            ("load markers", committed_loads, lambda *_: 1),
            ("load counts", read_loads, lambda files, *_: "/exports/" in files[0]),
        ):
            if getattr(module, function.__name__, None) is function:
                monkeypatch.setattr(module, function.__name__, counted(name, function, counts))
    return looks


def test_an_unchanged_delivery_asks_the_log_once(house: House, looks: Counter[str]) -> None:
    house.export()
    house.ingest()
    shop, acme = house.client("shop"), house.client("acme")
    assert len(shop.sources.of("web")) == 2  # one look serves both tables
    for client in (shop, acme):
        for source in dict.fromkeys(source for source, _, _ in client.sources.feeds()):
            looks.clear()
            outcome = ingesting.ingest_source(client, source)
            assert outcome.counts == Counts() and not outcome.problem
            assert looks == {"load markers": 1, "load counts": 1}, (client.id, source)


# Who is killed leaves nothing behind that counts.


def killed(moment: str, owner: type, after: bool) -> Callable:
    """Return a method of dlt's that kills its process, before or after what it does."""
    method = getattr(owner, moment)

    def dying(*arguments, **options):
        if after:
            method(*arguments, **options)
        os.kill(os.getpid(), signal.SIGKILL)

    return dying


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    "moment, owner",
    [
        ("extract", dlt.Pipeline),
        ("normalize", dlt.Pipeline),
        ("initialize_storage", FilesystemClient),
        ("update_stored_schema", FilesystemClient),
        ("complete_load", FilesystemClient),
        ("load", dlt.Pipeline),
    ],
)
def test_a_killed_load_is_taken_exactly_once(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, moment: str, owner: type, after: bool
) -> None:
    tenant.spend("spend.csv", "01,a,1", "01,b,2", "01,c,much")
    client = next(client for client in read()[0] if client.id == "one")
    monkeypatch.setattr(owner, moment, killed(moment, owner, after))
    problems = {each.source: each.problem for done in ingest([client]) for each in done}
    assert problems["google_ads"] == "its process died; run it again"
    assert set(halted(client)) == {"google_ads", "salesforce"}
    monkeypatch.undo()
    committed = (moment, after) in {("complete_load", True), ("load", True)}
    assert len(tenant.log("*")) == (2 if committed else 0)
    outcome = tenant.ingest()
    assert not outcome.problem
    assert outcome.counts == (Counts() if committed else Counts(3, 2, 0, 0, 1))
    assert tenant.log("campaign_id, cost") == [("a", "1"), ("b", "2")]
    assert len(tenant.quarantine()) == 1
    assert len([*(tenant.home / "lake/one/google_ads/spend").iterdir()]) == 1


INGEST = (
    "from pipelines.settings.reader import read; from pipelines.ingest.run import ingest_client;"
    "[ingest_client(client) for client in read()[0] if client.id == 'one']"
)


def test_a_killed_process_leaves_one_copy_in_the_end(tenant: Tenant) -> None:
    rows = [f"{1 + number % 28:02},c{number},{number}" for number in range(50_000)]
    tenant.spend("spend.csv", *rows)
    lake = tenant.home / "lake/one"
    for seen in (
        "_pipelines/google_ads/normalize/*/*/*/*.parquet",
        "_pipelines/google_ads/load/n*/*/started_jobs/*",
        "google_ads/spend/*.parquet",
        "google_ads/_dlt_loads/*.jsonl",
    ):
        process = subprocess.Popen([sys.executable, "-c", INGEST], cwd=PROJECT)
        while process.poll() is None and not any(lake.glob(seen)):
            time.sleep(0.001)
        process.kill()
        process.wait()
        assert len(tenant.log("1")) in (0, len(rows))
    tenant.ingest()
    assert tenant.ingest().counts == Counts()
    taken = tenant.log("spend_date[-2:] || ',' || campaign_id || ',' || cost")
    assert sorted(row for (row,) in taken) == sorted(rows)
    assert load_counts(tenant)[:2] == [len(rows), len(rows)]


def test_two_processes_at_once_load_one_copy(tenant: Tenant) -> None:
    rows = [f"01,c{number},{number}" for number in range(20_000)]
    tenant.spend("spend.csv", *rows)
    processes = [subprocess.Popen([sys.executable, "-c", INGEST], cwd=PROJECT) for _ in range(2)]
    assert [process.wait() for process in processes] == [0, 0]
    assert len(tenant.log("1")) == len(rows)
    assert halted(next(client for client in read()[0] if client.id == "one")).keys() == {
        "salesforce"
    }


def test_a_client_whose_process_dies_is_named_and_the_others_finish(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.export()
    bring_in = ingesting.ingest_source
    monkeypatch.setattr(
        ingesting,
        "ingest_source",
        lambda client, source: (
            os.kill(os.getpid(), signal.SIGKILL)
            if client.id == "borealis"
            else bring_in(client, source)
        ),
    )
    outcomes = [outcome for done in ingest(read()[0]) for outcome in done]
    assert {outcome.client for outcome in outcomes} == {"acme", "borealis", "cobalt", "shop"}
    for outcome in outcomes:
        if outcome.client == "borealis":
            assert outcome.problem == "its process died; run it again"
        else:
            assert outcome.counts.appended and not outcome.problem


def test_what_blocks_a_source_is_said_and_it_heals_when_it_is_gone(tenant: Tenant) -> None:
    tenant.spend("spend.csv", "01,a,1")
    blocked = tenant.home / "lake/one/google_ads/spend"
    blocked.parent.mkdir(parents=True)
    blocked.write_text("a file where a folder belongs")
    for _ in range(2):
        problem = tenant.ingest().problem
        assert str(blocked) in problem and problem.endswith("correct it and run it again")
        assert "no file matches" in tenant.ingest("salesforce").problem
    blocked.unlink()
    outcome = tenant.ingest()
    assert outcome.counts == Counts(1, 1) and not outcome.problem


@pytest.mark.parametrize("content", ["", '{"vers', "\0"])
def test_torn_notes_of_dlt_stop_nothing(tenant: Tenant, content: str) -> None:
    tenant.spend("spend.csv", "01,a,1")
    tenant.ingest()
    source = tenant.home / "lake/one/google_ads"
    for note in [
        source / "init",
        *source.glob("_dlt_version/*"),
        *tenant.home.glob("lake/one/_pipelines/*/**/*"),
    ]:
        if note.is_file():
            note.write_text(content)
    tenant.spend("spend.csv", "01,a,1", "01,b,2")
    assert tenant.ingest().counts == Counts(2, 1, 1)
    mark = min(source.glob("_dlt_loads/*.jsonl"))
    mark.write_text(content)  # as if the first load had died in its last breath
    assert [row for (row,) in tenant.log("campaign_id")] == ["b"]
    tenant.spend("spend.csv", "01,a,1", "01,b,2", "01,c,3")
    assert tenant.ingest().counts == Counts(3, 2, 1)


# What one source or client does is nothing to the others.


def test_a_first_delivery_may_be_refused(tenant: Tenant) -> None:
    tenant.deliver("spend.csv", "")
    assert "the file is empty" in tenant.ingest().problem
    tenant.spend("spend.csv", "01,a,1")
    outcome = tenant.ingest()
    assert outcome.counts == Counts(1, 1) and not outcome.problem


def test_a_torn_status_counts_as_a_problem_until_it_is_written_again(tenant: Tenant) -> None:
    tenant.spend("spend.csv", "01,a,1")
    client = next(client for client in read()[0] if client.id == "one")
    assert halted(client) == {}
    tenant.ingest()
    status = tenant.home / "lake/one/google_ads/status.json"
    for torn in (b"", b'{"source": "goo', b"[]", b"{}", b"\xff"):
        status.write_bytes(torn)
        assert "status.json is not readable" in halted(client)["google_ads"]
        tenant.ingest()
        assert halted(client) == {}


def test_a_source_that_a_client_gives_up_no_longer_halts_it(tenant: Tenant) -> None:
    tenant.spend("spend.csv", "01,a,1")
    (outcomes,) = ingest([client for client in read()[0] if client.id == "one"])
    assert [outcome.source for outcome in outcomes if outcome.problem] == ["salesforce"]
    text = tenant.settings.read_text()
    tenant.settings.write_text(text[: text.index("  salesforce:")])
    client = next(client for client in read()[0] if client.id == "one")
    (outcomes,) = ingest([client])
    assert not any(outcome.problem for outcome in outcomes)
    assert halted(client) == {}
    assert not (tenant.home / "lake/one/salesforce/status.json").exists()


def test_a_client_without_sources_is_no_problem(tenant: Tenant) -> None:
    tenant.settings.write_text("name: One\ncurrency: EUR\nsources: {}\n")
    assert list(ingest([client for client in read()[0] if client.id == "one"])) == [[]]


def test_ingest_touches_no_other_client(house: House) -> None:
    one, two = Tenant(house.home, "one"), Tenant(house.home, "two")
    one.spend("spend.csv", "01,a,1")
    two.spend("spend.csv", "01,a,1")
    one.ingest()
    before = contents(house.home / "lake/one")
    two.ingest()
    two.spend("spend.csv", "01,a,much", "01,b,more")
    two.ingest()
    assert contents(house.home / "lake/one") == before
    assert contents(house.home / "exports/one").keys() == {"spend.csv"}


def test_files_of_loads_that_were_never_committed_are_not_read(tenant: Tenant) -> None:
    tenant.spend("spend.csv", "01,a,1")
    tenant.ingest()
    folder = tenant.home / "lake/one/google_ads"
    (file,) = committed_files(str(folder), "spend", committed_loads(str(folder)))
    orphan = Path(file).with_name(f"9999999999.1.{Path(file).name.rsplit('.', 2)[1]}.parquet")
    orphan.write_bytes(Path(file).read_bytes())
    assert len(tenant.log("*")) == 1
    tenant.spend("spend.csv", "01,a,1", "01,b,1")
    assert tenant.ingest().counts == Counts(2, 1, 1)


def contents(folder: Path) -> dict[str, bytes]:
    """Return what every file in a folder holds, but for the status: that is written each time."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "status.json"
    }
