"""Files: every format gives the same rows, and a broken one is refused with a reason or quarantined."""

import gzip
import os
import sqlite3
from contextlib import closing
from random import Random

import pyarrow as pa
import pyarrow.parquet
import pytest

from tests.builders.spend_files import FORMATS, as_csv, as_jsonl, as_sqlite
from tests.builders.tenant import SPEND, Tenant
from tests.conftest import House

ROWS = [
    ("2026-10-01", "one", 'A "quoted", name\nof two lines', "1.50", "EUR", "3", "100"),
    ("2026-10-01", "two", "Überraschung; für |alle|", "1e3", "EUR", None, "0"),
    ("2026-10-02", "one", None, "-0.25", None, "12", None),
]

# Lines as they are read from a header with these columns: the same in every delimited file.
HEAD = ",".join(SPEND)
GOOD = "2026-10-01,one,Brand,1.50,EUR,3,100"


@pytest.fixture
def tenant(house: House) -> Tenant:
    """A client with nothing delivered."""
    return Tenant(house.home)


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_gives_the_same_rows(tenant: Tenant, form: str) -> None:
    FORMATS[form](tenant.exports / f"spend.{form}", ROWS)
    outcome = tenant.ingest()
    assert (outcome.problem, outcome.counts.read, outcome.counts.appended) == ("", 3, 3)
    assert tenant.log(", ".join(SPEND)) == ROWS


@pytest.mark.parametrize("form", FORMATS)
def test_columns_are_mapped_and_optional_ones_may_lack(tenant: Tenant, form: str) -> None:
    settings = tenant.settings.read_text()
    mapped = 'table: spend\n      columns: {cost: \'Cost, in €\', campaign: "it\'s \\"a\\" name"}'
    tenant.settings.write_text(settings.replace("table: spend", mapped))
    head = ("spend_date", "campaign_id", 'it\'s "a" name', "Cost, in €", "clicks", "impressions")
    row = ("2026-10-01", "one", "Brand", "1.50", "3", "100")
    if form == "sqlite":
        database = sqlite3.connect(tenant.exports / "spend.sqlite")
        columns = ", ".join('"' + name.replace('"', '""') + '"' for name in head)
        database.execute(f"CREATE TABLE spend ({columns})")
        database.execute("INSERT INTO spend VALUES (?, ?, ?, ?, ?, ?)", row)
        database.commit()
        database.close()
    else:
        FORMATS[form](tenant.exports / f"spend.{form}", [row], head=head)
    assert not tenant.ingest().problem
    assert tenant.log(", ".join(SPEND)) == [(*row[:4], None, *row[4:])]


PARTS = ("spend_date", "year", "month", "name", "cost", "clicks", "impressions")
JOINED = "table: spend\n      columns: {campaign_id: [year, month], campaign: [name, month]}"


@pytest.mark.parametrize("form", FORMATS)
def test_a_column_is_joined_of_several(tenant: Tenant, form: str) -> None:
    tenant.settings.write_text(tenant.settings.read_text().replace("table: spend", JOINED))
    rows = [
        ("2026-10-01", "26", " 10\t", "Brand", "1", "2", "3"),
        ("2026-10-02", "26", None, None, "1", None, None),
        ("2026-10-03", None, " ", None, "1", None, None),
    ]
    FORMATS[form](tenant.exports / f"spend.{form}", rows, head=PARTS)
    outcome = tenant.ingest()
    assert (outcome.problem, outcome.counts.quarantined) == ("", 1)
    assert tenant.log("spend_date, campaign_id, campaign") == [
        ("2026-10-01", "26 10", "Brand 10"),
        ("2026-10-02", "26", None),
    ]
    assert [reason for _, _, reason, _ in tenant.quarantine()] == ["campaign_id is missing"]


@pytest.mark.parametrize("form", FORMATS)
def test_an_export_may_say_that_it_lacks_a_column(tenant: Tenant, form: str) -> None:
    mapped = "table: spend\n      columns: {campaign: null, clicks: null}"
    tenant.settings.write_text(tenant.settings.read_text().replace("table: spend", mapped))
    head = ("spend_date", "campaign_id", "cost", "clicks", "impressions")
    FORMATS[form](tenant.exports / f"spend.{form}", [("2026-10-01", *"1234")], head=head)
    assert not tenant.ingest().problem
    assert tenant.log(", ".join(SPEND)) == [("2026-10-01", "1", None, "2", None, None, "4")]


