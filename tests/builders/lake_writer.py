"""Invent a client's history, and write its loads into the lake with the commit times of one's choice.

A history is what ingest would have appended: each row as text, each load with its moment. It is
made to hurt: late, changed, moved, deleted and restored rows, visitors that change hands, ties in
time, touchpoints on both edges of the window, several loads a day, loads on the stroke of midnight.
"""

import hashlib
import json
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet

from pipelines.contracts.catalog import CONTRACTS
from pipelines.settings.client import Client

START = datetime(2026, 9, 1)  # UTC, of the first load
LENGTH = 6  # days of a history

SETTINGS = """
name: {name}
timezone: {timezone}
currency: {currency}
start: 2026-09-01
attribution:
  model: {model}
  lookback_days: {lookback_days}
  direct_touches: {direct_touches}
  identity: {identity}
  path: {path}
  position_based: {{first: {first}, last: {last}}}
  time_decay: {{half_life_days: {half_life_days}}}
  compare: {compare}
  learning: {learning}
conversions: {conversions}
exclude: {exclude}
sources:
  web:
    {table}: {{files: none, properties: {properties}}}
    {refunds}
    aliases: {aliases}
  salesforce:
    opportunities: {{files: none}}
  google_ads:
    spend: {{files: none}}
  facebook_ads:
    spend: {{files: none}}
    channel: Social
    campaigns: {campaigns}
  {rates}
"""
RATES = "rates: {rates: {files: none}}"  # for a client that sells in several currencies
REFUNDS = "refunds: {files: none}"  # for a client that gives money back

DEFAULTS = {
    "model": "linear",
    "lookback_days": 3,
    "direct_touches": "fallback",
    "identity": "next_seen",
    "path": "[]",
    "conversions": "{}",
    "exclude": "{}",
    "properties": "[]",
    "aliases": "{}",
    "campaigns": "{}",
    "currency": "EUR",
    "timezone": "UTC",
    "first": 0.4,
    "last": 0.4,
    "half_life_days": 7,
    "compare": "[]",
    "learning": "{}",
    "table": "sessions",
    "rates": "",
    "refunds": "",
}

# How a session came about.
WAY = ("channel", "source", "medium", "campaign", "gclid", "fbclid")
WAYS = [
    (None, None, None, None, None, None),
    (None, None, None, "brand", None, None),
    (None, "(direct)", "(none)", None, None, None),
    ("Direct", "google", "cpc", None, None, None),
    (None, "google", "cpc", "brand", None, None),
    (None, "newsletter", "email", "spring", "click-1", None),
    (None, "newsletter", "email", None, None, None),
    (None, None, None, "spring", None, "click-2"),
    ("Podcast", None, None, "spring", None, None),
]


class Load(NamedTuple):
    """Rows that were committed together: of each table, in their order, every value as text."""

    at: datetime  # UTC
    source: str
    tables: dict[str, list[dict]]

    @property
    def load_id(self) -> str:
        """Return the load's id, as dlt makes it: the seconds since 1970."""
        return f"{self.at.replace(tzinfo=timezone.utc).timestamp():.6f}"


def settings(name: str, **chosen) -> str:
    """Return a client's file."""
    return SETTINGS.format(name=name, **DEFAULTS | chosen)


def raw_columns(source: str, table: str) -> list[str]:
    """Return the columns that raw keeps as text."""
    return [name for name in CONTRACTS[source][table].columns if name != "is_deleted"]


def row_key(source: str, table: str, row: dict) -> str:
    """Return a row's key, as intake makes it: its own id, a column, or a hash of several."""
    if own := row.get(CONTRACTS[source][table].own_id):
        return own
    key = [row.get(column) for column in CONTRACTS[source][table].identity]
    if len(key) == 1:
        return key[0]
    return hashlib.md5(json.dumps(key, separators=(",", ":")).encode()).hexdigest()


