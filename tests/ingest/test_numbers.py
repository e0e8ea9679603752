"""Numbers: none is read in two ways, and what decides how one is read is seen in other numbers."""

import json
import sqlite3

import pyarrow as pa
import pyarrow.parquet
import pytest

from pipelines.settings.reader import ClientError, parse
from tests.builders.tenant import Tenant
from tests.conftest import House

HEAD = "spend_date,campaign_id,campaign,cost,currency,clicks,impressions,conversions"


@pytest.fixture
def tenant(house: House) -> Tenant:
    """A client with nothing delivered, of whose rows half may be bad."""
    return Tenant(house.home)


def row(
    cost: str, clicks: str = "1", currency: str = "", conversions: str = "", day: str = "01"
) -> str:
    """Return a row of spend of a campaign that is called after its cost and currency."""
    return f'2026-10-{day},"c{cost}{currency}",Brand,"{cost}",{currency},"{clicks}",1,{conversions}'


def deliver(tenant: Tenant, *rows: str, file: str = "spend.csv") -> str:
    """Deliver rows of spend; return what is wrong with them."""
    tenant.deliver(file, "\n".join([HEAD, *rows, ""]))
    return tenant.ingest().problem


def setting(tenant: Tenant, line: str) -> None:
    """Write a line below the export of spend."""
    text = tenant.settings.read_text()
    tenant.settings.write_text(text.replace("table: spend", f"table: spend\n      {line}"))


ASKED = "its numbers can be read in two ways, and no number of this export decides: cost '1.250'"


@pytest.mark.parametrize(
    "others",
    [
        [],
        [row("1250"), row("0"), row("7")],
        [row("2.480"), row("12.000"), row("-3.125")],
        [row("5", conversions="2.125")],
        [row("1.250"), row("1.250")],
    ],
)
def test_what_may_be_thousands_is_asked_for(tenant: Tenant, others: list[str]) -> None:
    problem = deliver(tenant, row("1.250"), *others)
    assert ASKED in problem
    assert "cost '1.250', '1.250'" not in problem
    assert problem.endswith(
        'under sources.google_ads.spend: `numbers: {decimal: ",", thousands: "."}` if \'1.250\' is'
        " 1250, or `numbers: {decimal: \".\"}` if '1.250' is 1.250"
    )
    assert tenant.log("*") == []


@pytest.mark.parametrize(
    "other",
    [
        row("3.5"),
        row("0.125"),
        row("1234.567"),
        row("12.2500"),
        row("5", clicks="159.0"),
        row("5", conversions="1.5"),
        row("1.250", currency="KWD"),
    ],
)
def test_another_number_of_the_file_decides(tenant: Tenant, other: str) -> None:
    rates = "\n  rates:\n    rates:\n      files: exports/one/rates.csv\n"
    tenant.settings.write_text(tenant.settings.read_text() + rates.strip("\n") + "\n")
    assert deliver(tenant, row("1.250"), other) == ""
    assert ("1.250",) in tenant.newest("cost")


def test_another_file_decides_with_it_or_before_it(tenant: Tenant) -> None:
    tenant.deliver("spend-2.csv", f"{HEAD}\n{row('3.5', day='02')}\n")
    assert deliver(tenant, row("1.250"), file="spend-1.csv") == ""
    for file in tenant.exports.iterdir():
        file.unlink()
    assert deliver(tenant, row("2.480", day="03"), file="spend-3.csv") == ""
    assert tenant.newest("cost") == {("3.5",), ("1.250",), ("2.480",)}


@pytest.mark.parametrize("currency", ["JOD", "OMR"])
def test_a_currency_of_three_decimals_decides(tenant: Tenant, currency: str) -> None:
    text = tenant.settings.read_text()
    tenant.settings.write_text(text.replace("currency: EUR", f"currency: {currency}"))
    assert deliver(tenant, row("1.250")) == ""


@pytest.mark.parametrize("form", ["parquet", "jsonl", "sqlite"])
def test_a_column_of_numbers_is_not_text_that_looks_like_one(tenant: Tenant, form: str) -> None:
    names = HEAD.split(",")[:-1]
    values = ["2026-10-01", "one", "Brand", 1.125, None, 1, 1]
    path = tenant.exports / f"spend.{form}"
    if form == "parquet":
        pyarrow.parquet.write_table(pa.table({n: [v] for n, v in zip(names, values)}), path)
    elif form == "jsonl":
        path.write_text(json.dumps(dict(zip(names, values))) + "\n")
    else:
        kinds = ["TEXT", "TEXT", "TEXT", "REAL", "TEXT", "INTEGER", "INTEGER"]
        with sqlite3.connect(path) as database:
            listed = ", ".join(f"{name} {kind}" for name, kind in zip(names, kinds))
            database.execute(f"CREATE TABLE spend ({listed})")
            database.execute("INSERT INTO spend VALUES (?, ?, ?, ?, ?, ?, ?)", values)
        database.close()
    assert tenant.ingest().problem == ""
    assert tenant.newest("cost") == {("1.125",)}


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_text_in_such_a_file_is_asked_for(tenant: Tenant, form: str) -> None:
    values = dict(zip(HEAD.split(","), ["2026-10-01", "one", "Brand", "1.250", None, 1, 1]))
    path = tenant.exports / f"spend.{form}"
    if form == "parquet":
        pyarrow.parquet.write_table(pa.table({name: [it] for name, it in values.items()}), path)
    else:
        path.write_text(json.dumps(values) + "\n")
    assert ASKED in tenant.ingest().problem


