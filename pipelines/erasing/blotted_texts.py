"""Blot somebody out of the texts that lie beside the tables: ledgers, notes, what was refused, logs.

A refused copy that names them is removed, and its reason stays: nobody reads the copy but who looks into
that refusal. So is what can be made again, as caches, and a torn warehouse that was set aside.
"""

from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

from pipelines.erasing.found_places import Place
from pipelines.erasing.plan import Plan
from pipelines.files import replacing, sync_folder
from pipelines.home import home, lake_folder, runs_folder, stream_folder, warehouse_folder
from pipelines.lake.rewriting import clear_unfinished
from pipelines.lake.tombstones import blotted, salt_of
from pipelines.published.version_folders import settled_of

_TABLES = (".parquet", ".duckdb", ".lock", ".wal")
_LARGEST = 256 << 20  # bytes of a text that is read whole


def in_texts(plan: Plan, is_done: bool) -> Iterator[Place]:
    """Yield where texts name somebody; with `is_done`, once they do not any more."""
    if plan.quarantined_before:
        yield from _refused_before(plan, is_done)
    salt, words = salt_of(plan.client), frozenset(plan.words)
    if not words:
        return
    lake, caches = lake_folder() / plan.client, [home() / ".cache"]
    refused = lake / "_refused"
    folders = [lake, settled_of(plan.client), runs_folder(), stream_folder(), home() / "watch"]
    folders += [home() / "logs", *caches]
    texts = {
        file: folder for folder in folders for file in sorted(folder.rglob("*")) if _is_text(file)
    }
    texts |= {file: warehouse_folder() for file in sorted(warehouse_folder().glob("*.json"))}
    found: dict[str, int] = {}
    for file, folder in texts.items():
        if not _names(file, salt, words):
            continue
        is_copy = file.is_relative_to(refused) and file.suffix != ".reason"
        place = f"{refused.relative_to(home())}" if is_copy else f"{folder.relative_to(home())}"
        found[place] = found.get(place, 0) + 1
        if not is_done:
            continue
        if is_copy or folder in caches:
            file.unlink(missing_ok=True)
            sync_folder(file.parent)
        else:
            _blot(file, salt, words)
    for place, files in found.items():
        yield Place(place, "removed" if place.endswith("_refused") else "texts", files, 0)
    yield from _torn(is_done)


def clear_leftovers(client: str) -> None:
    """Remove what killed processes had begun to write of a client's; nobody else writes now."""
    for folder in (lake_folder() / client / "_ihc", lake_folder() / client / "_erasures"):
        clear_unfinished(folder)
    for unfinished in warehouse_folder().glob(".*.new*"):
        unfinished.unlink(missing_ok=True)


def _is_text(file: Path) -> bool:
    is_ours = "_erasures" not in file.parts and not file.is_symlink()
    return is_ours and file.is_file() and (file.suffix not in _TABLES or "_refused" in file.parts)


def _names(file: Path, salt: str, words: frozenset[str]) -> bool:
    """Return whether a file names somebody; one that is no text, or is too large, may, if it was refused."""
    content = file.read_bytes() if file.stat().st_size <= _LARGEST else b"\0"
    if b"\0" in content[: 1 << 20] or content[:2] == b"\x1f\x8b":
        return bool(words) and "_refused" in file.parts
    text = content.decode("utf-8", errors="surrogateescape")
    return blotted(salt, words, text) != text


def _blot(file: Path, salt: str, words: frozenset[str]) -> None:
    text = file.read_bytes().decode("utf-8", errors="surrogateescape")
    mode = file.stat().st_mode
    with replacing(file, sync=True) as unfinished:
        unfinished.touch(mode=mode & 0o777)
        unfinished.write_bytes(blotted(salt, words, text).encode("utf-8", errors="surrogateescape"))
    sync_folder(file.parent)


def _refused_before(plan: Plan, is_done: bool) -> Iterator[Place]:
    """Yield refused copies, and their reasons, that are too old to be kept."""
    oldest = datetime.fromisoformat(plan.quarantined_before).replace(tzinfo=timezone.utc)
    folder = lake_folder() / plan.client / "_refused"
    files = [each for each in folder.rglob("*") if each.is_file()]
    old = [each for each in files if each.stat().st_ctime < oldest.timestamp()]
    for file in old if is_done else ():
        file.unlink(missing_ok=True)
    if old:
        yield Place(f"{folder.relative_to(home())}", "removed", len(old), 0)


def _torn(is_done: bool) -> Iterator[Place]:
    """Yield warehouse files that were torn and set aside: nobody can read who is in there."""
    torn = sorted(warehouse_folder().glob("*.duckdb.torn-*"))
    for file in torn if is_done else ():
        file.unlink(missing_ok=True)
    if torn:
        yield Place("warehouse", "torn, removed", len(torn), 0)
