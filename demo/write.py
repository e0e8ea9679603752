"""Write what happened at the demo clients as the files that each of them would deliver."""

import filecmp
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import duckdb

from demo import world

DAY_0 = date(2026, 10, 31)

FORMATS = {
    ".csv": "FORMAT csv, HEADER",
    ".jsonl": "FORMAT json",
    ".parquet": "FORMAT parquet",
}


class Export(NamedTuple):
    """The columns of a table as a client delivers them.

    A `*` in the file's name is a date: one file a day, with what is new. Without it there is one
    file with everything.
    """

    file: str
    table: str
    columns: str
    is_sent_twice: bool = False

    def query(self, day: int, condition: str = "true") -> str:
        """Return the query of what is delivered on a day."""
        when = f"sent = {day}" if "*" in self.file else f"sent <= {day}"
        rows = f"{self.table} WHERE {when} AND {condition}"
        return f"SELECT {self.columns} FROM {rows} ORDER BY position"


class Client(NamedTuple):
    """A demo client: where it is, what money it counts in, and what it delivers."""

    timezone: str
    currency: str
    exports: tuple[Export, ...]
    unit: int = 1
    decimals: int = 2


ACME = Client(
    "Europe/Berlin",
    "EUR",
    (
        Export(
            "sessions-*.csv",
            "sessions",
            """session_id, visitor_id AS cookie_id, customer_id AS user_id,
            coalesce(started_at::TEXT, '0000-00-00 00:00:00') AS started_at,
            source AS utm_source, medium AS utm_medium, campaign AS utm_campaign,
            referrer, gclid, fbclid""",
            is_sent_twice=True,
        ),
        Export(
            "opportunities.jsonl",
            "opportunities",
            """opportunity_id AS "Id", customer_id AS "AccountId", stage AS "StageName",
            is_won AS "IsWon",
            strftime(in_utc(stage_changed_at), '%Y-%m-%dT%H:%M:%SZ') AS "LastStageChangeDate",
            coalesce(amount::TEXT, '"tbd"')::JSON AS "Amount", currency AS "CurrencyIsoCode\"""",
        ),
        Export(
            "google_ads-*.csv",
            "google_ads",
            """spend_date AS "segments.date", campaign_id AS "campaign.id",
            campaign AS "campaign.name", cost, currency AS "customer.currency_code",
            clicks AS "metrics.clicks", impressions AS "metrics.impressions\"""",
        ),
        Export(
            "facebook_ads-*.parquet",
            "facebook_ads",
            """spend_date AS date_start, campaign_id, campaign AS campaign_name, cost AS spend,
            currency AS account_currency, clicks, impressions""",
        ),
    ),
)

BOREALIS = Client(
    "Asia/Tokyo",
    "JPY",
    (
        Export(
            "sessions-*.parquet",
            "sessions",
            """session_id, visitor_id, customer_id, started_at, source, medium, campaign,
            referrer, gclid, fbclid""",
            is_sent_twice=True,
        ),
        Export(
            "opportunities-*.csv",
            "opportunities",
            """opportunity_id, customer_id, stage, is_won, closed_at,
            coalesce(amount::TEXT, 'tbd') AS amount, currency""",
        ),
        Export(
            "google_ads-*.jsonl",
            "google_ads",
            "spend_date, campaign_id, campaign, cost, currency, clicks, impressions",
        ),
    ),
    unit=150,
    decimals=0,
)

