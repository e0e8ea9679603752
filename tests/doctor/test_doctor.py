"""A client's file is proposed from a folder of its exports, and reads them as the proposal says."""

import json
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
import yaml
from typer.testing import CliRunner

from pipelines.__main__ import app
from pipelines.commands import proposals
from pipelines.doctor import healing, reports
from pipelines.doctor.diagnosis import Diagnosis, NothingThere, diagnose
from pipelines.doctor.healing import Answer, Ask
from pipelines.doctor.proposal import Choice, Question
from pipelines.ingest.run import ingest_client
from pipelines.ingest.trial import Extent
from pipelines.lake.loads import committed_files, committed_loads, read_loads
from pipelines.settings.client import Client
from pipelines.settings.reader import ClientError, checked
from tests.builders.downloads import RIGHT, download
from tests.conftest import House

SESSIONS = "session_id,visitor_id,customer_id,started_at,source,medium,campaign"
TOTALS = {
    "spend": "cost",
    "revenue": "revenue",
    **dict.fromkeys(("conversions", "sessions"), "1"),
    **{name: name for name in ("clicks", "impressions")},
}
WON = {"won deals": "is_won::BOOLEAN::INT", "revenue": "IF(is_won::BOOLEAN, amount, '0')"}
SPEND = "Day,Campaign,Campaign ID,Currency code,Cost,Clicks,Impr."


def nobody(question: Question) -> Answer:
    """Answer nothing."""
    return question, None


def the_one_with(*words: str) -> Ask:
    """Choose the lines that have one of some words."""

    def choose(question: Question) -> Answer:
        found = [each for each in question.choices if any(word in each.line for word in words)]
        return question, found[0] if found else None

    return choose


@pytest.fixture
def exports(house: House) -> Path:
    """The folder of a client that has no file yet."""
    return house.home / "exports" / "larch"


def proposed(exports: Path, ask: Ask = nobody, **given: str) -> Diagnosis:
    return diagnose("larch", exports, ask, **given)


def deliver(exports: Path, **files: str) -> None:
    """Write files, each by its name without the ending of CSV."""
    exports.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (exports / f"{name}.csv").write_text(text)


def write(house: House, found: Diagnosis) -> Client:
    """Write the proposed file; return the client that the settings reader reads of it."""
    (house.home / "clients/larch.yaml").write_text(found.proposal.text())
    return house.client("larch")


def sums(found: Diagnosis) -> dict[tuple[str, str], dict[str, Decimal | int]]:
    """Return what was shown, by table and measure: the sum of each month."""
    shown: dict[tuple[str, str], dict[str, Decimal | int]] = {}
    left_out = [each.glob for each in found.findings if each.glob.endswith("events.jsonl")]
    for finding in found.findings:
        if finding.glob in left_out:  # the other export of visits was chosen
            continue
        for month, _, *values in finding.figures.months if finding.figures else ():
            for measure, value in zip(finding.figures.measures, values):
                shown.setdefault((finding.table, measure), {})[month] = value
    return shown


def in_lake(house: House, source: str, table: str, total: str) -> Decimal:
    """Return a sum over what was loaded of a table, as staging casts it."""
    loads = committed_loads(str(folder := house.home / "lake/larch" / source))
    files = committed_files(str(folder), table, loads)
    with duckdb.connect() as connection:
        query = f"SELECT SUM(({total})::DECIMAL(18, 6)) FROM {read_loads(files, loads)} AS log"
        return connection.execute(query).fetchall()[0][0]


def uncommented(text: str, line: str) -> str:
    """Return a file in which a line of a question is chosen, as a person would."""
    (found,) = [each for each in text.splitlines() if each.lstrip().startswith(f"# {line}")]
    return text.replace(found, found.replace("# ", "", 1))


def test_six_downloads_are_read_as_proposed(house: House, exports: Path) -> None:
    download(exports)
    found = proposed(exports, the_one_with("visits.csv"), zone="Europe/Berlin")
    assert not found.proposal.questions and not found.unknown
    assert {key: sums(found)[key] for key in RIGHT} == RIGHT
    text = found.proposal.text()
    assert "currency: EUR    # as Currency code says in Campaign performance 2026-10.csv" in text
    assert "files: exports/larch/Campaign performance *.csv" in text
    assert "# google_ads.spend: 2 files, because it has the columns of google_ads_report:" in text
    assert "customer_id: Buyer    # 2 of its values are customers of visits" in text
    assert "c-1" not in text, "a value that may name a person is in nobody's settings"
    client = write(house, found)
    assert (client.currency, client.timezone) == ("EUR", "Europe/Berlin")
    outcomes = {each.source: each for each in ingest_client(client)}
    assert outcomes.keys() == {"web", "salesforce", "google_ads", "facebook_ads"}
    assert {each.status.code for each in outcomes.values()} <= {"ok", "stale"}
    assert not any(each.counts.quarantined for each in outcomes.values())
    for (table, measure), months in RIGHT.items():
        total = TOTALS[measure] if table != "salesforce.opportunities" else WON[measure]
        assert in_lake(house, *table.split("."), total) == sum(months.values()), (table, measure)


