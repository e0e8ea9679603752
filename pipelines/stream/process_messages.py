"""What the processes of `make stream` tell each other: small, and made to be sent."""

from typing import Literal, NamedTuple

from pipelines.settings.client import Client
from pipelines.sources.errors import PlatformError
from pipelines.stream.notices import Brought, Notice


class Follow(NamedTuple):
    """Follow a client from now on; `number` tells its threads apart, one after the other."""

    client: Client
    number: int


class Leave(NamedTuple):
    """Follow a client no longer."""

    client: str


class Wanted(NamedTuple):
    """That a notice is to be brought into the lake; its thread waits for what became of it."""

    client: str
    number: int
    notice: Notice


class Alive(NamedTuple):
    """That a client's CRM, or its folder, gave a sign of life."""

    client: str


class Said(NamedTuple):
    """A line about a client."""

    client: str
    line: str


class Troubled(NamedTuple):
    """Why a client's CRM cannot be followed now; nothing once it can."""

    client: str
    problem: str


Heard = Wanted | Alive | Said | Troubled


class Work(NamedTuple):
    """What a process of its own is to do for a client: bring in a notice, or publish."""

    client: Client
    kind: Literal["bring", "publish"]
    number: int  # of the thread that follows the client
    notice: Notice = Notice([])
    is_waited_for: bool = False  # by that thread


class Failure(NamedTuple):
    """Why something was not done, and whether it may be soon."""

    problem: str
    passes: bool = True
    retry_after: float | None = None

    def error(self) -> PlatformError:
        """Return it as what is raised."""
        return PlatformError(
            "connection_cut", self.problem, passes=self.passes, retry_after=self.retry_after
        )


class Done(NamedTuple):
    """What became of a work: what it brought or said, or why it failed."""

    work: Work
    brought: Brought = Brought()
    said: str = ""
    failure: Failure | None = None
