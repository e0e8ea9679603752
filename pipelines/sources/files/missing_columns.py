"""Say which columns an export lacks, which of its own may be meant, and the lines that name them."""

import difflib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType

from pipelines.contracts.contract import Contract
from pipelines.settings.column_expressions import is_expression, names_in, problem_of, renamed
from pipelines.settings.exports import Export
from pipelines.sources.batches import ExportError, Remedy
from pipelines.sources.files.delivery_groups import by_file_times, by_names
from pipelines.sources.files.nested_paths import path_into
from pipelines.sources.yaml_texts import is_odd, scalar

_SHOWN = 40  # names of an export
_LETTERS = 80  # of a name
_ALIKE = 0.65  # as difflib measures: `Campaign ID` and `Campaign-Id` are 1


def missing_columns(
    refused: Callable[..., ExportError],
    export: Export,
    contract: Contract,
    missing: dict[str, list[str]],
    present: Collection[str],
    within: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> ExportError:
    """Return the error for columns that an export lacks: by its name for one, our columns.

    `within` has, by column, the paths that lead into it.
    """
    if not contract.staged_by:  # it reads when a delivery was exported, and nothing else
        return _missing_time(refused, next(iter(missing)), present)
    read = {part for column in contract.columns for part in _parts(export, column)}
    slips = _slips(missing)
    inner = [path_into(head, path) for head, paths in within.items() for path in paths]
    flat = [name for name in present if name not in read and name not in missing]
    meant = {}
    if not slips:
        meant = _meant(missing, [name for name in [*flat, *inner] if name not in read])
    listed = ", ".join(
        name if columns == [name] else f"{name} (for {', '.join(columns)})"
        for name, columns in missing.items()
    )
    there = ", ".join(within_shown(within)) or shown(present)
    reason = f"missing column {listed}; it has {there}"
    lacking = dict.fromkeys(column for columns in missing.values() for column in columns)
    remedies = [
        Remedy(f"{column}: {_written(export, column, meant)}", below="columns")
        for column in lacking
        if _parts(export, column) & meant.keys()
    ]
    alone = [column for name in missing if name not in meant for column in missing[name]]
    spared = [column for column in alone if not contract.columns[column].required]
    if spared == alone:  # else `null` for these alone reads nothing
        remedies += [Remedy(f"{column}: null", below="columns") for column in spared]
    advice = [*slips, _about_near(meant), _about_absent(alone, spared)]
    return refused(f"{reason}. {'. '.join(filter(None, advice))}", remedies=remedies)


def _missing_time(
    refused: Callable[..., ExportError], name: str, present: Collection[str]
) -> ExportError:
    """Return the error for the column that is to tell the time of a delivery."""
    meant = _meant({name: []}, list(present)).values()
    remedies = [
        Remedy(
            f"ordered_by: {{column: {scalar(each)}}}", meaning=f"{each} tells when it was exported"
        )
        for each in meant
    ]
    reason = f"`ordered_by:` names the column {name}, which it lacks; it has {shown(present)}"
    return refused(reason, remedies=[*remedies, by_file_times(), by_names()])


def shown(names: Collection[str]) -> str:
    """Return an export's columns in words, as many as a line has room for."""
    cut = [
        name if len(name) <= _LETTERS else f"{name[:_LETTERS]}…" for name in sorted(names) if name
    ]
    others = f" and {len(cut) - _SHOWN} others" if cut[_SHOWN:] else ""
    return f"{', '.join(cut[:_SHOWN]) or 'none'}{others}"


def within_shown(within: Mapping[str, Sequence[str]]) -> list[str]:
    """Return in words what lies within columns: `properties with plan, utm_source`."""
    return [f"{head} with {shown(paths)}" for head, paths in sorted(within.items())]


def _meant(missing: dict[str, list[str]], unread: list[str]) -> dict[str, str]:
    """Return, for names that an export lacks, which of those that nobody reads may be meant.

    It is the one that is called alike, or as we call the column. None is meant twice.
    """
    free = {_plain(name): name for name in sorted(unread)}
    found: dict[str, str] = {}
    for cutoff in (1.0, _ALIKE):
        for name, columns in missing.items():
            near = [
                each
                for called in [name, *columns]
                for each in difflib.get_close_matches(_plain(called), free, 1, cutoff)
            ]
            if near and name not in found:
                found[name] = free.pop(near[0])
    return found


def _plain(name: str) -> str:
    """Return a name without what differs from export to export: capitals, and marks between words."""
    return " ".join(re.findall(r"[^\W_]+", name.casefold())) or name


def _written(export: Export, column: str, meant: dict[str, str]) -> str:
    """Return what to write for a column: a name, or a list of several, as YAML."""
    names = [
        scalar(renamed(name, meant) if is_expression(name) else meant.get(name, name))
        for name in export.names(column)
    ]
    return names[0] if len(names) == 1 else f"[{', '.join(names)}]"


def _slips(missing: Collection[str]) -> list[str]:
    """Return sentences about functions that are written wrongly, where a name is SQL but for that."""
    problems = [problem_of(name) or "" for name in missing if "(" in name]
    return [f"As SQL, {said.rstrip('?')}" for said in problems if "did you mean" in said]


def _parts(export: Export, column: str) -> set[str]:
    """Return the names of an export's columns that one of ours is made of."""
    return {part for name in export.names(column) for part in names_in(name)}


def _about_near(meant: dict[str, str]) -> str:
    """Return a sentence about names that are near to those that an export lacks."""
    if not meant:
        return ""
    return ", ".join(
        f"{name} may be its {scalar(its) if is_odd(its) else its}" for name, its in meant.items()
    )


def _about_absent(columns: list[str], spared: list[str]) -> str:
    """Return a sentence about columns of ours that an export has nothing like."""
    if not columns:
        return ""
    null = ", or `null` if it has nothing of the kind" if spared else ""
    needed = [column for column in columns if column not in spared] if spared else []
    cannot = f"; {', '.join(needed)} cannot be `null`" if needed else ""
    return f"Name under `columns:` what the export calls {', '.join(columns)}{null}{cannot}"