def test_a_count_takes_no_decimals_and_floats_that_are_whole(tenant: Tenant) -> None:
    good = [row(str(number), clicks=f"{number}.0") for number in range(1, 9)]
    problem = deliver(tenant, *good, row("20", clicks="12.5"), row("21", clicks="1e3"))
    assert problem == ""
    assert {reason for _, _, reason, _ in tenant.quarantine()} == {
        "clicks '12.5' is no integer",
        "clicks '1e3' is no integer",
    }
    assert len(tenant.newest("clicks")) == 8


def test_a_count_with_points_is_one_of_thousands(tenant: Tenant) -> None:
    assert not deliver(tenant, row("980", clicks="12.345"), *[row(str(n)) for n in range(5)])
    assert ("980", "12345") in tenant.newest("cost, clicks")


def test_what_is_not_written_as_the_setting_says_is_bad(tenant: Tenant) -> None:
    setting(tenant, 'numbers: {decimal: ",", thousands: "."}')
    good = ["1.234,56", "980,10", "7", "-1.000", "1,5e2", "2.000,50 EUR"]
    bad = ["1234.56", "1.23", "1,234.56", "12.34.567.8", "1.234,56 USD"]
    assert deliver(tenant, *map(row, good + bad)) == ""
    costs = {cost for (cost,) in tenant.newest("cost")}
    assert costs == {"1234.56", "980.10", "7", "-1000", "1.5e2", "2000.50"}
    assert [json.loads(content)["cost"] for *_, content in tenant.quarantine()] == bad


def test_a_unit_moves_the_point_exactly(tenant: Tenant) -> None:
    setting(tenant, "unit: {cost: micros}")
    micros = [
        "1234560000",
        "1",
        "-55400000",
        "2.27006e9",
        "1234560000.0",
        "999999999999999999",
        "0",
    ]
    assert deliver(tenant, *map(row, micros), row("1.250"), row("x")) == ""
    costs = {cost for (cost,) in tenant.newest("cost")}
    assert costs == {"1234.56", "0.000001", "-55.4", "2270.06", "999999999999.999999", "0"}
    assert [json.loads(content)["cost"] for *_, content in tenant.quarantine()] == ["1.250", "x"]


def test_numbers_and_a_unit_go_together(tenant: Tenant) -> None:
    setting(tenant, 'numbers: {thousands: "."  , decimal: ","}\n      unit: {cost: cents}')
    assert deliver(tenant, row("123.456", clicks="1.020"), row("7")) == ""
    assert tenant.newest("cost, clicks") == {("1234.56", "1020"), ("0.07", "1")}


def test_a_changed_reading_gives_a_row_a_newer_version(tenant: Tenant) -> None:
    assert deliver(tenant, row("123456")) == ""
    setting(tenant, "unit: {cost: cents}")
    assert deliver(tenant, row("123456"), "", file="spend-again.csv") == ""
    assert tenant.log("cost, is_deleted") == [("123456", False), ("1234.56", False)]
    assert tenant.newest("cost") == {("1234.56",)}


def test_a_currency_may_be_in_small_letters(tenant: Tenant) -> None:
    assert deliver(tenant, row("5", currency="eur"), row("6", currency="Eur")) == ""
    assert tenant.newest("cost, currency") == {("5", "EUR"), ("6", "EUR")}
    assert "currency USD, the client has EUR" in deliver(tenant, row("7", currency="usd"))
    assert (
        deliver(tenant, row("8", currency="€"), row("9", currency=" eur "), file="spend.csv") == ""
    )
    assert tenant.newest("cost, currency") >= {("8", "EUR"), ("9", "EUR")}


def test_a_blank_before_an_offset_is_none(tenant: Tenant) -> None:
    head = "opportunity_id,customer_id,stage,is_won,closed_at,amount,currency"
    offsets = [" -0500", " +01:00", " +0000", " Z", "  +02", " UTC"]
    lines = [f"d{n},c,Won,true,2026-11-03 04:59:58{each},1,EUR" for n, each in enumerate(offsets)]
    tenant.deliver("deals.csv", "\n".join([head, *lines, ""]))
    assert tenant.ingest("salesforce").problem == ""
    assert [at for (at,) in tenant.log("closed_at", "salesforce", "opportunities")] == [
        "2026-11-03 04:59:58-0500",
        "2026-11-03 04:59:58+01:00",
        "2026-11-03 04:59:58+0000",
        "2026-11-03 04:59:58Z",
        "2026-11-03 04:59:58+02",
        "2026-11-03 04:59:58 UTC",
    ]


@pytest.mark.parametrize(
    "line, said",
    {
        'numbers: {decimal: "."  , thousands: "."}': "decimal and thousands are both '.'",
        "numbers: {thousands: x}": "a point, a comma, a blank or an apostrophe",
        "unit: {clicks: cents}": "'clicks' counts; write thousands, millions or units",
        "unit: {campaign: cents}": "'campaign' is no column of money; use one of cost",
        "unit: {conversions: cents}": "'conversions' is no column of money",
        "unit: {cost: pennies}": "micros, cents, units, thousands or millions",
    }.items(),
)
def test_a_wrong_setting_says_what_is_right(tenant: Tenant, line: str, said: str) -> None:
    setting(tenant, line)
    with pytest.raises(ClientError) as error:
        parse(tenant.settings)
    assert said in str(error.value)
