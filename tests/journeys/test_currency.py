"""Money in several currencies: priced by the day's rate, as known, and told as the source has it.

Generated histories with late, restated, withdrawn and missing rates run through the models' own SQL
and are compared with plain Python; a real morning holds a client until a rate is delivered.
"""

from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, strategies
from hypothesis import settings as hypothesis_settings

from pipelines.ingest.load_counts import Counts
from tests.builders.lake_writer import START, Load, row_key
from tests.builders.tenant import Tenant
from tests.conftest import House
from tests.rendered import Models, render

pytestmark = pytest.mark.xdist_group("currency")  # its models are rendered once

SETTINGS = """
name: One
currency: EUR
start: 2026-09-01
timezone: Asia/Tokyo
attribution: {lookback_days: 3, direct_touches: include}
conversions: {signup: {event: signup, counts: true}}
sources:
  web:
    sessions: {files: none}
    events: {files: none}
    conversions: {files: none}
    session_costs: {files: none}
  salesforce:
    opportunities: {files: none}
  google_ads:
    spend: {files: none}
    channel: Paid Search
  rates:
    rates: {files: none}
"""
OWN = {"staging.stg_rates", "journeys.prices", "journeys.repricings", "marts.day_rates"}
TOKYO = timedelta(hours=9)
KEYS = {
    "sessions": ("session_id",),
    "events": ("client_id", "event_type", "event_time", "revenue"),
    "conversions": ("conversion_id",),
    "session_costs": ("session_id",),
    "opportunities": ("opportunity_id",),
    "spend": ("spend_date", "campaign_id"),
    "rates": ("rate_date", "currency"),
}


def at(hour: int) -> str:
    """Return a time some hours from the start, with its offset."""
    return f"{START + timedelta(hours=hour)}Z"


def day(number: int) -> str:
    """Return a date some days from the start."""
    return str(START.date() + timedelta(days=number))


def rows(**columns) -> strategies.SearchStrategy[dict]:
    """Return rows with these columns; some are deleted."""
    deleted = strategies.sampled_from([False, False, False, True])
    return strategies.fixed_dictionaries({"is_deleted": deleted, **columns})


def one_of(*values) -> strategies.SearchStrategy:
    """Return one of some values."""
    return strategies.sampled_from(values)


def event(event_type: str, revenue: strategies.SearchStrategy) -> strategies.SearchStrategy[dict]:
    """Return events of a type; few keys, so that their currencies change."""
    return rows(
        client_id=one_of("ann"),
        event_type=strategies.just(event_type),
        event_time=strategies.integers(-3, 1).map(lambda times: at(12 * times)),
        channel=one_of("email"),
        revenue=revenue,
        currency=currencies,
    )


currencies = one_of("USD", "USD", "USD", "GBP", "EUR", None)
moments = strategies.integers(-60, 20).map(at)
TABLES = {
    "web": {
        "sessions": rows(
            session_id=one_of(*"ab"),
            customer_id=one_of("ann", "bob"),
            channel=one_of("Email", "Direct"),
            started_at=moments,
        ),
        "events": strategies.one_of(
            event("purchase", one_of("100", "-7.775", "0.015", "12.345678")),
            event("signup", one_of(None, "5")),
            event("page_view", one_of(None)),
        ),
        "conversions": rows(
            conversion_id=one_of("s1", "s2"),
            customer_id=one_of("ann", None),
            converted_at=moments,
            revenue=one_of("100", "-7.775", "0", "0.015"),
            currency=currencies,
        ),
        "session_costs": rows(
            session_id=one_of(*"ab"), cost=one_of("12500", None, "0"), currency=currencies
        ),
    },
    "salesforce": {
        "opportunities": rows(
            opportunity_id=one_of("d1", "d2", "d3"),
            customer_id=one_of("ann", "bob"),
            is_won=one_of("true", "true", "false"),
            closed_at=moments,
            amount=one_of("12.345678", "1000000", "-0.5", None),
            currency=currencies,
        )
    },
    "google_ads": {
        "spend": rows(
            spend_date=strategies.integers(-2, 1).map(day),
            campaign_id=one_of("1", "2"),
            campaign=one_of("brand", "brand", "spring"),
            cost=one_of("0", "12.345678", "1000000"),
            currency=currencies,
        )
    },
    "rates": {
        "rates": rows(
            rate_date=strategies.integers(-11, 1).map(day),
            currency=one_of("USD", "USD", "USD", "GBP", "EUR"),
            rate=one_of("0.9", "0.123456789", "1.5", "2"),
        )
    },
}


