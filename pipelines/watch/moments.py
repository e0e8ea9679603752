"""Reckon with deadlines, and say times as people do."""

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from pipelines.settings.client import Client

DAY = timedelta(days=1)


def deadline_before(client: Client, now: datetime) -> datetime:
    """Return the client's last deadline that has passed, UTC; a day may have 23 or 25 hours."""
    after = next_deadline(client, now - DAY - timedelta(hours=2))
    while (later := next_deadline(client, after)) <= now:
        after = later
    return after


def next_deadline(client: Client, now: datetime) -> datetime:
    """Return when the client's deadline comes next, UTC."""
    return client.deadline_after(now).astimezone(timezone.utc)


def morning_of(client: Client, deadline: datetime) -> datetime:
    """Return when the morning of a deadline begins, UTC: at the midnight before it, where the client is.

    What was published yesterday evening is not this morning's. The morning of a deadline at midnight
    is all of the day that ends then.
    """
    local = (deadline - timedelta(minutes=1)).astimezone(ZoneInfo(client.timezone))
    return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(timezone.utc)


def on_the_clock(client: Client, moment: datetime) -> str:
    """Return a time as the client's clock shows it, with its zone: `08:00 Europe/Berlin`."""
    return f"{moment.astimezone(ZoneInfo(client.timezone)):%H:%M} {client.timezone}"


def day_there(client: Client, moment: datetime) -> str:
    """Return the day that it is where the client is: in Tokyo, a deadline of 23:00 UTC is tomorrow's."""
    return f"{moment.astimezone(ZoneInfo(client.timezone)):%Y-%m-%d}"


def span(length: timedelta) -> str:
    """Return a length of time in words: `1 h 20 min`, `3 days 2 h`; less than a minute is `1 min`."""
    minutes = max(1, round(abs(length) / timedelta(minutes=1)))
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} days {hours} h" if hours else f"{days} days"
