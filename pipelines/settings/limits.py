"""Bound what one client may take: it holds up nobody else."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pydantic import Field

from pipelines.settings.base import Settings

MOST_MINUTES = 1440


class Limits(Settings):
    """What one source's ingest, and one model, may take; what takes more is ended, its client is held."""

    minutes: float = Field(
        30,
        gt=0,
        le=MOST_MINUTES,
        description="Minutes that the ingest of a source may take; it also ends at the deadline.",
    )
    memory_mb: int = Field(
        2_000, ge=500, description="Megabytes of memory that the ingest of a source may take."
    )
    unpacked_mb: int = Field(
        10_000,
        ge=1,
        description="Megabytes that a file which ends in .gz or .parquet may hold unpacked.",
    )
    model_minutes: float = Field(
        15,
        gt=0,
        le=MOST_MINUTES,
        description="Minutes that one SQL model may take to compute, as where a weight of the client's own costs much.",
    )


def next_deadline(deadline: str, timezone: str, now: datetime) -> datetime:
    """Return when a client's deadline, such as 08:00, comes next in its time zone."""
    local = now.astimezone(ZoneInfo(timezone))
    hour, minute = map(int, deadline.split(":"))
    today = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return today if today > local else today + timedelta(days=1)