def test_a_stage_may_say_that_a_deal_is_won(exports: Path) -> None:
    head = "Deal number;Opportunity Stage;Closed date;Deal value;Currency;Deal ID"
    deals = ["7;Signed;2026-11-03;10;EUR;D-1", "8;Lost;2026-11-04;20;EUR;D-2"]
    deliver(exports, deals="\n".join([head, *deals, ""]))
    found = proposed(exports, the_one_with("'Signed'"), zone="UTC")
    assert not found.proposal.questions
    assert sums(found)["salesforce.opportunities", "revenue"] == {"2026-11": Decimal(10)}
    (question,) = proposed(exports, zone="UTC").proposal.questions
    assert "which stage says that a deal is won?" in question.text
    assert question.choices[0].meaning.endswith("2026-11 has won deals 1, revenue 10.00 EUR")


def test_an_ad_platform_is_told_by_the_name_of_its_file_or_asked(exports: Path) -> None:
    report = "Date,Campaign name,Spend,Clicks\n2026-11-03,Brand,2.50,3\n"
    deliver(exports, **{"reddit-november": report})
    found = proposed(exports, zone="UTC", currency="EUR")
    assert not found.proposal.questions
    ads = checked("larch", found.proposal.text()).sources.ads
    assert ads["reddit"].spend.files == "exports/larch/reddit-*.csv"
    (exports / "reddit-november.csv").rename(exports / "spend.csv")
    (question,) = proposed(exports, zone="UTC", currency="EUR").proposal.questions
    assert question.text == "what exports/larch/spend.csv is"
    assert {"google_ads", "facebook_ads"} < {choice.place[1] for choice in question.choices}


def test_two_exports_of_a_table_are_asked_about(exports: Path) -> None:
    download(exports, "visits.csv", "events.jsonl")
    found = proposed(exports, zone="Europe/Berlin", currency="EUR")
    (question,) = found.proposal.questions
    assert [choice.value["files"] for choice in question.choices] == [
        "exports/larch/events.jsonl",
        "exports/larch/visits.csv",
    ]
    text = found.proposal.text()
    assert "1. choose one: web.sessions is read from one export" in text
    assert checked("larch", text).sources.web is None, "it is a valid file before, too"
    chosen = checked("larch", uncommented(text, "sessions: {files: exports/larch/events.jsonl"))
    assert chosen.sources.web and chosen.sources.web.sessions.format == "ga4"


def test_a_shops_own_names_are_known(exports: Path) -> None:
    head = "Bestellnummer;Kundennummer;Bestelldatum;Gesamtbetrag;Währung"
    deliver(exports, orders=f"{head}\nB-1;K-9;03.11.2026 14:30;1.234,50;EUR\n")
    found = proposed(exports, zone="Europe/Berlin")
    text = found.proposal.text()
    assert "revenue: Gesamtbetrag    # such as 1.234,50" in text
    assert "converted_at: Bestelldatum    # such as 03.11.2026 14:30" in text
    assert "customer_id: Kundennummer\n" in text, "whom it may name is in nobody's settings"
    assert found.findings[0].figures.sample == [
        ("B-1", "K-9", "2026-11-03 13:30:00", "1234.50", "EUR")
    ]


def test_what_can_be_read_in_two_ways_is_asked(exports: Path) -> None:
    deliver(exports, spend=f"{SPEND}\n1/11/2026,Brand,1,EUR,2.50,3,4\n")
    found = proposed(exports, zone="UTC")
    (question,) = found.proposal.questions
    assert [choice.line for choice in question.choices] == [
        "date_format: '%d/%m/%Y'",
        "date_format: '%m/%d/%Y'",
    ]
    assert [choice.meaning.partition(": ")[2] for choice in question.choices] == [
        f"{month} has spend 2.50 EUR, clicks 3, impressions 4" for month in ("2026-11", "2026-01")
    ]
    assert found.findings[0].is_assumed
    text = uncommented(found.proposal.text(), "date_format: '%m/%d/%Y'")
    assert checked("larch", text).sources.google_ads.spend.date_format == "%m/%d/%Y"
    answered = proposed(exports, the_one_with("%m/%d/%Y"), zone="UTC")
    assert not answered.proposal.questions
    assert sums(answered)["google_ads.spend", "spend"] == {"2026-01": Decimal("2.5")}


