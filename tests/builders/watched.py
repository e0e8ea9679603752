"""Clients to watch: published files with weeks of history, statuses of sources, and channels that listen."""

import os
from collections.abc import Iterable
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import yaml

from pipelines.ingest.source_status import Status, write
from pipelines.lake.append import source_folder
from tests.builders.published_files import publish, warehouse_with

SETTINGS = {
    "currency": "EUR",
    "timezone": "Europe/Berlin",
    "deadline": "08:00",
    "sources": {
        "web": {"sessions": {"files": "sessions*"}, "conversions": {"files": "orders*"}},
        "google_ads": {"spend": {"files": "spend*"}},
    },
}
SESSIONS = {"Paid Search": 100, "Email": 40}  # on each day
COST, CONVERSIONS = 500, 30


def settle(home: Path, name: str, **settings: object) -> None:
    """Write a client's file."""
    sources = yaml.safe_load(yaml.safe_dump(SETTINGS["sources"]))
    for tables in sources.values():
        for export in tables.values():
            export["files"] = f"exports/{name}/{export['files']}"
    content = {**SETTINGS, "name": f"{name.title()} Ltd", "sources": sources, **settings}
    (home / "clients" / f"{name}.yaml").write_text(yaml.safe_dump(content))


def ok(name: str, *others: Status) -> None:
    """Say that a client's sources are well, but for those that others say something of."""
    said, now = {each.source: each for each in others}, datetime.now(timezone.utc).timestamp()
    for source in SETTINGS["sources"]:
        write(said.get(source) or Status(name, source))
        os.utime(
            source_folder(name, source) / "status.json", (now, now)
        )  # as the test's clock says


class History:
    """What is published of a client up to a day: weeks in which all days are alike, and what differs.

    `differs` changes a day's numbers: `sessions` by channel, `cost`, `conversions`, `unattributed`,
    `revenue` of each conversion.
    """

    def __init__(self, last: date, weeks: int = 9) -> None:
        self.days = [last - timedelta(days=number) for number in range(7 * weeks, -1, -1)]
        self._differs: dict[date, dict] = {}

    def differs(self, day: date, **numbers: object) -> "History":
        self._differs[day] = numbers
        return self

    def publish(self, name: str, loaded_until: datetime) -> None:
        """Publish it, as a run does."""
        touchpoints, campaigns, credit = [], [], []
        for day in self.days:
            said = self._differs.get(day, {})
            for channel, count in {**SESSIONS, **said.get("sessions", {})}.items():
                touchpoints.append((day, channel, count))
            campaigns.append((day, said.get("cost", COST)))
            numbers = (said.get("conversions", CONVERSIONS), said.get("unattributed", 3))
            credit.append((day, *numbers, said.get("revenue", 50)))
        tables = {
            f"{name}_publish.freshness_v1": f"""SELECT '{name}' AS client, 'EUR' AS currency,
              TIMESTAMP '{loaded_until:%Y-%m-%d %H:%M:%S}' AS loaded_until""",
            f"{name}_publish.campaigns_v1": f"""SELECT date, 'Paid Search' AS channel, 'brand' AS campaign,
              cost::DECIMAL(18, 6) AS cost, 5.0::DOUBLE AS conversions, NULL::TEXT AS partial_without
              FROM ({_rows(campaigns)}) AS days(date, cost)""",
            f"{name}_publish.attribution_v1": f"""SELECT CONCAT(date, '-', number) AS conversion_id,
              date + INTERVAL 10 HOUR AS converted_at, TRUE AS is_counted, number > unattributed AS is_attributed,
              revenue::DECIMAL(18, 2) AS revenue
              FROM ({_rows(credit)}) AS days(date, conversions, unattributed, revenue),
              UNNEST(RANGE(1, conversions + 1)) AS numbers(number)""",
            f"{name}_journeys.touchpoints": f"""SELECT CONCAT(date, channel, number) AS touchpoint_id, channel,
              date + INTERVAL 10 HOUR AS touched_at, FALSE AS is_deleted, date + INTERVAL 30 HOUR AS loaded_at
              FROM ({_rows(touchpoints)}) AS days(date, channel, sessions),
              UNNEST(RANGE(1, sessions + 1)) AS numbers(number)""",
        }
        with warehouse_with(tables) as warehouse:
            assert publish(warehouse, name) == {}


def _rows(rows: Iterable[tuple]) -> str:
    listed = ", ".join(f"(DATE '{day}', {', '.join(map(repr, others))})" for day, *others in rows)
    return f"VALUES {listed}"
