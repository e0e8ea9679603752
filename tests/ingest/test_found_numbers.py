"""Numbers and flags are read as their values prove that they are written, as those before them, or not at all."""

import duckdb
import pytest

from pipelines.ingest.withdrawal import withdraw
from pipelines.sources.dressed_numbers import bare, contradicts
from pipelines.sources.flag_words import LISTS
from tests.builders.tenant import Tenant
from tests.conftest import House

DEALS = "opportunity_id,customer_id,stage,is_won,closed_at,amount,currency"
POINTS = '`numbers: {decimal: ",", thousands: "."}`'


@pytest.fixture
def tenant(house: House) -> Tenant:
    return Tenant(house.home, limit=0)


def spend(tenant: Tenant, file: str, *costs: str) -> str:
    """Deliver costs, each of a campaign of its own; return what is wrong with them."""
    head = "spend_date;campaign_id;campaign;cost;clicks;impressions\n"
    rows = [f"2026-10-01;{file}-{n};Brand;{cost};1;1\n" for n, cost in enumerate(costs)]
    tenant.deliver(file, head + "".join(rows))
    return tenant.ingest().problem


def costs(tenant: Tenant) -> list[str]:
    return sorted(cost for (cost,) in tenant.newest("cost"))


DRESSED = {
    "€1,234.56": "1,234.56",
    "EUR 1.234,56": "1.234,56",
    "eur5": "5",
    "1.234,56 €": "1.234,56",
    "1\u00a0234,56\u202f€": "1\u00a0234,56",
    "(20.00)": "-20.00",
    "(€20)": "-20",
    "€(20)": "-20",
    "-€5": "-5",
    "€ -5": "-5",
    "20.00-": "-20.00",
    "\u221220": "-20",
    "+20": "+20",
    "1,23,456.78": "1,23,456.78",
    "1'234.50": "1'234.50",
    "12,-": "12,",
    "12.\u2014": "12.",
    "1.5e-3": "1.5e-3",
    "\u20ac -": "0",
    "-  EUR": "0",
}
NO_NUMBERS = ["12%", "< 10", "--20", "-(5)", "(5", "5)", "5k", "1-2", "5 EUR 6", "ab -", "2/3"]
NO_NUMBERS += ["\u0661\u0662\u0663", "1e", "~5", "5 items", "#REF!", ""]


def test_what_is_written_around_a_number_is_taken_off() -> None:
    texts = [*DRESSED, *NO_NUMBERS]
    with duckdb.connect() as connection:
        query = f"SELECT {bare('text')} FROM (SELECT UNNEST(?) AS text)"
        found = [text for (text,) in connection.execute(query, [texts]).fetchall()]
    assert dict(zip(texts, found)) == DRESSED | dict.fromkeys(NO_NUMBERS)


@pytest.mark.parametrize(
    ("text", "currencies"),
    [
        ("$5", {"USD", "CAD", "AUD", "MXN"}),
        ("US$ 5", {"USD"}),
        ("CA$5", {"CAD"}),
        ("5 kr.", {"SEK", "NOK", "DKK"}),
        ("£5", {"GBP"}),
        ("Fr. 5", {"CHF"}),
        ("$5 CAD", {"CAD"}),
        ("5", {"USD", "EUR", "GBP", "SEK", "CAD", "AUD", "MXN", "CHF", "NOK", "DKK"}),
    ],
)
def test_a_mark_agrees_with_the_currencies_that_it_may_stand_for(
    text: str, currencies: set[str]
) -> None:
    known = ["USD", "EUR", "GBP", "SEK", "CAD", "AUD", "MXN", "CHF", "NOK", "DKK"]
    with duckdb.connect() as connection:
        query = f"SELECT currency FROM (SELECT ? AS text, UNNEST(?) AS currency) WHERE NOT {contradicts('text', 'currency')}"
        assert {
            code for (code,) in connection.execute(query, [text, known]).fetchall()
        } == currencies


def test_a_proof_is_remembered_and_its_contrary_refused(tenant: Tenant) -> None:
    assert spend(tenant, "spend-1.csv", "(1.234,56 €)", "7") == ""
    assert spend(tenant, "spend-2.csv", "1.250") == ""
    (note,) = tenant.ingest().status.notes
    assert note == f"spend-2.csv: its numbers are read by {POINTS}, as those of spend-1.csv are"
    problem = spend(tenant, "spend-3.csv", "12.5")
    assert f"not written as those of spend-1.csv, by which this export is read: {POINTS}" in problem
    assert "cost '12.5' is no money" in problem
    assert costs(tenant) == ["-1234.56", "1250", "7"]


def test_the_order_of_files_does_not_matter_silently(tenant: Tenant) -> None:
    assert "can be read in two ways" in spend(tenant, "spend-1.csv", "1.250")
    assert spend(tenant, "spend-2.csv", "0,5") == ""
    assert costs(tenant) == ["0.5", "1250"]


