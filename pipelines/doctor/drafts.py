"""Draft the lines of one export by its columns: what is mapped, what it lacks, and why."""

import re

from pipelines.contracts.catalog import CONTRACTS
from pipelines.doctor.kinds import Kind
from pipelines.doctor.known_names import plain_forms
from pipelines.doctor.proposal import Choice, Proposal, Question
from pipelines.doctor.reports import Report

_SHOWN = 30  # letters of an example
_WON = re.compile(r"(?i)\b(won|gewonnen)\b")
_MOST_STAGES = 12
_TOLD = ("currency", "stage", "channel", "source", "medium", "campaign", "event_type")


def draft(report: Report, kind: Kind) -> Proposal:
    """Return a proposal of one export: its source, table and columns, before ingest has tried it."""
    found, head = Proposal(), report.head
    place = kind.place
    count = f"{len(report.files)} files" if len(report.files) > 1 else f"{report.files[0].name}"
    found.heads[place] = [f"{kind.name}: {count}, because {kind.why}"]
    found.put((*place, "files"), report.glob)
    if kind.form:
        found.put((*place, "format"), kind.form)
    for key, value in head.settings.items():
        if key != "format":
            found.put((*place, key), value, "so that it can be opened")
    for column, name in kind.further.items():
        found.put((*place, "columns", column), name, _such_as(report, kind, column, name))
    if not kind.form:
        _map(found, report, kind)
    return found


def _map(found: Proposal, report: Report, kind: Kind) -> None:
    contract, names = CONTRACTS[kind.source][kind.table], set(report.head.names)
    place = (*kind.place, "columns")
    for column, its in contract.columns.items():
        if its.gathered:
            continue
        if name := kind.columns.get(column):
            if name != column:
                found.put((*place, column), name, _such_as(report, kind, column, name))
        elif other := kind.instead.get(column):
            name = kind.columns[other]
            found.put((*place, column), name, f"no column is its {column}, {name} stands in for it")
        elif column == "is_won":
            _ask_which_is_won(found, report, kind)
        elif not its.optional and column not in names:
            found.put((*place, column), None, "it has no such column")


def _such_as(report: Report, kind: Kind, column: str, name: str) -> str:
    """Return why a column is taken: a value of it, and which others might have been meant.

    What may name a person is not shown: the client's file is kept where nobody looks for persons.
    """
    is_shown = CONTRACTS[kind.source][kind.table].columns[column].type != "text" or column in _TOLD
    value = next(iter(report.head.values.get(name, ())), "") if is_shown else ""
    shown = value if len(value) <= _SHOWN else f"{value[: _SHOWN - 1]}…"
    said = [kind.reasons[column]] if column in kind.reasons else []
    said += [f"such as {shown}"] if shown else []
    if others := [each for each in kind.others.get(column, ()) if _may_be_meant(name, each)]:
        said.append(f"not {', '.join(others)}")
    return "; ".join(said)


def _may_be_meant(name: str, other: str) -> bool:
    return plain_forms(name) != plain_forms(other)


def _ask_which_is_won(found: Proposal, report: Report, kind: Kind) -> None:
    """Say by which stage a deal is won, where no column says it; ask, unless one stage is called so."""
    name = kind.columns["stage"]
    stages = report.head.distinct(name)
    place = (*kind.place, "columns", "is_won")
    won = [stage for stage in stages if _WON.search(stage)]
    choices = [
        Choice(place, _equals(name, stage), f"a deal is won where {name} is {stage}")
        for stage in [*won, *(each for each in stages if each not in won)][:_MOST_STAGES]
    ]
    if len(won) == 1:
        found.put(place, choices[0].value, choices[0].meaning)
    elif choices:
        found.questions.append(
            Question(f"{kind.name}: which stage says that a deal is won?", choices)
        )


def _equals(name: str, value: str) -> str:
    column = name if re.fullmatch("[A-Za-z_]+", name) else '"' + name.replace('"', '""') + '"'
    return f"{column} = '{value.replace(chr(39), chr(39) * 2)}'"