def key_of(table: str, row: dict) -> tuple:
    """Return what tells a row from another."""
    return tuple(row[key] for key in KEYS[table])


@strategies.composite
def loads(draw) -> list[Load]:
    """Return loads at times apart, mostly of rates; a key at most once in each."""
    history = []
    least = dict.fromkeys(KEYS, 0) | {"events": 3, "opportunities": 2, "spend": 2, "rates": 3}
    for number in range(draw(strategies.integers(4, 9))):
        source = draw(one_of("rates", "rates", "salesforce", "web", "web", "google_ads"))
        tables = {
            table: draw(
                strategies.lists(
                    row,
                    min_size=least[table],
                    max_size=6,
                    unique_by=lambda one, t=table: key_of(t, one),
                )
            )
            for table, row in TABLES[source].items()
        }
        hour = 9 * number + draw(strategies.integers(0, 8))
        history.append(Load(START + timedelta(hours=hour), source, tables))
    return history


class Known:
    """What a history says: the newest version of each row that is not deleted."""

    def __init__(self, history: list[Load]) -> None:
        self.newest: dict[str, dict[tuple, dict]] = defaultdict(dict)
        self.first_costs: dict[str, datetime] = {}
        for load in history:
            for table, delivered in load.tables.items():
                for row in delivered:
                    self.newest[table][key_of(table, row)] = row
                    if table == "session_costs":
                        self.first_costs.setdefault(row["session_id"], load.at)

    def of(self, table: str) -> list[dict]:
        return [row for row in self.newest[table].values() if not row["is_deleted"]]

    def priced(self, amount: str, currency: str | None, on: date) -> Decimal | None:
        """Return an amount in EUR, not rounded; None without a rate of the day or the seven before."""
        if (currency or "EUR") == "EUR" or not Decimal(amount):
            return Decimal(amount)
        known = {
            found: row["rate"]
            for row in self.of("rates")
            for found in [date.fromisoformat(row["rate_date"])]
            if row["currency"] == currency and on - timedelta(days=7) <= found <= on
        }
        return Decimal(amount) * Decimal(known[max(known)]) if known else None

    def conversions(self) -> dict[str, tuple]:
        """Return by conversion: revenue, original currency and revenue, and its day."""
        sold = (
            [
                (row["opportunity_id"], row["amount"] or "0", row["currency"], row["closed_at"])
                for row in self.of("opportunities")
                if row["is_won"] == "true"
            ]
            + [
                (row["conversion_id"], row["revenue"], row["currency"], row["converted_at"])
                for row in self.of("conversions")
            ]
            + [
                (
                    row_key("web", "events", row),
                    row["revenue"] or "0",
                    row["currency"],
                    row["event_time"],
                )
                for row in self.of("events")
                if row["event_type"] != "page_view"
            ]
        )
        found = {}
        for name, amount, currency, moment in sold:
            on = local(moment)
            revenue = rounded(self.priced(amount, currency, on), "0.01")
            found[name] = (revenue, currency or "EUR", Decimal(amount), on)
        return found

    def costs(self) -> list[tuple]:
        """Return each cost: its day, channel, campaign, currency, amount, and the amount in EUR."""
        found = [
            (
                date.fromisoformat(row["spend_date"]),
                "Paid Search",
                row["campaign"],
                row["currency"] or "EUR",
                row["cost"],
            )
            for row in self.of("spend")
        ]
        for row in self.of("session_costs"):
            if row["cost"] is not None:
                session = self.newest["sessions"].get((row["session_id"],))
                moment = (
                    session["started_at"] if session else f"{self.first_costs[row['session_id']]}Z"
                )
                channel = session["channel"] if session else "unattributed"
                found.append(
                    (local(moment), channel, "(not set)", row["currency"] or "EUR", row["cost"])
                )
        return [
            (*cost, rounded(self.priced(cost[4], cost[3], cost[0]), "0.000001")) for cost in found
        ]

    def campaigns(self) -> dict[tuple, tuple]:
        """Return by day, channel and campaign: cost, original currency and cost."""
        groups = defaultdict(list)
        for cost in self.costs():
            groups[cost[:3]].append(cost[3:])
        found = {}
        for key, group in groups.items():
            total = sum((spent for *_, spent in group if spent is not None), Decimal(0))
            said = {currency for currency, *_ in group}
            whole = sum(Decimal(amount) for _, amount, _ in group)
            found[key] = (total, said.pop(), whole) if len(said) == 1 else (total, None, None)
        return found

    def unpriced(self) -> dict[tuple, int]:
        """Return by currency and day how many amounts wait for a rate."""
        sold = [(one[1], one[3]) for one in self.conversions().values() if one[0] is None]
        return Counter(sold + [(cost[3], cost[0]) for cost in self.costs() if cost[5] is None])


