"""Salesforce: what an org holds is what the lake says, whatever happens on the way."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta, timezone

import dlt
import pytest
from dlt.destinations.impl.filesystem.filesystem import FilesystemClient
from sqlglot import exp

from demo.servers import Cut, Html, Status, Truncated
from demo.servers import salesforce_server as errors
from demo.servers.http_server import Fault
from demo.servers.salesforce_server import SalesforceServer
from macros.utc import utc
from pipelines.contracts.catalog import CONTRACTS
from pipelines.ingest.backfill import backfill
from pipelines.ingest.load_counts import Counts
from pipelines.ingest.run import ingest, ingest_client, ingest_source
from pipelines.ingest.source_status import statuses
from pipelines.settings.apis import SalesforceApi
from pipelines.settings.reader import ClientError, parse
from pipelines.sources.platforms import salesforce
from tests.builders.org import START, Org
from tests.builders.remedied import assert_helps
from tests.builders.tenant import Tenant
from tests.conftest import House

DEALS = "opportunity_id, customer_id, stage, is_won, closed_at, amount, opened_at, is_deleted"


@pytest.fixture
def org(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[Org]:
    """A client of an empty CRM, with pages of two records."""
    with SalesforceServer() as server:
        server.page_rows = 2
        for key, value in server.credentials.items():
            monkeypatch.setenv(f"CLIENTS__TWO__SALESFORCE__{key.upper()}", value)
        yield Org(house.home, server)


def ago(minutes: float) -> str:
    """Return a moment, so many minutes after the start, as the ledger says it."""
    return f"{START + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%S}.000Z"


# What the org holds lands.


def test_all_tables_land(org: Org) -> None:
    org.deal(1, IsWon=True, StageName="Closed Won")
    org.contact(1)
    system = {"IsDeleted": False, "SystemModstamp": START, "CreatedDate": START}
    org.server.objects["OpportunityContactRole"] = [
        {"Id": "00K1", "OpportunityId": "0061", "ContactId": "0031", "Role": "Buyer"}
        | {"IsPrimary": True, **system}
    ]
    org.server.objects["Lead"] = [
        {"Id": "00Q1", "Email": "a@b.c", "Company": "B", "ConvertedDate": date(2026, 9, 3)}
        | {"ConvertedAccountId": "001A", "ConvertedContactId": "0031"}
        | {"ConvertedOpportunityId": "0061", **system}
    ]
    org.server.objects["Campaign"] = [{"Id": "7011", "Name": "Fair", "Type": "Event", **system}]
    org.server.objects["CampaignMember"] = [
        {"Id": "00v1", "CampaignId": "7011", "LeadId": "00Q1", "Status": "Sent"}
        | {"HasResponded": True, "FirstRespondedDate": date(2026, 9, 2), **system}
    ]
    outcome = org.poll()
    assert (outcome.problem, outcome.counts) == ("", Counts(5, 5))
    moment = "2026-10-01T12:00:00.000+0000"
    won = ("006000000000001AAA", "001A", "Closed Won", "true", moment, "100.5", None, "001A")
    assert org.lake() == {
        "opportunities": [(*won, moment, *[None] * 3, False)],
        "contacts": [("003000000000001AAA", "001A", "1@example.com", "C 1", moment, False)],
        "contact_roles": [("00K1", "0061", "0031", "Buyer", "true", False)],
        "leads": [("00Q1", moment, "a@b.c", "B", "2026-09-03", "001A", "0031", "0061", False)],
        "campaign_members": [
            (
                "00v1",
                "7011",
                "Fair",
                "Event",
                "00Q1",
                None,
                "Sent",
                "true",
                "2026-09-02",
                moment,
                False,
            )
        ],
    }


def test_the_same_deals_by_api_and_by_export_are_the_same_facts(org: Org, house: House) -> None:
    amounts = (12345678901.23, 0.1, 1e7, None, 7, 0)
    for number, amount in enumerate(amounts):
        org.deal(number, number, Amount=amount, IsWon=number % 2 == 0)
    org.deal(3, IsDeleted=True)
    org.deal(4, LastStageChangeDate=None, IsWon=False)
    org.poll()
    exported = Tenant(house.home)
    exported.settings.write_text(
        exported.settings.read_text()
        + "      columns: {opportunity_id: Id, customer_id: AccountId, stage: StageName,"
        " is_won: IsWon, closed_at: LastStageChangeDate, amount: Amount,"
        " opened_at: CreatedDate, is_deleted: IsDeleted}\n"
    )
    lines = (json.dumps(one, default=str) for one in org.server.objects["Opportunity"])
    exported.deliver("deals.jsonl", "\n".join(lines))
    assert exported.ingest("salesforce").counts == Counts(6, 6)
    assert staged(org) == staged(exported)
    assert [row[3] for row in staged(org)[:3]] == ["12345678901.23", "0.10", "10000000.00"]


def staged(tenant: Tenant) -> list[tuple]:
    """Return a client's opportunities as staging casts them."""
    moments = [
        f"({utc(None, exp.column(name), exp.Literal.string('UTC'))})::TEXT"
        for name in ("closed_at", "opened_at")
    ]
    casts = f"is_won::BOOLEAN, amount::DECIMAL(18, 2)::TEXT, {', '.join(moments)}, is_deleted"
    return sorted(
        tenant.log(f"opportunity_id, customer_id, {casts}", "salesforce", "opportunities")
    )


