"""Tell which table of which source a file is: by ready-made formats, else by the names of its columns."""

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from pipelines.contracts.ad_platforms import is_ad_platform, place
from pipelines.contracts.catalog import CONTRACTS, tables
from pipelines.doctor.heads import Head
from pipelines.doctor.known_names import (
    Known,
    further_platforms,
    held,
    known,
    matched,
    platform_words,
)
from pipelines.settings.exports import Export
from pipelines.settings.ready_made import formats, names_in
from pipelines.sources.batches import ExportError
from pipelines.sources.files.event_formats import FORMATS
from pipelines.sources.files.ready_made_columns import resolved
from pipelines.sources.files.wanted_names import plain

_CLOSE = 1  # kinds whose scores are no further apart are asked about
_RARE = 2  # what the columns of a platform's own page say at least
_FEW = 3  # columns of ours that a file has at least, besides those of its key


class Kind(NamedTuple):
    """What a file may be: a table of a source, by a ready-made format or by columns, and how sure that is.

    `columns` has the export's column by ours, `others` those of its columns that may be meant as well.
    `instead` are columns of ours that are read from the column of another; `reasons` say why one is meant
    that is not called so; `further` are those that the format does not know. `otherwise` is the
    same by its columns, where the format cannot be used.
    """

    source: str
    table: str
    score: float
    columns: dict[str, str]
    others: dict[str, list[str]] = {}
    instead: dict[str, str] = {}
    form: str = ""
    lacks: tuple[str, ...] = ()
    reasons: dict[str, str] = {}
    further: dict[str, str] = {}
    otherwise: "Kind | None" = None

    @property
    def name(self) -> str:
        """Return the table as messages call it: `google_ads.spend`."""
        return f"{self.source}.{self.table}"

    @property
    def makes_sessions(self) -> bool:
        """Return whether sessions are made of its events."""
        return self.form in FORMATS

    @property
    def reading(self) -> tuple[object, ...]:
        """Return what files of one report have in common: with a format, each has columns of its own."""
        return (
            self.name,
            self.form,
            tuple(sorted((self.further if self.form else self.columns).items())),
        )

    @property
    def place(self) -> tuple[str, ...]:
        """Return where the table stands in a client's file."""
        return ("sources", *place(self.source).split("."), self.table)

    @property
    def why(self) -> str:
        """Return by what it is told: the columns of the export that name it."""
        names = [name for written in self.columns.values() for name in names_in(written)]
        listed = ", ".join(dict.fromkeys(names))
        return f"it has the columns of {self.form}: {listed}" if self.form else f"it has {listed}"


class Told(NamedTuple):
    """What a file is: the likeliest kind first; several, where it cannot be told. Else what it lacks.

    What is `beside` may be in it, too: of events that make sessions, orders and refunds.
    """

    kinds: list[Kind]
    nearest: Kind | None = None
    beside: list[Kind] = []


def told(head: Head) -> Told:
    """Return what a file is."""
    if sessions := list(_of_events(head)):
        return Told(sessions, beside=[each for kind in sessions[:1] for each in _sales(kind)])
    found = sorted(_of_rows(head), key=lambda kind: -kind.score)
    whole = [kind for kind in found if not kind.lacks]
    if not whole:
        return Told([], found[0] if found else None)
    return Told([kind for kind in whole if whole[0].score - kind.score <= _CLOSE])


def _of_events(head: Head) -> Iterable[Kind]:
    names = set(head.names)
    for form, module in FORMATS.items():
        needed = module.NEEDED
        if head.settings.get("format") == form or needed <= names:
            yield Kind("web", "sessions", 100, {name: name for name in sorted(needed)}, form=form)


def _sales(sessions: Kind) -> Iterable[Kind]:
    """Yield what may be made of events beside sessions."""
    for table in getattr(FORMATS[sessions.form], "EVENTS", {}):
        yield sessions._replace(table=table)