def local(moment: str) -> date:
    """Return the day of a time in Tokyo."""
    return (datetime.fromisoformat(moment[:-1]) + TOKYO).date()


def rounded(amount: Decimal | None, unit: str) -> Decimal | None:
    """Return an amount rounded to a unit, halves away from 0."""
    return amount if amount is None else amount.quantize(Decimal(unit), ROUND_HALF_UP)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Models]:
    """Return the models of a client with rates, and of one without."""
    home = tmp_path_factory.mktemp("currency")
    (home / "clients").mkdir()
    (home / "clients/one.yaml").write_text(SETTINGS)
    (home / "clients/two.yaml").write_text(SETTINGS.partition("  rates:")[0])
    House(home).enter()
    return render("one", "two")


@given(history=loads())
@hypothesis_settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[*HealthCheck],
)
def test_money_is_priced_as_known_by_increments_as_by_a_rebuild(
    both: dict[str, Models], history: list[Load]
) -> None:
    models = both["one"]
    warehouse, rebuilt = models.empty(), models.empty()
    start = START
    for number, load in enumerate(history, 1):
        models.load(warehouse, load)
        models.load(rebuilt, load)
        if number % 3 and number < len(history):
            continue
        models.run(warehouse, start, until := load.at + timedelta(seconds=1))
        start = until.replace(hour=0, minute=0, second=0)
        check(warehouse, Known(history[:number]))
    models.run(rebuilt, START, until)
    for table in models.queries:
        query = f"FROM one_{table} ORDER BY ALL"
        assert warehouse.execute(query).fetchall() == rebuilt.execute(query).fetchall(), table

    versions = warehouse.execute(
        "SELECT conversion_id, loaded_at, is_withdrawn, revenue, original_currency,"
        " original_revenue FROM one_journeys.conversions"
    ).fetchall()
    for name, moment, is_withdrawn, *said in versions:
        known = Known([load for load in history if load.at <= moment]).conversions()
        assert is_withdrawn == (name not in known)
        assert is_withdrawn or tuple(said) == known[name][:3]


def check(warehouse, known: Known) -> None:
    """Compare what the models say now with what is known."""
    sold = known.conversions()
    credit = warehouse.execute(
        "SELECT conversion_id, ANY_VALUE(revenue), ANY_VALUE(original_currency),"
        " ANY_VALUE(original_revenue), SUM(attributed_revenue)"
        " FROM one_marts.fct_credit GROUP BY ALL"
    ).fetchall()
    assert {row[0]: row[1:4] for row in credit} == {name: one[:3] for name, one in sold.items()}
    assert all(row[1] == row[4] for row in credit)

    spent = warehouse.execute(
        "SELECT date, channel, campaign, cost, original_currency, original_cost"
        " FROM one_marts.fct_campaigns"
    ).fetchall()
    found = {row[:3]: row[3:] for row in spent if row[4] is not None or row[3]}
    expected = known.campaigns()
    assert found == {key: one for key, one in expected.items() if one[1] is not None or one[0]}
    ((spend,),) = warehouse.execute("SELECT SUM(spend) FROM one_marts.spend_totals").fetchall()
    assert (spend or 0) == sum(row[3] for row in spent)

    totals = "SELECT BOOL_AND(is_conserved) FROM one_marts.conversion_totals"
    assert warehouse.execute(totals).fetchall() in ([(True,)], [(None,)])
    unpriced = warehouse.execute("FROM one_marts.unpriced").fetchall()
    assert {row[:2]: row[2] for row in unpriced} == known.unpriced()


def test_only_a_client_with_rates_has_their_tables(both: dict[str, Models]) -> None:
    assert both["one"].queries.keys() >= OWN
    assert OWN.isdisjoint(both["two"].queries)


