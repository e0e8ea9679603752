"""Deals of accounts: whose touchpoints count, which milestones they hold, and what becomes of late news."""

import re
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import duckdb
import pytest
from hypothesis import HealthCheck, given, strategies
from hypothesis import settings as hypothesis_settings

from pipelines.contracts.catalog import CONTRACTS
from pipelines.erasing.erasure import age
from pipelines.lake.loads import committed_files, committed_loads, read_loads
from pipelines.learning.training import utc_now
from pipelines.settings.attribution import Attribution
from pipelines.settings.b2b import Contacts
from pipelines.settings.client import Client
from pipelines.settings.needs import missing
from pipelines.settings.sources import Sources
from tests.builders.crm_writer import CrmWorld
from tests.builders.histories import mornings, reader, replay
from tests.builders.lake_writer import START, Load, invent, raw_columns, write
from tests.conftest import House
from tests.oracles.crm_oracle import Crm
from tests.rendered import Models, render

pytestmark = pytest.mark.xdist_group("b2b")  # its models are rendered once

SETTINGS = """
name: {name}
timezone: Europe/Berlin
currency: EUR
start: 2026-09-01
attribution:
  model: w_shaped
  compare: [full_path, milestones, linear]
  lookback_days: 6
  milestones: {{shares: {{first: 0.1, sql: 0.5, closing: 0.2}}, dates: {{sql: milestone_2}}}}
  {more}
sources:
  web:
    sessions: {{files: none}}
  salesforce:
    opportunities: {{files: none}}
    contacts: {{files: none}}
    contact_roles: {{files: none}}
    leads: {{files: none}}
    campaign_members: {{files: none}}
"""
CLIENTS = {
    "customers": "journeys: customer",
    "accounts": "journeys: account",
    "ids": "journeys: account\n  contacts: {match: contact_id, campaign_members: true}",
    "deciders": "journeys: account\n  contacts: {roles: [Decision Maker]}",
    "anyone": "journeys: account\n  contacts: {roles: any}\n  direct_touches: include",
    "primary": "journeys: account\n  contacts: {roles: primary, campaign_members: true}",
}


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Client, Models]]:
    """Return clients and their models, to run without SQLMesh."""
    home = tmp_path_factory.mktemp("b2b")
    (home / "clients").mkdir()
    for name, more in CLIENTS.items():
        (home / f"clients/{name}.yaml").write_text(SETTINGS.format(name=name, more=more))
    house = House(home).enter()
    return {name: (house.client(name), models) for name, models in render(*CLIENTS).items()}


def check(query, history: list[Load], client: Client, until: datetime) -> None:
    """Compare credit with the oracle's; `query` returns columns of a table."""
    found = query("conversion_id, touchpoint_id, model, credit", "marts.fct_credit")
    expected = Crm(history, client, until).credits()
    assert {row[:3]: row[3] for row in found} == {
        key: pytest.approx(credit, abs=1e-12) for key, credit in expected.items()
    }
    assert len(found) == len(expected)


@pytest.mark.slow
@given(seed=strategies.integers(0, 2**32), name=strategies.sampled_from(sorted(CLIENTS)))
@hypothesis_settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[*HealthCheck],
)
def test_generated_histories(
    clients: dict[str, tuple[Client, Models]], seed: int, name: str
) -> None:
    random = Random(seed)
    client, models = clients[name]
    history = invent(random, client, 24, 8, CrmWorld)
    runs = sorted({at.replace(microsecond=0) for at in mornings(random, history, 4)})

    for warehouse, until in replay(models, history, runs):
        check(reader(warehouse, name), history, client, until)

    ((rebuilt, _),) = replay(models, history, runs[-1:])
    for table in models.queries:
        rows = f"FROM {name}_{table} ORDER BY ALL"
        assert warehouse.execute(rows).fetchall() == rebuilt.execute(rows).fetchall(), table


