"""What a morning says of one client."""

from typing import Literal, NamedTuple

from pipelines.settings.replaced import in_force_again
from pipelines.warehouse_files import WarehouseError


class Figures(NamedTuple):
    """What a client's published tables sum to, as text; columns of `freshness_v1`."""

    loaded_until: str
    conversions: str
    currency: str
    revenue: str
    unattributed_revenue: str
    spend: str
    partial_without: str = ""
    newest_days: str = ""
    dominant_ids: str = ""
    over_excluded: str = ""

    @property
    def said_of_spend(self) -> str:
        """Return the spend, with the ad platforms without which it is partial."""
        return (
            f"{self.spend} (partial: {self.partial_without})"
            if self.partial_without
            else self.spend
        )

    @property
    def by_newest_day(self) -> str:
        """Return the newest day of data, or a line for each day with the sources whose newest it is."""
        named = (each.split(": ") for each in filter(None, self.newest_days.split(", ")))
        return by_newest_day({source: day for source, day in named})


def by_newest_day(newest: dict[str, str]) -> str:
    """Return the newest day of all sources, or a line for each day with the sources whose newest it is."""
    days = sorted(set(newest.values()), reverse=True)
    if len(days) == 1:
        return days[0]
    sources = {day: [source for source in newest if newest[source] == day] for day in days}
    return "\n".join(f"{day} {', '.join(sources[day])}" for day in days)


class Report(NamedTuple):
    """How a client's morning went, why, and what is published of it now: None if nothing is.

    A client that is held keeps what it had. One that has nothing new is as it was last published.
    """

    client: str
    result: Literal["published", "nothing new", "held"]
    reasons: list[str] = []
    published: Figures | None = None
    trained: list[str] = []  # what its models learnt this morning, and what that moved
    cpu_seconds: float = 0.0  # what serving it took of the processors
    settled_otherwise: int = 0  # conversions whose provisional credit came out otherwise


def rolled_back_line(client: str) -> list[str]:
    """Return, of a client that is rolled back, what is in force and what waits, in a line."""
    if not (again := in_force_again(client)):
        return []
    return [
        f"waiting, rolled back: the settings and models of before the promotion of {again.at:%Y-%m-%d %H:%M} UTC"
        f" are in force, and clients/{client}.yaml waits for make promote CLIENT={client}"
    ]


def held(client: str, reason: str | Exception) -> Report:
    """Return the report of a client that could not be served."""
    if isinstance(reason, Exception):
        reason = error_text(reason)
    return Report(client, "held", [reason])


def error_text(error: BaseException | None) -> str:
    """Return an error's kind and text on one line; only the text, where it says all."""
    if isinstance(error, WarehouseError):
        return str(error)
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
