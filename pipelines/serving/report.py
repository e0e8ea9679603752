"""What a morning says of one client."""

from typing import Literal, NamedTuple

from pipelines.warehouse_files import WarehouseError


class Figures(NamedTuple):
    """What a client's published tables sum to, as text; columns of `freshness_v1`."""

    loaded_until: str
    conversions: str
    currency: str
    revenue: str
    unattributed_revenue: str
    spend: str


class Report(NamedTuple):
    """How a client's morning went, why, and what is published of it now: None if nothing is.

    A client that is held keeps what it had. One that has nothing new is as it was last published.
    """

    client: str
    result: Literal["published", "nothing new", "held"]
    reasons: list[str] = []
    published: Figures | None = None


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