def row(table: str, **said) -> tuple[str, dict]:
    """Return a table's name, and a row of it."""
    source = "web" if table == "sessions" else "salesforce"
    return table, dict.fromkeys(CONTRACTS[source][table].columns) | said | {
        "is_deleted": said.get("is_deleted", False)
    }


def deal(number: int, account: str, opened_at: str) -> tuple[str, dict]:
    """Return a deal that was won on the evening of 31 August."""
    return row(
        "opportunities",
        opportunity_id=f"deal-{number}",
        account_id=account,
        is_won="true",
        opened_at=opened_at,
        closed_at="2026-08-31T18:00:00Z",
        amount="100",
    )


def visit(number: int, who: str, started_at: str) -> tuple[str, dict]:
    """Return a session from a newsletter."""
    return row(
        "sessions",
        session_id=f"visit-{number}",
        customer_id=who,
        started_at=started_at,
        source="newsletter",
        medium="email",
    )


def contact(number: int, account: str | None, email: str, **others) -> tuple[str, dict]:
    """Return a contact of an account."""
    return row("contacts", contact_id=f"003-{number}", account_id=account, email=email, **others)


def lead(number: int, created_at: str, **others) -> tuple[str, dict]:
    """Return a lead."""
    return row("leads", lead_id=f"00Q-{number}", created_at=created_at, **others)


def role(number: int, deal: int, contact: int, role_: str) -> tuple[str, dict]:
    """Return a contact's role on a deal."""
    return row(
        "contact_roles",
        contact_role_id=f"00K-{number}",
        opportunity_id=f"deal-{deal}",
        contact_id=f"003-{contact}",
        role=role_,
    )


def load(at: datetime, *rows: tuple[str, dict]) -> list[Load]:
    """Return what is committed at a time, a load for each source."""
    tables: dict[str, dict[str, list]] = {"web": {}, "salesforce": {}}
    for table, row_ in rows:
        source = "web" if table == "sessions" else "salesforce"
        tables[source].setdefault(table, []).append(row_)
    return [Load(at, source, rows_) for source, rows_ in tables.items() if rows_]


DAY = timedelta(days=1)
BEFORE = load(
    START,
    deal(1, "acme", "2026-08-30T10:00:00Z"),
    deal(2, "globex", "2026-08-30T10:00:00Z"),
    contact(1, "acme", "ann@acme.com"),
    contact(2, "globex", "bob@globex.com"),
    contact(3, None, "cem@home.org"),
    lead(1, "2026-08-28T09:00:00Z", converted_contact_id="003-1"),
    role(1, 1, 1, "Decision Maker"),
    role(2, 2, 2, "Decision Maker"),
    visit(1, "Ann@Acme.com", "2026-08-28T08:00:00Z"),
    visit(2, "bob@globex.com", "2026-08-29T08:00:00Z"),
    visit(3, "cem@home.org", "2026-08-30T08:00:00Z"),
    visit(4, "ann@acme.com", "2026-08-31T08:00:00Z"),
)
BOTH = {"deal-1", "deal-2"}
# What is new on the second day; the deals it revises by account, and by role of a decision maker.
NEWS = {
    "a contact nobody has seen": (contact(9, "acme", "dan@acme.com"), set(), set()),
    "a contact who has been here": (contact(9, "acme", "Cem@home.org"), {"deal-1"}, set()),
    "a contact joins the account": (contact(3, "globex", "cem@home.org"), {"deal-2"}, set()),
    "a contact changes account": (contact(1, "globex", "ann@acme.com"), BOTH, set()),
    "a contact leaves": (contact(1, None, "ann@acme.com"), {"deal-1"}, set()),
    "a contact is deleted": (
        contact(1, "acme", "ann@acme.com", is_deleted=True),
        {"deal-1"},
        {"deal-1"},
    ),
    "a contact is renamed": (contact(1, "acme", "ANN@acme.com", name="Anna"), set(), set()),
    "a contact has another address": (contact(1, "acme", "a@acme.com"), {"deal-1"}, {"deal-1"}),
    "a colleague's visit": (visit(9, "BOB@globex.com", "2026-08-31"), {"deal-2"}, {"deal-2"}),
    "a stranger's visit": (visit(9, "cem@home.org", "2026-08-31"), set(), set()),
    "a visit under the contact's id": (visit(9, "003-2", "2026-08-31"), {"deal-2"}, {"deal-2"}),
    "a lead nobody has seen": (lead(9, "2026-08-29", email="dan@acme.com"), set(), set()),
    "a lead with visits of its own": (
        lead(9, "2026-09-09", email="cem@home.org", converted_contact_id="003-2"),
        {"deal-2"},
        {"deal-2"},
    ),
    "a lead converted to the deal": (
        lead(9, "2026-08-29", converted_opportunity_id="deal-2"),
        {"deal-2"},
        {"deal-2"},
    ),
    "a lead says the same again": (
        lead(1, "2026-08-28T09:00:00Z", company="Acme", converted_contact_id="003-1"),
        set(),
        set(),
    ),
    "a decision maker of no account": (role(9, 2, 3, "decision maker"), set(), {"deal-2"}),
    "a user": (role(9, 2, 3, "User"), set(), set()),
    "a decision maker no more": (role(1, 1, 1, "User"), set(), {"deal-1"}),
    "a role on another deal": (role(1, 2, 1, "Decision Maker"), set(), BOTH),
    "the deal's account was another": (deal(2, "acme", "2026-08-30"), {"deal-2"}, {"deal-2"}),
}


