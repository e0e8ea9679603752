"""The command that erases a person."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pipelines.commands import screen
from pipelines.commands.chosen_clients import Chosen, end, one, stop
from pipelines.commands.screen_tables import new_table
from pipelines.settings.client import Client

if TYPE_CHECKING:
    from pipelines.erasing.found_places import Place
    from pipelines.erasing.linked_people import Person
    from pipelines.erasing.plan import Plan
    from pipelines.erasing.receipts import Receipt

Answer = Literal["keep", "erase"]


def erase(
    client: Chosen,
    person: Annotated[
        str,
        typer.Option(help="An e-mail address, or the id of a customer, visitor, contact or lead."),
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without, it is only shown.")] = False,
    shared: Annotated[
        Answer | None,
        typer.Option(help="What becomes of ids that others have, too: asked for if there are any."),
    ] = None,
) -> None:
    """Erase a person: what names them, in the lake, the warehouse and whatever is kept, is rewritten.

    First it shows what would go. Money and credit stay, with nobody's name; files that the client delivered
    stay, too, and are named. Whoever comes again with an old file is left out, and counted. Interrupted, the
    same command goes on. Such as: `python -m pipelines erase acme --person anna@example.com --yes`.
    """
    from pipelines.serving.turn import NotOurTurn, turn

    chosen = one(client)
    try:
        with turn("make erase"):
            _erase(chosen, person, yes, shared)
    except NotOurTurn as busy:
        raise stop(f"{busy}: run it again once that has ended") from None


def _erase(client: Client, said: str, yes: bool, shared: Answer | None) -> None:
    from pipelines.erasing.plan import pending
    from pipelines.serving.erased_persons import carry_out

    if yes:
        _say_who_waits(client.id)
    if (begun := pending(client.id)) and yes:
        screen.say(client.id, "an erasure that was interrupted goes on")
        _show_receipt(client.id, carry_out(client, begun))
    elif begun:
        raise stop(f"{client.id}: an erasure was interrupted: run it again with CONFIRM=yes")
    plan, is_asked, count = _planned(client, said, shared)
    if is_asked and yes:
        raise stop(
            f"{client.id}: say what becomes of what others have, too: SHARED=keep or SHARED=erase"
        )
    if not count:
        _say_who_it_was(client, said)
    elif yes:
        _show_receipt(client.id, carry_out(client, plan))
    else:
        screen.say(client.id, "nothing was changed; add CONFIRM=yes to erase them")
        end(is_asked)


def _say_who_waits(client: str) -> None:
    """Say that a stream waits: it brings in and publishes under locks that an erasure holds."""
    from pipelines.home import stream_folder
    from pipelines.serving.turn import who_has_it

    if who := who_has_it(stream_folder()):
        screen.say(
            client, f"{who}: what it is bringing in comes first, then it waits until this has ended"
        )


def _planned(client: Client, said: str, shared: Answer | None) -> "tuple[Plan, bool, int]":
    """Show whom and what a text finds; return the plan, whether something is asked, and in how many places."""
    from pipelines.erasing.erasure import found, planned, whose
    from pipelines.erasing.linked_people import UnclearPerson

    try:
        person = whose(client, said)
    except UnclearPerson as error:
        raise stop(f"{client.id}: {error}") from None
    plan = planned(client, said, person, shared == "erase")
    places, delivered = found(client, plan)
    if places or delivered:
        _show_person(client.id, person, shared)
        _show_places(places)
        _show_delivered(client.id, delivered)
    return plan, bool(person.shared and not shared), len(places)


def _say_who_it_was(client: Client, said: str) -> None:
    from pipelines.erasing.receipts import receipts
    from pipelines.lake.tombstones import WORD, mark, salt_of

    known = mark(salt_of(client.id), WORD, said.strip().lower())
    if erased := next((each for each in receipts(client.id) if each.person == known), None):
        screen.say(client.id, f"erased already, at {erased.begun_at}: receipt {erased.receipt}")
    else:
        raise stop(f"{client.id}: nothing of this client's names {said}")


def _show_person(client: str, person: "Person", shared: Answer | None) -> None:
    for name in person.own:
        screen.tell_fact(client, f"{name}")
    for each in person.shared:
        others = f"{each.others} other{'s' if each.others > 1 else ''}"
        what = {"keep": "stays", "erase": "is replaced for all of them"}
        becomes = (
            what[shared] if shared else "say SHARED=keep, or SHARED=erase to replace it for all"
        )
        screen.warn(client, f"{each.identifier} is also that of {others}: {becomes}")


def _show_places(places: "list[Place]") -> None:
    shown = new_table("where", "table", "files", "rows")
    for place in places:
        shown.add_row(place.where, place.table, str(place.files), str(place.rows))
    screen.screen.print(shown)


def _show_delivered(client: str, delivered: list[str]) -> None:
    for file in delivered:
        screen.warn(
            client, f"{file} holds them, too: it was delivered, and is the client's to remove"
        )


def _show_receipt(client: str, receipt: "Receipt") -> None:
    screen.say(client, f"receipt {receipt.receipt}, begun at {receipt.begun_at}")
    _show_places(receipt.places)
    _show_delivered(client, receipt.delivered)
    screen.say(client, f"erased; the receipt is in lake/{client}/_erasures/receipts.jsonl")