def write(home: Path, client: str, load: Load) -> None:
    """Write a load as dlt does: Parquet files by table, the ledger, and the mark that it is complete."""
    folder = home / "lake" / client / load.source
    for table, rows in load.tables.items():
        columns = raw_columns(load.source, table)
        keys = [row_key(load.source, table, row) for row in rows]
        _write_table(
            folder / table,
            load,
            {
                "ordinal": pa.array(
                    [0 if row["is_deleted"] else number for number, row in enumerate(rows, 1)],
                    pa.int64(),
                ),
                "row_key": pa.array(keys, pa.string()),
                "is_deleted": pa.array([row["is_deleted"] for row in rows], pa.bool_()),
                "export_file": pa.array([_export_file(table, load)] * len(rows), pa.string()),
                "line": pa.array(range(2, len(rows) + 2), pa.int64()),
                **{
                    name: pa.array([row.get(name) for row in rows], pa.string()) for name in columns
                },
            },
        )
    _write_table(folder / "exports", load, pa.Table.from_pylist(accounts(load)).to_pydict())
    marker = folder / "_dlt_loads" / f"{client}_{load.source}__{load.load_id}.jsonl"
    marker.parent.mkdir(exist_ok=True)
    moment = load.at.replace(tzinfo=timezone.utc).isoformat()
    marker.write_text(json.dumps({"load_id": load.load_id, "status": 0, "inserted_at": moment}))


def accounts(load: Load) -> list[dict]:
    """Return what ingest writes into the ledger about a load, a row for each table."""
    return [_account(load, table, rows) for table, rows in load.tables.items()]


def _account(load: Load, table: str, rows: list[dict]) -> dict:
    deleted = sum(row["is_deleted"] for row in rows)
    keys = {row_key(load.source, table, row) for row in rows}
    return {
        "table_name": table,
        "export_file": _export_file(table, load),
        "rows_read": len(rows) - deleted,
        "rows_quarantined": 0,
        "rows_unchanged": 0,
        "rows_appended": len(rows) - deleted,
        "rows_superseded": len(rows) - len(keys),
        "rows_deleted": deleted,
    }


def _export_file(table: str, load: Load) -> str:
    return f"{table}-{load.load_id}"


def remove(home: Path, client: str, load: Load) -> None:
    """Take a load out of the lake, as if it had never been."""
    for file in (home / "lake" / client / load.source).rglob(f"*{load.load_id}*"):
        file.unlink()


def _write_table(folder: Path, load: Load, columns: dict) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    pa.parquet.write_table(pa.table(columns), folder / f"{load.load_id}.file.parquet")


def invent(
    random: Random,
    client: Client,
    loads: int = 12,
    size: int = 8,
    world: type["World"] | None = None,
) -> list[Load]:
    """Return a history of so many loads, of about so many rows each, in the order of their commits."""
    invented = (world or World)(random, client, size)
    return [invented.load(moment) for moment in _moments(random, loads)]


def _moments(random: Random, count: int) -> list[datetime]:
    """Return moments to commit at: within days, and just before, at and just after their borders."""
    moments: set[datetime] = set()
    while len(moments) < count:
        day = START + timedelta(days=random.randrange(LENGTH))
        moments.add(
            day
            + random.choice(
                [
                    timedelta(0),
                    timedelta(milliseconds=1),
                    timedelta(hours=24, microseconds=-1),
                    timedelta(microseconds=random.randrange(24 * 3600 * 10**6)),
                    timedelta(microseconds=random.randrange(24 * 3600 * 10**6)),
                ]
            )
        )
    return sorted(moments)