def test_amounts_of_a_client_that_lost_its_rates_wait(both: dict[str, Models]) -> None:
    models, warehouse = both["two"], both["two"].empty()
    deal = {"opportunity_id": "d", "is_won": "true", "closed_at": at(0), "is_deleted": False}
    deals = [deal | {"amount": "5", "currency": "USD"}]
    models.load(warehouse, Load(START, "salesforce", {"opportunities": deals}))
    models.run(warehouse, START, START + timedelta(hours=1))
    (waiting,) = warehouse.execute("FROM two_marts.unpriced").fetchall()
    assert waiting == ("USD", date(2026, 9, 1), 1, 1)


@pytest.fixture
def tenant(tmp_path: Path) -> Tenant:
    """A client with a source of rates."""
    (tmp_path / "clients").mkdir()
    House(tmp_path).enter()
    tenant = Tenant(tmp_path, limit=0.9)
    rates = "  rates: {rates: {files: 'exports/one/rates*'}}\n"
    tenant.settings.write_text(tenant.settings.read_text() + rates)
    return tenant


def test_with_rates_every_currency_is_good_in_capitals_or_not(tenant: Tenant) -> None:
    codes = ["USD", "EUR", "", "usd", "US$", "US-Dollars"]
    lines = [f"2026-10-0{number},a,{code},1" for number, code in enumerate(codes, 1)]
    head = "spend_date,campaign_id,currency,cost,campaign,clicks,impressions"
    tenant.deliver("spend.csv", "\n".join([head, *(f"{line},Brand,1,1" for line in lines)]))
    tenant.ingest()
    assert [row[0] for row in tenant.log("currency")] == ["USD", "EUR", None, "USD", "USD"]
    assert [row[2] for row in tenant.quarantine()] == ["currency US-Dollars is not three letters"]


def test_a_rate_is_above_0_of_a_day_and_a_currency(tenant: Tenant) -> None:
    good = ["2026-10-01,USD,0.9", "2026-10-01,GBP,1.123456789"]
    bad = [
        "2026-10-02,USD,0",
        "2026-10-03,USD,-1",
        "2026-10-04,dollar,1",
        ",USD,1",
        "2026-10-05,USD,much",
    ]
    tenant.deliver("rates.csv", "\n".join(["rate_date,currency,rate", *good, *bad]))
    tenant.ingest("rates")
    assert tenant.log("currency, rate", "rates", "rates") == [
        ("USD", "0.9"),
        ("GBP", "1.123456789"),
    ]
    assert [row[2] for row in tenant.quarantine("rates")] == [
        "the rate is not above 0",
        "the rate is not above 0",
        "currency dollar is not three letters",
        "rate_date is missing",
        "rate 'much' is no rate",
    ]


def test_a_rate_holds_for_seven_days_and_is_restated_for_what_it_prices(
    both: dict[str, Models],
) -> None:
    models, warehouse = both["one"], both["one"].empty()
    deal = {"is_won": "true", "amount": "10", "currency": "USD", "is_deleted": False}
    hours = {"before": -25, "first": -1, "seventh": 7 * 24 - 1, "eighth": 8 * 24 - 1}
    deals = [
        deal | {"opportunity_id": name, "closed_at": at(hour - 9)} for name, hour in hours.items()
    ]
    rate = {"rate_date": day(-1), "currency": "USD", "rate": "0.5", "is_deleted": False}
    other = {"rate_date": day(0), "currency": "USD", "rate": "3", "is_deleted": False}
    later = [START + timedelta(hours=hour) for hour in range(5)]
    models.load(warehouse, Load(later[0], "salesforce", {"opportunities": deals}))
    models.load(warehouse, Load(later[1], "rates", {"rates": [rate]}))
    models.load(warehouse, Load(later[2], "rates", {"rates": [rate | {"rate": "0.7"}]}))
    models.load(warehouse, Load(later[3], "rates", {"rates": [other | {"rate_date": day(9)}]}))
    models.run(warehouse, START, later[4])
    found = defaultdict(list)
    for name, revenue in warehouse.execute(
        "SELECT conversion_id, revenue FROM one_journeys.conversions ORDER BY loaded_at"
    ).fetchall():
        found[name].append(revenue and float(revenue))
    assert found == {
        "before": [None],
        "first": [None, 5, 7],
        "seventh": [None, 5, 7],
        "eighth": [None],
    }


