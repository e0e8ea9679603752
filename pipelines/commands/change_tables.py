"""Show what a change does: which settings changed, and what channels and campaigns cost and earn by it."""

from decimal import Decimal
from typing import TYPE_CHECKING

from rich.markup import escape

from pipelines.commands import screen
from pipelines.commands.screen_tables import new_table
from pipelines.explaining.compared_campaigns import Figures, by_channel, total

if TYPE_CHECKING:
    from pipelines.explaining.compared_campaigns import Compared
    from pipelines.explaining.setting_changes import SettingChange

_CAMPAIGNS = 10  # shown, if not all are asked for


def show_setting_changes(client: str, changed: "list[SettingChange]") -> None:
    """Show which settings differ from those that are promoted."""
    for each in changed:
        screen.tell_fact(client, str(each))
    if not changed:
        screen.say(client, "its settings are those that are promoted; the code is what changed")


def show_comparison(
    client: str, campaigns: "list[Compared]", currency: str, names: tuple[str, str], is_whole: bool
) -> None:
    """Show spend, credit, revenue, CPA and ROAS by channel, in total, and by each campaign that moved.

    `names` are what the numbers before and after are called. Not `is_whole`, the campaigns that moved most
    are shown, and how many there are.
    """
    moved = [row for row in campaigns if not row.is_same]
    if not moved:
        screen.say(client, "changes nothing in what channels and campaigns cost and earn")
        return
    _show([*by_channel(campaigns), total(campaigns)], currency, names, "channel")
    moved.sort(key=_size, reverse=True)
    _show(moved if is_whole else moved[:_CAMPAIGNS], currency, names, "campaign")
    if len(moved) > _CAMPAIGNS and not is_whole:
        screen.say(client, f"{len(moved)} campaigns moved; BY=campaigns shows all of them")


def _size(row: "Compared") -> Decimal:
    pairs = zip(row.before, row.after)
    return sum((abs(before - after) for before, after in pairs), Decimal(0))


def _show(rows: "list[Compared]", currency: str, names: tuple[str, str], what: str) -> None:
    """Show rows, each with both versions and the difference; one that is the same in one line."""
    shown = new_table(what, "", f"spend {currency}", "credit", f"revenue {currency}", "CPA", "ROAS")
    for row in rows:
        name = escape(f"{row.channel}: {row.campaign}" if row.campaign else row.channel)
        shown.add_section()
        if row.is_same:
            shown.add_row(name, "same", *cells(row.after))
            continue
        shown.add_row(name, names[0], *cells(row.before))
        shown.add_row("", names[1], *cells(row.after))
        shown.add_row("", "difference", *_differences(row.before, row.after))
    screen.screen.print(shown)


def cells(figures: Figures) -> list[str]:
    """Return spend, credit, revenue, CPA and ROAS; nothing for a ratio that there is not."""
    ratios = ("" if ratio is None else f"{ratio:.2f}" for ratio in (figures.cpa, figures.roas))
    return [f"{figures.cost:.2f}", f"{figures.credit:.2f}", f"{figures.revenue:.2f}", *ratios]


def _differences(before: Figures, after: Figures) -> list[str]:
    """Return the differences; of a ratio nothing where one of both is not there."""
    pairs = [*zip(before, after), (before.cpa, after.cpa), (before.roas, after.roas)]
    return [
        "" if then is None or now is None else f"{now - then:+.2f}".replace("-0.00", "+0.00")
        for then, now in pairs
    ]