def test_currency_and_zone_are_told_by_the_exports_or_asked(exports: Path) -> None:
    visit = "s-{},v,c,{},google,cpc,Brand"
    deliver(exports, visits="\n".join([SESSIONS, visit.format(1, "2026-11-03T10:00:00Z"), ""]))
    found = proposed(exports)
    assert [each.place[-1:] for q in found.proposal.questions for each in q.choices[:1]] == [
        ("timezone",),
        ("currency",),
    ]
    with pytest.raises(ClientError, match="currency: it is required"):
        checked("larch", found.proposal.text())
    assert checked("larch", uncommented(found.proposal.text(), "currency: GBP")).currency == "GBP"
    times = ["2026-07-03T10:00:00-04:00", "2026-12-03T10:00:00-05:00"]
    deliver(exports, visits="\n".join([SESSIONS, *map(visit.format, "12", times), ""]))
    assert (
        "timezone: America/New_York    # the times in visits.csv"
        in proposed(exports).proposal.text()
    )


@pytest.mark.parametrize(
    ("older", "newer", "expected"),
    [
        (("1", "2"), ("1", "2", "3"), ("full", 0)),
        (("1", "2"), ("3", "4"), ("increment", 0)),
        (("1", "2", "3"), ("1", "2", "4"), ("increment", 1)),
    ],
)
def test_keys_tell_whole_files_from_increments(
    exports: Path, older: tuple, newer: tuple, expected: tuple
) -> None:
    head = "Opportunity ID,Stage,Won,Close Date,Amount,Amount Currency,Account ID"
    for number, deals in enumerate((older, newer), 1):
        rows = [f"D-{deal},Open,false,2026-11-0{deal},{deal}00.00,EUR,A-1" for deal in deals]
        deliver(exports, **{f"deals-{number}": "\n".join([head, *rows, ""])})
    found = proposed(exports, zone="UTC")
    export = checked("larch", found.proposal.text()).sources.salesforce.opportunities
    assert (export.delivery, len(found.proposal.questions)) == expected
    assert export.files == "exports/larch/deals-*.csv"


def test_a_clients_file_is_checked_and_stays(house: House, exports: Path) -> None:
    download(exports, "visits.csv", "events.jsonl", "Larch-Kampagnen.csv", "unified_payments.csv")
    meta = {"files": "exports/larch/Larch-*.csv", "format": "meta_ads_report"}
    sources = {
        "web": {"sessions": {"files": "exports/larch/visits.csv"}},
        "facebook_ads": {"spend": meta},
    }
    file = house.home / "clients/larch.yaml"
    file.write_text(yaml.safe_dump({"name": "Larch", "currency": "EUR", "sources": sources}))
    before = file.read_bytes()
    found = proposed(exports)
    assert file.read_bytes() == before
    missing = found.proposal.settings()["sources"]
    assert missing["facebook_ads"]["spend"]["encoding"] == "cp1252"
    assert missing["web"]["conversions"]["files"] == "exports/larch/unified_payments.csv"
    assert "sessions" not in missing["web"]
    (unread,) = found.unknown
    assert unread.file.name == "events.jsonl" and "nobody reads it" in unread.why


def test_a_folder_elsewhere_is_named(house: House, tmp_path: Path) -> None:
    folder = tmp_path / "Downloads"
    deliver(folder, spend=f"{SPEND}\n2026-11-01,Brand,1,EUR,2.50,3,4\n")
    found = diagnose("larch", folder, nobody, zone="UTC")
    client = write(house, found)
    assert client.folders == [str(folder)]
    ingest_client(client)
    assert in_lake(house, "google_ads", "spend", "cost") == Decimal("2.5")


