"""Read a file by a ready-made format: its header says which of the platform's names stand for which of our columns.

What comes of it is an export as a client's file could have written it, with `columns:` and `grain:`; lines
that the client's file does write go before. A header without what every row needs is refused, by the names
that the platform gives these columns, in the language of the header.
"""

import re
from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

from pipelines.contracts.contract import Contract
from pipelines.settings.column_expressions import is_expression
from pipelines.settings.exports import Export
from pipelines.settings.ready_made import (
    ByLanguage,
    Language,
    ReadyMade,
    currency_in,
    formats,
    names_in,
)
from pipelines.sources.batches import ExportError
from pipelines.sources.files.missing_columns import shown
from pipelines.sources.files.wanted_names import plain
from pipelines.sql import identifier


class Resolved(NamedTuple):
    """An export as its header has it; the currency that the name of the cost says; columns that must say the same."""

    export: Export
    currency: str = ""
    days: tuple[str, str] | None = None
    notes: list[str] = []
    open_stages: Collection[str] | None = None  # where a deal is won by its stage


class _Header:
    """The names in a header, found whatever their capitals, blanks and underscores."""

    def __init__(self, present: Collection[str]) -> None:
        self._names = {plain(name): name for name in present}
        self._present = present

    def alike(self, names: Collection[str]) -> list[str]:
        """Return the columns that are called as one of some names is, but for capitals, blanks and underscores."""
        read = {plain(name) for name in names}
        called = [plain(name) for name in self._present]
        return [
            name
            for name, its in zip(self._present, called)
            if its in read and called.count(its) > 1
        ]

    def all_of(self, names: ByLanguage) -> list[str]:
        """Return the names of the header that are among some."""
        return list(dict.fromkeys(each for _, each, _ in self._found(names)))

    def first_of(self, readings: list[ByLanguage]) -> tuple[str, str]:
        """Return what a column is read from, and the currency that is in its name; nothing if it is not there."""
        return next(
            ((name, code) for each in readings for _, name, code in self._found(each)), ("", "")
        )

    def in_language(self, columns: dict[str, list[ByLanguage]]) -> Language:
        """Return the language of most names."""
        held: dict[Language, int] = {"en": 0}
        for readings in columns.values():
            for names in readings:
                for language, _, _ in self._found(names):
                    held[language] = held.get(language, 0) + 1
        return max(held, key=lambda language: held[language])

    def _found(self, names: ByLanguage) -> Iterator[tuple[Language, str, str]]:
        """Yield what the header has of some names, or of SQL, each with the currency that is in it."""
        for language, writings in names.items():
            for written in writings:
                parts = {part: self._called(part) for part in names_in(written)}
                if not all(name for name, _ in parts.values()):
                    continue
                if written in parts:
                    yield language, *parts[written]
                else:
                    yield (
                        language,
                        _renamed(written, {part: its for part, (its, _) in parts.items()}),
                        "",
                    )

    def _called(self, written: str) -> tuple[str, str]:
        """Return the header's own name for a written one, and the currency that is in it; nothing if it has none."""
        for called, name in self._names.items():
            code = currency_in(written, name)
            if called == plain(written.replace("{currency}", code or "{currency}")):
                return name, code
        return "", ""


