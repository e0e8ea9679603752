"""Tell what the system says of a file: by its number, or by the text in which a program quotes it."""

from collections.abc import Sequence
from typing import NamedTuple


class Cause(NamedTuple):
    """A cause: the system's numbers for it, what programs write of it in small letters, what helps."""

    numbers: Sequence[int]
    texts: Sequence[str]
    remedy: str


def remedy_for(error: BaseException, causes: Sequence[Cause], said: str = "") -> str:
    """Return what helps against an error, by the causes that are known; nothing if it is none of them."""
    number = error.errno if isinstance(error, OSError) else None
    text = (said or str(error)).lower()
    by_number = [cause.remedy for cause in causes if number in cause.numbers]
    by_text = [cause.remedy for cause in causes if any(each in text for each in cause.texts)]
    return next(iter(by_number + by_text), "")