@pytest.mark.parametrize("is_before", [True, False])
def test_two_files_that_prove_two_ways_are_refused(tenant: Tenant, is_before: bool) -> None:
    if is_before:
        assert spend(tenant, "spend-1.csv", "12.5") == ""
        (tenant.exports / "spend-1.csv").unlink()
    else:
        head = "spend_date;campaign_id;campaign;cost;clicks;impressions\n"
        tenant.deliver("spend-1.csv", f"{head}2026-10-01;a;Brand;12.5;1;1\n")
    problem = spend(tenant, "spend-2.csv", "1.234,56")
    assert f"spend-2.csv: by its values its numbers are written as {POINTS}" in problem
    assert "one export writes its numbers in one way" in problem


def test_a_comma_of_thousands_is_told_by_plain_numbers_before(tenant: Tenant) -> None:
    assert spend(tenant, "spend-1.csv", "12.5") == ""
    assert spend(tenant, "spend-2.csv", "1,250") == ""
    assert costs(tenant) == ["12.5", "1250"]


def test_what_a_load_proved_goes_when_it_is_withdrawn(tenant: Tenant) -> None:
    assert spend(tenant, "spend-1.csv", "1.234,56") == ""
    (tenant.exports / "spend-1.csv").unlink()
    withdraw("one", tenant.log("load_id")[0][0])
    assert "can be read in two ways" in spend(tenant, "spend-2.csv", "1.250")
    assert spend(tenant, "spend-2.csv", "1.250", "7.5") == ""


def test_a_setting_is_above_what_was_found(tenant: Tenant) -> None:
    assert spend(tenant, "spend-1.csv", "1,5") == ""
    (tenant.exports / "spend-1.csv").unlink()
    tenant.setting('numbers: {decimal: "."}')
    assert spend(tenant, "spend-2.csv", "1.250") == ""
    assert costs(tenant) == ["1.250", "1.5"]


def test_micros_of_google_are_read_as_such_unless_values_contradict(tenant: Tenant) -> None:
    tenant.setting("columns: {cost: metrics.cost_micros, currency: null}")
    head = "spend_date,campaign_id,campaign,metrics.cost_micros,clicks,impressions\n"
    tenant.deliver(
        "spend-1.csv", f"{head}2026-10-01,a,Brand,1234560000,1,1\n2026-10-01,b,Brand,0,1,1\n"
    )
    outcome = tenant.ingest()
    assert not outcome.problem and costs(tenant) == ["0", "1234.56"]
    assert (
        "cost is read in micros, as its column is called 'metrics.cost_micros'"
        in outcome.status.notes[0]
    )
    tenant.deliver("spend-2.csv", f"{head}2026-10-01,c,Brand,1234.56,1,1\n")
    problem = tenant.ingest().problem
    assert "'1234.56'" in problem and "`unit: {cost: units}` if it is whole units" in problem


def test_what_may_be_thousands_of_thousands_is_asked_for(tenant: Tenant) -> None:
    tenant.setting("unit: {cost: thousands}")
    problem = spend(tenant, "spend.csv", "1.250", "7")
    assert "can be read in two ways" in problem
    assert f"{POINTS} if '1.250' is 1250" in problem


def deals(tenant: Tenant, *flags: str, file: str = "deals.csv") -> str:
    lines = [f"{file}{n},c,Won,{flag},2026-10-01,5,\n" for n, flag in enumerate(flags)]
    tenant.deliver(file, f"{DEALS}\n{''.join(lines)}")
    return tenant.ingest("salesforce").problem


def won(tenant: Tenant) -> list[str]:
    return [flag for (flag,) in tenant.log("is_won", "salesforce", "opportunities")]


@pytest.mark.parametrize(
    "words",
    ["WAHR FALSCH", "ja Nein", "VRAI FAUX", "oui non", "Sí No", "sim não", "Y N", "1.0 0.0"],
)
def test_flags_are_read_in_words_of_one_language(tenant: Tenant, words: str) -> None:
    yes, no = words.split()
    assert deals(tenant, yes, no, yes) == ""
    assert [flag.lower()[:1] in "tywjvos1" for flag in won(tenant)] == [True, False, True]


def test_a_mark_is_true_and_nothing_false_in_files_to_come_too(tenant: Tenant) -> None:
    assert "is_won is missing" in deals(tenant, "", "")
    assert deals(tenant, "x", "", "X") == ""
    assert won(tenant) == ["true", "false", "true"]
    assert deals(tenant, "", file="deals-2.csv") == ""
    assert won(tenant) == ["true", "false", "true", "false"]


def test_words_of_two_lists_are_asked_about(tenant: Tenant) -> None:
    problem = deals(tenant, "ja", "x", "WAHR", "")
    assert "is_won 'ja' is no boolean" in problem and "ja or nein" in problem


def test_words_are_looked_at_in_the_copy_of_a_file_that_goes_on_being_read(tenant: Tenant) -> None:
    lines = [f"d{n},c,Won,{flag},2026-10-01,5,\n" for n, flag in enumerate(["ja", "x", ""])]
    tenant.deliver("deals.csv", f"{DEALS}\n{''.join(lines)}".encode("utf-16"))
    problem = tenant.ingest("salesforce").problem
    assert "is_won 'ja' is no boolean" in problem and "not readable" not in problem


def test_no_word_is_true_in_one_list_and_false_in_another() -> None:
    true, false = (set().union(*(words[place] for words in LISTS.values())) for place in (0, 1))
    assert not true & false