def test_a_purchase_is_priced_anew_by_its_currency_and_by_its_rate(
    both: dict[str, Models],
) -> None:
    models, warehouse = both["one"], both["one"].empty()
    bought = {"client_id": "ann", "event_type": "purchase", "event_time": at(0)}
    bought |= {"revenue": "10.005", "is_deleted": False}
    viewed = bought | {"event_type": "page_view", "revenue": None, "currency": "USD"}
    rate = {"rate_date": day(0), "currency": "USD", "is_deleted": False}
    deliveries = [
        ("web", {"events": [bought | {"currency": "USD"}, viewed]}),
        ("rates", {"rates": [rate | {"rate": "0.5"}]}),
        ("web", {"events": [bought]}),
        ("rates", {"rates": [rate | {"rate": "0.6"}]}),
        ("web", {"events": [bought | {"currency": "USD"}]}),
        ("rates", {"rates": [rate | {"rate": "1000000"}]}),
    ]
    for hour, (source, tables) in enumerate(deliveries):
        models.load(warehouse, Load(START + timedelta(hours=hour), source, tables))
    models.run(warehouse, START, START + timedelta(hours=6))
    versions = warehouse.execute(
        "SELECT conversion_id, revenue, original_currency, original_revenue"
        " FROM one_journeys.conversions ORDER BY loaded_at"
    ).fetchall()
    assert {row[0] for row in versions} == {row_key("web", "events", bought)}
    assert [row[1:3] for row in versions] == [
        (None, "USD"),
        (Decimal("5.00"), "USD"),
        (Decimal("10.01"), "EUR"),  # told in the client's own, it waits for no rate
        (Decimal("6.00"), "USD"),
        (Decimal("10005000.00"), "USD"),
    ]
    assert {row[3] for row in versions} == {Decimal("10.005")}


EVENTS = """
    events:
      files: exports/one/events*
      columns: {currency: order_currency}
"""
EVENT = "client_id,event_type,event_time,session_id,channel,campaign_id,utm_source,utm_medium,page_url,referrer_url,product_id,product_category,revenue,order_currency"


@pytest.fixture
def shop(tmp_path: Path) -> Tenant:
    """A client with events whose currency has a name of the shop's own, and without rates."""
    (tmp_path / "clients").mkdir()
    House(tmp_path).enter()
    tenant = Tenant(tmp_path, limit=0.7)
    tenant.settings.write_text(f"{tenant.settings.read_text()}  web:{EVENTS}")
    return tenant


def purchases(*revenues: str) -> str:
    """Return an export of purchases, one a day, of an amount and a currency each."""
    lines = [
        f"ann,purchase,2026-10-0{number},,,,,,,,,,{revenue}"
        for number, revenue in enumerate(revenues, 1)
    ]
    return "\n".join([EVENT, *lines, ""])


def test_events_in_other_currencies_are_bad_without_rates(shop: Tenant) -> None:
    shop.deliver("events.csv", purchases("1,EUR", "2,USD", "3,"))
    assert shop.ingest("web").counts == Counts(3, 2, quarantined=1)
    assert shop.log("revenue, currency", "web", "events") == [("1", "EUR"), ("3", None)]
    assert [row[:3] for row in shop.quarantine("web")] == [
        ("events.csv", 3, "currency USD, the client has EUR: deliver sources.rates")
    ]
    shop.settings.write_text(
        shop.settings.read_text() + "  rates: {rates: {files: 'exports/one/rates*'}}\n"
    )
    shop.deliver("events.csv", purchases("1,EUR", "2,USD", "3,", "4,usd"))
    assert shop.ingest("web").counts == Counts(4, 2, unchanged=2)
    assert {("2", "USD"), ("4", "USD")} < set(shop.log("revenue, currency", "web", "events"))


def test_an_event_is_the_same_once_its_currency_is_told(shop: Tenant) -> None:
    told = shop.settings.read_text()
    shop.settings.write_text(told.replace("order_currency", "null"))
    shop.deliver("events.csv", purchases("1,EUR", "2,USD"))
    shop.ingest("web")
    (exported,) = (shop.home / "lake/one/web/events").glob("*.parquet")
    rows = pyarrow.parquet.read_table(exported)  # as it was before there was such a column
    pyarrow.parquet.write_table(rows.drop_columns("currency"), exported)
    shop.deliver("events-2.csv", purchases("1,EUR", "2,USD", "3,"))
    assert shop.ingest("web").counts == Counts(3, 1, unchanged=2)
    shop.settings.write_text(told)
    shop.deliver("events-3.csv", purchases("1,EUR", "2,EUR", "3,"))
    # The files before are read again, by what is mapped now: both have a purchase in USD.
    assert shop.ingest("web").counts == Counts(8, 2, unchanged=4, quarantined=2)
    log = shop.log("row_key, revenue, currency", "web", "events")
    assert len({key for key, *_ in log}) == 3
    assert [row[1:] for row in log if row[2]] == [("1", "EUR"), ("2", "EUR")]