@pytest.mark.parametrize("what", NEWS)
def test_only_what_the_crms_news_touch_is_revised(
    clients: dict[str, tuple[Client, Models]], what: str
) -> None:
    news, *revised = NEWS[what]
    history = [*BEFORE, *load(START + DAY + timedelta(hours=1), news)]
    for name, expected in zip(("accounts", "deciders"), revised):
        client, models = clients[name]

        for warehouse, until in replay(models, history, [START + DAY, START + 2 * DAY]):
            check(reader(warehouse, name), history, client, until)

        found = warehouse.execute(
            f"SELECT conversion_id FROM {name}_journeys.revisions WHERE revised_at >= '{START + DAY}'"
        ).fetchall()
        assert {conversion for (conversion,) in found} == expected, name


def test_a_load_that_has_a_deal_under_both_of_its_ids_says_one_thing(
    clients: dict[str, tuple[Client, Models]],
) -> None:
    """Until version 0.10 a full export with longer ids deleted the shorter ones, in one load."""
    _, models = clients["accounts"]
    rows = {
        "opportunities": ("opportunity_id", "006A0000006Vm9r", deal(1, "acme", "2026-08-30")[1]),
        "contacts": ("contact_id", "003A0000006Vm9r", contact(1, "acme", "ann@acme.com")[1]),
    }
    short = {table: [row | {key: id_}] for table, (key, id_, row) in rows.items()}
    both = {
        table: [row | {key: id_, "is_deleted": True}, row | {key: f"{id_}IAC"}]
        for table, (key, id_, row) in rows.items()
    }
    history = [Load(START, "salesforce", short), Load(START + DAY, "salesforce", both)]

    ((warehouse, _),) = replay(models, history, [START + 2 * DAY])
    query = reader(warehouse, "accounts")
    whole = "COUNT(*), COUNT(DISTINCT {0}), BOOL_OR(is_deleted), MAX(rows_in_load)"
    for table, (key, *_) in rows.items():
        assert query(whole.format(key), f"staging.stg_{table}") == [(2, 1, False, 2)]
    assert query("rows_loaded, rows_staged", "staging.stg_load_counts") == [(3, 3), (3, 3)]
    deals = query("DISTINCT conversion_id, revenue", "marts.fct_credit WHERE is_active")
    assert deals == [("006A0000006Vm9rIAC", 100)]