def test_amounts_are_kept_as_they_are_written(org: Org) -> None:
    for number, amount in enumerate((12345678901.23, 0.1, 1e7, None)):
        org.deal(number, Amount=amount)
    org.poll()
    assert org.deals("amount, amount::DECIMAL(18, 6)::TEXT") == [
        ("12345678901.23", "12345678901.230000"),
        ("0.1", "0.100000"),
        ("10000000.0", "10000000.000000"),
        (None, None),
    ]


def test_a_deal_that_was_won_as_it_was_created_closed_then(org: Org) -> None:
    org.deal(1, LastStageChangeDate=None, IsWon=True)
    org.deal(2, LastStageChangeDate=None)
    org.poll()
    assert org.deals("closed_at") == [("2026-10-01T12:00:00.000+0000",), (None,)]


def test_an_orgs_own_fields_stand_in_and_are_asked_for_from_the_start(org: Org) -> None:
    org.deal(1, Web_User_Id__c="web-1", CurrencyIsoCode="EUR")
    org.deal(2, 60, Web_User_Id__c="web-2", CurrencyIsoCode="USD")
    org.poll()
    assert "Web_User_Id__c" not in org.queries()[0]
    org.set("columns: {customer_id: Web_User_Id__c, currency: CurrencyIsoCode}")
    assert org.poll().counts == Counts(2, 1, 0, 0, 1)
    assert org.deals("customer_id, account_id, currency") == [
        ("001A", "001A", None),
        ("001A", "001A", None),
        ("web-1", "001A", "EUR"),
    ]
    assert [row[2] for row in org.quarantine("salesforce")] == [
        "currency USD, the client has EUR: deliver sources.rates"
    ]
    assert org.poll().counts.appended == 0
    assert ago(55) in org.queries()[-5]


def test_deals_in_quarantine_are_asked_for_again_once_rates_come(org: Org) -> None:
    """With all that changed since, and once; a deal that came by itself meanwhile is not lost."""
    org.set("columns: {currency: CurrencyIsoCode}")
    org.deal(1, 0, CurrencyIsoCode="EUR")
    org.poll()
    org.deal(2, 100, CurrencyIsoCode="USD")
    org.deal(4, 100, CurrencyIsoCode="EUR")
    org.poll()
    org.deal(3, 200, CurrencyIsoCode="EUR")
    org.poll()
    assert {row[0] for row in org.quarantine("salesforce")} != set()
    rates = {"rates": {"rates": {"files": "exports/one/rates*", "expected_every": "never"}}}
    House(org.home).change(org.name, sources=rates)
    outcome = org.poll()
    assert (outcome.counts.appended, outcome.counts.quarantined) == (1, 0)
    assert any(
        "opportunities: rows in quarantine can be read now" in one for one in outcome.status.notes
    )
    assert {row[0] for row in org.deals("currency")} == {"EUR", "USD"}
    assert org.poll().counts.appended == 0
    assert "can be read now" not in "".join(org.poll().status.notes)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("columns: {customer: Id}", "unknown column 'customer' of opportunities; use one of"),
        ("columns: {customer_id: Id FROM Lead}", "columns.customer_id: "),
        ("tables: [accounts]", "tables.0: "),
        ("tables: []", "tables: "),
    ],
)
def test_wrong_settings_are_named(org: Org, line: str, said: str) -> None:
    org.set(line)
    with pytest.raises(ClientError, match=r"clients/two.yaml: ") as error:
        parse(org.settings)
    assert said in str(error.value)


