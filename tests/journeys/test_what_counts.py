"""Only a customer's first conversion, only those of some columns, and nobody's who only tests."""

from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from pipelines.blueprints.conversion_types import event_types
from pipelines.settings.attribution import Attribution
from pipelines.settings.conversions import ConversionType, rules
from pipelines.settings.exports import Export
from pipelines.settings.reader import ClientError, parse
from tests.builders.checkout import PROJECT
from tests.builders.histories import DAY, deal, replay, session
from tests.builders.lake_writer import START, Load, settings
from tests.conftest import House
from tests.rendered import Models, render

pytestmark = pytest.mark.xdist_group("what_counts")  # its models are rendered once

CLIENTS = {
    "first": {"conversions": "{deal: {counting: first}}"},
    "every": {},
    "tested": {
        "exclude": "{customer_id: [qa-1, 'bot*'], email: '*@example.com', visitor_id: robot, stage: [Demo]}"
    },
    "euro": {
        "table": "events",
        "conversions": "{euro: {event: sign up, where: \"currency = 'EUR'\"}}",
    },
    "pro": {
        "table": "events",
        "properties": "{plan: Plan, value: Value, is_test: Test}",
        "exclude": "{is_test: true}",
        "conversions": "{pro: {event: sign up, where: \"plan = 'pro' AND value > 10\", counts: true}}",
    },
}
CRM = "".join(
    f"    {table}: {{files: none}}\n"
    for table in ("opportunities", "contacts", "contact_roles", "leads")
)
CLIENTS["accounts"] = {
    "model": "linear\n  journeys: account",
    "conversions": "{deal: {counting: first}}",
    "exclude": "{email: '*@example.com', account_id: demo}",
}
HOUR = timedelta(hours=1)
VISIT = session(1, "2026-08-30 12:00:00", customer_id="ann")
TOTALS = "conversions, credited_conversions, revenue::INT, is_conserved"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Models]:
    """Return the models of clients that differ in what counts."""
    home = tmp_path_factory.mktemp("counts")
    (home / "clients").mkdir()
    for name, chosen in CLIENTS.items():
        text = settings(name, **chosen)
        if name == "accounts":
            text = text.replace("    opportunities: {files: none}\n", CRM)
        (home / f"clients/{name}.yaml").write_text(text)
    House(home).enter()
    return render(*CLIENTS)


def won(number: int, day: str, customer: str = "ann", **others) -> dict:
    return deal(number, customer, f"2026-08-{day} 12:00:00") | others


def deals(*days: tuple[dict, ...]) -> list[Load]:
    """Return loads of deals, one a day, after ann's visit."""
    visits = Load(START, "web", {"sessions": [VISIT]})
    return [
        visits,
        *(
            Load(START + place * DAY + HOUR, "salesforce", {"opportunities": list(rows)})
            for place, rows in enumerate(days)
        ),
    ]


# What the mornings bring, and which deals count after each of them.
FIRSTS = {
    "a later one is no first": ([(won(1, "30"),), (won(2, "31"),)], [{"1"}, {"1"}]),
    "an earlier one comes late": ([(won(2, "31"),), (won(1, "30"),)], [{"2"}, {"1"}]),
    "the first is deleted": (
        [(won(1, "30"), won(2, "31")), (won(1, "30", is_deleted=True),)],
        [{"1"}, {"2"}],
    ),
    "the first is reopened and won again": (
        [(won(1, "30"), won(2, "31")), (won(1, "30", is_won="false"),), (won(1, "30"),)],
        [{"1"}, {"2"}, {"1"}],
    ),
    "the first is somebody else's": (
        [(won(1, "30"), won(2, "31")), (won(1, "30", "bob"),)],
        [{"1"}, {"1", "2"}],
    ),
    "two become one customer's": (
        [(won(1, "30"), won(2, "31", "bob")), (won(2, "31"),)],
        [{"1", "2"}, {"1"}],
    ),
    "the first moves behind the second": (
        [(won(1, "30"), won(2, "31")), (won(1, "31", closed_at="2026-08-31 13:00:00"),)],
        [{"1"}, {"2"}],
    ),
    "nobody's are all counted": ([(won(1, "30", None), won(2, "31", None))], [{"1", "2"}]),
    "at one moment the smaller id is first": ([(won(2, "30"),), (won(1, "30"),)], [{"2"}, {"1"}]),
}


