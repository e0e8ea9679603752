"""Group deliveries that have one time, by a key or by when they were written."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from pipelines.sources.batches import Remedy

SECOND = 1_000_000_000  # file times are in nanoseconds
_TOGETHER = 2 * SECOND  # what was written within it was unpacked or copied in one go


class Delivery(NamedTuple):
    """A file or an object: its name in the lake, when it was written, and what its column tells."""

    name: str
    file_time: int | None = None
    column: Any = None


class Group(NamedTuple):
    """Deliveries of one time; several if it cannot be told which of them is newer, and why."""

    names: list[str]
    why: str = ""
    remedies: tuple[Remedy, ...] = ()

    @property
    def orders(self) -> list[Remedy]:
        """Return the lines of which one would tell the order."""
        return [*self.remedies] or [by_names()]


def by_names() -> Remedy:
    """Return the line that orders by names."""
    return Remedy("ordered_by: name", meaning="the last in the order of names is the newest")


def by_file_times() -> Remedy:
    """Return the line that orders by when files were written."""
    return Remedy("ordered_by: file time", meaning="the file written last is the newest")


def by_file_time(deliveries: Sequence[Delivery]) -> list[Group]:
    """Order by the time of the last change; what was written in one go has one time."""
    if any(each.file_time is None for each in deliveries):
        why = "their names tell no time, and of one it is not known when it was written"
        return [Group([each.name for each in deliveries], why)]
    groups: list[list[str]] = []
    before = None
    for each in sorted(deliveries, key=lambda each: (each.file_time or 0, each.name)):
        if before is not None and (each.file_time or 0) - before < _TOGETHER:
            groups[-1].append(each.name)
        else:
            groups.append([each.name])
        before = each.file_time or 0
    why = "their names tell no time, and they were written in the same moment"
    return [Group(names, why if len(names) > 1 else "") for names in groups]


def sorted_by(
    deliveries: Sequence[Delivery], key: Callable[[Delivery], Any], why: str
) -> list[Group]:
    """Order by a key; deliveries of one key are together."""
    groups: dict[Any, list[str]] = {}
    for each in sorted(deliveries, key=key):
        value = key(each)
        groups.setdefault(tuple(value) if isinstance(value, list) else value, []).append(each.name)
    return [
        Group(names, why.format(_both(names)) if len(names) > 1 else "")
        for names in groups.values()
    ]


def _both(names: Sequence[str]) -> str:
    return " and ".join(short(name) for name in names[:2])


def short(name: str) -> str:
    return name.rpartition("/")[2]