def test_a_client_with_exports_has_the_tables_it_names(house: House) -> None:
    tenant = Tenant(house.home)
    text = tenant.settings.read_text()
    assert list(parse(tenant.settings).sources.of("salesforce")) == ["opportunities"]
    tenant.settings.write_text(f"{text}    leads:\n      files: exports/one/leads*\n")
    tenant.deliver(
        "deals.csv", "opportunity_id,customer_id,stage,is_won,closed_at,amount\n1,,,no,,"
    )
    columns = [name for name in CONTRACTS["salesforce"]["leads"].columns if name != "is_deleted"]
    tenant.deliver("leads.csv", f"{','.join(columns)}\nl1,2026-10-01{',' * (len(columns) - 2)}\n")
    assert tenant.ingest("salesforce").counts == Counts(2, 2)
    assert tenant.log("lead_id, is_deleted", "salesforce", "leads") == [("l1", False)]
    tenant.settings.write_text(f"{text}    api: {{base_url: 'https://x.example'}}\n")
    with pytest.raises(ClientError, match="either `opportunities:` for exports, or `api:`"):
        parse(tenant.settings)


def test_a_deleted_deal_is_no_conversion_until_it_comes_back(org: Org, house: House) -> None:
    for file in house.home.glob("clients/*.yaml"):
        if file != org.settings:
            file.unlink()
    org.deal(1, IsWon=True)
    org.deal(2, IsWon=True)
    org.contact(1)
    org.poll()
    for minutes, is_deleted, conversions in ((1, True, "1"), (2, False, "2")):
        org.deal(2, minutes, IsDeleted=is_deleted)
        org.poll()
        assert house.serve()["two"].published.conversions == conversions
        newest = house.rows(
            "SELECT is_deleted FROM two_staging.stg_opportunities"
            " WHERE opportunity_id LIKE '%2AAA' ORDER BY loaded_at DESC LIMIT 1"
        )
        assert newest == [(is_deleted,)]


# What changed is asked for, no more.


def test_nothing_new_commits_nothing(org: Org) -> None:
    org.deal(1)
    org.deal(2, 60)
    org.contact(1)
    assert org.poll().counts == Counts(3, 3)
    assert org.covered() == [(salesforce.BEGINNING, ago(60))]
    org.queries()
    for _ in range(2):
        assert org.poll().counts == Counts(2, 0, 2)
        assert org.files() == 1
        asked = org.queries()
        assert f"SystemModstamp >= {ago(55)} ORDER BY SystemModstamp ASC, Id ASC" in asked[0]
        assert f"SystemModstamp >= {ago(-5)} " in asked[1]


def test_an_empty_org_is_well(org: Org) -> None:
    outcome = org.poll()
    assert (outcome.counts, outcome.problem, org.files()) == (Counts(), "", 0)


def test_changed_deleted_and_undeleted_records_are_versions(org: Org) -> None:
    org.deal(1)
    org.deal(2)
    org.poll()
    org.deal(1, 1, StageName="Won")
    org.deal(2, 2, IsDeleted=True)
    org.deal(3, 3, IsDeleted=True)  # gone before it was ever seen
    assert org.poll().counts == Counts(3, 3)
    org.deal(2, 4, IsDeleted=False)
    org.deal(1, 5)  # touched, but it says the same
    assert org.poll().counts == Counts(3, 1, 2)
    assert org.deals() == [
        ("1", "Open", False),
        ("2", "Open", False),
        ("1", "Won", False),
        ("2", "Open", True),
        ("3", "Open", True),
        ("2", "Open", False),
    ]


def test_ties_in_time_are_not_lost_at_page_cuts_nor_at_the_cursor(org: Org) -> None:
    for number in range(7):
        org.deal(number)
    assert org.poll().counts == Counts(7, 7)
    org.deal(7)  # the same moment, but it was not there yet
    assert org.poll().counts == Counts(8, 1, 7)
    assert org.covered()[-1] == (salesforce.BEGINNING, ago(0))


def test_a_record_that_is_committed_late_is_seen(org: Org) -> None:
    org.deal(1, 10)
    org.poll()
    org.deal(2, 5)
    org.deal(3, 4.9)  # later than any commit
    assert org.poll().counts == Counts(2, 1, 1)
    assert org.poll().counts == Counts(2, 0, 2)
    org.deal(4, 60)
    assert org.poll().counts == Counts(3, 1, 2)
    assert org.covered() == [
        (salesforce.BEGINNING, ago(10)),
        (salesforce.BEGINNING, ago(10)),
        (ago(5), ago(60)),
    ]


