"""Draft each report, try it, and put what ingest takes together; of what excludes each other, ask."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import NamedTuple

from pipelines.contracts.catalog import CONTRACTS
from pipelines.doctor.drafts import draft
from pipelines.doctor.figures import Figures, figures, in_words
from pipelines.doctor.healing import Ask, Healed, foreseen, heal, put_or_ask
from pipelines.doctor.kinds import Kind
from pipelines.doctor.proposal import Choice, Proposal, Question
from pipelines.doctor.reports import Report
from pipelines.doctor.whole_or_increment import add_delivery
from pipelines.settings.reader import checked


class Finding(NamedTuple):
    """What one report is taken for, and what it would bring in; or the reason why ingest refuses it.

    What is shown may be as if the first line of a question were chosen: it `is_assumed` then. So many of its
    files were `tried`.
    """

    table: str
    files: list[Path]
    glob: str
    why: str
    figures: Figures | None = None
    notes: tuple[str, ...] = ()
    quarantined: int = 0
    tried: int = 0
    problem: str = ""
    is_assumed: bool = False


class Buyers(NamedTuple):
    """How many customers orders or deals have, and how many of them visits know."""

    customers: int = 0
    known: int = 0


class Draft(NamedTuple):
    """A report as one kind of export: its lines, and what they would bring in, as files of `rows`."""

    kind: Kind
    lines: Proposal
    finding: Finding
    rows: Sequence[Path] = ()
    buyers: Buyers = Buyers()


def drafted(base: Proposal, client: str, report: Report, folder: Path, ask: Ask) -> list[Draft]:
    """Return a report as each kind that it may be, as ingest takes it below the client's own lines.

    Of one that may be empty, and is, there is none.
    """
    found = []
    for kind in report.kinds:
        its = _drafted(base, client, report, kind, folder, ask)
        if its.finding.problem and kind.otherwise:
            other = _drafted(base, client, report, kind.otherwise, folder, ask)
            its = its if other.finding.problem else other
        if not report.may_be_empty or (its.finding.figures and its.finding.figures.sample):
            found.append(its)
    return found


def _drafted(
    base: Proposal, client: str, report: Report, kind: Kind, folder: Path, ask: Ask
) -> Draft:
    lines, own = Proposal(), draft(report, kind)
    questions, own.questions = own.questions, []
    lines.add(base)
    lines.add(own)
    finding = Finding(kind.name, report.files, report.glob, kind.why)
    if not report.glob:
        problem = "no glob matches these files alone; move them into a folder of their own"
        return Draft(kind, lines.without(base), finding._replace(problem=problem))
    target = Path(mkdtemp(dir=folder))
    telling = foreseen(lines, client, kind.source, kind.table, target, ask)
    for question in questions:
        put_or_ask(lines, question, telling)
    healed = heal(lines, client, kind.source, kind.table, report.files, target, ask)
    if healed.tried and add_delivery(lines, report, kind, healed.tried, telling):
        healed = heal(lines, client, kind.source, kind.table, report.files, target / "again", ask)
    finding = shown_as(finding, lines, client, kind.source, kind.table, healed)
    rows = healed.tried.rows if healed.tried else ()
    return Draft(kind, lines.without(base), finding, rows)


def shown_as(
    finding: Finding,
    lines: Proposal,
    client: str,
    source: str,
    table: str,
    healed: Healed,
) -> Finding:
    """Return a finding with what its export would bring in, or why ingest refuses it."""
    if not healed.tried:
        return finding._replace(problem=healed.problem)
    settings = checked(client, lines.text(assumed=True))
    contract = CONTRACTS[source][table]
    found = figures(settings, table, contract, healed.tried)
    own = {("currency",)} if found.money else set()
    return finding._replace(
        figures=found,
        notes=tuple(healed.tried.notes),
        quarantined=healed.tried.counts.quarantined,
        tried=healed.tried.files,
        is_assumed=any(
            choice.place in own or table in choice.place
            for question in lines.questions
            for choice in question.choices
        ),
    )


def order_of(source: str) -> int:
    """Return where a source comes in a client's file: ad platforms of its own at the end."""
    return [*CONTRACTS, source].index(source)


def gather(proposal: Proposal, drafts: list[list[Draft]], ask: Ask) -> None:
    """Add the drafts to a proposal: of a table there is one, and of a report that may be several kinds, too."""
    by_table: dict[str, list[Draft]] = {}
    for its in sorted(drafts, key=lambda each: order_of(each[0].kind.source)):
        if len(its) == 1 and not its[0].finding.problem:
            by_table.setdefault(its[0].kind.name, []).append(its[0])
    for table, found in by_table.items():
        text = f"{table} is read from one export, and {len(found)} may be it"
        _add_one(proposal, text, found, ask)
    for its in drafts:
        free = [each for each in its if not each.finding.problem and each.kind.name not in by_table]
        if len(its) > 1 and free:
            _add_one(proposal, f"what {its[0].finding.glob} is", free, ask)


def _add_one(proposal: Proposal, text: str, drafts: list[Draft], ask: Ask) -> None:
    if len(drafts) == 1:
        proposal.add(drafts[0].lines)
        return
    choices = [_as_choice(each) for each in drafts]
    question, chosen = ask(Question(text, choices))
    if chosen:
        proposal.add(drafts[question.choices.index(chosen)].lines)
    else:
        proposal.questions.append(question)


def _as_choice(draft: Draft) -> Choice:
    place = draft.kind.place
    value = draft.lines.settings(assumed=True)
    for key in place:
        value = value[key]
    count = len(draft.finding.files)
    files = f"{count} files" if count > 1 else draft.finding.files[0].name
    said = f", and {in_words(found)}" if (found := draft.finding.figures) else ""
    return Choice(place, value, f"{files}: {draft.kind.why}{said}")