@pytest.mark.parametrize("what", FIRSTS)
def test_only_the_first_conversion_counts(models: dict[str, Models], what: str) -> None:
    days, expected = FIRSTS[what]
    runs = [START + (place + 1) * DAY for place in range(len(days))]
    history = deals(*days)
    query = "FROM first_marts.fct_credit WHERE is_active ORDER BY 1"
    found = []
    for warehouse, _ in replay(models["first"], history, runs):
        rows = warehouse.execute(f"SELECT DISTINCT conversion_id {query}").fetchall()
        found.append({deal_id.removeprefix("deal-") for (deal_id,) in rows})
        (totals,) = warehouse.execute(
            f"SELECT {TOTALS} FROM first_marts.conversion_totals"
        ).fetchall()
        assert totals == (len(found[-1]), len(found[-1]), 100 * len(found[-1]), True)

    assert found == expected
    ((rebuilt, _),) = replay(models["first"], history, runs[-1:])
    for table in models["first"].queries:
        rows = f"FROM first_{table} ORDER BY ALL"
        assert warehouse.execute(rows).fetchall() == rebuilt.execute(rows).fetchall(), table


def test_every_conversion_counts_if_nothing_is_said(models: dict[str, Models]) -> None:
    ((warehouse, _),) = replay(models["every"], deals((won(1, "30"), won(2, "31"))), [START + DAY])
    totals = warehouse.execute(f"SELECT {TOTALS} FROM every_marts.conversion_totals").fetchall()
    assert totals == [(2, 2, 200, True)]


def event(number: int, at: str, kind: str = "page_view", **others) -> dict:
    return {
        "event_id": f"e{number}",
        "client_id": "ann",
        "event_type": kind,
        "event_time": f"2026-08-{at}:00",
        "channel": "Email",
        "is_deleted": False,
    } | others


def test_a_type_is_what_its_columns_say_and_stops_being_it(models: dict[str, Models]) -> None:
    """The third has no number, the fourth is a test; the first is corrected on the second day."""
    signed_up = [
        event(1, "31 12:00", "sign up", properties='{"plan":"pro","value":"10.01"}'),
        event(2, "31 13:00", "sign up", properties='{"plan":"pro","value":"10"}'),
        event(3, "31 14:00", "sign up", properties='{"plan":"pro","value":"many"}'),
        event(4, "31 15:00", "sign up", properties='{"plan":"pro","value":"99","is_test":"True"}'),
        event(5, "31 16:00", "sign up", properties='{"plan":"basic","value":"99"}'),
    ]
    corrected = event(1, "31 12:00", "sign up", properties='{"plan":"basic","value":"10.01"}')
    upgraded = event(5, "31 16:00", "sign up", properties='{"plan":"pro","value":"99"}')
    history = [
        Load(START, "web", {"events": [event(9, "30 12:00"), *signed_up]}),
        Load(START + DAY + HOUR, "web", {"events": [corrected, upgraded]}),
    ]
    found = []
    for warehouse, _ in replay(models["pro"], history, [START + DAY, START + 2 * DAY]):
        query = "SELECT DISTINCT conversion_id, conversion_type FROM pro_marts.fct_credit"
        found.append(warehouse.execute(query).fetchall())

    assert found == [[("e1", "pro")], [("e5", "pro")]]
    ((excluded,),) = warehouse.execute("SELECT excluded FROM pro_marts.gate").fetchall()
    assert excluded == "conversions: 1 of 2 by is_test: true"
    ((warnings,),) = warehouse.execute("SELECT warnings FROM pro_marts.gate").fetchall()
    assert warnings == ("conversions.pro.where cannot read a value of 1 events, which do not count")


def test_an_event_without_an_id_stops_being_a_conversion_by_its_currency(
    models: dict[str, Models],
) -> None:
    """The currency is no part of its key: another one is a new version of it."""
    sold = event(1, "31 12:00", "sign up") | {"event_id": None, "currency": "EUR"}
    history = [
        Load(START, "web", {"events": [sold]}),
        Load(START + DAY + HOUR, "web", {"events": [sold | {"currency": "USD"}]}),
    ]
    found = [
        warehouse.execute("SELECT COUNT(*) FROM euro_marts.fct_credit").fetchall()
        for warehouse, _ in replay(models["euro"], history, [START + DAY, START + 2 * DAY])
    ]
    assert found == [[(1,)], [(0,)]]