def test_terrible_folders_end_with_clear_words(exports: Path) -> None:
    with pytest.raises(NothingThere, match=r"there is no folder .*exports/larch"):
        proposed(exports)
    exports.mkdir(parents=True)
    with pytest.raises(NothingThere, match=r"no file is in .*exports/larch"):
        proposed(exports)
    deliver(exports, empty="", recipe="Flour;Water\n500 g;300 ml\n")
    (exports / "photo.csv").write_bytes(bytes(range(256)) * 40)
    (exports / "brochure.pdf").write_bytes(b"%PDF-1.7 ")
    deliver(exports, visits="session_id,started_at\ns-1,2026-11-01\n")
    found = proposed(exports, zone="UTC", currency="EUR")
    why = {each.file.name: each.why for each in found.unknown}
    assert why.keys() == {"empty.csv", "recipe.csv", "photo.csv", "brochure.pdf", "visits.csv"}
    assert why["empty.csv"].startswith("the file is empty")
    assert "no report that is known: Flour, Water" in why["recipe.csv"]
    assert "unknown format" in why["brochure.pdf"]
    assert not found.findings
    deliver(exports, spend=f"{SPEND}\n")
    (spend,) = proposed(exports, zone="UTC", currency="EUR").findings
    assert spend.table == "google_ads.spend" and spend.figures.months == []


def test_what_is_large_is_tried_by_its_beginning_and_summed_as_a_whole(
    exports: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(healing, "_LARGE", 100)
    monkeypatch.setattr(healing, "BEGINNING", Extent(files=2, rows=2))
    rows = [f"2026-11-{day:02},Brand,1,EUR,2.50,3,4\n" for day in range(1, 9)]
    deliver(exports, spend=f"{SPEND}\n{''.join(rows)}9/11/2026,Brand,1,EUR,2.50,3,4\n")
    found = proposed(exports, the_one_with("%d/%m/%Y"), zone="UTC")
    assert "date_format: '%d/%m/%Y'" in found.proposal.text()
    assert sums(found)["google_ads.spend", "spend"] == {"2026-11": Decimal("22.5")}


def test_of_many_files_a_few_are_looked_into_and_that_is_said(
    exports: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "MOST_READ", 4)
    monkeypatch.setattr(healing, "WHOLE", Extent(files=3))
    days = {f"spend-{day}": f"{SPEND}\n2026-11-0{day},B,1,EUR,2.50,3,4\n" for day in range(1, 7)}
    notes = {f"note{letter}": "To do\nnothing\n" for letter in "abcd"}
    deliver(exports, **days, **notes)
    found = proposed(exports, zone="UTC")
    assert (found.files, found.looked_into) == (10, 4)
    assert [(each.file.name, each.files) for each in found.unknown] == [
        ("notea.csv", 2),
        ("notec.csv", 2),
    ]
    assert "not looked into" in found.unknown[1].why
    (spend,) = found.findings
    assert (len(spend.files), spend.tried, spend.glob) == (6, 3, "exports/larch/spend-*.csv")
    assert sums(found)["google_ads.spend", "spend"] == {"2026-11": Decimal("7.5")}


def test_the_command_writes_the_file_once(house: House, exports: Path) -> None:
    deliver(exports, spend=f"{SPEND}\n2026-11-01,Brand,1,EUR,2.50,3,4\n")
    given = ["doctor", "larch", "--zone", "UTC"]
    shown = CliRunner().invoke(app, given)
    assert shown.exit_code == 0 and "spend 2.50 EUR, clicks 3, impressions 4" in shown.output
    assert "currency: EUR    # as Currency code says in spend.csv" in shown.output
    file = house.home / "clients/larch.yaml"
    assert not file.exists()
    done = CliRunner().invoke(app, [*given, "--write"])
    assert "wrote clients/larch.yaml; make daily publishes it" in done.output
    assert house.client("larch").timezone == "UTC"
    before = file.read_bytes()
    deliver(exports, visits=f"{SESSIONS}\ns-1,v,c,2026-11-03T10:00:00Z,google,cpc,Brand\n")
    again = CliRunner().invoke(app, [*given, "--write"])
    assert "is there and stays as it is; it lacks:\nsources:\n  web:" in again.output
    assert file.read_bytes() == before
    lines = map(json.loads, CliRunner().invoke(app, [*given, "--json"]).output.splitlines())
    (spend,) = [line for line in lines if line.get("table") == "google_ads.spend"]
    assert spend["months"] == [
        {"month": "2026-11", "currency": "EUR", "spend": "2.500000", "clicks": 3, "impressions": 4}
    ]


def test_whoever_is_there_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    question = Question("which day?", [Choice(("a",), "1", "one"), Choice(("a",), "2", "two")])
    answers = iter(["3", "2", ""])
    monkeypatch.setattr("builtins.input", lambda *_: next(answers))
    assert proposals.ask(question)[1] == question.choices[1], "3 is none: it is asked again"
    assert proposals.ask(question)[1] is None
    answers = iter(["Europe/Oslo"])
    _, named = proposals.ask(question._replace(others=frozenset({"Europe/Oslo"})))
    assert named and named.value == "Europe/Oslo"
