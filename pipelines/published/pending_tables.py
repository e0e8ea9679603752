"""Note which of a client's tables were computed since its files were written.

Whatever command computes a published table notes so before it begins and after it ended. So a run
that was killed before it wrote the files is known by its notes, without opening the warehouse, and
a client of which only some tables were computed is not taken for a settled one.
"""

import json
from pathlib import Path
from typing import NamedTuple

from pipelines.files import replacing
from pipelines.published.version_folders import make_private, settled_of


class Pending(NamedTuple):
    """Tables of the warehouse that were computed, or begun, since the files were written."""

    begun: tuple[str, ...] = ()
    done: tuple[str, ...] = ()
    is_promoted: bool = False  # other tables than before are shown
    read_before: str = ""  # loads that are seen before were read by all that was computed, UTC


NOTHING = Pending()
_NAME = "pending.json"


def pending(client: str) -> Pending:
    """Return what was noted of a client."""
    try:
        noted = json.loads(_file(client).read_text(encoding="utf-8"))
        begun, done = tuple(noted["begun"]), tuple(noted["done"])
        return Pending(begun, done, noted["is_promoted"], noted.get("read_before", ""))
    except (OSError, ValueError, KeyError):
        return NOTHING


def begin(client: str, table: str, read_before: str = "") -> None:
    """Note that a published table is about to be computed, from loads of which all before a moment are read."""
    noted = pending(client)
    if noted.begun or noted.done:
        read_before = min(read_before, noted.read_before)
    done = tuple(each for each in noted.done if each != table)
    begun = (*(each for each in noted.begun if each != table), table)
    _note(client, noted, noted._replace(begun=begun, done=done, read_before=read_before))


def end(client: str, table: str) -> None:
    """Note that a published table was computed."""
    noted = pending(client)
    begun = tuple(each for each in noted.begun if each != table)
    _note(client, noted, noted._replace(begun=begun, done=(*noted.done, table)))


def begin_upstream(client: str) -> None:
    """Note that what the published tables are made of changes: those computed so far are older."""
    noted = pending(client)
    begun = tuple(dict.fromkeys(noted.begun + noted.done))
    _note(client, noted, noted._replace(begun=begun, done=()))


def promote(client: str) -> None:
    """Note that other tables are about to be shown."""
    noted = pending(client)
    _note(client, noted, noted._replace(is_promoted=True))


def settle(client: str) -> None:
    """Forget what was noted: the files are written."""
    _note(client, pending(client), NOTHING)


def keep_notes_of(client: str, shown: frozenset[str], is_promoted: bool) -> None:
    """Forget what was noted of tables that nobody is shown, as those that a preview computes."""
    noted = pending(client)
    begun, done = (
        tuple(each for each in tables if each in shown) for tables in (noted.begun, noted.done)
    )
    _note(client, noted, Pending(begun, done, is_promoted, noted.read_before))


def _note(client: str, before: Pending, now: Pending) -> None:
    if now == before:
        return
    file = make_private(client) / _NAME
    # The first note of a run is on disk before the warehouse changes: it survives a power cut.
    with replacing(file, sync=before == NOTHING) as unfinished:
        unfinished.touch(mode=0o600)
        unfinished.write_text(json.dumps(now._asdict()), encoding="utf-8")


def _file(client: str) -> Path:
    return settled_of(client) / _NAME
