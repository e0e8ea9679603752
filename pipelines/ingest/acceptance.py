"""Keep what a person has confirmed: that a full delivery lacks what is gone.

What waits for a word lies in `lake/<client>/_waiting/<source>.json`, as the newest ingest left it. Each
word is a file of its own in `lake/<client>/_accepted/<source>/`, which is never changed: named by its
time, and bound to what was delivered and to the load that came before it. Another delivery asks again,
and so does the same one, once anything else was loaded.
"""

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

from pipelines.files import replacing, write_atomically
from pipelines.home import lake_folder


class Waiting(NamedTuple):
    """A full delivery that waits: what it is, how many rows there are before and after it.

    `content` is a hash of what was delivered; `after_load` is the newest load of the table before. The rows
    of a part that is gone wait, too, and hold nobody: it `is_kept`.
    """

    table: str
    delivery: str
    content: str
    after_load: str
    before: int
    after: int
    deleted: int
    examples: list[str]
    is_kept: bool = False

    @property
    def binding(self) -> tuple[str, str, str]:
        """Return what a person's word is bound to."""
        return self.table, self.content, self.after_load


def wait_for_word(client: str, source: str, waiting: list[Waiting]) -> None:
    """Keep what of a source waits; with nothing, forget what waited before."""
    file = _waiting_file(client, source)
    if waiting:
        write_atomically(file, json.dumps([each._asdict() for each in waiting]) + "\n")
    else:
        file.unlink(missing_ok=True)


def waiting_of(client: str, source: str) -> list[Waiting]:
    """Return what of a source waits for a word."""
    try:
        found = json.loads(_waiting_file(client, source).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    return [Waiting(**each) for each in found]


def accept(client: str, source: str, waiting: Waiting) -> None:
    """Keep a person's word that a delivery lacks what is gone, on disk before this returns."""
    now = datetime.now(timezone.utc)
    said = waiting._asdict() | {"accepted_at": now.isoformat(timespec="seconds")}
    file = _folder(client, source) / f"{now:%Y%m%dT%H%M%S.%f}-{waiting.table}.json"
    with replacing(file, sync=True) as unfinished:
        unfinished.write_text(json.dumps(said) + "\n", encoding="utf-8")


def is_accepted(client: str, source: str, waiting: Waiting) -> bool:
    """Return whether a person has confirmed this delivery, in this state of the log."""
    return any(
        waiting.binding == (said["table"], said["content"], said["after_load"])
        for file in _folder(client, source).glob("*.json")
        for said in [json.loads(file.read_text(encoding="utf-8"))]
    )


def may_delete(client: str, source: str, table: str) -> bool:
    """Return whether a person has confirmed that rows of a table which are kept are gone."""
    return any(
        each.is_kept and each.table == table and is_accepted(client, source, each)
        for each in waiting_of(client, source)
    )


def _waiting_file(client: str, source: str) -> Path:
    return lake_folder() / client / "_waiting" / f"{source}.json"


def _folder(client: str, source: str) -> Path:
    return lake_folder() / client / "_accepted" / source
