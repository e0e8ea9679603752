"""Serve what happened at a demo client as its platforms would: ads, CRM, a bucket of sessions."""

from contextlib import ExitStack
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import yaml

from demo import world
from demo.servers import facebook_ads_server as facebook_ads
from demo.servers import google_ads_server as google_ads
from demo.servers.bucket_server import BucketServer
from demo.servers.facebook_ads_server import FacebookAdsServer
from demo.servers.google_ads_server import GoogleAdsServer
from demo.servers.salesforce_server import SalesforceServer
from demo.write import DAY_0

HISTORY = 120  # days of spend before day 0

GOOGLE = """
SELECT (spend_date + shift())::TEXT AS date, campaign_id, campaign, campaign_id || half AS ad_group_id,
  campaign || ' ' || half AS ad_group,
  CASE half WHEN 1 THEN micros // 3 ELSE micros - micros // 3 END AS cost_micros,
  CASE half WHEN 1 THEN clicks // 3 ELSE clicks - clicks // 3 END AS clicks,
  CASE half WHEN 1 THEN impressions // 3 ELSE impressions - impressions // 3 END AS impressions,
  0.0 AS conversions
FROM (SELECT *, (cost * 1000000)::BIGINT AS micros FROM google_ads), range(1, 3) AS halves(half)
"""

FACEBOOK = """
SELECT (spend_date + shift())::TEXT AS date, campaign_id, campaign, campaign_id || '7' AS adset_id,
  'Everybody' AS adset, campaign_id || '77' AS ad_id, 'Picture' AS ad, cost::TEXT AS spend, clicks,
  impressions, [{'action_type': 'link_click', 'value': clicks::TEXT}] AS actions
FROM facebook_ads
"""

OPPORTUNITIES = """
SELECT opportunity_id AS "Id", customer_id AS "AccountId", 'A deal' AS "Name", stage AS "StageName",
  is_won AS "IsWon", amount::DOUBLE AS "Amount", FALSE AS "IsDeleted",
  moment(in_utc(stage_changed_at + to_days(shift()))) AS "LastStageChangeDate",
  moment(in_utc(stage_changed_at + to_days(shift() - 20))) AS "CreatedDate",
  moment(in_utc(morning(sent + 1) + to_days(shift()))) AS "SystemModstamp"
FROM opportunities WHERE amount IS NOT NULL
"""

DELETED = """
SELECT opportunity_id AS "Id", customer_id AS "AccountId", 'A deal' AS "Name",
  'Closed Won' AS "StageName", TRUE AS "IsWon", amount::DOUBLE AS "Amount", TRUE AS "IsDeleted",
  moment(in_utc(closed_at + to_days(shift()))) AS "LastStageChangeDate",
  moment(in_utc(closed_at + to_days(shift() - 20))) AS "CreatedDate",
  moment(in_utc(morning(revised + 1) + to_days(shift()))) AS "SystemModstamp"
FROM deals WHERE fate = 'deleted' AND revised <= getvariable('day') AND closed <= getvariable('day')
"""

CONTACTS = """
SELECT DISTINCT 'contact-' || customer_id AS "Id", customer_id AS "AccountId",
  customer_id || '@example.org' AS "Email", customer_id AS "Name", FALSE AS "IsDeleted",
  moment(TIMESTAMP '2026-01-01') AS "CreatedDate", moment(TIMESTAMP '2026-01-01') AS "SystemModstamp"
FROM deals WHERE customer_id IS NOT NULL AND closed <= getvariable('day')
"""

ROLES = """
SELECT 'role-' || opportunity_id AS "Id", opportunity_id AS "OpportunityId",
  'contact-' || customer_id AS "ContactId", 'Decision Maker' AS "Role", TRUE AS "IsPrimary",
  FALSE AS "IsDeleted", moment(TIMESTAMP '2026-01-01') AS "CreatedDate",
  moment(in_utc(morning(greatest(closed, 0) + 1) + to_days(shift()))) AS "SystemModstamp"
FROM deals WHERE customer_id IS NOT NULL AND closed <= getvariable('day')
"""

SESSIONS = """
SELECT session_id, visitor_id, customer_id, started_at + to_days(shift()) AS started_at, source,
  medium, campaign, referrer, gclid, fbclid
FROM sessions WHERE sent = {sent} AND started_at IS NOT NULL ORDER BY position
"""