def test_what_is_changed_while_it_is_read_hides_nothing(org: Org) -> None:
    for number in range(4):
        org.deal(number, number)
    org.set("tables: [opportunities]")
    records = [{name: None for name in _FIELDS} | {"Id": str(number)} for number in range(2)]
    records[0]["SystemModstamp"] = ago(0)
    records[1]["SystemModstamp"] = "2099-01-01T00:00:00.000+0000"
    page = {"records": records, "done": False, "nextRecordsUrl": "/services/data/v62.0/query/x-2"}
    org.server.fail(Status(200, page), path="queryAll")
    org.poll()
    assert f"SystemModstamp >= {ago(0)} " in org.queries()[1]
    assert org.covered() == [(salesforce.BEGINNING, ago(3))]


def test_a_formula_changes_without_a_mark_and_is_read_again_at_night(org: Org) -> None:
    org.set("columns: {amount: Margin__c}")
    org.server.formulas.add("Opportunity.Margin__c")
    org.deal(1, Margin__c=10)
    org.deal(2, 60, Margin__c=20)
    org.poll()
    org.deal(1, Margin__c=11)  # its SystemModstamp is as it was
    org.queries()
    assert ingest_source(org.client(), "salesforce", is_poll=True).counts.appended == 0
    assert len(org.queries()) == 5  # a poll asks each table once
    assert org.poll().counts == Counts(2, 1, 1)
    assert org.deals("opportunity_id[15], amount") == [("1", "10"), ("2", "20"), ("1", "11")]
    files = org.files()
    assert org.poll().counts == Counts(2, 0, 2)
    assert org.files() == files


@pytest.mark.parametrize("field", ["Margin__c", "Name"])
def test_where_nothing_is_calculated_nothing_is_read_again(org: Org, field: str) -> None:
    org.set(f"columns: {{amount: {field}}}", "tables: [opportunities]")
    org.server.formulas.add("Opportunity.Other__c")
    org.deal(1, **{field: 10})
    org.deal(2, 60, **{field: 20})
    org.poll()
    org.queries()
    assert org.poll().counts == Counts(1, 0, 1)
    assert len(org.queries()) == 1


def test_a_field_of_another_record_is_read_again_at_night(org: Org) -> None:
    org.set("columns: {stage: Account.Stage__c}", "tables: [opportunities]")
    account = {"Id": "001A", "Stage__c": "Trial", "SystemModstamp": START}
    org.server.objects["Account"] = [account]
    org.deal(1)
    org.deal(2, 60)
    org.poll()
    account["Stage__c"] = "Paying"
    assert org.poll().counts.appended == 2
    assert [stage for _, stage in stages(org)[-2:]] == ["Paying", "Paying"]


def stages(org: Org) -> list[tuple]:
    return org.deals("opportunity_id[15], stage")


def test_members_of_a_campaign_that_is_renamed_are_read_again(org: Org) -> None:
    org.set("tables: [campaign_members]")
    campaign = {"Id": "7011", "Name": "Fair", "Type": "Event", "SystemModstamp": START}
    org.server.objects["Campaign"] = [campaign, campaign | {"Id": "7012", "Name": "Talk"}]
    org.server.objects["CampaignMember"] = [
        {"Id": f"00v{number}", "CampaignId": f"701{number}", "LeadId": "00Q1", "IsDeleted": False}
        | {"SystemModstamp": START, "CreatedDate": START}
        for number in (1, 2, 3)
    ]
    late = START + timedelta(hours=1)
    org.server.objects["CampaignMember"][-1] |= {"CampaignId": None, "SystemModstamp": late}
    org.poll()
    campaign |= {"Name": "Fair 2026", "SystemModstamp": START + timedelta(hours=2)}
    polled = ingest_source(org.client(), "salesforce", is_poll=True)
    assert polled.counts == Counts(2, 1, 1)
    assert org.log("campaign_member_id, campaign", "salesforce", "campaign_members")[-1] == (
        "00v1",
        "Fair 2026",
    )


