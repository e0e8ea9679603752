"""One id is one key, in whatever form a program writes it: 12 and 12.0 are one, 012 and 12 are asked about."""

import json
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from pipelines.__main__ import app
from pipelines.ingest import decimal_ids, rounded_ids
from pipelines.ingest.decimal_ids import Forms
from pipelines.ingest.table import Table
from pipelines.sources.batches import Batch
from tests.builders.tenant import Tenant
from tests.conftest import House

HEAD = "spend_date,campaign_id,campaign,cost,currency,clicks,impressions"


@pytest.fixture
def tenant(house: House) -> Tenant:
    """A client with nothing delivered."""
    return Tenant(house.home)


def deliver(tenant: Tenant, file: str, *rows: tuple[str, str, str]) -> None:
    """Deliver spend: a day of October, a campaign's id and a cost."""
    lines = [f"2026-10-{day},{campaign},Brand,{cost},EUR,1,1" for day, campaign, cost in rows]
    tenant.deliver(file, "\n".join([HEAD, *lines]) + "\n")


def load(tenant: Tenant, file: str, *rows: tuple[str, str, str]) -> list[str]:
    """Deliver spend and load it; return what was said."""
    deliver(tenant, file, *rows)
    outcome = tenant.ingest()
    assert outcome.problem == ""
    return outcome.status.notes


def spent(tenant: Tenant) -> set[tuple]:
    """Return what was spent, by day and campaign."""
    return tenant.newest("spend_date[-2:], campaign_id, cost")


def load_as_before(tenant: Tenant, file: str, *rows: tuple[str, str, str]) -> None:
    """Load spend as a version of the product did that knew nothing of forms."""

    def as_delivered(
        connection: duckdb.DuckDBPyConnection,
        table: Table,
        batches: list[Batch],
        files: list[Path],
    ) -> Forms:
        return Forms()

    with pytest.MonkeyPatch.context() as older:
        older.setattr(decimal_ids, "one_form", as_delivered)
        older.setattr(decimal_ids, "rename", lambda connection, table: None)
        older.setattr(rounded_ids, "_ROUNDED", "nothing")
        load(tenant, file, *rows)


@pytest.mark.parametrize("form", ["12.0", "12.00", "1.2E+1", "1.200e1"])
def test_an_id_keeps_the_form_that_the_lake_has_of_it(tenant: Tenant, form: str) -> None:
    load_as_before(tenant, "spend-1.csv", ("01", form, "5"), ("02", form, "6"))
    notes = load(tenant, "spend-2.csv", ("02", "12", "7"), ("03", "12", "8"), ("03", "13", "9"))

    expected = {("01", form, "5"), ("02", form, "7"), ("03", form, "8"), ("03", "13", "9")}
    assert spent(tenant) == expected
    assert notes == [
        f"spend-2.csv: campaign_id of 2 rows is written '12': it is read as '{form}', which is one id with"
        " it; export it in one form, as whole numbers or as text"
    ]
    (note,) = load(tenant, "spend-3.csv", ("03", "12", "8"))
    assert "1 row is written '12'" in note
    assert spent(tenant) == expected


def test_an_id_that_would_be_too_large_a_number_stops_nobody(tenant: Tenant) -> None:
    """Among a million ids of the digits 0 to f, some look like one."""
    load_as_before(tenant, "spend-1.csv", ("01", "3.766193505537e32", "5"))
    load(tenant, "spend-2.csv", ("02", "12", "7"))

    assert spent(tenant) == {("01", "3.766193505537e32", "5"), ("02", "12", "7")}


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("form", ["12.0", '"12,0"', "json"])
def test_decimals_are_read_as_the_whole_number(tenant: Tenant, form: str, at_once: bool) -> None:
    """A program that keeps a column with gaps as binary numbers writes 12 as 12.0."""
    deliver(tenant, "spend-2026-10-01.csv", ("01", "12", "5"), ("02", "12", "6"))
    if not at_once:
        assert tenant.ingest().problem == ""
    if form == "json":
        row = dict(zip(HEAD.split(","), ["2026-10-02", 12.0, "Brand", 7, "EUR", 1, 1]))
        tenant.deliver("spend-2026-10-02.jsonl", json.dumps(row) + "\n")
    else:
        deliver(tenant, "spend-2026-10-02.csv", ("02", form, "7"))
    outcome = tenant.ingest()

    assert outcome.problem == ""
    assert spent(tenant) == {("01", "12", "5"), ("02", "12", "7")}
    (note,) = outcome.status.notes
    assert "it is read as '12', which is one id with it" in note


