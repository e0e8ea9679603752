"""Read an export's columns by the names that the client's file knows, where it calls them otherwise."""

from collections.abc import Callable

from pipelines.settings.exports import Export
from pipelines.sources.batches import ExportError, Remedy
from pipelines.sources.files.wanted_names import Wanted
from pipelines.sources.yaml_texts import scalar


def as_read(
    refused: Callable[..., ExportError], export: Export, wanted: Wanted, present: dict[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return an export's columns by the names that they are read by, and what it calls those of another name.

    Raise ExportError if several of its columns may be meant by one name.
    """
    meant = wanted.meant(present)
    if several := {name: columns for name, columns in meant.items() if len(columns) > 1}:
        raise _which(refused, export, several)
    called = {name: columns[0] for name, columns in meant.items()}
    others = {name: sql for name, sql in present.items() if name not in called.values()}
    return {name: present[its] for name, its in called.items()} | others, called


def said(called: dict[str, str]) -> str:
    """Say what columns are read under another name; nothing if none is."""
    if not called:
        return ""
    listed = ", ".join(f"{name} from {its}" for name, its in called.items())
    return f"{listed}: read so, as but for capitals, blanks and underscores they are called alike"


def _which(
    refused: Callable[..., ExportError], export: Export, several: dict[str, list[str]]
) -> ExportError:
    """Return the error that asks which of several columns is meant by a name, with the lines that say it."""
    text = "; ".join(f"{name} may be its {' or '.join(its)}" for name, its in several.items())
    remedies = [
        Remedy(f"{column}: {scalar(each)}", below="columns", meaning=f"{column} is {each}")
        for name, columns in several.items()
        for column in _read_from(export, name)
        for each in columns
    ]
    return refused(
        f"{text}: no column is called just so. Write the name as it stands", remedies=remedies
    )


def _read_from(export: Export, name: str) -> list[str]:
    """Return our columns that are read from that name alone."""
    named = [column for column, names in export.columns.items() if names == (name,)]
    is_named = name in {*export.properties.values()} or any(
        name in names for names in export.columns.values()
    )
    return named if named or is_named else [name]
