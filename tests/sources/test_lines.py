"""Lines: each line of a text file is in a row, in quarantine, in the header, or blank."""

import csv
import gzip
import io
from contextlib import ExitStack
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipelines.contracts.catalog import CONTRACTS
from pipelines.ingest.accounting import Taken, accounted
from pipelines.settings.exports import Export
from pipelines.settings.limits import Limits
from pipelines.sources.batches import Batch, ExportError, Rows
from pipelines.sources.files import physical_lines
from pipelines.sources.files.reading import opened
from pipelines.sources.files.records import grammar, pieces
from tests.builders.pasting import paste
from tests.builders.tenant import SPEND, Tenant
from tests.conftest import House

HEAD = ",".join(SPEND)
CONTRACT = CONTRACTS["google_ads"]["spend"]


def spent(count: int) -> list[str]:
    """Return the lines of so many rows."""
    return [f"2026-10-{n % 28 + 1:02d},{n},Brand {n},1.5,EUR,{n % 7},100" for n in range(count)]


def delivered(rows: list[str], end: str = "\n") -> str:
    """Return a file of rows, below their header."""
    return end.join([HEAD, *rows]) + end


@pytest.fixture
def tenant(house: House) -> Tenant:
    """A client of which one row in twenty may be bad."""
    return Tenant(house.home, limit=0.05)


def swallowing(count: int, first: int, last: int | None, value: str = "Brand {}") -> str:
    """Return a file in which a quote opens in one row, and closes in another, or never."""
    rows = spent(count)
    opening = value.format(first)
    rows[first] = f'"{opening}'.join(rows[first].rsplit(opening, 1))
    if last is not None:
        closing = value.format(last)
        rows[last] = f'{closing}"'.join(rows[last].rsplit(closing, 1))
    return delivered(rows)


@pytest.mark.parametrize(
    "content, said",
    {
        "open to the end": (
            swallowing(400, 200, None),
            "200 of 401 lines are bad: a quote opens in line 202 and is never closed",
        ),
        "closed much later": (
            swallowing(400, 200, 390),
            "191 of 401 lines are bad: a quote that opens in line 202 makes one row of 191 lines",
        ),
        "a note of many lines": (
            delivered([*spent(30), '2026-10-01,x,"' + "a\n" * 1000 + '",1,EUR,1,1']),
            "under sources.google_ads.spend: `row_lines: 1001`",
        ),
    }.values(),
)
def test_a_quote_that_swallows_many_lines_refuses_the_file(
    tenant: Tenant, content: str, said: str
) -> None:
    tenant.deliver("spend.csv", content)
    assert said in tenant.ingest().problem
    assert tenant.log("*") == []


@pytest.mark.parametrize(
    "content, lines",
    {
        "closed in the third row after": (swallowing(200, 100, 103), 4),
        "closed in the next row": (swallowing(200, 100, 101), 2),
        "in the last column": (swallowing(200, 100, 102, "100"), 3),
        "not closed, but another one opens": (
            swallowing(200, 100, None).replace("Brand 102", '"Brand 102'),
            3,
        ),
        "closed in the middle of a value": (
            swallowing(200, 100, None).replace("Brand 100", 'Brand" 100'),
            1,
        ),
    }.values(),
)
def test_a_quote_that_swallows_a_few_rows_takes_them_to_quarantine(
    tenant: Tenant, content: str, lines: int
) -> None:
    tenant.deliver("spend.csv", content)
    outcome = tenant.ingest()
    assert (outcome.problem, outcome.counts.quarantined) == ("", 1)
    assert outcome.counts.appended == 200 - lines
    ((_, line, reason, text),) = tenant.quarantine()
    assert line == 102 and "quote" in reason
    assert text == "\n".join(content.splitlines()[101 : 101 + lines])
    assert tenant.log("lines", table="quarantine") == [(lines,)]
    assert tenant.log("lines_read, rows_read", table="exports") == [(201, 201 - lines)]


def test_the_setting_that_is_named_reads_a_note_of_many_lines(tenant: Tenant) -> None:
    note = "a note\n" * 1500
    tenant.deliver("spend.csv", delivered([*spent(30), f'2026-10-01,x,"{note}.",1,EUR,1,1']))
    paste(tenant.settings, tenant.ingest().problem)
    assert "row_lines: 1501" in tenant.settings.read_text()
    assert tenant.ingest().counts.appended == 31
    assert tenant.log("campaign")[-1] == (f"{note}.",)


CUT_ROW = '2026-10-01,7,"Brand 7'