def resolved(
    refused: Callable[..., ExportError],
    export: Export,
    contract: Contract,
    present: Collection[str],
) -> Resolved:
    """Return how an export is read by its header. Raise ExportError if that lacks columns, or does not add up."""
    form, header = formats()[str(export.format)], _Header(present)
    known = form.columns(contract)
    found = {column: header.first_of(readings) for column, readings in known.items()}
    columns: dict[str, tuple[str, ...]] = {
        column: (name,) if name else () for column, (name, _) in found.items()
    }
    columns |= export.columns
    needed = [name for name, each in contract.columns.items() if each.required]
    needed += [name for name in form.needs if name not in export.columns]
    if missing := [name for name in dict.fromkeys(needed) if not columns.get(name)]:
        raise _lacking(refused, export, form, known, header, missing, present)
    if alike := header.alike([name for names in columns.values() for name in names]):
        raise refused(
            f"columns are called alike, and one is read: {', '.join(alike)}. Have the export call one of them"
            " otherwise, or leave it out"
        )
    if others := header.all_of(form.never):
        raise refused(
            f"it is segmented by {', '.join(others)}: its rows do not add up to the cost of a day."
            f" Export it without {'these columns' if others[1:] else 'that column'}"
        )
    optional = {name for name, each in contract.columns.items() if each.optional}
    columns = {name: each for name, each in columns.items() if each or name not in optional}
    settings: dict[str, object] = {"format": None, "columns": columns}
    notes = _known_by_name(known, header.in_language(known), contract, columns)
    notes += _nobody(contract, columns, export)
    if (parts := header.all_of(form.parts)) and export.grain is None and contract.adds:
        settings["grain"] = "sum"
        notes.append(f"its rows are by {', '.join(parts)}: {', '.join(contract.adds)} are added up")
    cost = next((name for name, each in contract.columns.items() if each.is_money), "")
    currency = found.get(cost, ("", ""))[1] if "currency" not in columns else ""
    days = _days(form, header, columns)
    stages = _open_stages(form, columns, export)
    return Resolved(export.model_copy(update=settings), currency, days, notes, stages)


def _open_stages(
    form: ReadyMade, columns: dict[str, tuple[str, ...]], export: Export
) -> Collection[str] | None:
    """Return the stages that are known to be open, where the format tells by them that a deal is won."""
    by_stage = any(map(is_expression, columns.get("is_won", ()))) and "is_won" not in export.columns
    return [each for names in form.stages.values() for each in names] if by_stage else None


def _known_by_name(
    known: dict[str, list[ByLanguage]],
    language: Language,
    contract: Contract,
    columns: dict[str, tuple[str, ...]],
) -> list[str]:
    """Say of ids that the header lacks that names stand in for them: two of one name are one."""
    return [
        f"it has no '{known[name][0].get(language, ('id',))[0]}': {name} is the name in '{its[0]}', so two of one name are one"
        for name in contract.identity
        if name.endswith("_id")
        if (its := columns.get(name)) and its == columns.get(name.removesuffix("_id"))
    ]


def _nobody(contract: Contract, columns: dict[str, tuple[str, ...]], export: Export) -> list[str]:
    """Say of a table of customers' deeds that nothing in the header says who it was."""
    return [
        f"it has no column for {name}, by which it would belong to a customer's visits; if it has one, name it under"
        " `columns:`, else write `null` there"
        for name, its in columns.items()
        if name == "customer_id" and not its and name not in export.columns
    ]


def _days(
    form: ReadyMade, header: _Header, columns: dict[str, tuple[str, ...]]
) -> tuple[str, str] | None:
    """Return where rows begin and end, if their day is read from where they begin."""
    for begins, ends in form.days.values():
        first, last = (header.all_of({"en": names}) for names in (begins, ends))
        if first and last and columns["spend_date"] == (first[0],):
            return first[0], last[0]
    return None


def _lacking(
    refused: Callable[..., ExportError],
    export: Export,
    form: ReadyMade,
    known: dict[str, list[ByLanguage]],
    header: _Header,
    missing: list[str],
    present: Collection[str],
) -> ExportError:
    """Return the error for columns that a header lacks, by the names that the platform gives them."""
    language = header.in_language(known)
    named = []
    for column in missing:
        names = [each.get(language) or each.get("en") or () for each in known.get(column, [])]
        parts = [names_in(each[0])[0].replace(" ({currency})", "") for each in names if each]
        text = " or ".join(f"'{part}'" for part in dict.fromkeys(parts))
        named.append(f"{text or column} (for {column})")
    download = form.download.get(language) or form.download["en"]
    return refused(
        f"by `format: {export.format}` it lacks {', '.join(named)}; it has {shown(present)}. Add"
        f" {'them' if missing[1:] else 'it'} to what is downloaded ({download}), or name under `columns:` what"
        " the export calls it"
    )


def _renamed(written: str, names: dict[str, str]) -> str:
    """Return SQL over other names of columns; they stand in double quotes."""
    return re.sub('"([^"]+)"', lambda found: identifier(names[found[1]]), written)