def test_a_number_of_a_property_is_read_as_the_export_writes_it() -> None:
    """Revenue is plain in staging, however the export writes it."""
    numbers = {"decimal": ",", "thousands": "."}
    export = Export.model_validate(
        {"files": "x.csv", "properties": {"value": "Value"}, "numbers": numbers}
    )
    signup = ConversionType(event="sign up", where="value > 10 AND revenue > 10")
    types = rules({"big": signup}, Attribution())
    rows = "('1.000,5', 12.5), ('10,5', 9.0), ('9,99', 12.5), ('10.5', 12.5)"
    found = duckdb.execute(
        f"""SELECT {event_types(types, export)} FROM (
          SELECT 'sign up' AS event_type, to_json({{value: text}}) AS properties,
          amount::DECIMAL(18, 6) AS revenue FROM (VALUES {rows}) AS rows(text, amount)
        )"""
    ).fetchall()
    assert found == [("big",), (None,), (None,), (None,)]


def test_two_equal_purchases_of_one_second_are_two_and_may_become_refunds(
    models: dict[str, Models],
) -> None:
    bought = [event(each, "31 12:00", "purchase", revenue="10.10") for each in (1, 2)]
    history = [
        Load(START, "web", {"events": [event(9, "30 12:00"), *bought]}),
        Load(START + DAY + HOUR, "web", {"events": [bought[1] | {"event_type": "refund"}]}),
        Load(START + 2 * DAY + HOUR, "web", {"events": [event(9, "30 12:00", "ping")]}),
    ]
    found = []
    for warehouse, _ in replay(models["pro"], history, [START + each * DAY for each in (1, 2, 3)]):
        query = "SELECT conversions, revenue::TEXT, attributed_revenue::TEXT FROM pro_marts.gate"
        found += warehouse.execute(query).fetchall()

    assert found == [(2, "20.20", "20.20"), (1, "10.10", "10.10"), (1, "10.10", "0.00")]


TESTED = [
    Load(
        START,
        "web",
        {
            "sessions": [
                session(1, "2026-08-30 12:00:00", customer_id="ann", visitor_id="a"),
                session(2, "2026-08-30 13:00:00", visitor_id="t"),  # the tester's, anonymous yet
                session(3, "2026-08-30 14:00:00", visitor_id="t", customer_id="Eve@Example.com"),
                session(4, "2026-08-30 15:00:00", visitor_id="Robot", customer_id="ann"),
            ]
        },
    ),
    Load(
        START + HOUR,
        "salesforce",
        {
            "opportunities": [
                won(1, "31"),
                won(2, "31", "eve@example.com"),
                won(3, "31", "QA-1"),
                won(4, "31", "bot-17"),
                won(5, "31", stage="demo"),
                won(6, "31", "robot"),  # a customer's name, not a visitor's
                won(7, "31", "qa-1", is_won="false"),
            ]
        },
    ),
]


def test_test_accounts_are_left_out_and_counted(models: dict[str, Models]) -> None:
    ((warehouse, _),) = replay(models["tested"], TESTED, [START + DAY])
    credit = warehouse.execute(
        "SELECT conversion_id, touchpoint_id FROM tested_marts.fct_credit WHERE is_active ORDER BY 1"
    ).fetchall()
    assert credit == [("deal-1", "session-1"), ("deal-6", None)]
    assert warehouse.execute(f"SELECT {TOTALS} FROM tested_marts.conversion_totals").fetchall() == [
        (2, 2, 200, True)
    ]

    counted = warehouse.execute("FROM tested_marts.exclusions ORDER BY ALL").fetchall()
    assert counted == [
        ("customer_id: bot*", "conversions", 1, 6),
        ("customer_id: qa-1", "conversions", 1, 6),
        ("email: *@example.com", "conversions", 1, 6),
        ("email: *@example.com", "touchpoints", 1, 4),
        ("stage: demo", "conversions", 1, 6),
        ("visitor_id: robot", "touchpoints", 1, 4),
    ]
    excluded, much = warehouse.execute(
        "SELECT excluded, over_excluded FROM tested_marts.gate"
    ).fetchall()[0]
    rules = "customer_id: bot*, customer_id: qa-1, email: *@example.com, stage: demo"
    assert much == f"conversions: 4 of 6 by {rules}"
    assert excluded == f"{much}; touchpoints: 2 of 4 by email: *@example.com, visitor_id: robot"
    ((staged, loaded),) = warehouse.execute(
        "SELECT SUM(rows_staged), SUM(rows_loaded) FROM tested_staging.stg_load_counts"
    ).fetchall()
    assert staged == loaded == 11  # left out, not lost


