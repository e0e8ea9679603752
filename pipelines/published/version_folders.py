"""Say where a client's published and settled files lie, and which version is the current one."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from pipelines.home import published_folder, settled_folder
from pipelines.sql import literal, only_row

_FORMAT = 1  # of what is written of a version; one of another is written anew
_NAMED = "%Y%m%dT%H%M%S.%fZ"  # such as 20261127T054101.250000Z: names sort as times do
_PROVISIONAL = "-provisional"  # after that, where it has rows that no run has settled


class PublishedFileError(Exception):
    """Published files that cannot be read; the text names them and the remedy."""


class LockedViewFile(PublishedFileError):
    """A file of views that somebody opened for writing: it is whole, and will be replaced as ever."""


class Current(NamedTuple):
    """The version that a client's `.duckdb` shows, and the folder that its views were made for."""

    version: str
    folder: str

    def is_here(self, client: str) -> bool:
        """Return whether the views name the files that lie in this home, and no other's."""
        named, here = Path(self.folder), versions_of(client) / self.version
        return named.exists() and here.exists() and named.samefile(here)


def view_file(client: str) -> Path:
    """Return the file that outsiders open: views over one version."""
    return published_folder() / f"{client}.duckdb"


def versions_of(client: str) -> Path:
    """Return the folder of a client's published versions."""
    return published_folder() / client


def settled_of(client: str) -> Path:
    """Return the folder of what the same versions need besides, for the product's user alone."""
    return settled_folder() / client


def make_private(client: str) -> Path:
    """Return the folder of a client's settled files, which the product's user alone may enter."""
    for folder in (settled_folder(), settled_of(client)):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return settled_of(client)


@contextmanager
def alone(client: str) -> Iterator[None]:
    """Wait until no other process writes the client's files."""
    file = make_private(client) / "writing.lock"
    file.touch(mode=0o600)
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def manifest_file(client: str, version: str) -> Path:
    """Return the file that says what a version holds."""
    return settled_of(client) / version / "manifest.json"


def file_name(table: str, part: str) -> str:
    """Return the name of the file that holds a table, or a part of it."""
    return f"{table}.{part}.parquet" if part else f"{table}.parquet"


def described(tables: dict[str, Any], base: str, within: str = "", shown_again: str = "") -> str:
    """Return the text of the file that says what a version holds, and on which settled one it stands.

    `within` is the step that it was written in, such as promote; `shown_again` the earlier version that
    a rollback shows by it.
    """
    said = {"format": _FORMAT, "base": base, "within": within, "shown_again": shown_again}
    return json.dumps({**said, "tables": tables}, indent=1)


def whole_versions(client: str) -> list[str]:
    """Return the names of the settled versions that were written to their end, the oldest first."""
    return _whole(client, "[0-9]*Z")


def provisional_versions(client: str) -> list[str]:
    """Return the names of those with provisional rows, likewise: no run compares or is rolled back to them."""
    return _whole(client, f"[0-9]*Z{_PROVISIONAL}")


def _whole(client: str, names: str) -> list[str]:
    folders = versions_of(client).glob(names)
    return sorted(each.name for each in folders if manifest_file(client, each.name).exists())


def next_version(client: str, provisional: bool = False) -> str:
    """Return the name of a new version: now, or just after the newest if the clock was put back."""
    now = datetime.now(timezone.utc)
    for version in (*whole_versions(client)[-1:], *provisional_versions(client)[-1:]):
        now = max(now, written_at(version) + timedelta(microseconds=1))
    return now.strftime(_NAMED) + (_PROVISIONAL if provisional else "")


def written_at(version: str) -> datetime:
    """Return when a version was written."""
    named = version.removesuffix(_PROVISIONAL)
    return datetime.strptime(named, _NAMED).replace(tzinfo=timezone.utc)


def is_provisional(version: str) -> bool:
    """Return whether a version has rows that no run has settled."""
    return version.endswith(_PROVISIONAL)


def shows_provisional(client: str) -> bool:
    """Return whether provisional rows of a client are shown, as far as that can be read."""
    with suppress(PublishedFileError):
        return bool((shown := current(client)) and is_provisional(shown.version))
    return False


def settled_beneath(client: str, version: str) -> str:
    """Return the settled version that a shown one is to be compared with: itself, or the newest there is.

    Raise PublishedFileError if there is none.
    """
    if not is_provisional(version):
        return version
    if versions := whole_versions(client):
        return versions[-1]
    raise _not_whole(client, version)


def base_of(client: str, version: str) -> str:
    """Return the settled version that another stands on. Raise PublishedFileError if that is not known."""
    return _written(client, version)["base"] if is_provisional(version) else version


def current(client: str) -> Current | None:
    """Return the version that is shown; None before the first. Raise PublishedFileError if it is torn."""
    file = view_file(client)
    if not file.exists():
        return None
    try:
        # Attached, not connected to: a process has one database for a path, which would be the old
        # one as long as somebody in it has that open.
        with duckdb.connect(config={"threads": 1}) as opened:
            opened.execute(f"ATTACH {literal(str(file))} AS shown (READ_ONLY)")
            row = only_row(opened.execute("SELECT version, folder FROM shown.main.version"))
            return Current(*row)
    except duckdb.Error as error:
        raise _unreadable(file, " ".join(str(error).split())) from None


def _unreadable(file: Path, text: str) -> PublishedFileError:
    name = f"published/{file.name}"
    if "lock on file" in text:
        return LockedViewFile(
            f"{name} is open for writing in another program: let it open the file read-only"
        )
    return PublishedFileError(f"{name} is not readable ({text}): remove it and run make daily")


def manifest(client: str, version: str) -> dict[str, Any]:
    """Return what a version holds, by layer and table. Raise PublishedFileError if that is not known."""
    return _written(client, version)["tables"]


def is_shown_again(client: str, version: str) -> bool:
    """Return whether a rollback shows an earlier version by this one, as far as that can be read."""
    return bool(shown_again_by(client, version))


def shown_again_by(client: str, version: str) -> str:
    """Return the earlier version that a rollback shows by this one; nothing for any other."""
    with suppress(PublishedFileError):
        return _written(client, version).get("shown_again", "")
    return ""


def run_wrote_at(client: str, until: str) -> datetime | None:
    """Return when the newest version, up to one, was written by a run; None if none is kept.

    What a promotion or a rollback has written is no morning's.
    """
    for version in reversed(whole_versions(client)):
        if version <= until:
            with suppress(PublishedFileError):
                written = _written(client, version)
                if written.get("within") != "promote" and not written.get("shown_again"):
                    return written_at(version)
    return None


def _written(client: str, version: str) -> dict[str, Any]:
    try:
        written = json.loads(manifest_file(client, version).read_text(encoding="utf-8"))
        if written["format"] == _FORMAT and "tables" in written:
            return written
    except (OSError, ValueError, KeyError):
        pass
    raise _not_whole(client, version)


def _not_whole(client: str, version: str) -> PublishedFileError:
    return PublishedFileError(
        f"published/{client}.duckdb shows the version {version}, whose files are not whole:"
        " run make daily, which writes them anew"
    )


def behind_files(client: str) -> set[str]:
    """Return the tables of the warehouse that the shown version was written from, if that is known."""
    with suppress(PublishedFileError):
        if shown := current(client):
            return {each["behind"] for each in manifest(client, shown.version)["publish"].values()}
    return set()
