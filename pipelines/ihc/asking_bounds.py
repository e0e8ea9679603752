"""Say how much of the IHC service one caller may take."""

from typing import NamedTuple


class Bounds(NamedTuple):
    """What one caller may take, within what the client's settings allow."""

    minutes: float
    quota: float = 1  # of the month's requests, 0 to 1: from there on it sends none
