"""Show why a number is as it is: what explains it, as tables and lines around them."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from rich.markup import escape

from pipelines.commands import screen
from pipelines.commands.screen_tables import new_table

if TYPE_CHECKING:
    from pipelines.explaining.conversion import Explanation
    from pipelines.explaining.number_changes import CauseSum, Changes, Move
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
    row = found.credit[0] if found.credit else {}
    said = row or found.versions[-1]._asdict()  # of the deal itself, where it has no credit
    own = f"{said['original_revenue']:.2f} {said['original_currency']}"
    facts = {
        found.client: f"conversion {found.conversion_id}",
        "published": f"version {found.version}, of loads until {moment(found.loaded_until)} UTC",
        "type": row.get("conversion_type"),
        "customer": row.get("customer_id"),
        "converted at": f"{moment(said['converted_at'])} UTC" if said["converted_at"] else None,
        "revenue": f"{row['revenue']} {row['currency']}" if row else f"none; its source says {own}",
        "in its source": own if row and row["currency"] != row["original_currency"] else None,
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


def show_changes(found: "Changes", since: datetime) -> None:
    """Show why published numbers moved: by cause, then by channel and cause, each with its total."""
    shown_then = f"the version {found.before}, shown at {moment(since)} UTC"
    if found.before == found.after:
        screen.say(found.client, f"nothing changed: {shown_then}, is shown now")
        return
    screen.tell_fact(found.client, f"from {shown_then}, to {found.after}")
    for version, changed in found.settings:
        for each in changed:
            screen.tell_fact(found.how[version], f"{each}, with the version {version}")
    if not found.causes:
        screen.say(found.client, "the published numbers of channels and campaigns are the same")
        return
    show_moves(found)


def show_moves(found: "Changes") -> None:
    """Show what moved by cause, then by channel and cause, and what each cause means."""
    _show_causes(found)
    if found.moves:
        _show_moves(found)
    else:
        screen.say(found.client, "no channel moved; BY=campaigns shows which campaigns did")
    meanings = {row.cause: row.cause.meaning for row in found.causes}
    for cause, meaning in meanings.items():
        screen.tell_fact(cause, meaning)


def _show_causes(found: "Changes") -> None:
    shown = new_table("why", "rows", "spend", "credit", found.currency, "such as")
    for row in found.causes:
        examples = escape("; ".join(row.examples))
        shown.add_row(row.cause, str(row.number), *_moved(row), examples)
    shown.add_section()
    shown.add_row("total", "", *_total(found.causes), "")
    screen.screen.print(shown)


def _show_moves(found: "Changes") -> None:
    has_campaigns = any(move.campaign is not None for move in found.moves)
    columns = ["channel", *(["campaign"] if has_campaigns else []), "why", "spend", "credit"]
    shown = new_table(*columns, found.currency)
    places = [(move.channel, move.campaign) for move in found.moves]
    for place in dict.fromkeys(places):
        of_place = [move for move in found.moves if (move.channel, move.campaign) == place]
        name = [escape(each or "") for each in (place if has_campaigns else place[:1])]
        for move in of_place:
            shown.add_row(*name, move.cause, *_moved(move))
        if len(of_place) > 1:
            shown.add_row(*name, "all of it", *_total(of_place))
        shown.add_section()
    shown.add_row("total", *([""] * len(columns[1:-2])), *_total(found.moves))
    screen.screen.print(shown)


def _moved(row: "CauseSum | Move") -> tuple[str, str, str]:
    """Return by how much spend, credit and revenue moved; nothing for what did not."""
    return _signed(row.cost), _credit(row.credit), _signed(row.revenue)


def _total(rows: "Iterable[CauseSum | Move]") -> tuple[str, str, str]:
    rows, nothing = list(rows), Decimal(0)
    cost, credit, revenue = (
        sum((getattr(row, name) for row in rows), nothing) for name in ("cost", "credit", "revenue")
    )
    return _signed(cost, "0.00"), _credit(credit, "0.0000"), _signed(revenue, "0.00")


def _credit(amount: Decimal, nothing: str = "") -> str:
    """Return credit with its sign, in as many digits as `make explain` shows of a touchpoint's."""
    shown = f"{amount:+.4f}"
    return shown if Decimal(shown) else nothing


def _signed(amount: Decimal, nothing: str = "") -> str:
    """Return an amount with its sign: cents, or as many digits as it has where those are more."""
    shown = f"{amount:+.2f}"
    if Decimal(shown) == amount:
        return shown if amount else nothing
    exact = f"{amount.quantize(Decimal('1e-6')).normalize():+f}"
    return exact if Decimal(exact) else nothing