class World:
    """What the sources hold while a history is made."""

    def __init__(self, random: Random, client: Client, size: int) -> None:
        self.random = random
        self.client = client
        self.size = size
        own = [one.lookback_days for one in client.conversions.values() if one.lookback_days]
        self.windows = [timedelta(days=days) for days in [client.attribution.lookback_days, *own]]
        self.currencies = ["USD", "GBP"] if client.sources.rates else []  # others than the client's
        self.customers = [f"customer-{number}" for number in range(4)]
        self.visitors = [f"visitor-{number}" for number in range(5)]
        self.rows: dict[tuple[str, str], dict[str, dict]] = {}
        self.touched: list[datetime] = [START]
        self.converted: list[datetime] = [START]

    def load(self, at: datetime) -> Load:
        """Change one source, and return what ingest would append; rates come before what they price."""
        if self.client.sources.rates and not self.rows:
            return self._first_rates(at)
        source, table = self.random.choice(self._tables())
        known = self.rows.setdefault((source, table), {})
        delivered, deleted = [], []
        for _ in range(self.random.randint(1, self.size)):
            fate = self.random.random()
            if fate < 0.45 or not known:
                row = self._new(table)
            elif fate < 0.85 or table == "rates":
                row = self._changed(table, self._pick(known))
            else:
                row = self._pick(known) | {"is_deleted": True}
            key = row_key(source, table, row)
            if row["is_deleted"]:
                if key in deleted or known[key]["is_deleted"]:
                    continue
                if key in {row_key(source, table, other) for other in delivered}:
                    continue
                deleted.append(key)
            elif key in deleted or known.get(key) == row:
                continue
            known[key] = row
            delivered.append(row)
        return Load(at, source, {table: delivered})

    def _tables(self) -> list[tuple[str, str]]:
        """Return the tables that change, each as often as it should, by chance."""
        web = "events" if self.client.sources.web.events else "sessions"
        return (
            [("web", web)] * 4
            + [("salesforce", "opportunities")] * 3
            + [("google_ads", "spend"), ("facebook_ads", "spend")]
            + ([("rates", "rates")] * 2 if self.client.sources.rates else [])
            + ([("web", "refunds")] * 3 if self.client.sources.web.refunds else [])
        )

    def _pick(self, known: dict[str, dict]) -> dict:
        return known[self.random.choice(sorted(known))]

    def _new(self, table: str) -> dict:
        return {"is_deleted": False} | getattr(self, f"_new_{table}")()

    def _changed(self, table: str, row: dict) -> dict:
        """Return a row with another's values here and there, but its own key."""
        other = self._new(table)
        kept = {"session_id", "opportunity_id", "spend_date", "campaign_id", "rate_date"}
        kept |= {column for column in row if self.random.random() < 0.6}
        if table == "events" and not row["event_id"]:
            kept = set(row) - {"currency", "properties"}
        if table == "events" and row["event_id"]:
            kept |= {"event_id"}
        if table == "refunds":
            kept |= (
                {"refund_id"} if row["refund_id"] else {"conversion_id", "refunded_at", "amount"}
            )
        kept = kept | set(WAY) if "channel" in kept else kept - set(WAY)
        changed = other | {column: row[column] for column in kept if column in row}
        if changed.get("is_won") == "true" and changed["closed_at"] is None:
            changed["closed_at"] = self._text(START)
        return changed | {"is_deleted": False}

    def _new_sessions(self) -> dict:
        way = dict(zip(WAY, self._any(WAYS)))
        return way | {
            "session_id": f"session-{self.random.randrange(10**6):06}",
            "visitor_id": self._any([*self.visitors, *self.visitors, None]),
            "customer_id": self._any([*self.customers, None, None, None, None, None]),
            "started_at": self._touch(),
            "referrer": None,
            "consent": self._any(["true", "true", "false", None, None, None]),
            "ad_id": self._any(["7", "8", None]),
        }

    def _new_events(self) -> dict:
        event = self._any(["page_view", "page_view", "page_view", "signup", "purchase"])
        amounts = {"page_view": [None], "signup": [None, self._money()]}
        channel = self._any(["direct", None, "organic_search", "paid_search", "email"])
        return dict.fromkeys(CONTRACTS["web"]["events"].columns) | {
            "client_id": self._any(self.customers),
            "event_id": self._any([None, None, f"event-{self.random.randrange(10**6):06}"]),
            "event_type": event,
            "event_time": self._touch() if event == "page_view" else self._conversion(),
            "channel": channel,
            "campaign_id": self._any([None, "brand"]),
            "page_url": self._any(["/", "/shoes", "/sale"]),
            "revenue": self._any(
                amounts.get(event, [self._money(), self._money(), "0.005", "-7.4567"])
            ),
            "currency": self._any([None, self.client.currency, *self.currencies]),
            "properties": self._properties(),
        }

    def _properties(self) -> str | None:
        """Return an event's further columns, as ingest keeps them; nothing where none are named."""
        drawn = {
            "plan": self._any(["pro", "Pro", "basic", "internal", None]),
            "value": self._any(["9.99", "10", "10.01", "100", "much", None]),
        }
        named = self.client.sources.web.events.properties
        return json.dumps(drawn, separators=(",", ":")) if named else None

    def _first_rates(self, at: datetime) -> Load:
        """Return a load of rates for every day that anything may happen on."""
        days = [str(START.date() + timedelta(days=7 * week)) for week in range(-15, 15)]
        rows = [
            self._new("rates") | {"rate_date": day, "currency": currency}
            for day in days
            for currency in self.currencies
        ]
        self.rows["rates", "rates"] = {row_key("rates", "rates", row): row for row in rows}
        return Load(at, "rates", {"rates": rows})

    def _new_rates(self) -> dict:
        return {
            "rate_date": str(START.date() + timedelta(days=self.random.randrange(-9, LENGTH))),
            "currency": self._any(self.currencies),
            "rate": self._any(["0.9", "0.123456789", "1.5", "150"]),
        }

    def _new_opportunities(self) -> dict:
        is_won = self.random.random() < 0.7
        return {
            "opportunity_id": f"deal-{self.random.randrange(10**6):06}",
            "customer_id": self._any([*self.customers, *self.customers, None]),
            "stage": self._any(["Closed", "Open"]),
            "is_won": "true" if is_won else "false",
            "closed_at": self._conversion() if is_won or self.random.random() < 0.3 else None,
            "amount": self._any([self._money(), self._money(), self._money(), None]),
            "currency": self.client.currency,
        }

    def _new_refunds(self) -> dict:
        """Return a refund of a deal or an event, or of one that is not known, and may come later."""
        deals = self.rows.get(("salesforce", "opportunities"), {})
        events = self.rows.get(("web", "events"), {})
        return {
            "refund_id": self._any([None, f"refund-{self.random.randrange(10**6):06}"]),
            "conversion_id": self._any([*deals, *events, "deal-1"]),
            "refunded_at": self._any([None, self._text(START), "2026-09-03"]),
            "amount": self._any([self._money(), "0.01", None]),
            "currency": self._any([None, None, self.client.currency, "USD"]),
        }

    def _new_spend(self) -> dict:
        return {
            "account_id": self._any(["9", None]),
            "ad_group_id": self._any(["5", "6", None]),
            "spend_date": str(date(2026, 9, 1) + timedelta(days=self.random.randrange(5))),
            "campaign_id": self._any(["1", "2"]),
            "campaign": self._any(["brand", "spring", None]),
            "cost": self._any(["0", "12.345678", "100", "0.01"]),
            "currency": None,
            "clicks": self._any(["7", None]),
            "impressions": self._any(["1000", None]),
        }

    def _any(self, values: list):
        return values[self.random.randrange(len(values))]

    def _money(self) -> str:
        cents = self._any([0, 1, 10000, -1000, self.random.randrange(-999, 99999)])
        return str(cents) if self.client.currency == "JPY" else f"{cents / 100:.2f}"

    def _touch(self) -> str:
        """Return a time on a coarse grid, so that ties are common, or at an edge of some window."""
        at = self._moment(self.converted, [timedelta(0), *(-window for window in self.windows)])
        self.touched.append(at)
        return self._text(at)

    def _conversion(self) -> str:
        """Return a time near the touchpoints, or a day without an hour, which ends with its last second."""
        at = self._moment(self.touched, [timedelta(0), *self.windows])
        if self.random.random() < 0.2:
            return self._day(at)
        self.converted.append(at)
        return self._text(at)

    def _day(self, at: datetime) -> str:
        """Write a UTC time as the day that it is of where the client is."""
        zone = ZoneInfo(self.client.timezone)
        day = at.replace(tzinfo=timezone.utc).astimezone(zone).replace(microsecond=0)
        last = day.replace(hour=23, minute=59, second=59).astimezone(timezone.utc)
        self.converted.append(last.replace(tzinfo=None))
        return f"{day:%Y-%m-%d}"

    def _moment(self, others: list[datetime], offsets: list[timedelta]) -> datetime:
        if self.random.random() < 0.5:
            second = self._any([timedelta(0), timedelta(seconds=1), timedelta(seconds=-1)])
            return self._any(others) + self._any(offsets) + second
        return START + timedelta(hours=8 * self.random.randrange(-3, 3 * LENGTH))

    def _text(self, at: datetime) -> str:
        """Write a UTC time as exports do: with an offset, or as the clock on the client's wall shows it."""
        fraction = self._any(["", "", ".9"])
        moment = at.replace(tzinfo=timezone.utc)
        forms = [
            lambda: f"{at:%Y-%m-%dT%H:%M:%S}{fraction}Z",
            lambda: (
                f"{moment.astimezone(timezone(timedelta(hours=2))):%Y-%m-%d %H:%M:%S}{fraction}+02:00"
            ),
            lambda: (
                f"{moment.astimezone(ZoneInfo(self.client.timezone)):%Y-%m-%d %H:%M:%S}{fraction}"
            ),
        ]
        return self._any(forms)()
