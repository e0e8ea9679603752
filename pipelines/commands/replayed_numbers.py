"""Show the numbers of another time, and of what they are."""

from datetime import datetime
from typing import TYPE_CHECKING

from rich.markup import escape

from pipelines.commands import screen
from pipelines.commands.answers import moment
from pipelines.commands.change_tables import cells
from pipelines.commands.screen_tables import new_table
from pipelines.explaining.compared_campaigns import by_channel, total

if TYPE_CHECKING:
    from pipelines.explaining.made_then import MadeThen
    from pipelines.explaining.replay import Numbers, Replayed
    from pipelines.serving.replaying import Recomputed
    from pipelines.settings.client import Client


def show_kept(client: "Client", as_of: datetime, found: "Replayed", has_campaigns: bool) -> None:
    """Show what was published at a time, from the files that were kept."""
    currency = (found.settings or client).currency
    screen.tell_fact(
        client.id, f"as published at {moment(as_of)} UTC, from the files that were kept"
    )
    until = f"of loads until {moment(found.numbers.loaded_until)} UTC"
    screen.tell_fact("version", f"{found.version}, {until}")
    _show(found.numbers, currency, has_campaigns)


def show_recomputed(
    found: "Recomputed", as_of: datetime, by_now: bool, has_campaigns: bool
) -> None:
    """Show what was computed of a time, by which settings, of which loads, and what could not be had."""
    made = found.made
    what = "by today's settings, not as it was published" if by_now else "as published"
    screen.tell_fact(
        found.settings.id, f"{what} at {moment(as_of)} UTC, computed from the loads of then"
    )
    if made.version:
        screen.tell_fact("version", f"{made.version} was shown then")
    screen.tell_fact("loads", _loads(made))
    screen.tell_fact("settings", made.settings_version)
    learnt = ", ".join(f"{model} {version}" for model, version in (made.models or {}).items())
    if learnt:
        screen.tell_fact("learnt versions", learnt)
    for lack in made.lacks:
        screen.tell_fact("not as it was then", lack)
    _show(found.numbers, found.settings.currency, has_campaigns)


def _loads(made: "MadeThen") -> str:
    newest = {load.source: load for load in made.loads}
    named = ", ".join(f"{source} {load.load_id}" for source, load in sorted(newest.items()))
    last = moment(made.loads[-1].committed_at)
    return f"{len(made.loads)}, until {last} UTC; the newest of each source: {named}"


def _show(numbers: "Numbers", currency: str, has_campaigns: bool) -> None:
    screen.tell_fact("model", ", ".join(numbers.models) or "none, as there was no conversion")
    names = ["channel", "campaign"] if has_campaigns else ["channel"]
    shown = new_table(*names, f"spend {currency}", "credit", f"revenue {currency}", "CPA", "ROAS")
    for row in numbers.campaigns if has_campaigns else by_channel(numbers.campaigns):
        places = [row.channel, row.campaign][: len(names)]
        shown.add_row(*map(escape, places), *cells(row.after))
    shown.add_section()
    blank = [""] * (len(names) - 1)
    shown.add_row("total", *blank, *cells(total(numbers.campaigns).after))
    screen.screen.print(shown)
