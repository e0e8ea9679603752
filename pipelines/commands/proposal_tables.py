"""Show what a folder of exports was found to be: tables, sums per month, rows, and what is asked."""

from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from pipelines.commands import screen
from pipelines.commands.screen_tables import new_table

if TYPE_CHECKING:
    from pipelines.doctor.diagnosis import Diagnosis
    from pipelines.doctor.tried_drafts import Finding

_LETTERS = 40  # of a value in a sample


def show(client: str, folder: Path, found: "Diagnosis") -> None:
    """Show what was found; as JSON where machines read."""
    if screen.is_for_machines():
        _emit(client, found)
        return
    from pipelines.doctor.reports import named

    read = "" if found.looked_into == found.files else f", {found.looked_into} of them looked into"
    files = "1 file" if found.files == 1 else f"{found.files} files"
    screen.say(client, f"{files} in {named(folder)}{read}")
    if found.findings:
        _show_findings(found.findings)
        _show_months(found.findings)
        for finding in found.findings:
            _show_sample(finding)
    for finding in found.findings:
        if finding.problem:
            screen.warn(client, f"{finding.table} is refused: {finding.problem}")
        if finding.quarantined:
            screen.warn(client, f"{finding.table}: {finding.quarantined} bad rows go to quarantine")
        if finding.tried < len(finding.files):
            tried = f"{finding.tried} of {len(finding.files)} files, the newest"
            screen.warn(client, f"{finding.table}: sums are of {tried}; the others were not tried")
        for note in finding.notes:
            screen.say(client, f"{finding.table}: {note}")
    for each in found.unknown:
        others = f" and {each.files - 1} others" if each.files > 1 else ""
        screen.warn(client, f"{each.file.name}{others} is not known: {each.why}")
    for number, question in enumerate(found.proposal.questions, 1):
        lines = "".join(f"\n  {each.line}    {each.meaning}" for each in question.choices)
        screen.warn(client, f"question {number}: {question.text}; choose one:{lines}")


def _show_findings(findings: "list[Finding]") -> None:
    table = new_table("table", "files", "read from", "because")
    for each in findings:
        table.add_row(each.table, str(len(each.files)), escape(each.glob), escape(each.why))
    screen.screen.print(table)


def _show_months(findings: "list[Finding]") -> None:
    from pipelines.doctor.figures import sums

    table = new_table("table", "month", "sums", title="To hold against the platforms' own pages")
    for each in findings:
        if not (figures := each.figures):
            continue
        for month, *row in figures.months:
            said = sums(figures, row)
            assumed = ", if the first lines below are chosen" if each.is_assumed else ""
            table.add_row(each.table, month or "", f"{said}{assumed}")
        table.add_section()
    screen.screen.print(table)


def _show_sample(finding: "Finding") -> None:
    """Show the first rows as they would be staged, without the columns that are empty in all of them."""
    if not (figures := finding.figures) or not figures.sample:
        return
    filled = [
        place for place in range(len(figures.columns)) if any(row[place] for row in figures.sample)
    ]
    names = [figures.columns[place] for place in filled]
    table = new_table(*names, title=f"{finding.table}, its first rows as they are staged")
    for row in figures.sample:
        table.add_row(*(escape(_cut(row[place])) for place in filled))
    screen.screen.print(table)


def _cut(value: object) -> str:
    text = "" if value is None else " ".join(str(value).split())
    return text if len(text) <= _LETTERS else f"{text[: _LETTERS - 1]}…"


def _emit(client: str, found: "Diagnosis") -> None:
    for each in found.findings:
        figures = each.figures
        months = figures and [
            {"month": month, "currency": currency, **dict(zip(figures.measures, sums))}
            for month, currency, *sums in figures.months
        ]
        sample = figures and [dict(zip(figures.columns, row)) for row in figures.sample]
        screen.emit(
            client=client,
            table=each.table,
            files=each.glob,
            because=each.why,
            months=months,
            sample=sample,
            quarantined=each.quarantined,
            tried=each.tried,
            assumed=each.is_assumed,
            problem=each.problem,
            notes=list(each.notes),
        )
    for unknown in found.unknown:
        screen.emit(client=client, unknown=str(unknown.file), files=unknown.files, why=unknown.why)
    for question in found.proposal.questions:
        choices = [{"line": each.line, "meaning": each.meaning} for each in question.choices]
        screen.emit(client=client, question=question.text, choices=choices)