@pytest.mark.parametrize("form", FORMATS)
def test_a_missing_part_of_a_column_is_named(tenant: Tenant, form: str) -> None:
    tenant.settings.write_text(tenant.settings.read_text().replace("table: spend", JOINED))
    head = tuple(name if name != "year" else "years" for name in PARTS)
    FORMATS[form](tenant.exports / f"spend.{form}", [("2026-10-01", *"123456")], head=head)
    assert f"spend.{form}: missing column year (for campaign_id); it has" in tenant.ingest().problem


@pytest.mark.parametrize("ending", ["db", "sqlite3", "DB"])
def test_a_sqlite_file_may_end_otherwise(tenant: Tenant, ending: str) -> None:
    as_sqlite(tenant.exports / f"spend.{ending}", ROWS)
    assert not tenant.ingest().problem
    assert tenant.log(", ".join(SPEND)) == ROWS


@pytest.mark.parametrize("form", FORMATS)
def test_blanks_are_nothing(tenant: Tenant, form: str) -> None:
    FORMATS[form](
        tenant.exports / f"spend.{form}",
        [("2026-10-01", " one\t", " \t ", "1.50 ", "\u00a0", "", "  ")],
    )
    assert not tenant.ingest().problem
    assert tenant.log(", ".join(SPEND)) == [("2026-10-01", "one", None, "1.50", None, None, None)]


@pytest.mark.parametrize("form", FORMATS)
def test_a_missing_column_is_named_with_its_file(tenant: Tenant, form: str) -> None:
    settings = tenant.settings.read_text()
    tenant.settings.write_text(
        settings.replace(
            "table: spend", "table: spend\n      columns: {cost: spent, currency: money}"
        )
    )
    FORMATS[form](tenant.exports / f"spend.{form}", ROWS)
    problem = tenant.ingest().problem
    assert f"spend.{form}: missing column spent (for cost), money (for currency); it has" in problem
    assert problem.endswith(
        "spent may be its cost, money may be its currency. To read it, write in"
        " clients/one.yaml under sources.google_ads.spend.columns: `cost: cost`, `currency: currency`"
    )
    assert tenant.log("*") == []