@pytest.mark.parametrize("row_lines", ["", "\n      row_lines: 20"])
@pytest.mark.parametrize(
    "rows, lines",
    {
        "a row that was cut": ([CUT_ROW, '2026-10-02,8,Brand 8",1.5,EUR,1,100'], 2),
        "another day, other money": ([CUT_ROW, '2026/10/2,8,Brand 8",15,EUR,,'], 2),
        "a whole row between": ([CUT_ROW, *spent(1), '",1.5,EUR,1,100'], 3),
        "the first of them is whole": (['2026-10-01,7,"Brand 7,1,EUR,1,1', 'x",1,EUR,1,1'], 2),
        "both are whole": (['2026-10-01,7,"Brand 7,1,EUR,1,1', '2026-10-01,8,x",1,EUR,1,1'], 2),
        "whole ones to the last column": (
            ['2026-10-01,7,x,1,EUR,1,"1', '2026-10-01,8,x,1,EUR,1,1"'],
            2,
        ),
    }.values(),
)
def test_lines_of_which_one_is_a_row_are_none_whatever_the_settings_say(
    tenant: Tenant, rows: list[str], lines: int, row_lines: str
) -> None:
    text = tenant.settings.read_text()
    tenant.settings.write_text(text.replace("table: spend", f"table: spend{row_lines}"))
    tenant.deliver("spend.csv", delivered([*spent(60), *rows]))
    outcome = tenant.ingest()
    assert (outcome.problem, outcome.counts.quarantined, outcome.counts.appended) == ("", 1, 60)
    ((_, line, reason, text),) = tenant.quarantine()
    assert line == 62 and "of which one is a row by its values; close it, or take" in reason
    assert text == "\n".join(rows)
    assert tenant.log("lines", table="quarantine") == [(lines,)]


@pytest.mark.parametrize(
    "note",
    [
        "first\n2026-10-02 was a good day, so, we, went, on, and, on",
        "Dear all,\n1, 2, 3, 4, 5, 6",
        "2026-10-01, 2026-10-02\n2026-10-03",
        "a,b,c,d,e,f,g\nh,i,j,k,l,m,n",
        "Berlin, Mitte, 10115\nGermany, 2026",
    ],
)
def test_a_note_with_commas_and_days_is_read_with_the_setting(tenant: Tenant, note: str) -> None:
    text = tenant.settings.read_text()
    tenant.settings.write_text(text.replace("table: spend", "table: spend\n      row_lines: 9"))
    tenant.deliver("spend.csv", delivered([*spent(30), f'2026-10-01,x,"{note}",1,EUR,1,1']))
    assert tenant.ingest().counts.appended == 31
    assert tenant.log("campaign")[-1] == (note,)


def test_a_value_keeps_its_line_breaks(tenant: Tenant) -> None:
    names = ["of\ntwo", "\r\n, of Windows, and\n\nblank", "of\rMacs", '"quoted",\n""', '5" pipe']
    rows = [f'2026-10-01,{n},"{name.replace(chr(34), chr(34) * 2)}",1,EUR,1,1' for n, name in
            enumerate(names)]  # fmt: skip
    tenant.deliver("spend.csv", delivered(rows))
    assert not tenant.ingest().problem
    assert tenant.log("campaign") == [(name.strip(),) for name in names]


def test_line_ends_may_differ_and_lines_may_be_blank(tenant: Tenant) -> None:
    rows = spent(6)
    text = f"\n \r\n{HEAD}\r\n{rows[0]}\n{rows[1]}\r{rows[2]}\r\n\r\n\n{rows[3]}\n\t\n{rows[4]}\r{rows[5]}"
    tenant.deliver("spend.csv", text)
    assert not tenant.ingest().problem
    assert tenant.log(", ".join(SPEND)) == [tuple(row.split(",")) for row in rows]
    assert tenant.log("lines_read, rows_read", table="exports") == [(12, 6)]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("place", [5, 99])
def test_a_line_that_is_too_long_is_kept_by_its_place(
    tenant: Tenant, packed: bool, place: int
) -> None:
    rows = spent(100)
    rows[place] = rows[place].replace("Brand", "x" * 34_000_000)
    content = delivered(rows)[: -1 if place == 99 else None].encode()
    tenant.deliver("spend.csv" + ".gz" * packed, gzip.compress(content, 1) if packed else content)
    assert tenant.ingest().counts.appended == 99
    ((_, line, reason, text),) = tenant.quarantine()
    assert line == place + 2 and reason.endswith("bytes long; 2,000,000 at most are read")
    start = len(delivered(rows[:place]))
    assert f"… (cut: bytes {start + 1} to {start + len(rows[place]) + (place == 5)}" in text