COBALT = Client(
    "America/New_York",
    "USD",
    (
        Export(
            "crm.sqlite",
            "opportunities",
            """opportunity_id, customer_id, stage, is_won, with_offset(closed_at) AS closed_at,
            coalesce(amount::TEXT, 'tbd') AS amount, currency""",
        ),
        Export(
            "crm.sqlite",
            "sessions",
            """session_id, visitor_id, customer_id,
            CASE
              WHEN started_at IS NULL THEN 'yesterday'
              WHEN position % 3 = 0 THEN with_offset(started_at)
              ELSE started_at::TEXT
            END AS started_at,
            channel, source, medium, campaign, referrer, gclid, fbclid""",
        ),
        Export(
            "facebook_ads-*.jsonl",
            "facebook_ads",
            """spend_date AS date_start, campaign_id, campaign AS campaign_name,
            cost::TEXT AS spend, currency AS account_currency,
            clicks::TEXT AS clicks, impressions::TEXT AS impressions""",
            is_sent_twice=True,
        ),
    ),
)

SHOP = Client(
    "UTC",
    "EUR",
    (
        Export("events.csv", "events", "* EXCLUDE (position, sent, product)"),
        Export("clients.csv", "clients", "* EXCLUDE (position, sent)"),
    ),
)

CLIENTS = {"acme": ACME, "borealis": BOREALIS, "cobalt": COBALT, "shop": SHOP}


def write_exports(
    folder: Path, day: int = 0, sessions: int = 400, clients: Iterable[str] | None = None
) -> list[Path]:
    """Write the exports as they lie in the folder when a day is over, and return their paths.

    Day 0 is 2026-10-31. A name that is no demo client's gets exports in the shape of acme's.
    A file whose content stays the same is not touched; files of later days are removed.
    """
    paths: list[Path] = []
    with duckdb.connect() as connection:
        for name in CLIENTS if clients is None else clients:
            client = CLIENTS.get(name, ACME)
            _build(connection, name, client, day, sessions)
            paths += _write(connection, folder / name, client, day)
    return paths


def _build(
    connection: duckdb.DuckDBPyConnection, name: str, client: Client, day: int, sessions: int
) -> None:
    world.build(
        connection,
        is_shop=client is SHOP,
        client=name,
        timezone=client.timezone,
        currency=client.currency,
        unit=client.unit,
        decimals=client.decimals,
        tables=tuple(export.table for export in client.exports),
        day=day,
        history=29,
        per_day=max(1, round(sessions / 30)),
        visitors=max(2, sessions // 3),
    )


def _write(
    connection: duckdb.DuckDBPyConnection, folder: Path, client: Client, day: int
) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for file, exports in groupby(client.exports, key=lambda export: export.file):
        rows = list(exports)
        days = range(day + 1) if "*" in file else [day]
        for sent in days:
            connection.execute(f"SET VARIABLE day = {sent}")
            path = folder / file.replace("*", str(DAY_0 + timedelta(sent)))
            queries = {export.table: export.query(sent) for export in rows}
            written.append(_write_file(connection, path, queries))
            if sent == 0 and rows[0].is_sent_twice:
                path = path.with_stem(f"{path.stem}-resent")
                queries = {export.table: export.query(sent, "happened = 0") for export in rows}
                written.append(_write_file(connection, path, queries))
        for leftover in set(folder.glob(file)) - set(written):
            leftover.unlink()
    return written


def _write_file(connection: duckdb.DuckDBPyConnection, path: Path, queries: dict[str, str]) -> Path:
    fresh = path.with_name(f".{path.name}.part")
    fresh.unlink(missing_ok=True)
    if path.suffix == ".sqlite":
        _write_sqlite(connection, fresh, queries)
    else:
        (query,) = queries.values()
        connection.execute(f"COPY ({query}) TO '{fresh}' ({FORMATS[path.suffix]})")
    if path.exists() and filecmp.cmp(fresh, path, shallow=False):
        fresh.unlink()
    else:
        fresh.replace(path)
    return path


def _write_sqlite(
    connection: duckdb.DuckDBPyConnection, path: Path, queries: dict[str, str]
) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        for table, query in queries.items():
            rows = connection.execute(query)
            columns = [column[0] for column in rows.description]
            database.execute(f"CREATE TABLE {table} ({', '.join(columns)})")
            insert = f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})"
            while batch := rows.fetchmany(100_000):
                database.executemany(insert, batch)