def _of_rows(head: Head) -> Iterable[Kind]:
    further = [(each, "spend") for each in further_platforms() if _by_its_name(head, each, "spend")]
    for source, table in [*((source, table) for source, table, _ in tables()), *further]:
        names = known(source, table)
        kind = _by_columns(head, source, table, names) if names else None
        by_format = [_by_format(head, source, table, form, kind) for form in formats()]
        if found := [each for each in by_format if each] or ([kind] if kind else []):
            yield max(found, key=lambda each: each.score)


def _by_format(head: Head, source: str, table: str, form: str, kind: Kind | None) -> Kind | None:
    """Return what a file is by a ready-made format, with the columns that this leaves out; None if it is not."""
    if f"{source}.{table}" not in formats()[form].tables:
        return None
    contract = CONTRACTS[source][table]
    export = Export.model_validate({"files": head.path.name, "format": form})
    try:
        read = resolved(ExportError, export, contract, head.names).export.columns
    except ExportError:
        return None
    columns = {column: names[0] for column, names in read.items() if names}
    further = {
        column: name
        for column, name in (kind.columns if kind else {}).items()
        if column not in columns and name not in columns.values()
    }
    own = {  # but for an id for which the name stands in
        each
        for each, name in columns.items()
        if not each.endswith("_id") or name != columns.get(each.removesuffix("_id"))
    }
    score = len(own) + len(further) + 3 * (not further and _rarity(columns.values()) >= _RARE)
    score += sum(column in own for column in contract.key) + _by_its_name(head, source, table)
    its = Kind(source, table, score, columns | further, form=form, further=further)
    return its._replace(otherwise=kind if kind and not kind.lacks else None)


def _rarity(names: Iterable[str]) -> float:
    """Return how much columns say of whose report it is: 1 each that one format knows, a half that two know."""
    known_by = [_formats_that_know(plain(part)) for name in names for part in names_in(name)]
    return sum(1 / count for count in known_by if count)


@cache
def _formats_that_know(name: str) -> int:
    return sum(name in map(plain, form.names()) for form in formats().values())


def _by_columns(head: Head, source: str, table: str, names: Known) -> Kind | None:
    contract = CONTRACTS[source][table]
    found = _each_once(matched(names, head.names))
    columns = {column: its[0] for column, its in found.items()}
    instead = {
        column: other
        for column, others in names.instead.items()
        if column not in columns
        for other in others
        if other in columns
    }
    needed = [name for name, column in contract.columns.items() if column.required]
    if "is_won" in needed and "stage" in columns:  # the stage may say it
        needed.remove("is_won")
    lacks = tuple(name for name in needed if name not in columns and name not in instead)
    if len(columns) < min(_FEW, len(contract.columns)):
        return None
    score = len(columns) - 2 * len(held(names.others, head.names)) - 2 * len(lacks)
    score += sum(column in columns for column in contract.key) + _by_its_name(head, source, table)
    others = {column: its[1:] for column, its in found.items() if its[1:]}
    return Kind(source, table, score, columns, others, instead, lacks=lacks)


def _each_once(found: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return what may be each column of ours, where no export's column is two of ours."""
    taken: set[str] = set()
    once: dict[str, list[str]] = {}
    for column, names in sorted(found.items(), key=lambda each: len(each[1])):
        if free := [name for name in names if name not in taken]:
            once[column] = free
            taken.add(free[0])
    return {column: once[column] for column in found if column in once}


def _by_its_name(head: Head, source: str, table: str) -> int:
    """Return how sure it is by a file's name what it is: `Contacts.csv`, `meta-2026-11.csv`."""
    parts = [*head.path.parts[-3:-1], head.path.stem, str(head.settings.get("table", ""))]
    bare = ["".join(filter(str.isalnum, part.lower())) for part in parts]
    if is_ad_platform(source):
        return 5 * any(word in part for word in platform_words(source) for part in bare)
    called = table.replace("_", "").rstrip("s").replace("opportunitie", "opportunit")
    return 2 * any(called in part for part in bare[2:])
