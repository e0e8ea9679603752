"""Gather the files of a folder into reports: files of one kind with the same columns, by one glob."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pipelines.doctor.folder import by_name, glob_of
from pipelines.doctor.heads import Head, heads_of
from pipelines.doctor.kinds import Kind, Told, told
from pipelines.home import home
from pipelines.settings.client import Client
from pipelines.sources.batches import ExportError

MOST_READ = 200  # files whose beginnings are read


class Report(NamedTuple):
    """Files of one report: what they are, how they begin, and the glob that matches them alone.

    One that `may_be_empty` counts if there is something in it: orders among events.
    """

    kinds: list[Kind]
    head: Head
    files: list[Path]
    glob: str
    may_be_empty: bool = False


class Unknown(NamedTuple):
    """A file that is no report that is known, and why: what it lacks, or why it cannot be read."""

    file: Path
    why: str
    files: int = 1


class Sorted(NamedTuple):
    """What is in a folder: its reports, and the files that are none. So many files were looked into."""

    reports: list[Report]
    unknown: list[Unknown]
    looked_into: int


def sort_out(client: Client, files: list[Path], folder: Path) -> Sorted:
    """Return the reports among some files; of many files whose names are alike, a few are looked into."""
    found: dict[Any, tuple[Told, Head, list[Path]]] = {}
    unknown: dict[str, Unknown] = {}
    looked_into = 0
    for alike in _looked_into(files):
        if looked_into >= MOST_READ:
            _note(unknown, alike.read[0], _TOO_MANY, len(alike.read) + len(alike.rest))
            continue
        for place, path in enumerate(alike.read):
            looked_into += 1
            rest = alike.rest if place == 0 else []
            try:
                heads = heads_of(client, path, folder)
            except ExportError as error:
                _note(unknown, path, error.reason, 1 + len(rest))
                continue
            for head in heads:
                what = told(head)
                if not what.kinds:
                    _note(unknown, path, _lacking(head, what), 1 + len(rest))
                    continue
                settings = tuple(sorted(head.settings.items()))
                key = (*what.kinds[0].reading, settings, len(heads) > 1 and path)
                _, _, its = found.setdefault(key, (what, head, []))
                its += [path, *rest]
    reports = []
    for what, head, its in found.values():
        report = Report(what.kinds, head, sorted(its), _glob(its, files))
        beside = [report._replace(kinds=[kind], may_be_empty=True) for kind in what.beside]
        reports += [report, *beside]
    return Sorted(reports, [*unknown.values()], looked_into)


_TOO_MANY = (
    "it was not looked into, as there are too many names: move what is no export out of the folder"
)


def _note(unknown: dict[str, Unknown], path: Path, why: str, count: int) -> None:
    """Note that files are not known; those for the same reason are named by their first."""
    before = unknown.get(why, Unknown(path, why, 0))
    unknown[why] = before._replace(files=before.files + count)


class _Alike(NamedTuple):
    """Files whose names differ in days and numbers alone: those that are read, and the rest."""

    read: list[Path]
    rest: list[Path]


def _looked_into(files: list[Path]) -> Iterator[_Alike]:
    groups = [*by_name(files).values()]
    is_few = len(files) <= MOST_READ
    for group in groups if is_few else sorted(groups, key=len, reverse=True):
        if is_few:
            yield _Alike(group, [])
        else:
            read = sorted({group[0], group[-1]})
            yield _Alike(read, [path for path in group if path not in set(read)])


def _lacking(head: Head, what: Told) -> str:
    if not head.names:
        return "it has no columns"
    names = ", ".join(head.names[:12]) + (", …" if head.names[12:] else "")
    if not what.nearest:
        return f"its columns are of no report that is known: {names}"
    lacks = ", ".join(what.nearest.lacks)
    return f"it may be {what.nearest.name}, but no column is its {lacks}; it has {names}"


def _glob(its: Collection[Path], files: list[Path]) -> str:
    """Return the glob of some files as the client's file has it."""
    own, paths = set(its), {path: Path(named(path)) for path in files}
    return glob_of(
        [paths[path] for path in sorted(own)], [paths[path] for path in files if path not in own]
    )


def named(path: Path) -> str:
    """Return what a path is called in a client's file: from the data's home, if it lies there."""
    root, real = home().resolve(), path.absolute()
    return (real.relative_to(root) if real.is_relative_to(root) else real).as_posix()
