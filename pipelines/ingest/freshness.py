"""Say how old a source's data is: its newest day, when it becomes stale, which days of spend it lacks.

Sessions, events and spend come every day: their newest day of data counts, however often a file is
delivered. Deals and the like do not: there a delivery is a sign of life, too, if it brings nothing
newer. Days after the load that brought them, as the planned closing of a deal, do not count.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from pipelines.contracts.ad_platforms import is_ad_platform
from pipelines.ingest.newest_days import newest_day_in_lake, newest_day_that_holds
from pipelines.ingest.source_log import SourceLog
from pipelines.ingest.source_status import Status, today
from pipelines.ingest.standing_notes import standing
from pipelines.settings.client import Client
from pipelines.settings.expected_every import days
from pipelines.sources.batches import Batch
from pipelines.sources.deliveries import TableDelivery, delivery_of

DAY = timedelta(days=1)
GRACE = DAY


def aged(
    client: Client, log: SourceLog, status: Status, delivered: dict[str, datetime] | None = None
) -> Status:
    """Return a source's status with the age of its data; `delivered` is when a table's file came."""
    newest: dict[str, str] = {}
    stale_from: dict[str, str] = {}
    warnings = [*status.warnings]
    missing = status.days_missing
    for table, feed in client.sources.of(log.source).items():
        delivery = delivery_of(client, log.source, table)
        newest_day = _newest_day(client, log, table, delivery)
        sign_of_life = _sign_of_life(client, log, table, (delivered or {}).get(table))
        alive = newest_day if delivery.contract.is_daily else max(newest_day, sign_of_life)
        every = days(feed.expected_every or delivery.contract.expected_every)
        warnings += standing(log, table, delivery.mode == "days")
        newest |= {table: newest_day} if newest_day else {}
        if alive and every:
            stale_from[table] = str(date.fromisoformat(alive) + DAY * every + GRACE + DAY)
            if is_ad_platform(log.source) and delivery.mode != "days":
                missing = _days_after(newest_day, today(client))
    return status._replace(
        newest=newest, stale_from=stale_from, days_missing=missing, warnings=warnings
    ).on(client, today(client))


def delivered(batches: dict[str, list[Batch]]) -> dict[str, datetime]:
    """Return when the newest file of each table was written; now where a table was asked itself."""
    now = datetime.now(timezone.utc)
    return {
        table: max((_written(batch, now) for batch in found), default=now)
        for table, found in batches.items()
    }


def answered(tables: Iterable[str]) -> dict[str, datetime]:
    """Return that each table of a platform was asked now, and answered."""
    return dict.fromkeys(tables, datetime.now(timezone.utc))


def _written(batch: Batch, now: datetime) -> datetime:
    """Return when a file was written; no later than now, whatever its clock said."""
    if batch.file_time is None:
        return now
    return min(now, datetime.fromtimestamp(batch.file_time / 1e9, timezone.utc))


def _newest_day(client: Client, log: SourceLog, table: str, delivery: TableDelivery) -> str:
    """Return the newest day of a table's data: of days that a platform answers, also one without rows."""
    loaded = log.loaded(table)
    if delivery.mode == "days":
        return max((covers.last for covers in loaded.coverage), default="")
    if not delivery.contract.dated_by:
        return ""
    if not delivery.contract.happens_once:
        return newest_day_that_holds(log, table, delivery.contract, client)
    counted = max(loaded.days, default="")
    if max(loaded.counted_at_most, default="") <= counted:  # then no row can be newer
        return counted
    return max(counted, newest_day_in_lake(log, table, delivery.contract, client))


def _sign_of_life(client: Client, log: SourceLog, table: str, came: datetime | None) -> str:
    """Return the day of a table's newest delivery, in the client's time zone."""
    loaded = [moment.replace(tzinfo=timezone.utc) for moment, _ in log.loaded(table).loads.values()]
    moments = loaded + ([came] if came else [])
    zone = ZoneInfo(client.timezone)
    return str(max(moments).astimezone(zone).date()) if moments else ""


def _days_after(newest_day: str, today: date) -> list[str]:
    """Return the days of spend that are missing at the end, up to yesterday."""
    first = date.fromisoformat(newest_day) + DAY
    return [str(first + DAY * number) for number in range((today - first).days)]