@pytest.mark.parametrize(
    "row, said",
    [
        ("2026-10-01,x,\0\0\0\0,1,EUR,1,1", "it holds NULs, the byte 0; take them out"),
        ("2026-10-01,x," + "y" * 20_000 + '"",1,EUR', "it has 5 values, not 7"),
    ],
)
def test_a_line_that_cannot_be_read_is_kept(tenant: Tenant, row: str, said: str) -> None:
    tenant.deliver("spend.csv", delivered([*spent(25), row, *spent(1)]))
    assert tenant.ingest().counts.quarantined == 1
    ((_, line, reason, text),) = tenant.quarantine()
    assert (line, reason[: len(said)]) == (27, said)
    assert text.startswith(row[:13])


def test_a_nul_by_itself_is_left_out_of_its_text(tenant: Tenant) -> None:
    tenant.deliver("spend.csv", delivered([*spent(25), "2026-10-01,x,face\0book,1,EUR,1,1"]))
    outcome = tenant.ingest()
    assert outcome.counts.appended == 26
    assert "spend.csv: NULs, the byte 0, are left out of 1 of its rows" in outcome.status.notes
    assert ("facebook",) in tenant.newest("campaign")


def test_a_text_that_costs_every_model_much_goes_to_quarantine(tenant: Tenant) -> None:
    rows = spent(100)
    rows[5] = rows[5].replace("Brand", "x" * 19_998)
    rows[6] = rows[6].replace("Brand", "x" * 19_999)
    tenant.deliver("spend.csv", delivered(rows))
    assert tenant.ingest().counts.appended == 99
    ((_, line, reason, text),) = tenant.quarantine()
    assert (line, reason) == (8, "campaign has 20,001 bytes, 20,000 at most are read") and len(
        text
    ) > 20_000


def test_a_nul_in_json_or_parquet_goes_to_quarantine(tenant: Tenant) -> None:
    line = '{"spend_date": "2026-10-01", "campaign_id": "%d", "campaign": "%s", "cost": 1}\n'
    lines = [line % (number, "Brand") for number in range(30)] + [line % (30, "face\\u0000book")]
    tenant.settings.write_text(
        tenant.settings.read_text().replace(
            "table: spend", "columns: {clicks: null, impressions: null}"
        )
    )
    tenant.deliver("spend.jsonl", "".join(lines))
    assert tenant.ingest().counts.quarantined == 1
    assert [(line, reason) for _, line, reason, _ in tenant.quarantine()] == [
        (31, "campaign holds a NUL")
    ]


def test_lines_in_quarantine_are_the_lines_of_the_file(tenant: Tenant) -> None:
    rows = spent(60)
    rows[3] = rows[3].replace("Brand 3", '"Brand\n3"')
    rows[5] = "2026,x"
    rows[7] = rows[7].replace("1.5", "abc")
    tenant.deliver("spend.csv", delivered(rows))
    tenant.ingest()
    assert [line for _, line, _, _ in tenant.quarantine()] == [8, 10]


