"""Tell which table of which source a file is: by ready-made formats, else by the names of its columns."""

from collections.abc import Iterable
from typing import NamedTuple

from pipelines.contracts.ad_platforms import is_ad_platform, place
from pipelines.contracts.catalog import CONTRACTS, tables
from pipelines.doctor.heads import Head
from pipelines.doctor.known_names import Known, held, known, matched, platform_words
from pipelines.sources.files.column_mapping import FORMATS

_CLOSE = 1  # kinds whose scores are no further apart are asked about
_FEW = 3  # columns of ours that a file has at least, besides those of its key


class Kind(NamedTuple):
    """What a file may be: a table of a source, by a ready-made format or by columns, and how sure that is.

    `columns` has the export's column by ours, `others` those of its columns that may be meant as well.
    `instead` are columns of ours that are read from the column of another; `reasons` say why one is meant
    that is not called so.
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

    @property
    def name(self) -> str:
        """Return the table as messages call it: `google_ads.spend`."""
        return f"{self.source}.{self.table}"

    @property
    def place(self) -> tuple[str, ...]:
        """Return where the table stands in a client's file."""
        return ("sources", *place(self.source).split("."), self.table)

    @property
    def why(self) -> str:
        """Return by what it is told: the columns of the export that name it."""
        if self.form:
            return f"it has the columns of {self.form}: {', '.join(self.columns.values())}"
        return f"it has {', '.join(dict.fromkeys(self.columns.values()))}"


class Told(NamedTuple):
    """What a file is: the likeliest kind first; several, where it cannot be told. Else what it lacks."""

    kinds: list[Kind]
    nearest: Kind | None = None


def told(head: Head) -> Told:
    """Return what a file is."""
    if formats := list(_by_format(head)):
        return Told(formats)
    found = sorted(_by_columns(head), key=lambda kind: -kind.score)
    whole = [kind for kind in found if not kind.lacks]
    if not whole:
        return Told([], found[0] if found else None)
    return Told([kind for kind in whole if whole[0].score - kind.score <= _CLOSE])


def _by_format(head: Head) -> Iterable[Kind]:
    names = set(head.names)
    for form, module in FORMATS.items():
        needed = module.NEEDED
        if head.settings.get("format") == form or needed <= names:
            yield Kind("web", "sessions", 100, {name: name for name in sorted(needed)}, form=form)


def _by_columns(head: Head) -> Iterable[Kind]:
    for source, table, _ in tables():
        if (names := known(source, table)) and (kind := _kind(head, source, table, names)):
            yield kind


def _kind(head: Head, source: str, table: str, names: Known) -> Kind | None:
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
    score += sum(column in columns for column in contract.key) + _by_its_name(head, table)
    if is_ad_platform(source):
        header, words = platform_words(source)
        score += len(held(header, head.names)) + 3 * _has_a_word(head, words)
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


def _by_its_name(head: Head, table: str) -> int:
    """Return whether a file is called after a table: `Contacts.csv`."""
    bare = "".join(filter(str.isalnum, head.path.stem.lower()))
    called = table.replace("_", "").rstrip("s")
    called = "opportunit" if called.startswith("opportunit") else called
    return 2 * (called in bare)


def _has_a_word(head: Head, words: list[str]) -> bool:
    parts = [part.lower() for part in head.path.parts[-3:]] + [
        head.settings.get("table", "").lower()
    ]
    return any(word in part for word in words for part in parts)