@pytest.mark.parametrize("form", FORMATS)
def test_half_a_file_or_noise_never_crashes(tenant: Tenant, form: str) -> None:
    many = [
        ("2026-10-01", f"campaign-{number}", "Brand", "1", "EUR", "1", "1")
        for number in range(3000)
    ]
    path = tenant.exports / f"spend.{form}"
    FORMATS[form](path, many)
    whole = path.read_bytes()
    for broken in (
        whole[: len(whole) // 2],
        whole[: len(whole) - 7],
        whole[:5000] + Random(1).randbytes(1000) + whole[6000:],
        bytes(range(256)) * 20,
        b"\0" * 4096,
    ):
        path.write_bytes(broken)
        outcome = tenant.ingest()
        counts = outcome.counts
        assert outcome.problem.startswith(
            f"spend.{form}: "
        ) or counts.read == counts.appended + counts.unchanged + sum(counts[4:])
        assert "Traceback" not in outcome.problem and len(outcome.problem) < 700
    path.write_bytes(whole)
    assert not tenant.ingest().problem
    assert tenant.newest("campaign_id") >= {(row[1],) for row in many}


@pytest.mark.parametrize("form", ["csv", "parquet", "sqlite"])
@pytest.mark.parametrize("delivery", ["increment", "full"])
def test_no_rows_are_fine_in_an_increment_only(house: House, form: str, delivery: str) -> None:
    tenant = Tenant(house.home, delivery=delivery)
    FORMATS[form](tenant.exports / f"spend.{form}", [])
    problem = tenant.ingest().problem
    assert problem == (
        ""
        if delivery == "increment"
        else f"spend.{form}: a full export without a row; deliver it again"
    )


@pytest.mark.parametrize(
    "file, content, reason",
    {
        "empty": ("spend.csv", b"", "the file is empty"),
        "a blank line": (
            "spend.csv",
            b"\n\n",
            "missing column spend_date, campaign_id, campaign, cost",
        ),
        "an unknown suffix": (
            "spend.xls",
            b"spend_date",
            "unknown format; it is an Excel workbook of old: save it as .xlsx or as CSV UTF-8",
        ),
        "UTF-16 without a mark": (
            "spend.csv",
            f"{HEAD}\n{GOOD}\n".encode("utf-16-be"),
            "it is UTF-16 without a mark that says so",
        ),
        "a latin-1 header": (
            "spend.csv",
            "Straße,cost\n".encode("latin-1"),
            "line 1 has a letter that is not UTF-8 at its byte 5",
        ),
        "a column twice": ("spend.csv", f"{HEAD},cost\n".encode(), "column cost is there twice"),
        "a torn array": ("spend.jsonl", b'[{"cost": 1},\n', "its array is not closed at the end"),
        "an answer of an API": (
            "spend.json",
            b'{"data": [{"cost": 1}], "paging": {"next": null}}',
            "whose rows lie in its list 'data'; it has data, paging. Export that list alone",
        ),
        "a number": ("spend.jsonl", b"12\n", "no line holds a JSON object"),
        "a torn workbook": ("spend.xlsx", b"PK\3\4 and more", "no ZIP archive, or it is torn"),
        "a torn archive": ("spend.zip", b"PK\3\4 and more", "no ZIP archive, or it is torn"),
        "torn zstd": ("spend.csv.zst", b"\x28\xb5\x2f\xfd\0", "not readable: "),
        "blank lines": ("spend.jsonl", b"\n\n", "no line holds a JSON object"),
        "no Parquet": ("spend.parquet", b"PAR1 and more", "not readable: "),
        "no database": ("spend.sqlite", b"SQLite format 3\0" * 99, "not readable: "),
    }.values(),
)
def test_a_file_that_cannot_be_read_is_refused(
    tenant: Tenant, file: str, content: bytes, reason: str
) -> None:
    tenant.deliver(file, content)
    problem = tenant.ingest().problem
    assert problem.startswith(f"{file}: ") and reason in problem
    (copy,) = (tenant.home / "lake/one/_refused/google_ads").glob(f"*-{file}")
    assert copy.read_bytes() == content
    assert copy.with_name(f"{copy.name}.reason").read_text().startswith(f"{file}: ")


def test_what_is_no_file_is_refused_and_what_is_missing_named(tenant: Tenant) -> None:
    assert (
        tenant.ingest().problem
        == "no file matches exports/one/spend*; deliver it, or correct `files:`"
    )
    (tenant.exports / "spend.csv").mkdir()
    assert (
        tenant.ingest().problem
        == "spend.csv: it is no file, but a folder or the like; deliver a file"
    )
    (tenant.exports / "spend.csv").rmdir()
    os.mkfifo(tenant.exports / "spend.csv")
    assert "it is no file" in tenant.ingest().problem
    (tenant.exports / "spend.csv").unlink()
    (tenant.exports / "spend.csv").symlink_to("nowhere")
    assert "spend.csv: not readable: No such file" in tenant.ingest().problem
    assert len(list((tenant.home / "lake/one/_refused/google_ads").glob("not-kept-*.reason"))) == 1


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_delimiter_is_known_by_the_header(tenant: Tenant, delimiter: str) -> None:
    as_csv(tenant.exports / "spend.csv", ROWS, delimiter)
    assert not tenant.ingest().problem
    assert tenant.log(", ".join(SPEND)) == ROWS


@pytest.mark.parametrize(
    "content",
    {
        "a byte order mark": f"\ufeff{HEAD}\n{GOOD}\n",
        "line ends of Windows": f"{HEAD}\r\n{GOOD}\r\n",
        "line ends of old Macs": f"{HEAD}\r{GOOD}\r",
        "no line end": f"{HEAD}\n{GOOD}",
        "blank lines": f"{HEAD}\n\n{GOOD}\n\n\n",
        "blanks in the header": f"{HEAD.replace(',', ' , ')}\n{GOOD}\n",
        "a header in quotes": '"' + HEAD.replace(",", '","') + f'"\n{GOOD}\n',
        "a delimiter at the end": f"{HEAD},\n{GOOD},\n",
        "another column": f"index,{HEAD}\n0,{GOOD}\n",
    }.values(),
)
def test_csv_comes_as_it_likes(tenant: Tenant, content: str) -> None:
    tenant.deliver("spend.csv", content)
    assert not tenant.ingest().problem
    assert tenant.log(", ".join(SPEND)) == [tuple(GOOD.split(","))]


def test_quotes_count_however_late_they_come(tenant: Tenant) -> None:
    plain = "\n".join(f"2026-10-01,{number},Brand,1,EUR,1,1" for number in range(30_000))
    tenant.deliver("spend.csv", f'{HEAD}\n{plain}\n2026-10-02,late,"a, b\nc",1,EUR,1,1\n')
    assert tenant.ingest().counts.appended == 30_001
    assert tenant.log("campaign")[-1] == ("a, b\nc",)


@pytest.mark.parametrize(
    "line, reason",
    {
        "too short": ("2026-10-02,two", "it has 2 values, not 7"),
        "too long": (f"{GOOD},more", "it has 8 values, not 7"),
        "latin-1": ("2026-10-02,zwei,M\xfcller,1,EUR,1,1", "it is not UTF-8"),
        "an open quote": (
            '2026-10-02,two,"Brand,1,EUR,1,1',
            "a quote opens in line 4 and is never closed",
        ),
    }.values(),
)
def test_a_torn_line_goes_to_quarantine(tenant: Tenant, line: str, reason: str) -> None:
    tenant.deliver(
        "spend.csv", f"{HEAD}\n{GOOD}\n{GOOD.replace('one', 'two')}\n{line}\n".encode("latin-1")
    )
    assert tenant.ingest().counts._asdict() == {
        "read": 3,
        "appended": 2,
        "unchanged": 0,
        "deleted": 0,
        "quarantined": 1,
        "superseded": 0,
        "skipped": 0,
    }
    ((file, number, said, content),) = tenant.quarantine()
    assert (file, number) == ("spend.csv", 4) and reason in said
    assert content.startswith(line[:15])


def test_a_torn_json_line_goes_to_quarantine(tenant: Tenant) -> None:
    as_jsonl(path := tenant.exports / "spend.jsonl", ROWS)
    whole = path.read_text()
    path.write_text(f"{whole}\n[1, 2]\n{whole.splitlines()[0][:30]}")
    assert tenant.ingest().counts.quarantined == 2
    assert [(line, content) for _, line, _, content in tenant.quarantine()] == [
        (5, "[1, 2]"),
        (6, whole[:30]),
    ]
    assert tenant.log(", ".join(SPEND)) == ROWS


def test_json_and_parquet_types_become_text(tenant: Tenant) -> None:
    tenant.deliver(
        "spend.jsonl",
        '{"spend_date": "2026-10-01", "campaign_id": 12345678901234567, "campaign": {"a": [1, null]},'
        ' "cost": 1.25, "clicks": 3, "impressions": null, "a/~": 1, "": 2}\n',
    )
    as_text = ("2026-10-01", "12345678901234567", '{"a":[1,null]}', "1.25", None, "3", None)
    assert not tenant.ingest().problem
    assert tenant.log(", ".join(SPEND)) == [as_text]
    pyarrow.parquet.write_table(
        pa.table(
            {
                "spend_date": pa.array([20_000], pa.date32()),
                "campaign_id": pa.array([7]),
                "campaign": pa.array([None], pa.null()),
                "cost": pa.array([0.1]),
                "currency": pa.array(["EUR"]).dictionary_encode(),
                "clicks": pa.array([3], pa.uint8()),
                "impressions": pa.array([2.0]),
            }
        ),
        tenant.exports / "spend.parquet",
    )
    assert not tenant.ingest().problem
    assert tenant.log(", ".join(SPEND))[1:] == [("2024-10-04", "7", None, "0.1", "EUR", "3", "2.0")]


def test_sqlite_columns_may_begin_with_many_nulls(tenant: Tenant) -> None:
    rows = [("2026-10-01", str(number), None, 1.5, None, 1, None) for number in range(3000)]
    as_sqlite(
        tenant.exports / "spend.sqlite", [*rows, ("2026-10-02", "late", "Brand", 1, "EUR", 1, 9)]
    )
    assert tenant.ingest().counts.appended == 3001
    assert tenant.log("campaign, currency, impressions")[-1] == ("Brand", "EUR", "9")


def test_a_sqlite_view_is_read_and_a_missing_table_named(tenant: Tenant) -> None:
    path = tenant.exports / "spend.sqlite"
    as_sqlite(path, ROWS, table="other")
    problem = tenant.ingest().problem
    assert problem.startswith("spend.sqlite: there is no table 'spend' in it. To read it, write in")
    database = sqlite3.connect(path)
    database.execute("CREATE VIEW spend AS SELECT * FROM other")
    database.commit()
    database.close()
    assert tenant.ingest().counts.appended == 3
    tenant.settings.write_text(tenant.settings.read_text().replace("table: spend", "table: null"))
    path.write_bytes(path.read_bytes() + b"\0")
    assert (
        tenant.ingest().problem
        == "spend.sqlite: a SQLite file has tables, and nothing says which is read. To read it, write"
        " in clients/one.yaml under sources.google_ads.spend: `table: other` if it is that one, or"
        " `table: spend` if it is that one"
    )


def test_sqlite_rows_that_lie_beside_the_file_are_asked_for(tenant: Tenant) -> None:
    path = tenant.exports / "spend.sqlite"
    as_sqlite(path, ROWS[:1])
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("UPDATE spend SET cost = 999")
        writer.commit()
        assert "its newest rows lie beside it, in spend.sqlite-wal" in tenant.ingest().problem
    assert not tenant.ingest().problem  # the last to close it moves them into the file
    assert {float(cost) for (cost,) in tenant.newest("cost")} == {999}


def test_sqlite_text_that_is_not_utf8_is_refused(tenant: Tenant) -> None:
    as_sqlite(
        tenant.exports / "spend.sqlite", [("2026-10-01", "one", b"M\xfcller", 1, "EUR", 1, 1)]
    )
    assert "a text in it is not UTF-8; write its texts" in tenant.ingest().problem


def test_sqlite_leaves_no_file_beside_an_export(tenant: Tenant) -> None:
    as_sqlite(tenant.exports / "spend.sqlite", ROWS)
    database = sqlite3.connect(tenant.exports / "spend.sqlite")
    database.execute("PRAGMA journal_mode = wal")
    database.close()
    assert tenant.ingest().counts.appended == 3
    assert [path.name for path in tenant.exports.iterdir()] == ["spend.sqlite"]


def test_names_that_are_patterns_elsewhere_are_names_here(tenant: Tenant) -> None:
    for form, write in FORMATS.items():
        write(tenant.exports / f"spend [1] *?'%23;#.{form}", ROWS)
    assert tenant.ingest().counts._asdict() == {
        "read": 15,
        "appended": 3,
        "unchanged": 12,
        "deleted": 0,
        "quarantined": 0,
        "superseded": 0,
        "skipped": 0,
    }


@pytest.mark.parametrize("name", [b"spend \xff\xfe.csv", b"spend/\xfcber.csv"])
def test_a_name_that_is_not_utf8_is_said_and_read_once_it_is_renamed(
    tenant: Tenant, name: bytes
) -> None:
    tenant.settings.write_text(tenant.settings.read_text().replace("spend*", "**/*.csv"))
    path = tenant.exports / os.fsdecode(name)
    path.parent.mkdir(exist_ok=True)
    as_csv(path, ROWS)
    outcome = tenant.ingest()
    legible = name.decode("utf-8", "backslashreplace")
    reason = "the name of this file, or of its folder, is not UTF-8; rename it"
    assert (outcome.status.code, outcome.problem) == (
        "refused",
        f"exports/one/{legible}: {reason}",
    )
    path.rename(path.with_name("renamed.csv"))
    assert tenant.ingest().counts.appended == 3


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_compressed_file_is_read_and_half_of_one_refused(tenant: Tenant, form: str) -> None:
    FORMATS[form](tenant.exports / "plain", ROWS)
    packed = gzip.compress((tenant.exports / "plain").read_bytes())
    path = tenant.deliver(f"spend.{form}.gz", packed)
    assert not tenant.ingest().problem
    assert tenant.log(", ".join(SPEND)) == ROWS
    path.write_bytes(packed[:-20])
    assert tenant.ingest().problem.startswith(f"spend.{form}.gz: ")
