"""What stands for nothing is nobody and no number, and a client says what it writes for nothing."""

import json

import pytest

from pipelines.settings.reader import read
from tests.builders.tenant import Tenant
from tests.conftest import House

HEAD = "opportunity_id,customer_id,account_id,stage,is_won,closed_at,amount"
WORDS = [
    r"\N",
    "NULL",
    "null",
    "None",
    "n/a",
    "N/A",
    "#N/A",
    "--",
    "---",
    " -- ",
    "(not set)",
    "undefined",
    "-",
    "\u2013",
    "\u2014",
    "NaN",
    "nan",
    "NaT",
    "nil",
    "N.A.",
    "<NA>",
    "<null>",
    "(null)",
    "[NULL]",
    "#REF!",
]
ZEROS = ["0", "000", "00000000-0000-0000-0000-000000000000", "0.0"]
SOMEBODY = ["10", "n/a-7", "null@shop.example", "0x1", "n-a", "nullify", "nana"]


@pytest.fixture
def tenant(house: House) -> Tenant:
    """A client with nothing delivered."""
    return Tenant(house.home)


def people(tenant: Tenant, customers: list[str]) -> list[str | None]:
    """Deliver a deal of each customer; return whom they are with, as the lake has it."""
    rows = [f'd{number},"{each}",,Open,no,,{number}' for number, each in enumerate(customers)]
    tenant.deliver("deals.csv", "\n".join([HEAD, *rows]))
    outcome = tenant.ingest("salesforce")
    assert (outcome.problem, outcome.counts.quarantined) == ("", 0)
    return [each for (each,) in tenant.log("customer_id", "salesforce", "opportunities")]


def test_words_and_zeros_are_no_customer(tenant: Tenant) -> None:
    nobody = [None] * (len(WORDS) + len(ZEROS))
    assert people(tenant, [*WORDS, *ZEROS, *SOMEBODY]) == [*nobody, *SOMEBODY]


def test_zeros_are_a_number_and_a_stage(tenant: Tenant) -> None:
    tenant.deliver("deals.csv", f"{HEAD}\nd1,ann,0,0,0,,0\nd2,bob,--,--,no,n/a,--\n")
    assert not tenant.ingest("salesforce").problem
    columns = "account_id, stage, is_won, closed_at, amount"
    assert tenant.log(columns, "salesforce", "opportunities") == [
        (None, "0", "0", None, "0"),
        (None, None, "no", None, None),
    ]


def test_a_row_that_needs_a_value_is_bad_without_one(tenant: Tenant) -> None:
    tenant.spend("spend.csv", "01,a,1", "01,b,--", "01,--,3", "01,0,4")
    assert tenant.ingest().counts.quarantined == 2
    assert [reason for _, _, reason, _ in tenant.quarantine()] == [
        "cost is missing",
        "campaign_id is missing",
    ]
    assert tenant.log("campaign_id, cost") == [("a", "1"), ("0", "4")]


@pytest.mark.parametrize(
    ("written", "known"),
    {
        "[]": ["null", "0", "guest", "n/a"],
        "['guest']": ["null", "0", None, "n/a"],
        "[NULL, 0, Guest]": [None, None, None, "n/a"],  # YAML reads two of them as no text
    }.items(),
)
def test_a_client_has_words_of_its_own(
    tenant: Tenant, written: str, known: list[str | None]
) -> None:
    tenant.settings.write_text(f"nothing: {written}\n{tenant.settings.read_text()}")
    assert people(tenant, ["null", "0", "guest", "n/a"]) == known


def test_a_word_that_is_no_text_is_refused_by_its_key(tenant: Tenant) -> None:
    tenant.settings.write_text(f"nothing: [7]\n{tenant.settings.read_text()}")
    (problem,) = read()[1]
    assert "clients/one.yaml: nothing" in problem.message and "write text" in problem.message


def test_words_that_change_leave_keys_as_they_are(tenant: Tenant) -> None:
    """A row that is read again with other words is a newer version of itself, not another row."""
    head = "spend_date,campaign_id,ad_id,cost,clicks,campaign,impressions"
    for name, words in {"spend-1.csv": "[]", "spend-2.csv": "['--']"}.items():
        text = tenant.settings.read_text().partition("nothing:")[0]
        tenant.settings.write_text(f"{text}nothing: {words}\n")
        tenant.deliver(name, f"{head}\n2026-10-01,one,--,1,1,Brand,1\n")
        tenant.ingest()
    assert tenant.newest("campaign_id, ad_id, cost") == {("one", None, "1")}


def test_an_event_that_names_nobody_does_not_hide_who_is_named_later(tenant: Tenant) -> None:
    tenant.settings.write_text(
        "name: One\ncurrency: EUR\nsources: {web: {sessions: {files: exports/one/e*, format: ga4,"
        " expected_every: never}}}\n"
    )
    events = [
        {
            "event_timestamp": 1793527200000000 + second * 1000000,
            "event_params": [{"key": "ga_session_id", "value": {"int_value": 7}}],
            "user_pseudo_id": "cookie",
            "user_id": user,
        }
        for second, user in enumerate(["undefined", "0", "ann"])
    ]
    tenant.deliver("events.jsonl", "\n".join(map(json.dumps, events)))
    assert not tenant.ingest("web").problem
    assert tenant.log("visitor_id, customer_id", "web", "sessions") == [("cookie", "ann")]
