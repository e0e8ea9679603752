"""Know how long a client's mornings take: from its own history."""

import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

KNOWN = 20  # mornings that tell what is usual
FEWEST = 3  # with fewer, nothing is usual yet
ASSUMED = timedelta(minutes=30)  # how long a morning takes until then


class Morning(NamedTuple):
    """One client's way through one run: when its ingest began and ended, when it was served."""

    began: datetime
    ingested: datetime | None = None
    ended: datetime | None = None
    result: str = ""  # published, nothing new, held; empty while it is under way

    @property
    def is_done(self) -> bool:
        """Return whether the client has its numbers."""
        return self.result in ("published", "nothing new")


class Usual(NamedTuple):
    """How long nine of ten mornings take at most: all of it, and what comes after the ingest."""

    whole: timedelta
    run: timedelta
    mornings: int  # that tell it; 0 where it is assumed

    @property
    def said(self) -> str:
        """Return where it is known from."""
        if not self.mornings:
            return "assumed until three mornings are known"
        return f"nine of its last {self.mornings} mornings took no longer"


def usual(mornings: Iterable[Morning]) -> Usual:
    """Return what is usual of a client: of mornings that published something, the last twenty."""
    known = [each for each in mornings if each.result == "published" and each.ended][-KNOWN:]
    if len(known) < FEWEST:
        return Usual(ASSUMED, ASSUMED, 0)
    whole = [each.ended - each.began for each in known if each.ended]
    run = [each.ended - (each.ingested or each.began) for each in known if each.ended]
    return Usual(_most(whole), _most(run), len(known))


def left(morning: Morning | None, takes: Usual, now: datetime) -> timedelta:
    """Return how long a client needs from now on: one that has not begun needs all of it."""
    if not morning:
        return takes.whole
    if not morning.ingested:
        return max(takes.whole - (now - morning.began), takes.run)
    return max(takes.run - (now - morning.ingested), timedelta(0))


def _most(lengths: list[timedelta]) -> timedelta:
    """Return the length that nine of ten do not exceed."""
    return sorted(lengths)[math.ceil(0.9 * len(lengths)) - 1]