class Platforms:
    """The platforms of one demo client, as of a day: `with Platforms() as platforms`.

    `day_0` is the date of the world's day 0; the client's history ends the day before it is asked.
    """

    def __init__(self, client: str = "acme", day_0: date = DAY_0, sessions: int = 400) -> None:
        self.client, self.day_0, self.sessions = client, day_0, sessions
        self.google, self.facebook = GoogleAdsServer(), FacebookAdsServer()
        self.salesforce, self.bucket = SalesforceServer(), BucketServer()

    def __enter__(self) -> "Platforms":
        self._open = ExitStack()
        for server in (self.google, self.facebook, self.salesforce, self.bucket):
            self._open.enter_context(server)
        self.show(0)
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def show(self, day: int) -> None:
        """Answer as the platforms would when a day is over."""
        with duckdb.connect() as connection, TemporaryDirectory() as folder:
            _build(connection, self.client, day, self.sessions, (self.day_0 - DAY_0).days)
            rows = connection.execute
            self.google.customers = {
                "1234567890": google_ads.Customer("EUR", "Europe/Berlin", _dicts(rows(GOOGLE)))
            }
            self.facebook.accounts = {
                "42": facebook_ads.Account("EUR", "Europe/Berlin", _dicts(rows(FACEBOOK)))
            }
            self.salesforce.objects |= {
                "Opportunity": _dicts(rows(OPPORTUNITIES)) + _dicts(rows(DELETED)),
                "Contact": _dicts(rows(CONTACTS)),
                "OpportunityContactRole": _dicts(rows(ROLES)),
            }
            objects = {}
            for sent in range(day + 1):
                file = Path(folder) / "sessions.parquet"
                connection.execute(f"COPY ({SESSIONS.format(sent=sent)}) TO '{file}'")
                objects[f"web/sessions-{sent}.parquet"] = file.read_bytes()
            self.bucket.buckets = {"clicks": objects}

    def settings(self, name: str, start: date) -> str:
        """Return a client's file that asks these platforms."""
        google = {
            "base_url": self.google.url,
            "token_url": f"{self.google.url}/token",
            "customers": ["1234567890"],
        }
        sessions = {
            "files": "s3://clicks/web/sessions-*.parquet",
            "bucket": {"endpoint": self.bucket.url},
        }
        return yaml.safe_dump(
            {
                "name": name,
                "timezone": "Europe/Berlin",
                "currency": "EUR",
                "start": start,
                "attribution": {"model": "position_based"},
                "sources": {
                    "web": {"sessions": sessions},
                    "salesforce": {"api": {"base_url": self.salesforce.url}},
                    "google_ads": {"api": google},
                    "facebook_ads": {"api": {"base_url": self.facebook.url, "accounts": ["42"]}},
                },
            }
        )

    def credentials(self, client: str) -> dict[str, str]:
        """Return a client's credentials for these platforms, as environment variables."""
        secrets = {
            "google_ads": self.google.credentials
            | {"developer_token": self.google.developer_token},
            "facebook_ads": {"access_token": self.facebook.token},
            "salesforce": self.salesforce.credentials,
            "web": {"access_key_id": self.bucket.access_key, "secret_access_key": "demo"},
        }
        return {
            f"CLIENTS__{client}__{source}__{key}".upper(): value
            for source, keys in secrets.items()
            for key, value in keys.items()
        }


def _build(
    connection: duckdb.DuckDBPyConnection, client: str, day: int, sessions: int, shift: int
) -> None:
    world.build(
        connection,
        is_shop=False,
        client=client,
        timezone="Europe/Berlin",
        currency="EUR",
        unit=1,
        decimals=2,
        tables=("sessions", "opportunities", "google_ads", "facebook_ads"),
        day=day,
        history=HISTORY,
        per_day=max(1, round(sessions / 30)),
        visitors=max(2, sessions // 3),
    )
    connection.execute(f"SET VARIABLE day = {day}")
    connection.execute(f"CREATE MACRO shift() AS {shift}")
    connection.execute(
        "CREATE MACRO moment(point) AS strftime(point, '%Y-%m-%dT%H:%M:%S.000+0000')"
    )


def _dicts(rows: duckdb.DuckDBPyConnection) -> list[dict]:
    columns = [column[0] for column in rows.description]
    return [dict(zip(columns, row)) for row in rows.fetchall()]