MORNING = """
name: One
currency: EUR
sources:
  salesforce:
    opportunities: {files: exports/one/deals*}
  google_ads:
    spend: {files: exports/one/spend*}
    channel: Paid Search
  rates:
    rates: {files: exports/one/rates*}
"""
DEALS = """opportunity_id,customer_id,stage,is_won,closed_at,amount,currency
dollars,ann,Won,true,2026-10-05 12:00:00,100.00,USD
euros,bob,Won,true,2026-10-05 12:00:00,1.50,
"""
SPEND = """spend_date,campaign_id,campaign,cost,currency,clicks,impressions
2026-10-05,1,Brand,10.50,GBP,1,1
2026-10-06,1,Brand,2,EUR,1,1
2026-10-06,2,Both,2,EUR,1,1
2026-10-06,3,Both,2,GBP,1,1
"""


@pytest.mark.slow
def test_a_morning_waits_for_a_rate_and_tells_both_amounts(tmp_path: Path) -> None:
    house = House(tmp_path).enter()
    for name in ("clients", "exports/one", "exports/two"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "clients/one.yaml").write_text(MORNING)
    (tmp_path / "clients/two.yaml").write_text(
        MORNING.partition("  rates:")[0].replace("One", "Two").replace("/one/", "/two/")
    )
    exports = tmp_path / "exports/one"
    (exports / "deals.csv").write_text(DEALS)
    (exports / "spend.csv").write_text(SPEND)
    (exports / "rates.csv").write_text("rate_date,currency,rate\n2026-10-02,GBP,1.2\n")
    (tmp_path / "exports/two/deals.csv").write_text(DEALS.replace("USD", "EUR"))
    (tmp_path / "exports/two/spend.csv").write_text(SPEND.replace("GBP", "EUR"))

    house.ingest()
    first = house.serve()
    neighbour = house.published("two")
    assert (first["one"].result, first["two"].result) == ("held", "published")
    (reason,) = first["one"].reasons
    assert "money_priced" in reason and "USD on 2026-10-05" in reason and "GBP" not in reason
    assert "deliver sources.rates" in reason

    (exports / "rates-2.csv").write_text("rate_date,currency,rate\n2026-10-05,USD,0.8765\n")
    house.ingest()
    second = house.serve()
    assert (second["one"].result, second["two"].result) == ("published", "nothing new")
    assert house.rows(
        "SELECT conversion_id, currency, revenue, original_currency, original_revenue"
        " FROM one_publish.attribution_v1 ORDER BY ALL"
    ) == [
        ("dollars", "EUR", Decimal("87.65"), "USD", Decimal(100)),
        ("euros", "EUR", Decimal("1.50"), "EUR", Decimal("1.5")),
    ]
    assert house.rows(
        "SELECT date::TEXT, campaign, currency, cost, original_currency, original_cost"
        " FROM one_publish.campaigns_v1 WHERE cost <> 0 ORDER BY ALL"
    ) == [
        ("2026-10-05", "Brand", "EUR", Decimal("12.6"), "GBP", Decimal("10.5")),
        ("2026-10-06", "Both", "EUR", Decimal("4.4"), None, None),
        ("2026-10-06", "Brand", "EUR", Decimal(2), "EUR", Decimal(2)),
    ]
    ((spend, revenue),) = house.rows("SELECT spend, revenue FROM one_publish.freshness_v1")
    assert (spend, revenue) == (Decimal("19.00"), Decimal("89.15"))
    assert house.published("two") == neighbour

    (exports / "rates-3.csv").write_text("rate_date,currency,rate\n2026-10-05,USD,0.5\n")
    (exports / "spend-2.csv").write_text(SPEND.replace("10-05,1,Brand", "10-20,1,Brand"))
    house.ingest()
    third = house.serve()["one"]
    assert third.result == "held" and "GBP on 2026-10-20" in third.reasons[0]
    ((kept,),) = house.rows("SELECT revenue FROM one_publish.freshness_v1")
    assert kept == revenue
