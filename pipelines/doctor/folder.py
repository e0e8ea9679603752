"""Find the files of a folder, and the glob that matches those of one report, and no others."""

import glob
import re
from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase
from pathlib import Path

_HIDDEN = (".", "~$", "__MACOSX", "Thumbs.db")


def files_in(folder: Path) -> list[Path]:
    """Return the files below a folder, in order; those that a system hides are none."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and not any(part.startswith(_HIDDEN) for part in path.relative_to(folder).parts)
    )


def by_name(files: Iterable[Path]) -> dict[str, list[Path]]:
    """Return files by what their names have in common: the days and numbers in them aside."""
    groups: dict[str, list[Path]] = {}
    for path in files:
        groups.setdefault(f"{path.parent}/{_without_numbers(path.name)}", []).append(path)
    return groups


def glob_of(files: Collection[Path], others: Iterable[Path]) -> str:
    """Return the glob of some files of a folder that matches none of the others; "" if there is none."""
    paths = [path.as_posix() for path in files]
    strangers = [path.as_posix() for path in others]
    for pattern in _patterns(paths):
        if all(fnmatchcase(path, pattern) for path in paths) and not any(
            fnmatchcase(path, pattern) for path in strangers
        ):
            return pattern
    return ""


def _patterns(paths: list[str]) -> Iterable[str]:
    """Yield globs that match paths, the narrowest first that also matches what is delivered tomorrow."""
    folders, names = zip(*(path.rpartition("/")[::2] for path in paths))
    folder = glob.escape(folders[0]) + "/"
    forms = {_starred(name) for name in names}
    if len(set(folders)) == 1 and len(forms) == 1:
        yield folder + forms.pop()
        yield from (folder + glob.escape(names[0]),) if len(names) == 1 else ()
    first = _common(names)
    last = _common([name[::-1] for name in (name[len(first) :] for name in names)])[::-1]
    if len(set(folders)) == 1:
        yield f"{folder}{glob.escape(first)}*{glob.escape(last)}"
    else:
        above = _common(folders).rpartition("/")[0]
        yield f"{glob.escape(above)}/*/{forms.pop() if len(forms) == 1 else '*' + glob.escape(last)}"


def _starred(name: str) -> str:
    """Return a name with a star for the days and numbers in it: `report-*.csv`."""
    return re.sub(r"\*[ _.-]*(?:\*[ _.-]*)*\*", "*", re.sub("\0+", "*", _marked(glob.escape(name))))


def _without_numbers(name: str) -> str:
    return _marked(name)


_MONTHS = "jan|feb|mar|mär|mrz|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez"


def _marked(name: str) -> str:
    """Return a name with a mark for each number, each month and each copy's ` (1)` in it."""
    stem, dot, ending = name.partition(".")
    stem = re.sub(rf"(?i)(?<![a-z])(?:{_MONTHS})[a-zä]*(?![a-z])", "\0", stem)
    return re.sub(r" ?\(\d+\)|\d+", "\0", stem) + dot + ending


def _common(texts: Collection[str]) -> str:
    first, last = min(texts), max(texts)
    length = next((n for n, pair in enumerate(zip(first, last)) if pair[0] != pair[1]), None)
    return first[:length] if length is not None else min(first, last, key=len)
