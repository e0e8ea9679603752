"""Tell why published numbers moved, by cause, exactly: the causes' sums are what the numbers moved by.

The versions between then and now are compared one with the next, so what went up by one cause and down
by another is told of both. The published tables of campaigns say by how much each channel and campaign
moved; what the rows of credit and spend do not tell of that is told as such.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import duckdb

from pipelines.explaining.causes import Cause
from pipelines.explaining.credit_moves import add_credit_moves
from pipelines.explaining.setting_changes import SettingChange, setting_changes
from pipelines.explaining.spend_moves import add_spend_moves
from pipelines.explaining.steps import Step, shown_at, steps
from pipelines.explaining.version_tables import define_version, loaded_until
from pipelines.published.settings_file import settings_of
from pipelines.published.version_folders import (
    base_of,
    is_provisional,
    is_shown_again,
    manifest,
)
from pipelines.settings.client import Client
from pipelines.sql import literal


class Move(NamedTuple):
    """What a cause moved of a channel, or of a campaign of it."""

    cause: Cause
    channel: str
    campaign: str | None
    cost: Decimal
    credit: Decimal
    revenue: Decimal


class CauseSum(NamedTuple):
    """What a cause moved in total, by how many conversions or rows of spend, and some of them."""

    cause: Cause
    number: int
    examples: list[str]
    cost: Decimal
    credit: Decimal
    revenue: Decimal


class Changes(NamedTuple):
    """Why a client's published numbers moved between two versions."""

    client: str
    currency: str
    before: str  # the version that was shown then
    after: str
    causes: list[CauseSum]
    moves: list[Move]  # by channel, or by channel and campaign
    settings: list[tuple[str, list[SettingChange]]]  # by the version that came with them
    how: dict[
        str, str
    ]  # by that version: promoted, rolled back, or edited, where no promotion is needed


def changes(client: Client, since: datetime, by_campaign: bool = False) -> Changes:
    """Return why a client's published numbers moved since a UTC time.

    Raise GoneVersion if the version that was shown then is not kept, PublishedFileError if files are torn.
    """
    walked = steps(client, since)
    before = walked[0].before if walked else shown_at(client, since)
    return _told(client, before, walked, by_campaign)


def changes_between(client: Client, before: str, after: str, by_campaign: bool = False) -> Changes:
    """Return by what a client's numbers differ from a version to a later one: nothing between counts.

    Raise PublishedFileError if files are torn.
    """
    return _told(client, before, [Step(before, after)], by_campaign)


def _told(client: Client, before: str, walked: list[Step], by_campaign: bool) -> Changes:
    with duckdb.connect() as opened:
        opened.execute(_MOVES.format(name="all_moves"))
        for step in walked:
            _add_step(opened, client, step)
        opened.execute(_NETTED)
        return Changes(
            client.id,
            client.currency,
            before,
            walked[-1].after if walked else before,
            _by_cause(opened),
            _by_place(opened, by_campaign),
            list(_changed_settings(client, walked)),
            {step.after: _how(client.id, step) for step in walked},
        )


_MOVES = """CREATE TABLE {name} (cause TEXT, channel TEXT, campaign TEXT, what TEXT,
  cost DECIMAL(38, 6), credit DECIMAL(38, 18), revenue DECIMAL(38, 6))"""

# What cancels out, as the rows of spend that are the same in both versions, is no move.
_SUMMED = """INSERT INTO all_moves
SELECT cause, channel, campaign, what, SUM(cost) AS cost, SUM(credit) AS credit, SUM(revenue) AS revenue
FROM moves GROUP BY ALL HAVING cost <> 0 OR ABS(credit) > 1e-9 OR revenue <> 0"""

_NETTED = """CREATE TABLE netted AS
SELECT cause, channel, campaign, what, SUM(cost) AS cost, SUM(credit) AS credit, SUM(revenue) AS revenue
FROM all_moves GROUP BY ALL HAVING cost <> 0 OR ABS(credit) > 1e-9 OR revenue <> 0"""

_REMAINDER = """
INSERT INTO moves
WITH published AS (
  SELECT channel, campaign, cost, conversions::DECIMAL(38, 18) AS credit, revenue
  FROM now_publish.campaigns_v1
  UNION ALL
  SELECT channel, campaign, -cost, -conversions::DECIMAL(38, 18), -revenue
  FROM then_publish.campaigns_v1
  UNION ALL
  SELECT channel, campaign, -cost, -credit, -revenue FROM moves
), remainder AS (
  SELECT channel, campaign, SUM(cost) AS cost, SUM(credit) AS credit, SUM(revenue) AS revenue
  FROM published GROUP BY ALL
), before AS (
  SELECT channel, campaign, BOOL_OR(cost <> 0) AS had_spend FROM then_publish.campaigns_v1 GROUP BY ALL
)
SELECT {of_cost}, channel, campaign, CONCAT(channel, ' ', campaign), cost, 0, 0
FROM remainder LEFT JOIN before USING (channel, campaign) WHERE cost <> 0
UNION ALL
SELECT {of_credit}, channel, campaign, CONCAT(channel, ' ', campaign), 0, credit, revenue
FROM remainder WHERE ABS(credit) > 1e-6 OR revenue <> 0
"""


