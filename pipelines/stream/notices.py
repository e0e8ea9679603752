"""Say what an adapter tells: that something changed in a client's CRM, and how far that goes."""

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from pipelines.ingest.load_counts import Counts


def nothing() -> None:
    """Remember nothing."""


class Notice(NamedTuple):
    """That something changed: the `ids` of deals, or everything since one asked last.

    `gone` are those among the ids that the CRM said it deleted. `place` names the notice: the same
    one always has the same. `reached` is called once it is in the lake; what was not reached is told
    again.
    """

    ids: list[str]
    is_everything: bool = False
    place: str = ""
    reached: Callable[[], None] = nothing
    told: str = ""
    gone: list[str] = []

    @property
    def is_sign_of_life(self) -> bool:
        """Return whether it only says that nothing changed."""
        return not self.ids and not self.is_everything


class Adapter(Protocol):
    """A way to hear of changes: events of a bus, a question every few minutes, a watched folder."""

    def notices(self) -> Iterator[Notice]:
        """Yield what changed, until it is stopped. Raise PlatformError where it cannot."""
        ...

    def stop(self) -> None:
        """End the notices, also while one is waited for; called from another thread."""
        ...


class Brought(NamedTuple):
    """What a notice brought into the lake."""

    counts: Counts = Counts()
    notes: list[str] = []
