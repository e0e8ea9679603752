"""Show why a number is as it is: what explains it, as tables and lines around them."""

from datetime import datetime
from typing import TYPE_CHECKING

from rich.markup import escape

from pipelines.commands import screen
from pipelines.commands.screen_tables import new_table

if TYPE_CHECKING:
    from pipelines.explaining.conversion import Explanation
    from pipelines.explaining.path_touches import Touch


def moment(at: datetime | None) -> str:
    """Return a UTC time, to the minute."""
    return f"{at:%Y-%m-%d %H:%M}" if at else ""


def show_explanation(found: "Explanation") -> None:
    """Show what one conversion's numbers were made of, or why it has none."""
    _show_facts(found)
    if found.touches:
        _show_path(found)
    if found.left_out:
        _show_left_out(found.left_out)
    _show_loads(found)


def _show_facts(found: "Explanation") -> None:
    newest = found.versions[-1]
    row = found.credit[0] if found.credit else {}
    own = f"{newest.original_revenue:.2f} {newest.original_currency}"
    facts = {
        found.client: f"conversion {found.conversion_id}",
        "published": f"version {found.version}, of loads until {moment(found.loaded_until)} UTC",
        "type": row.get("conversion_type"),
        "customer": row.get("customer_id"),
        "converted at": f"{moment(newest.converted_at)} UTC" if newest.converted_at else None,
        "revenue": f"{row['revenue']} {row['currency']}" if row else f"none; its source says {own}",
        "in its source": own if row and row["currency"] != newest.original_currency else None,
        "model": row.get("model"),
        "method": row.get("method") if row.get("method") != row.get("model") else None,
        "model version": row.get("model_version"),
        "provisional": "until the next make daily" if row.get("is_provisional") else None,
    }
    for label, text in facts.items():
        if text:
            screen.tell_fact(label, str(text))
    for reason in found.reasons:
        screen.tell_fact("why", reason)


def _show_path(found: "Explanation") -> None:
    currency = found.credit[0]["currency"]
    columns = (
        "touched at (UTC)",
        "touchpoint",
        "channel",
        "campaign",
        "weight",
        "credit",
        currency,
    )
    shown = new_table("", *columns, title="The path, and what it earned")
    for touch in found.touches:
        weight = "" if touch.weight is None else f"{touch.weight:.4g}"
        shown.add_row(
            str(touch.position),
            moment(touch.touched_at),
            *map(escape, (touch.touchpoint_id, touch.channel, touch.campaign)),
            weight,
            f"{touch.credit:.4f}",
            str(touch.revenue),
        )
    screen.screen.print(shown)


def _show_left_out(touches: "list[Touch]") -> None:
    shown = new_table(
        "touched at (UTC)",
        "touchpoint",
        "channel",
        "why not",
        title="Touchpoints of its customer that are not on the path",
    )
    for touch in touches:
        texts = map(escape, (touch.touchpoint_id, touch.channel, touch.why))
        shown.add_row(moment(touch.touched_at), *texts)
    screen.screen.print(shown)


def _show_loads(found: "Explanation") -> None:
    """Show which load brought each row, when it was committed, and from which file."""
    shown = new_table("row", "load", "committed (UTC)", "from", title="The loads behind it")
    for row in sorted(found.rows, key=lambda row: row.load.committed_at):
        load = f"{row.load.source} {row.load.load_id}"
        shown.add_row(escape(row.key), load, moment(row.load.committed_at), escape(row.place))
    for version in found.versions:
        load_of = found.loads.get(version.loaded_at)
        if load_of and load_of not in {row.load for row in found.rows}:
            name = f"{load_of.source} {load_of.load_id}"
            what = f"{found.conversion_id}, restated"
            shown.add_row(escape(what), name, moment(load_of.committed_at), "")
    for touch in found.touches:
        if touch.owner_known_at and (load_of := found.loads.get(touch.owner_known_at)):
            name = f"{load_of.source} {load_of.load_id}"
            what = f"whose {touch.touchpoint_id} is"
            shown.add_row(escape(what), name, moment(load_of.committed_at), "")
    screen.screen.print(shown)