def _add_step(opened: duckdb.DuckDBPyConnection, client: Client, step: Step) -> None:
    """Add what moved between two versions that followed each other."""
    opened.execute(_MOVES.format(name="moves"))
    then = define_version(opened, "then", client.id, step.before)
    now = define_version(opened, "now", client.id, step.after)
    of_cost = of_credit = literal(Cause.ROLLBACK)
    if is_provisional(step.after):
        of_cost = of_credit = literal(Cause.PROVISIONAL)
    elif step.before < step.after and not is_shown_again(client.id, step.after):
        of_credit = literal(Cause.OTHER)
        of_cost = _add_told(opened, client, step, then, now)
    opened.execute(_REMAINDER.format(of_cost=of_cost, of_credit=of_credit))
    opened.execute(f"{_SUMMED}; DROP TABLE moves")
    for prefix, tables in (("then", then), ("now", now)):
        for layer in tables:
            opened.execute(f"DROP SCHEMA {prefix}_{layer} CASCADE")


def _add_told(
    opened: duckdb.DuckDBPyConnection,
    client: Client,
    step: Step,
    then: dict[str, Any],
    now: dict[str, Any],
) -> str:
    """Add what the rows of credit and spend tell; return, as SQL, the cause of the spend that they do not."""
    until = loaded_until(opened, "then")
    is_promoted = _behind(then) != _behind(now)
    add_credit_moves(opened, until, is_promoted, now.get("staging", {}))
    if not all("stg_ad_spend" in each.get("staging", {}) for each in (then, now)):
        return f"CASE WHEN had_spend THEN {literal(Cause.RESTATED_SPEND)} ELSE {literal(Cause.NEW_SPEND)} END"
    settings = settings_of(client.id, step.after) or client
    rated = {name: "stg_rates" in each["staging"] for name, each in (("then", then), ("now", now))}
    add_spend_moves(opened, until, is_promoted, settings.currency, rated)
    has_costs = any(table == "session_costs" for _, table, _ in settings.sources.feeds())
    return literal(Cause.SESSION_COSTS if has_costs else Cause.OTHER)


def _behind(tables: dict[str, Any]) -> set[str]:
    """Return the tables behind what is published: others, where a promotion has put them there."""
    return {table["behind"] for table in tables["publish"].values()}


def _by_cause(opened: duckdb.DuckDBPyConnection) -> list[CauseSum]:
    rows = opened.execute(
        """WITH by_what AS (
          SELECT cause, what, SUM(cost) AS cost, SUM(credit) AS credit, SUM(revenue) AS revenue,
            SUM(ABS(cost) + ABS(credit) + ABS(revenue)) AS size
          FROM netted GROUP BY cause, what
        )
        SELECT cause, COUNT(*), (LIST(what ORDER BY size DESC, what))[:3], SUM(cost), SUM(credit), SUM(revenue)
        FROM by_what GROUP BY cause"""
    ).fetchall()
    order = list(Cause)
    return sorted(
        (CauseSum(Cause(row[0]), *row[1:]) for row in rows), key=lambda row: order.index(row.cause)
    )


def _by_place(opened: duckdb.DuckDBPyConnection, by_campaign: bool) -> list[Move]:
    place = "channel, campaign" if by_campaign else "channel, NULL AS campaign"
    rows = opened.execute(
        f"""SELECT cause, {place}, SUM(cost) AS cost, SUM(credit) AS credit, SUM(revenue) AS revenue
        FROM netted GROUP BY ALL HAVING SUM(cost) <> 0 OR ABS(SUM(credit)) > 1e-9 OR SUM(revenue) <> 0"""
    ).fetchall()
    order = list(Cause)
    moves = (Move(Cause(row[0]), *row[1:]) for row in rows)
    return sorted(moves, key=lambda m: (m.channel, m.campaign or "", order.index(m.cause)))


def _how(client: str, step: Step) -> str:
    """Return how settings came into force: an edit of some, as of alerts or files, needs no promotion."""
    if step.after < step.before or is_shown_again(client, step.after):
        return "rolled back"
    then, now = (_behind(manifest(client, version)) for version in step)
    return "promoted" if then != now else "edited"


def _changed_settings(
    client: Client, walked: list[Step]
) -> Iterator[tuple[str, list[SettingChange]]]:
    """Return which settings changed with which version, where both versions have kept theirs."""
    for step in walked:
        then, now = (settings_of(client.id, base_of(client.id, version)) for version in step)
        if then and now and (changed := setting_changes(then, now)):
            yield step.after, changed
