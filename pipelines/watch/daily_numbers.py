"""Read what a client's published files say by day: spend, sessions, conversions and revenue.

Sessions, or page views of a shop, are the touchpoints that the same version was made of. A day is the
client's. What a version says stays so: it is read once, and kept until another one is shown.
"""

import json
from collections import defaultdict
from contextlib import suppress
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from pipelines.files import write_atomically
from pipelines.settings.client import Client
from pipelines.sql import literal
from pipelines.watch.platform_claims import Days, claims_and_ours

KNOWN_DAYS = 70  # nine weeks and the day that is judged, and some days of which nothing came


class DailyNumbers(NamedTuple):
    """What is published by day, and by channel and day; a day without an entry had nothing.

    `last` is the newest day that was over when the newest row was loaded. `unattributed` are the
    conversions that nothing earned; `claims` are those that an ad platform claims, `ours` those that its
    campaigns earned here, both by source; `partial` are the days on which some platform's spend is not
    there.
    """

    last: str
    spend: dict[str, Days]
    sessions: dict[str, Days]
    claims: dict[str, Days]
    ours: dict[str, Days]
    conversions: Days
    unattributed: Days
    revenue: Days
    partial: list[str]
    currency: str

    @property
    def days(self) -> set[str]:
        """Return the days on which anything is published."""
        return {*self.conversions, *chain(*self.spend.values(), *self.sessions.values())}


def daily_numbers(
    opened: duckdb.DuckDBPyConnection, client: Client, version: str, kept: Path
) -> DailyNumbers | None:
    """Return what is published by day, from the file where it is `kept` of a version, or read anew.

    None where no row was ever loaded.
    """
    with suppress(OSError, ValueError, TypeError, KeyError):
        said = json.loads(kept.read_text(encoding="utf-8"))
        if said["version"] == version and said["zone"] == client.timezone:
            return DailyNumbers(**said["numbers"])
    numbers = _read(opened, client)
    if numbers:
        said = {"version": version, "zone": client.timezone, "numbers": numbers._asdict()}
        write_atomically(kept, json.dumps(said))
    return numbers


def _read(opened: duckdb.DuckDBPyConnection, client: Client) -> DailyNumbers | None:
    ((loaded_until, currency),) = opened.execute(
        f"SELECT {_day(client, 'loaded_until')} - 1, currency FROM {client.id}_publish.freshness_v1"
    ).fetchall()
    if loaded_until is None:
        return None
    last: date = loaded_until
    bounds = {"first": last.fromordinal(last.toordinal() - KNOWN_DAYS), "last": last}
    spend, sessions = defaultdict[str, Days](dict), defaultdict[str, Days](dict)
    partial = set()
    for channel, day, cost, is_partial in opened.execute(
        f"""SELECT channel, date::TEXT, SUM(cost)::DOUBLE, MAX(partial_without)
        FROM {client.id}_publish.campaigns_v1 WHERE date BETWEEN $first AND $last GROUP BY ALL""",
        bounds,
    ).fetchall():
        if cost:
            spend[channel][day] = cost
        if is_partial:
            partial.add(day)
    for channel, day, count in opened.execute(_touchpoints(client), bounds).fetchall():
        sessions[channel][day] = count
    conversions, unattributed, revenue = _conversions(opened, client, bounds)
    return DailyNumbers(
        str(last),
        dict(spend),
        dict(sessions),
        *claims_and_ours(opened, client, bounds),
        *(conversions, unattributed, revenue),
        sorted(partial),
        currency,
    )


def _touchpoints(client: Client) -> str:
    """Return SQL for how many touchpoints each channel had on each day: of each the newest version."""
    day = _day(client, "touched_at")
    return f"""
      SELECT channel, day::TEXT, COUNT(*)::DOUBLE FROM (
        SELECT channel, {day} AS day, is_deleted FROM {client.id}_journeys.touchpoints
        WHERE touched_at >= $first::DATE - 1 AND touched_at < $last::DATE + 2
        QUALIFY ROW_NUMBER() OVER (PARTITION BY touchpoint_id ORDER BY loaded_at DESC) = 1
      ) WHERE NOT is_deleted AND day BETWEEN $first AND $last GROUP BY ALL"""


def _conversions(
    opened: duckdb.DuckDBPyConnection, client: Client, bounds: dict[str, Any]
) -> tuple[Days, Days, Days]:
    """Return the conversions of each day, those that nothing earned, and the revenue of all."""
    rows = opened.execute(
        f"""SELECT day::TEXT, COUNT(*)::DOUBLE, COUNT(*) FILTER (NOT is_attributed)::DOUBLE,
        SUM(revenue)::DOUBLE FROM (
          SELECT {_day(client, "ANY_VALUE(converted_at)")} AS day, BOOL_OR(is_attributed) AS is_attributed,
          ANY_VALUE(revenue) AS revenue
          FROM {client.id}_publish.attribution_v1 WHERE is_counted GROUP BY conversion_id
        ) WHERE day BETWEEN $first AND $last GROUP BY ALL""",
        bounds,
    ).fetchall()
    return (
        {day: count for day, count, _, _ in rows},
        {day: count for day, _, count, _ in rows if count},
        {day: revenue or 0.0 for day, _, _, revenue in rows},
    )


def _day(client: Client, moment: str) -> str:
    """Return SQL for the client's day of a UTC timestamp."""
    return f"({moment} AT TIME ZONE 'UTC' AT TIME ZONE {literal(client.timezone)})::DATE"
