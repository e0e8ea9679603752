"""Write the lines of a client's file that would help, ready to paste, and where each goes."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from pipelines.contracts.ad_platforms import place as place_of
from pipelines.settings.bounded_yaml import load
from pipelines.settings.client import Client
from pipelines.sources.batches import ExportError, Remedy


@contextmanager
def naming(table: str) -> Iterator[None]:
    """Note of an export that is refused which table it is of: there its lines go."""
    try:
        yield
    except ExportError as error:
        error.table = table
        raise


def to_paste(client: str, remedies: Iterable[Remedy], source: str = "", table: str = "") -> str:
    """Return where lines go: `write in clients/one.yaml under sources.web.sessions: \\`grain: sum\\``."""
    places: dict[str, list[Remedy]] = {}
    for remedy in remedies:
        places.setdefault(place_in_file(remedy, source, table), []).append(remedy)
    lines = [
        f"under {place}: {_pasted(found)}" if place else f"as a line of its own: {_pasted(found)}"
        for place, found in places.items()
    ]
    return f"write in clients/{client}.yaml {'; and '.join(lines)}" if lines else ""


def is_clients_own(remedy: Remedy) -> bool:
    """Return whether a line is one of the client's, as `folders` or below `quality`, not of an export."""
    key = (remedy.below or remedy.setting.partition(":")[0]).partition(".")[0]
    return key in Client.model_fields


def place_in_file(remedy: Remedy, source: str, table: str) -> str:
    """Return the key that a line goes under; nothing if it is a line of its own."""
    if is_clients_own(remedy):
        return remedy.below
    return ".".join(part for part in ("sources", place_of(source), table, remedy.below) if part)


def _pasted(remedies: list[Remedy]) -> str:
    """Return lines to paste; of those that have a meaning, one is to be chosen."""
    lines = [f"`{remedy.setting}`" for remedy in remedies if not remedy.meaning]
    choices = [f"`{each.setting}` if {each.meaning}" for each in remedies if each.meaning]
    return ", and ".join(filter(None, [", ".join(lines), ", or ".join(choices)]))


def setting_of(remedy: Remedy) -> dict[str, Any]:
    """Return what a line says, by its key: of `grain: sum`, {"grain": "sum"}."""
    return load(remedy.setting)
