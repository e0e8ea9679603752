"""Say which tables are made of events, and that one export is enough for all of them."""

from typing import Any

_MADE = ("web.sessions", "web.conversions", "web.refunds")
_WITHOUT_REFUNDS = ("matomo",)

# Where an export lies, and how it comes: the same for whatever is made of it.
_WAY_IN = (
    *("files", "bucket", "postgres", "delivery", "parts", "ordered_by", "encoding", "table"),
    "expected_every",
)


def with_one_export(written: Any) -> Any:
    """Return the settings of `web:` with the export of `sessions:` where what has its format names none.

    Sessions are told of the purchases, which say who a browser is that buys as a guest.
    """
    if not isinstance(written, dict) or not isinstance(written.get("sessions"), dict):
        return written
    sessions = written["sessions"]
    shared = {name: sessions[name] for name in _WAY_IN if name in sessions}
    made = {
        table: {**shared, **its}
        for table in ("conversions", "refunds")
        if isinstance(its := written.get(table), dict)
        and its.get("format") == sessions.get("format") is not None
        and not its.keys() & {"files", "postgres"}
    }
    sales = made.get("conversions") or written.get("conversions")
    if isinstance(sales, dict) and sales.get("format") == sessions.get("format") is not None:
        bought = {"event": sales["event"]} if "event" in sales else {}
        made["sessions"] = {"has_guests": True, **bought, **sessions}
    return {**written, **made}


def check_events(name: str, place: str) -> None:
    """Raise ValueError if a table is not made of a format's events."""
    made = _MADE[: 2 if name in _WITHOUT_REFUNDS else 3]
    if place not in made:
        raise ValueError(
            f"{place}.format: an export of {name} makes {', '.join(made[:-1])} and {made[-1]} only; remove it"
        )