def test_a_deals_people_and_milestones_by_eye(clients: dict[str, tuple[Client, Models]]) -> None:
    _, models = clients["accounts"]
    late = visit(5, "003-1", "2026-08-31T17:00:00Z")
    history = [*BEFORE, *load(START + timedelta(hours=1), contact(3, "acme", "cem@home.org"), late)]

    ((warehouse, _),) = replay(models, history, [START + DAY])

    assert warehouse.execute(
        """SELECT milestone, touchpoint_id, position FROM accounts_journeys.milestones
        WHERE conversion_id = 'deal-1' ORDER BY reached_at"""
    ).fetchall() == [
        ("lead", "visit-1", 1),
        ("opportunity", "visit-3", 2),
        ("closing", "visit-5", 4),
    ]
    assert warehouse.execute(
        """SELECT touchpoint_id, credit::DECIMAL(4, 3)::TEXT FROM accounts_marts.fct_credit
        WHERE conversion_id = 'deal-1' AND model = 'w_shaped' ORDER BY position"""
    ).fetchall() == [
        ("visit-1", "0.600"),
        ("visit-3", "0.300"),
        ("visit-4", "0.050"),
        ("visit-5", "0.050"),
    ]


def test_a_day_reaches_to_its_end(clients: dict[str, tuple[Client, Models]]) -> None:
    _, models = clients["accounts"]
    table, sold = deal(1, "acme", "2026-08-30T10:00:00Z")
    dated = (table, sold | {"milestone_2": "2026-08-31"})
    history = [*BEFORE, *load(START + timedelta(hours=1), dated)]

    ((warehouse, _),) = replay(models, history, [START + DAY])

    assert warehouse.execute(
        """SELECT touchpoint_id FROM accounts_journeys.milestones
        WHERE conversion_id = 'deal-1' AND milestone = 'sql'"""
    ).fetchall() == [("visit-4",)]  # at eight, before the deal was won at 18


EXPORTS = {
    "opportunities": """Id,AccountId,StageName,IsWon,ClosedAt,Amount,CreatedDate,SQL_Date__c
006A,001A,Closed Won,true,2026-10-20T12:00:00Z,1000,2026-10-10T12:00:00Z,2026-10-15
006B,001B,Closed Won,true,2026-10-20T12:00:00Z,500,2026-10-10T12:00:00Z,
""",
    "contacts": """contact_id,account_id,email,name,created_at
003A,001A,ann@acme.com,Ann,
003B,001B,bob@globex.com,Bob,
""",
    "contact_roles": """contact_role_id,opportunity_id,contact_id,role,is_primary
00KA,006A,003A,Decision Maker,true
""",
    "leads": """lead_id,created_at,email,company,converted_date,converted_account_id,converted_contact_id,converted_opportunity_id
00QA,2026-10-05T12:00:00Z,ann@home.org,Acme,2026-10-10,001A,003A,006A
""",
    "campaign_members": """campaign_member_id,campaign_id,campaign,campaign_type,lead_id,contact_id,status,has_responded,first_responded_date,created_at
00VA,701A,Fair 2026,Trade Show,,003A,Attended,true,2026-10-09,2026-10-01T00:00:00Z
00VB,701A,Fair 2026,Trade Show,,003A,Invited,false,,2026-10-01T00:00:00Z
""",
    "sessions": """session_id,visitor_id,customer_id,started_at,source,medium,campaign
s1,laptop,,2026-10-01T12:00:00Z,google,cpc,brand
s2,laptop,Ann@Acme.com,2026-10-05T11:00:00Z,newsletter,email,
s3,phone,cem@acme.com,2026-10-14T12:00:00Z,newsletter,email,
s4,,bob@globex.com,2026-10-16T12:00:00Z,newsletter,email,
""",
}
B2B = """
name: B2B
currency: EUR
start: 2026-10-01
attribution:
  model: w_shaped
  compare: [full_path, milestones]
  milestones: {shares: {first: 0.2, sql: 0.6}, dates: {sql: milestone_1}}
  journeys: account
  contacts: {campaign_members: true}
sources:
  web:
    sessions: {files: exports/b2b/sessions*.csv, expected_every: never}
  salesforce:
    opportunities:
      files: exports/b2b/opportunities*.csv
      columns: {opportunity_id: Id, customer_id: AccountId, account_id: AccountId, stage: StageName,
        is_won: IsWon, closed_at: ClosedAt, amount: Amount, opened_at: CreatedDate, milestone_1: SQL_Date__c}
    contacts: {files: exports/b2b/contacts-*.csv}
    contact_roles: {files: exports/b2b/contact_roles*.csv}
    leads: {files: exports/b2b/leads*.csv}
    campaign_members: {files: exports/b2b/campaign_members*.csv}
"""