def test_colleagues_who_test_have_no_part_in_an_account_and_its_first_deal_counts(
    models: dict[str, Models],
) -> None:
    """Their contact is left out by its address, also under its id; of an account one deal is first."""
    people = {"c1": "eve@example.com", "c2": "ann@nova.de"}
    contacts = [
        {"contact_id": each, "account_id": "nova", "email": email, "is_deleted": False}
        for each, email in people.items()
    ]
    of_nova, of_demo = {"account_id": "nova"}, {"account_id": "demo"}
    visits = [*people, *people.values()]
    history = [
        Load(
            START,
            "web",
            {
                "sessions": [
                    session(place, "2026-08-30 12:00:00", customer_id=each)
                    for place, each in enumerate(visits)
                ]
            },
        ),
        Load(
            START + HOUR,
            "salesforce",
            {
                "contacts": contacts,
                "opportunities": [
                    won(1, "31", "c2", **of_nova),
                    won(2, "30", "x", **of_nova),
                    won(3, "31", "y", **of_demo),
                ],
            },
        ),
    ]
    ((warehouse, _),) = replay(models["accounts"], history, [START + DAY])
    credit = warehouse.execute(
        "SELECT conversion_id, touchpoint_id FROM accounts_marts.fct_credit WHERE is_active ORDER BY ALL"
    ).fetchall()
    assert credit == [("deal-2", "session-1"), ("deal-2", "session-3")]
    ((excluded,),) = warehouse.execute("SELECT excluded FROM accounts_marts.gate").fetchall()
    assert excluded == (
        "conversions: 1 of 2 by account_id: demo; touchpoints: 1 of 4 by email: *@example.com"
    )


def test_who_leaves_out_everything_is_held_by_the_rule(models: dict[str, Models]) -> None:
    history = [Load(START, "salesforce", {"opportunities": [won(1, "31", "qa-1")]})]
    ((warehouse, _),) = replay(models["tested"], history, [START + DAY])
    audit = (PROJECT / "audits/rows_make_numbers.sql").read_text().partition(");")[2]
    ((_, rows, remedy),) = warehouse.execute(
        audit.replace("@this_model", "tested_marts.gate")
    ).fetchall()
    assert rows == "salesforce.opportunities 1"
    assert (
        "exclude: leaves out more than half of conversions: 1 of 1 by customer_id: qa-1" in remedy
    )


def test_what_is_left_out_is_read_as_it_is_written(tmp_path: Path) -> None:
    """To YAML 00123 is 83, 12:30:00 is 45000, and yes is true."""
    file = tmp_path / "one.yaml"
    file.write_text(settings("one", exclude="{customer_id: [00123, 12:30:00, 7], stage: yes}"))

    assert parse(file).exclude == {"customer_id": ["00123", "12:30:00", "7"], "stage": ["yes"]}


@pytest.mark.parametrize(
    ("exclude", "said"),
    [
        (
            "{plan: internal}",
            "exclude: plan: there is no such column; use one of customer_id, client_id,",
        ),
        (
            "{stage: []}",
            "exclude.stage: write a value, a pattern such as '*@example.com', or a list",
        ),
        ("{stage: {is: demo}}", "exclude.stage"),
        ("{started_at: 2026-01-01}", "exclude: started_at: there is no such column"),
        ("[a]", "exclude: write a mapping from"),
    ],
)
def test_a_bad_exclusion_is_named(tmp_path: Path, exclude: str, said: str) -> None:
    file = tmp_path / "one.yaml"
    file.write_text(settings("one", exclude=exclude))

    with pytest.raises(ClientError) as error:
        parse(file)

    assert f"clients/one.yaml: {said}" in str(error.value)