def test_a_reading_of_formulas_that_is_cut_leaves_what_changed(org: Org) -> None:
    org.set("columns: {amount: Margin__c}", "tables: [opportunities]")
    org.server.formulas.add("Opportunity.Margin__c")
    for number in range(5):
        org.deal(number, Margin__c=10)
    org.deal(9, 60, Margin__c=20)
    org.poll()
    org.deal(1, Margin__c=11)
    org.deal(9, 70, Margin__c=21)
    org.server.fail(Status(500), times=None, path="-2$")  # its second page
    assert org.poll().status.code == "platform_down"
    org.server.heal()
    assert org.deals("amount")[-1] == ("21",)
    assert org.poll().counts.appended == 1
    assert org.deals("opportunity_id[15], amount")[-1] == ("1", "11")


def test_since_leaves_out_what_is_older(org: Org) -> None:
    org.deal(1, -24 * 60)
    org.deal(2)
    org.set("since: 2026-10-01", "tables: [opportunities]")
    assert org.poll().counts == Counts(1, 1)
    assert [f"{START:%Y-%m-%d}T00:00:00.000Z" in query for query in org.queries()] == [True]


def test_a_large_answer_is_taken_in_pieces(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(salesforce, "ROWS", 3)
    for number in range(9):
        org.deal(number, number // 5)  # five at a time are ties
    assert org.poll().counts == Counts(9, 9)
    assert sorted(org.covered()) == [
        (salesforce.BEGINNING, ago(0)),
        (ago(0), ago(1)),
        (ago(1), ago(1)),
    ]


def test_what_was_answered_before_a_trouble_is_kept_and_the_rest_follows(
    org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(salesforce, "ROWS", 3)
    for number in range(9):
        org.deal(number, number * 60)
    org.server.fail(Status(503), times=None, path="query/")
    outcome = org.poll()
    assert outcome.status.code == "platform_down" and outcome.counts == Counts(2, 2)
    assert not outcome.status.holds
    org.server.heal()
    org.server.fail(Status(503), times=None, path="query/.*-6")
    assert org.poll().counts == Counts(6, 5, 1)
    org.server.heal()
    outcome = org.poll()
    assert not outcome.problem and outcome.counts.appended == 2
    assert len(org.deals()) == 9


# History is asked for the newest first, once.


def filled(org: Org, since: str) -> list[tuple]:
    """Backfill; return the counts of each slice, and the problems."""
    slices = backfill(org.client(), "salesforce", date.fromisoformat(since))
    return [one.problem or one.counts[:3] for one in slices if one.problem or one.name]


def test_a_backfill_ends_where_the_lake_begins(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(salesforce, "ROWS", 2)
    org.set("since: 2026-10-01", "tables: [opportunities]")
    for number in range(8):
        org.deal(number, -number * 24 * 60)
    org.poll()
    org.queries()
    slices = filled(org, "2026-09-26")
    assert len(slices) == 5 and sum(new for _, new, _ in slices) == 5
    assert filled(org, "2026-09-26") == filled(org, "2026-09-28") == []
    asked = org.queries()
    assert len(asked) == 5 and all("ORDER BY SystemModstamp DESC, Id DESC" in one for one in asked)
    assert org.poll().counts == Counts(1, 0, 1)
    assert f"SystemModstamp >= {ago(-5)} " in org.queries()[0]
    filled(org, "2026-01-01")
    assert len(org.deals()) == 8


def test_a_backfill_that_is_cut_goes_on_where_it_was(
    org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(salesforce, "ROWS", 2)
    org.set("tables: [opportunities]")
    for number in range(6):
        org.deal(number, -number * 24 * 60)
    org.server.fail(Status(503), times=None, after=1, path="queryAll")
    (first, problem) = filled(org, "2026-01-01")
    assert first == (2, 2, 0) and problem.startswith("platform_down: ")
    org.server.heal()
    org.deal(0, StageName="Won", SystemModstamp=datetime.now(timezone.utc))
    assert org.poll().counts == Counts(1, 1)
    filled(org, "2026-01-01")
    assert len(org.deals()) == 7
    assert org.poll().counts.appended == 0


def test_what_lies_behind_a_gap_is_asked_for_again(org: Org) -> None:
    covers = [
        salesforce.Coverage("", ago(first), ago(last))
        for first, last in ((90, 99), (0, 60), (55, 70))
    ]
    assert salesforce._newest(covers) == ago(70)


# What goes wrong is named, and nothing else suffers.


def field_error(message: str, code: str = "INVALID_FIELD") -> Status:
    return errors.failure(400, code, message)


TROUBLES: dict[str, tuple[Callable[[SalesforceServer], object], str, str]] = {
    "the day's requests are used up": (
        lambda server: setattr(server, "daily_limit", 0),
        "rate_limited",
        "requests of 24 hours are used up, api-usage=1/0",
    ),
    "the secret is wrong": (
        lambda server: server.credentials.update(client_secret="new"),
        "credentials_refused",
        "invalid_client, invalid client credentials; set the connected app's client_id",
    ),
    "the app is unknown": (
        lambda server: server.credentials.update(client_id="new"),
        "credentials_refused",
        "invalid_client_id, client identifier invalid",
    ),
    "the user is inactive": (
        lambda server: setattr(server, "user_active", False),
        "consent_revoked",
        "invalid_grant, inactive user; have an administrator",
    ),
    "no session is accepted": (
        lambda server: server.fail(
            errors.failure(401, "INVALID_SESSION_ID", "Session expired or invalid"), times=None
        ),
        "credentials_expired",
        "ends every session",
    ),
    "the platform is down": (
        lambda server: server.fail(errors.server_unavailable(), times=None),
        "platform_down",
        "temporarily unavailable",
    ),
    "a web page answers": (
        lambda server: server.fail(Html(), times=None),
        "malformed_answer",
        "no JSON",
    ),
    "a page has no end": (
        lambda server: server.fail(Status(200, {"records": [], "done": False}), times=None),
        "malformed_answer",
        "",
    ),
    "a page leads away": (
        lambda server: server.fail(
            Status(200, {"records": [1], "done": False, "nextRecordsUrl": "https://evil.example/"}),
            path="queryAll",
        ),
        "malformed_answer",
        "without an end",
    ),
    "a record has no moment": (
        lambda server: server.fail(
            Status(200, {"records": [{name: "" for name in _FIELDS}], "done": True}),
            path="queryAll",
        ),
        "malformed_answer",
        "without SystemModstamp",
    ),
    "the line is cut": (
        lambda server: server.fail(Cut(), times=None),
        "connection_cut",
        "the next run tries again",
    ),
    "the session leads away": (
        lambda server: server.fail(
            Status(200, {"access_token": "t0ken", "instance_url": "http://evil.example"}),
            path="token",
        ),
        "request_refused",
        "not private, http://evil.example",
    ),
    "the session is none": (
        lambda server: server.fail(Status(200, [None]), path="token"),
        "malformed_answer",
        "without access_token",
    ),
    "the version is unknown": (
        lambda server: server.fail(errors.failure(404, "NOT_FOUND", "The requested resource")),
        "request_refused",
        "check base_url and version",
    ),
    "a field is unseen": (
        lambda server: server.fail(
            field_error(
                "\nSELECT Id, Foo__c FROM\n ^\nERROR at Row:1:Column:12\nNo such column 'Foo__c' on"
                " entity 'Opportunity'. If you are attempting to use a custom field, be sure"
            ),
            path="queryAll",
        ),
        "request_refused",
        "sees no field Foo__c of Opportunity; name another under `columns:`",
    ),
    "a query is forgotten at once": (
        lambda server: server.fail(
            errors.failure(400, "INVALID_QUERY_LOCATOR", "invalid query locator"), times=None
        ),
        "connection_cut",
        "forgot a query",
    ),
}
_FIELDS = salesforce.query_of("opportunities", SalesforceApi(base_url="https://x")).fields


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_trouble_has_its_own_name_and_hurts_nobody_else(
    org: Org, house: House, trouble: str
) -> None:
    spoil, code, said = TROUBLES[trouble]
    org.deal(1)
    org.settings.write_text(
        f"{org.settings.read_text()}  google_ads:\n    spend:\n      files: exports/one/spend*\n"
        "      expected_every: never\nfolders: [exports/one]\n"
    )
    Tenant(house.home).spend("spend.csv", "01,a,1")
    spoil(org.server)
    google, crm = sorted(ingest_client(org.client()), key=lambda outcome: outcome.source)
    assert google.counts == Counts(1, 1) and not google.problem
    assert (crm.status.code, crm.status.holds) == (code, False)
    assert said in crm.problem
    assert_helps(crm.status)
    wrong = {one.source: one.summary for one in statuses(org.client()) if one.summary}
    assert wrong == {"salesforce": crm.problem}
    assert "demo-secret" not in crm.problem and "t0ken" not in crm.problem
    assert bool(crm.status.retry_at) == (code == "rate_limited")
    org.server.heal()
    org.server.daily_limit, org.server.user_active = 100, True
    org.server.credentials = {"client_id": "3MVG9demo", "client_secret": "demo-secret"}
    assert not org.poll().problem
    assert len(org.deals()) == 1


def test_missing_credentials_are_named(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLIENTS__TWO__SALESFORCE__CLIENT_SECRET")
    outcome = org.poll()
    assert outcome.status.code == "credentials_missing"
    assert "CLIENTS__TWO__SALESFORCE__CLIENT_SECRET" in outcome.problem


def test_an_object_that_is_not_to_be_seen_leaves_the_others(org: Org) -> None:
    org.deal(1)
    org.contact(1)
    del org.server.objects["CampaignMember"], org.server.objects["Lead"]
    outcome = org.poll()
    assert outcome.counts == Counts(2, 2)
    assert outcome.status.code == "request_refused"
    for name in ("Lead", "CampaignMember"):
        assert f"the integration user sees no {name}; give it permission" in outcome.problem
    org.set("tables: [opportunities, contacts]")
    assert not org.poll().problem


def test_a_field_in_other_capitals_is_named(org: Org) -> None:
    org.deal(1, web_user__c="w")
    org.contact(1)
    org.set("columns: {customer_id: web_user__c}")
    record = {name: None for name in _FIELDS} | {"Id": "1", "Web_User__c": "w"}
    org.server.fail(Status(200, {"records": [record], "done": True}), path="queryAll")
    outcome = org.poll()
    assert "Opportunity has no field that is written web_user__c" in outcome.problem
    assert outcome.counts == Counts(1, 1)


def test_too_many_at_once_is_waited_out(org: Org) -> None:
    org.deal(1)
    org.set(patience=0.05)
    busy = "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
    org.server.fail(errors.failure(403, "REQUEST_LIMIT_EXCEEDED", busy))
    assert (org.poll().problem, len(org.deals())) == ("", 1)


def test_a_poll_waits_for_a_minute_at_most(org: Org, waits: list[float]) -> None:
    org.set(patience=30)
    org.server.fail(errors.server_unavailable(), times=None)
    assert ingest_source(org.client(), "salesforce", is_poll=True).status.code == "platform_down"
    polled, _ = sum(waits), waits.clear()
    assert org.poll().status.code == "platform_down"
    assert polled <= 60 < sum(waits)


def test_used_up_requests_are_not_asked_again(org: Org) -> None:
    org.set(patience=1)
    org.server.daily_limit = 0
    outcome = org.poll()
    assert outcome.status.code == "rate_limited" and org.server.used == 1
    again = datetime.fromisoformat(outcome.status.retry_at).replace(tzinfo=timezone.utc)
    assert timedelta(minutes=58) < again - datetime.now(timezone.utc) < timedelta(minutes=61)


def test_a_session_that_ends_is_renewed_once(org: Org) -> None:
    for number in range(5):
        org.deal(number, number)
    org.set("tables: [opportunities]")
    ended = errors.failure(401, "INVALID_SESSION_ID", "Session expired or invalid")
    org.server.fail(ended, after=1)
    assert org.poll().counts == Counts(5, 5)
    tokens = [one for one in org.server.requests if one.path.endswith("/token")]
    assert len(tokens) == 2 and len({one.bearer() for one in org.server.requests}) == 3


@pytest.mark.parametrize("code", ["INVALID_QUERY_LOCATOR", "INVALID_SESSION_ID"])
def test_a_query_that_is_forgotten_is_asked_again_from_the_last_record(org: Org, code: str) -> None:
    for number in range(9):
        org.deal(number, number)
    org.set("tables: [opportunities]")
    is_session = code == "INVALID_SESSION_ID"  # the new one may not read on in the old one's query
    lost = errors.failure(401 if is_session else 400, code, "lost")
    org.server.fail(lost, times=2 if is_session else 1, after=1, path="query/")
    outcome = org.poll()
    assert not outcome.problem and outcome.counts == Counts(10, 9, 1)
    _, second = org.queries()
    assert f"SystemModstamp >= {ago(3)} " in second
    assert len(org.deals()) == 9


# Whatever happens at whichever request: the lake says the same in the end.

FAULTS: dict[str, tuple[Fault, int]] = {
    "cut": (Cut(40), 1),
    "truncated": (Truncated(), 1),
    "500": (Status(500), 1),
    "session": (errors.failure(401, "INVALID_SESSION_ID", "Session expired or invalid"), 1),
    "new session": (errors.failure(401, "INVALID_SESSION_ID", "Session expired or invalid"), 2),
    "locator": (errors.failure(400, "INVALID_QUERY_LOCATOR", "invalid query locator"), 1),
}
REQUESTS = 6  # a token, three pages of opportunities, two of contacts
MOMENT = "2026-10-01T12:00:00.000+0000"
UNDISTURBED = {
    "opportunities": [
        (
            f"006{number:012}AAA",
            "001A",
            "Open",
            "false",
            MOMENT,
            "100.5",
            None,
            "001A",
            MOMENT,
            *[None] * 3,
            False,
        )
        for number in range(6)
    ],
    "contacts": [
        (f"003{number:012}AAA", "001A", f"{number}@example.com", f"C {number}", MOMENT, False)
        for number in range(3)
    ],
}


def populate(org: Org) -> None:
    """Fill a CRM, with ties at the cuts of pages."""
    org.set("tables: [opportunities, contacts]")
    for number in range(6):
        org.deal(number, number // 2 * 7)
    for number in range(3):
        org.contact(number, number)


def change(org: Org) -> None:
    """Change, delete and add."""
    org.deal(1, 20, StageName="Won")
    org.deal(2, 20, IsDeleted=True)
    org.contact(7, 1)


def test_a_run_without_a_fault_makes_so_many_requests(org: Org) -> None:
    populate(org)
    assert org.poll().counts == Counts(9, 9)
    assert len(org.server.requests) == REQUESTS
    assert versions(org) == UNDISTURBED


@pytest.mark.parametrize("number", range(REQUESTS))
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_any_request_changes_nothing_in_the_end(
    org: Org, fault: str, number: int
) -> None:
    populate(org)
    spoilt, times = FAULTS[fault]
    org.server.fail(spoilt, times=times, after=number)
    assert not org.poll().status.holds
    org.server.heal()
    assert not org.poll().problem
    assert versions(org) == UNDISTURBED


@pytest.mark.parametrize("number", range(3))
def test_a_fault_at_any_request_of_a_later_run_changes_nothing_in_the_end(
    org: Org, number: int
) -> None:
    populate(org)
    org.poll()
    change(org)
    org.server.fail(Status(500), after=number)
    assert org.poll().status.code == "platform_down"
    org.server.heal()
    assert not org.poll().problem
    found = versions(org)
    assert (len(found["opportunities"]), len(found["contacts"])) == (8, 4)


def versions(org: Org) -> dict[str, list[tuple]]:
    """Return what the lake says of the tables that are asked for."""
    return {table: rows for table, rows in org.lake().items() if rows}


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
    ("moment", "owner"), [("normalize", dlt.Pipeline), ("complete_load", FilesystemClient)]
)
def test_a_killed_run_is_taken_exactly_once(
    org: Org, monkeypatch: pytest.MonkeyPatch, moment: str, owner: type, after: bool
) -> None:
    monkeypatch.setattr(salesforce, "ROWS", 2)
    populate(org)
    with monkeypatch.context() as patched:
        patched.setattr(owner, moment, killed(moment, owner, after))
        ((outcome,),) = ingest([org.client()])
        assert outcome.problem == "its process died; run it again"
    assert len(org.deals()) in (0, 6)
    org.poll()
    assert (len(org.deals()), len(org.log("*", "salesforce", "contacts"))) == (6, 3)


# Nothing that is secret is written down.


def test_secrets_are_in_no_file_and_no_outcome(org: Org) -> None:
    populate(org)
    outcomes = [org.poll()]
    for fault in (Cut(40), Truncated(), errors.request_limit()):
        change(org)
        org.server.fail(fault, after=1)
        outcomes.append(org.poll())
        org.server.heal()
    leaky = {"errorCode": "UNKNOWN", "message": "demo-secret 00D000000000001!demo.1"}
    org.server.fail(Status(400, [leaky]), path="queryAll")
    outcomes.append(org.poll())
    assert "*** ***" in outcomes[-1].problem
    written = b"".join(path.read_bytes() for path in org.home.rglob("*") if path.is_file())
    said = repr(outcomes).encode() + repr(statuses(org.client())).encode()
    for secret in (b"demo-secret", b"00D000000000001!demo"):
        assert secret not in written + said