@pytest.mark.slow
def test_an_account_from_its_exports_to_published_credit(tmp_path: Path) -> None:
    house = House(tmp_path).enter()
    (tmp_path / "clients").mkdir()
    settings = tmp_path / "clients/b2b.yaml"
    settings.write_text(re.sub("attribution:\n(  .*\n)+", "", B2B))
    (exports := tmp_path / "exports/b2b").mkdir(parents=True)
    for table, content in EXPORTS.items():
        (exports / f"{table}-1.csv").write_text(content)
    morning(house, days_ago=2)
    assert earned(house, "linear") == {None: 1500}  # nobody is known by the account's id

    settings.write_text(B2B)
    assert (promoted := house.pipelines("promote", "b2b")).returncode == 0, promoted.stdout
    assert earned(house, "w_shaped") == {"s1": 333.34, "s2": 333.33, "00VA": 333.33, "s4": 500}
    assert earned(house, "milestones") == {"s1": 200, "s2": 200, "00VA": 600, "s4": 500}

    (exports / "contacts-2.csv").write_text(
        "contact_id,account_id,email,name,created_at\n003C,001A,cem@acme.com,Cem,\n"
    )
    morning(house)

    assert earned(house, "w_shaped") == {"s1": 300, "s2": 300, "00VA": 300, "s3": 100, "s4": 500}
    assert earned(house, "milestones") == {"s1": 200, "s2": 100, "00VA": 100, "s3": 600, "s4": 500}
    assert house.rows(
        "SELECT conversion_id, COUNT(*) FROM b2b_journeys.revisions GROUP BY ALL ORDER BY ALL"
    ) == [("006A", 2), ("006B", 1)]
    assert house.rows(
        "SELECT milestone, touchpoint_id, position FROM b2b_publish.milestones_v1"
        " WHERE conversion_id = '006A' ORDER BY reached_at"
    ) == [("lead", "s2", 2), ("opportunity", "00VA", 3), ("sql", "s3", 4), ("closing", "s3", 4)]
    assert house.rows(
        "SELECT DISTINCT channel, campaign FROM b2b_publish.attribution_v1 WHERE touchpoint_id = '00VA'"
    ) == [("Trade Show", "Fair 2026")]
    assert house.rows(
        "SELECT SUM(rows_loaded), SUM(rows_staged) FROM b2b_staging.stg_load_counts"
    ) == [(13, 13)]


def test_an_org_that_is_asked_for_less_than_the_settings_need_is_refused() -> None:
    api = {"base_url": "https://b2b.my.salesforce.com"}
    by_account = Attribution(journeys="account", model="w_shaped", contacts=Contacts(roles="any"))

    assert missing(by_account, Sources(salesforce={"api": api})) is None
    for table in ("contacts", "contact_roles", "leads"):
        others = [name for name in CONTRACTS["salesforce"] if name != table]
        problem = missing(by_account, Sources(salesforce={"api": api | {"tables": others}}))
        assert f" needs salesforce.{table}, which is not delivered; add it under" in problem
        assert "`sources.salesforce.api.tables:`" in problem