def test_a_new_id_with_decimals_is_whole_unless_the_lake_has_others(tenant: Tenant) -> None:
    load(tenant, "spend-1.csv", ("01", "12.0", "5"))
    assert spent(tenant) == {("01", "12", "5")}

    other = Tenant(tenant.home, "two")
    load_as_before(other, "spend-1.csv", ("01", "12.0", "5"))
    (note,) = load(other, "spend-2.csv", ("02", "13.0", "6"))
    assert "as '13.0', like those that were loaded before" in note
    assert spent(other) == {("01", "12.0", "5"), ("02", "13.0", "6")}


def test_a_day_that_counted_twice_counts_once_when_it_comes_again(tenant: Tenant) -> None:
    load_as_before(tenant, "spend-1.csv", ("01", "12.0", "5"), ("02", "12.0", "6"))
    load_as_before(tenant, "spend-2.csv", ("02", "12", "7"))
    assert len(spent(tenant)) == 3

    load(tenant, "spend-3.csv", ("02", "12", "8"))
    assert spent(tenant) == {("01", "12.0", "5"), ("02", "12", "8")}


@pytest.mark.parametrize("mode", ["increment", "full"])
def test_both_forms_in_one_file_are_two_rows_of_one_key(tenant: Tenant, mode: str) -> None:
    text = tenant.settings.read_text()
    tenant.settings.write_text(text.replace("delivery: increment", f"delivery: {mode}"))
    deliver(tenant, "spend.csv", ("01", "12", "5"), ("01", "12.0", "6"))
    assert "2 of 2 rows share their key" in tenant.ingest().problem


def test_orders_are_known_by_one_form_of_their_id(tenant: Tenant) -> None:
    head = "opportunity_id,customer_id,stage,is_won,closed_at,amount"
    tenant.deliver("deals-1.csv", f"{head}\n12,7,Won,true,2026-10-01,5\n")
    assert tenant.ingest("salesforce").problem == ""
    tenant.deliver("deals-2.csv", f"{head}\n12.0,7.0,Won,true,2026-10-01,6\n")
    assert tenant.ingest("salesforce").problem == ""
    rows = tenant.log("row_key, customer_id, amount", "salesforce", "opportunities")
    assert rows == [("12", "7", "5"), ("12", "7", "6")]


@pytest.mark.parametrize(
    ("known", "came", "how"),
    [("012", "12", "leading zeros"), ("12", "0012", "leading zeros"), ("Brand-7", "brand-7", "capitals")],
)  # fmt: skip
@pytest.mark.parametrize("at_once", [True, False])
def test_a_key_in_another_form_waits_for_a_word(
    tenant: Tenant, known: str, came: str, how: str, at_once: bool
) -> None:
    deliver(tenant, "spend-1.csv", ("01", known, "5"), ("02", known, "6"))
    if not at_once:
        assert tenant.ingest().problem == ""
    deliver(tenant, "spend-2.csv", ("02", came, "7"), ("03", came, "8"))
    assert tenant.ingest().problem == (
        f"spend-2.csv: 1 row has a key that differs from another only in {how} of campaign_id, such as"
        f" '{came}' and '{known}': if they are one, its days would count twice. Export campaign_id as text,"
        f" as it was: '{known}'; or, if they are two, confirm it: make accept CLIENT=one SOURCE=google_ads"
    )

    done = CliRunner().invoke(app, ["accept", "one", "--source", "google_ads"])
    assert done.exit_code == 0 and f"{came} beside {known}" in done.stdout.replace("\n", " ")
    assert tenant.ingest().problem == ""
    assert len(spent(tenant)) == 4
    (note,) = load(tenant, "spend-3.csv", ("01", came, "9"))
    assert note.endswith("both are loaded, so they count as two")


def test_the_file_with_the_form_of_before_is_taken(tenant: Tenant) -> None:
    load(tenant, "spend-1.csv", ("01", "012", "5"))
    deliver(tenant, "spend-2.csv", ("01", "12", "6"))
    assert "make accept" in tenant.ingest().problem
    load(tenant, "spend-2.csv", ("01", "012", "6"))
    assert spent(tenant) == {("01", "012", "6")}


def test_ids_that_one_file_tells_apart_are_two(tenant: Tenant) -> None:
    load(tenant, "spend-1.csv", ("01", "012", "5"), ("01", "12", "6"))
    load(tenant, "spend-2.csv", ("02", "012", "5"), ("02", "12", "6"))
    load(tenant, "spend-3.csv", ("03", "12", "5"))  # another day: no key is known in another form
    assert len(spent(tenant)) == 5


def test_blanks_are_no_part_of_an_id(tenant: Tenant) -> None:
    load(tenant, "spend-1.csv", ("01", "12", "5"))
    load(tenant, "spend-2.csv", ("01", " 12\u00a0", "6"))
    assert spent(tenant) == {("01", "12", "6")}