@pytest.mark.slow
@pytest.mark.parametrize("quoted", [False, True])
def test_a_file_of_many_buffers_has_each_row_once(tmp_path: Path, quoted: bool) -> None:
    count, note = 400_000, "x" * 150
    path = tmp_path / "spend.csv"
    with path.open("w") as file:
        file.write(f"{HEAD}\n")
        for number in range(count):
            name = f'"{note}\n{number}"' if quoted and number % 9_973 == 0 else note
            end = ",1,EUR,1,1\n" if number % 9_967 else "\n"
            file.write(f"2026-10-01,{number},{name}{end}")
    rows, rejects = taken(path)
    bad = [number for number in range(count) if number % 9_967 == 0]
    assert [int(values[1]) for _, _, values in rows] == [
        number for number in range(count) if number % 9_967
    ]
    breaks = lambda number: -(-number // 9_973) if quoted else 0  # noqa: E731
    assert sorted(line for line, *_ in rejects) == [2 + n + breaks(n) for n in bad]


# What was read of a file: rows (first line, how many, values), and rejects (line, how many, text).
Found = tuple[list[tuple[int, int, tuple]], list[tuple[int, int, str]]]


def taken(path: Path, **settings: int) -> Found:
    """Return what is read of a file, as ingest reads it, but without a lake."""
    export = Export(files="spend*", **settings)
    found: list[Found] = []
    with ExitStack() as held:
        spill = {"temp_directory": str(path.parent / "spill")}
        connection = held.enter_context(duckdb.connect(config=spill))
        changed = path.stat().st_mtime_ns
        first = held.enter_context(opened(path, CONTRACT, export, Limits(), changed, connection))

        def read(rows: Rows) -> Taken:
            columns = ", ".join(rows.columns.get(name, "NULL") for name in SPEND)
            good = connection.execute(
                f"""SELECT {rows.number} AS number, {rows.line}, {rows.lines}, [{columns}]
                FROM {rows.relation} ORDER BY number"""
            ).fetchall()
            bad = connection.execute(
                f"""SELECT line, lines, content
                FROM ({rows.rejects}) AS rejects(line, content, reason, lines)"""
            ).fetchall()
            found.append(([(line, lines, tuple(values)) for _, line, lines, values in good], bad))
            return Taken(rows, len(good), len(bad))

        def never(_: duckdb.DuckDBPyConnection) -> ExitStack:
            raise AssertionError("it is open already")

        accounted(connection, Batch("spend", "spend.csv", "", path, never), first, read)
    return found[-1]


def written(rows: list[list[str]], quoting: int, end: str) -> bytes:
    """Return rows as Python's own writer of CSV writes them."""
    text = io.StringIO(newline="")
    csv.writer(text, quoting=quoting, lineterminator=end).writerows([SPEND, *rows])
    return text.getvalue().encode()


VALUES = st.text(st.sampled_from('ab,;"\n é'), max_size=8).map(lambda text: f"v{text}v")
ROWS = st.lists(st.lists(VALUES, min_size=7, max_size=7), max_size=6)
QUIET = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@QUIET
@given(rows=ROWS, quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), end=st.sampled_from(["\n", "\r\n"]))  # fmt: skip
def test_what_is_right_is_read_as_python_reads_it(
    tmp_path: Path, rows: list[list[str]], quoting: int, end: str
) -> None:
    path = tmp_path / "spend.csv"
    path.write_bytes(written(rows, quoting, end))
    read, rejects = taken(path, row_lines=100)
    assert [list(values) for _, _, values in read] == rows
    assert rejects == []


PARTS = [b"a", b",", b'"', b"\n", b"\r\n", b"\r", b'"x\ny"', b"\0", b" ", b"\xff", "é".encode()]
PARTS += [spent(1)[0].encode() + b"\n", b'2026-10-01,1,"a\nb",1,EUR,1,1\n', b"," * 6]
DIRT = st.lists(st.sampled_from(PARTS), max_size=14).map(b"".join)


@QUIET
@given(dirt=DIRT, packed=st.booleans())
@example(dirt=b'x,"y\n', packed=False)
def test_each_line_of_whatever_comes_is_accounted_for_once(
    tmp_path: Path, dirt: bytes, packed: bool
) -> None:
    content = HEAD.encode() + b"\n" + dirt
    path = tmp_path / ("spend.csv.gz" if packed else "spend.csv")
    path.write_bytes(gzip.compress(content, 1) if packed else content)
    lines = content.splitlines()
    try:
        rows, rejects = taken(path)
    except ExportError as error:
        pytest.fail(f"refused: {error}")
    spans = [(line, lines) for line, lines, _ in [*rows, *rejects]]
    held = [line + number for line, lines in spans for number in range(lines)]
    blank = [number for number, line in enumerate(lines, 1) if not line.strip()]
    assert len(held) == len(set(held))
    assert {1, *held, *blank} == set(range(1, len(lines) + 1))
    for first, count, text in rejects:
        shown = b"\n".join(lines[first - 1 : first - 1 + count]).replace(b"\0", rb"\0")
        expected = shown.decode("utf-8", "backslashreplace")
        if r"\0" not in text:  # one by itself is left out, and the line is none for another reason
            expected = expected.replace(r"\0", "")
        assert text.splitlines() == expected.splitlines()


@QUIET
@given(dirt=DIRT, size=st.integers(1, 9))
def test_a_file_falls_into_the_same_pieces_wherever_its_blocks_end(dirt: bytes, size: int) -> None:
    whole = [dirt[place : place + size] for place in range(0, len(dirt), size)]
    found = list(pieces(whole, grammar(",")))
    assert b"".join(piece.text for piece in found) == dirt
    odd = [piece for piece in pieces([dirt], grammar(",")) if piece.is_one or piece.fault]
    assert [piece for piece in found if piece.is_one or piece.fault] == odd


@QUIET
@given(dirt=DIRT, size=st.integers(1, 9), is_quoted=st.booleans())
def test_lines_are_counted_wherever_blocks_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dirt: bytes, size: int, is_quoted: bool
) -> None:
    path = tmp_path / "spend.csv"
    path.write_bytes(dirt)
    monkeypatch.setattr(physical_lines, "BLOCK", size)
    assert physical_lines.survey(path, is_quoted).lines == len(dirt.splitlines())
