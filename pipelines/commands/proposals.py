"""The command that proposes a client's file from its exports, or checks the one that is there."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.commands import proposal_tables, screen
from pipelines.commands.chosen_clients import Chosen, end, stop
from pipelines.commands.screen import Json

if TYPE_CHECKING:
    from pipelines.doctor.diagnosis import Diagnosis
    from pipelines.doctor.healing import Answer
    from pipelines.doctor.proposal import Question


def doctor(
    client: Chosen,
    folder: Annotated[
        Path | None, typer.Option(help="Where its exports are; exports/CLIENT, if left out.")
    ] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Write clients/CLIENT.yaml, if there is none yet.")
    ] = False,
    currency: Annotated[str, typer.Option(help="The currency that is published: EUR.")] = "",
    zone: Annotated[str, typer.Option(help="The client's time zone: Europe/Berlin.")] = "",
    as_json: Json = False,
) -> None:
    """Read a folder of exports and propose the client's file that reads them, each line with its reason.

    What it proposes is tried by ingest's own steps; sums per month are shown, to be held against the
    platforms' own pages. What only a person can say is asked, on a terminal at once. Of a client that has
    a file, it says what ingest would refuse, which files nobody reads, and the lines that are missing.
    The exit status is 1 if a file is not known or refused, or if the client's file lacks something.
    Such as: `python -m pipelines doctor nimbus --write`.
    """
    from pipelines.doctor.diagnosis import NothingThere, diagnose
    from pipelines.home import home
    from pipelines.settings.reader import ClientError

    is_asked = sys.stdin.isatty() and sys.stdout.isatty() and not as_json
    place = folder or home() / "exports" / client
    try:
        found = diagnose(client, place, ask if is_asked else _nobody, currency, zone)
    except (NothingThere, ClientError) as error:
        raise stop(f"{client}: {error}") from None
    proposal_tables.show(client, place, found)
    _write(client, found, write)
    problems = [finding for finding in found.findings if finding.problem]
    lacking = found.has_file and (found.proposal.lines or found.proposal.questions)
    end(problems or found.unknown or lacking)


def _write(client: str, found: "Diagnosis", is_wanted: bool) -> None:
    """Show the proposed file, or write it where there is none."""
    from pipelines.files import write_atomically
    from pipelines.home import clients_folder

    file = clients_folder() / f"{client}.yaml"
    if found.has_file:
        if found.proposal.lines or found.proposal.questions:
            screen.say(client, f"clients/{file.name} is there and stays as it is; it lacks:")
            screen.show_text(found.proposal.text())
        else:
            screen.say(client, f"clients/{file.name} lacks nothing")
    elif not found.findings:
        screen.warn(client, "nothing to propose: no file is a report that is known")
    elif not is_wanted:
        screen.say(client, f"proposed for clients/{file.name}; --write writes it (WRITE=1)")
        screen.show_text(found.proposal.text())
    else:
        write_atomically(file, found.proposal.text())
        open_ = len(found.proposal.questions)
        what = "its open question" if open_ == 1 else f"its {open_} open questions"
        then = f"answer {what} in it, then " if open_ else ""
        screen.say(client, f"wrote clients/{file.name}; {then}make daily publishes it")


def _nobody(question: "Question") -> "Answer":
    """Leave a question open: nobody is there to answer."""
    return question, None


def ask(question: "Question") -> "Answer":
    """Ask whoever sits at the terminal; an empty answer leaves the question open."""
    from rich.prompt import Prompt

    screen.tell(f"\n{question.text}")
    for number, choice in enumerate(question.choices, 1):
        screen.tell(f"  {number}. {choice.line}    {choice.meaning}")
    other = ", or another value" if question.others else ""
    text = f"a number{other}; nothing to leave it open"
    while answer := Prompt.ask(text, default="", show_default=False).strip():
        if answer.isdigit() and 0 < int(answer) <= len(question.choices):
            return question, question.choices[int(answer) - 1]
        if answer in question.others:
            own = question.choices[0]._replace(value=answer, meaning="as it was answered")
            return question, own
    return question, None