def morning(house: House, days_ago: int = 0) -> None:
    """Ingest and publish; what was loaded so far was loaded some days ago."""
    assert {outcome.problem for outcome in house.ingest().values()} <= {None, ""}
    house.backdate(days_ago)
    report = house.serve()["b2b"]
    assert report.result == "published", report


def earned(house: House, model: str) -> dict[str, float]:
    """Return what each touchpoint earned, in euros."""
    return {
        touchpoint: float(revenue)
        for touchpoint, revenue in house.rows(
            "SELECT touchpoint_id, SUM(attributed_revenue) FROM b2b_marts.fct_credit"
            f" WHERE model = '{model}' GROUP BY ALL"
        )
    }


def from_lake(models: Models, home: Path, client: str) -> duckdb.DuckDBPyConnection:
    """Return the models' tables as a run computes all of them of what a lake holds."""
    warehouse = models.empty()
    for source in ("web", "salesforce"):
        folder = str(home / "lake" / client / source)
        loads = committed_loads(folder)
        for table in CONTRACTS[source]:
            if files := committed_files(folder, table, loads):
                columns = ", ".join(
                    [
                        *raw_columns(source, table),
                        "row_key, load_id, ordinal, is_deleted, loaded_at",
                    ]
                )
                warehouse.execute(
                    f"""INSERT INTO raw.{source}_{table} BY NAME SELECT {columns}
                    FROM {read_loads(files, loads)} AS log"""
                )
    models.run(warehouse, START, utc_now() + DAY)
    return warehouse


def known_people(home: Path, client: str) -> list[list[tuple]]:
    """Return what the CRM says of each contact, lead and role that it has."""
    folder = str(home / "lake" / client / "salesforce")
    loads, found = committed_loads(folder), []
    for table in ("contacts", "leads", "contact_roles"):
        columns = ", ".join([*CONTRACTS["salesforce"][table].columns, "row_key"])
        rows = read_loads(committed_files(folder, table, loads), loads)
        found.append(
            duckdb.execute(
                f"""SELECT {columns} FROM (
                  FROM {rows} AS log WHERE NOT STARTS_WITH(row_key, 'aged-')
                  QUALIFY ROW_NUMBER() OVER (PARTITION BY row_key ORDER BY loaded_at DESC, ordinal DESC) = 1
                ) WHERE NOT is_deleted ORDER BY ALL"""
            ).fetchall()
        )
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", ["anyone", "ids"])
def test_credit_and_the_crms_people_stay_as_visits_age(
    clients: dict[str, tuple[Client, Models]], name: str, house: House
) -> None:
    client, models = clients[name]
    credits = f"""SELECT converted_at, revenue, touched_at, channel, campaign, model, position, credit
    FROM {name}_marts.fct_credit ORDER BY ALL"""
    client = client.model_copy(update={"retention_days": 7})
    for load in invent(Random(5), client, 24, 8, CrmWorld):
        write(house.home, name, load)
    before = from_lake(models, house.home, name).execute(credits).fetchall()
    people = known_people(house.home, name)

    aged = []
    for days in (13, 60):  # some may be too old by then, and everybody is
        aged += age(client, START + days * DAY).places
        after = from_lake(models, house.home, name).execute(credits).fetchall()
        assert after == before, days
        assert known_people(house.home, name) == people
    assert aged and age(client, START + 61 * DAY).places == []
    lake = duckdb.execute(
        f"SELECT DISTINCT visitor_id, customer_id FROM read_parquet('{house.home}/lake/{name}/web/sessions/*')"
    ).fetchall()
    names = {each for row in lake for each in row if each} - {"acme", "globex"}
    assert names and all(each.startswith("aged-") for each in names)
