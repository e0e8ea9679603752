"""Say what an adapter tells: that something changed in a client's CRM, and how far that goes."""

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from pipelines.ingest.load_counts import Counts


def _nothing() -> None:
    """Remember nothing."""


class Notice(NamedTuple):
    """That something changed: the `ids` of deals, or everything since one asked last.

    `place` names the notice: the same one always has the same. `reached` is called once it is in the
    lake; what was not reached is told again.
    """

    ids: list[str]
    is_everything: bool = False
    place: str = ""
    reached: Callable[[], None] = _nothing
    told: str = ""


class Adapter(Protocol):
    """A way to hear of changes: events of a bus, a question every few minutes, a watched folder."""

    def notices(self) -> Iterator[Notice]:
        """Yield what changed, for as long as the caller goes on. Raise PlatformError if it cannot."""
        ...


class Brought(NamedTuple):
    """What a notice brought into the lake."""

    counts: Counts = Counts()
    notes: list[str] = []
