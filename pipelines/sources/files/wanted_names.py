"""Tell which of an export's columns are read, by their names: capitals, blanks and underscores aside.

`Campaign ID` is `CAMPAIGN_ID` or `campaignid` in an export that has no `Campaign ID`. A column that is
called just as it is read counts first, and then is no other's; one that the client's file names comes
before one of ours that it does not name.
"""

import re
from collections.abc import Collection, Iterable
from functools import cache
from typing import NamedTuple


class Wanted(NamedTuple):
    """The names of the columns that are worth reading.

    Some the client's file names; some are `needed`, an export must have them, and one of each of `choices`;
    some are `valued`, a row must reach as far as they do.
    """

    names: set[str]
    named: set[str] = set()
    needed: set[str] = set()
    valued: set[str] = set()
    choices: tuple[set[str], ...] = ()

    @classmethod
    def all_of(cls, names: Iterable[str]) -> "Wanted":
        """Return names that must all be there."""
        found = {*names}
        return cls(found, found, found)

    def held(self, present: Iterable[str]) -> set[str]:
        """Return which of an export's columns may be read."""
        called = {plain(each) for name in self.names for each in (name, *_heads(name))}
        return {name for name in present if plain(name) in called}

    def found(self, present: Iterable[str]) -> set[str]:
        """Return which names there are columns for."""
        called = {plain(name) for name in present}
        return {
            name
            for name in self.names
            if plain(name) in called or any(plain(head) in called for head in _heads(name))
        }

    @property
    def asked(self) -> int:
        """Return how many columns must be there."""
        return len(self.needed) + len(self.choices)

    def answered(self, present: Iterable[str]) -> int:
        """Return for how many of them there is one."""
        found = self.found(present)
        return len(self.needed & found) + sum(bool(each & found) for each in self.choices)

    def is_whole(self, present: Iterable[str]) -> bool:
        """Return whether all columns are there that must be."""
        return self.answered(present) == self.asked > 0

    def meant(self, present: Collection[str]) -> dict[str, list[str]]:
        """Return for each name that no column is called just so the columns that may be meant.

        Of one that need not be there, and that the client's file does not name, there must be one.
        """
        free: dict[str, list[str]] = {}
        for each in present:
            if each not in self.names:
                free.setdefault(plain(each), []).append(each)
        found: dict[str, list[str]] = {}
        for names in (self.named, self.names - self.named):
            for name in sorted(names.difference(present)):
                meant = free.get(plain(name), [])
                if len(meant) == 1 or (meant and name in self.named | self.needed):
                    found[name] = meant
                elif not meant:
                    found |= _head_meant(name, present, free)
            free = {called: its for called, its in free.items() if called not in map(plain, found)}
        return found


def _head_meant(
    name: str, present: Collection[str], free: dict[str, list[str]]
) -> dict[str, list[str]]:
    """Return the column in which a name may lie, by its name there: of `user.id`, `user`, if that is `User`."""
    for head in reversed(_heads(name)):
        if head in present:
            break
        if len(meant := free.get(plain(head), [])) == 1:
            return {head: meant}
    return {}


def _heads(name: str) -> list[str]:
    """Return the columns in which a name may lie: of `items[0].name`, `items` and `items[0]`."""
    return [name[: found.start()] for found in re.finditer(r"(?<=.)[.\[]", name)]


@cache
def plain(name: str) -> str:
    """Return a name without capitals, blanks and underscores."""
    return re.sub(r"[\s_]+", "", name).casefold()
