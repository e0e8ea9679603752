"""Clients of the fast path: their models rendered once, and histories that are run and settled beside it."""

import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import duckdb

from pipelines.fastpath.rendering import render as rendered
from pipelines.home import lake_folder
from pipelines.lake.loads import seen_from
from pipelines.learning import versions
from pipelines.serving.warehouse import Warehouse
from pipelines.settings.client import Client
from tests.builders import lake_writer
from tests.builders.histories import deal, replay, session
from tests.builders.lake_writer import RATES, START, Load
from tests.conftest import House
from tests.rendered import Models, render

ACCOUNTS = """
name: accounts
timezone: Europe/Berlin
currency: EUR
start: 2026-09-01
attribution:
  model: w_shaped
  compare: [full_path, milestones, linear]
  lookback_days: 6
  milestones: {shares: {first: 0.1, sql: 0.5, closing: 0.2}, dates: {sql: milestone_2}}
  journeys: account
  contacts: {roles: [Decision Maker], campaign_members: true}
sources:
  web:
    sessions: {files: none}
  salesforce:
    opportunities: {files: none}
    contacts: {files: none}
    contact_roles: {files: none}
    leads: {files: none}
    campaign_members: {files: none}
"""
IHC = "{}\n  custom: {mine: position - 2}\n  ihc: {by: service, conv_type_id: deals, base_url: 'http://localhost:9'}"  # nobody listens
FILES = {
    "deals": lake_writer.settings("deals", model="position_based", compare="[linear, markov]"),
    "shop": lake_writer.settings(
        "shop",
        model="time_decay",
        table="events",
        identity="last_seen",
        currency="JPY",
        timezone="Asia/Tokyo",
        rates=RATES,
        conversions="{signup: {event: signup, lookback_days: 1, model: first_touch}}",
    ),
    "accounts": ACCOUNTS,
    "asks": lake_writer.settings("asks", model="ihc", compare="[ihc_local, mine]", learning=IHC),
}

EVE = START + timedelta(hours=20)  # the evening before: the sessions, and deals 1 to 3
WEB = Load(
    EVE,
    "web",
    {
        "sessions": [
            session(1, "2026-08-30 12:00:00", visitor_id="laptop", customer_id="ann"),
            session(2, "2026-08-30 13:00:00", visitor_id="laptop", source="(direct)"),
            session(3, "2026-08-30 14:00:00", visitor_id="phone", medium="cpc"),
            session(4, "2026-08-30 15:00:00", customer_id="bob", campaign="spring"),
        ]
    },
)
CLOSED = "2026-08-31 18:00:00"
CRM = Load(
    EVE + timedelta(hours=1),
    "salesforce",
    {
        "opportunities": [
            deal(1, "ann", CLOSED),
            deal(2, "bob", CLOSED),
            deal(3, "bob", CLOSED) | {"is_won": "false", "closed_at": None},
        ]
    },
)


class Prepared(NamedTuple):
    """A client, its models for a run, and the text of those for the fast path."""

    client: Client
    models: Models
    text: str

    def begin(self) -> "Prepared":
        """Begin anew: nothing loaded, nothing published."""
        name, home = self.client.id, lake_folder().parent
        for source in ("web", "salesforce", "google_ads", "facebook_ads", "rates", "_ihc"):
            shutil.rmtree(home / "lake" / name / source, ignore_errors=True)
        for folder in ("published", "settled"):
            shutil.rmtree(home / folder / name, ignore_errors=True)
        (home / f"published/{name}.duckdb").unlink(missing_ok=True)
        return self


def prepare(home: Path) -> dict[str, Prepared]:
    """Return clients and their models; no warehouse is left that anybody could read."""
    (home / "clients").mkdir()
    for name, text in FILES.items():
        (home / f"clients/{name}.yaml").write_text(text)
    house = House(home).enter()
    learnt = "SELECT 'Email' AS channel, 0.7 AS weight, 'ok' AS status"
    with duckdb.connect() as connection:
        for day in (1, 3):  # the second comes into force within the histories
            at = START + timedelta(days=day)
            versions.keep(connection, learnt, str(home), "deals", "markov_order_1", at)
    models = render(*FILES, published=True)
    warehouse = Warehouse("home")
    texts = {
        name: rendered(
            name, [model for full, model in warehouse.models.items() if full.startswith(f"{name}_")]
        ).dumped()
        for name in FILES
    }
    warehouse.close()
    shutil.rmtree(home / "warehouse")
    return {name: Prepared(house.client(name), models[name], texts[name]) for name in FILES}


def write(name: str, history: list[Load]) -> None:
    """Write loads into a client's lake."""
    for load in history:
        lake_writer.write(lake_folder().parent, name, load)


def seen(history: list[Load]) -> list[Load]:
    """Return loads at the times from which runs see them: those that the lake's readers go by."""
    return [load._replace(at=seen_from(load.at)) for load in history]


def run(prepared: Prepared, history: list[Load], until: datetime) -> duckdb.DuckDBPyConnection:
    """Compute all models over a history, as the batch does, up to a moment."""
    ((warehouse, _),) = replay(prepared.models, history, [until])
    return warehouse


def loaded(row: dict, at: datetime) -> Load:
    """Return a load of one deal, or of one session."""
    if "session_id" in row:
        return Load(at, "web", {"sessions": [row]})
    return Load(at, "salesforce", {"opportunities": [row]})
