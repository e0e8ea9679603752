"""Follow one client's CRM: bring in what an adapter tells, and try again what fails."""

from collections.abc import Callable
from threading import Event

from tenacity import RetryCallState, Retrying, wait_random_exponential
from tenacity.wait import wait_base

from pipelines.ingest.source_status import printable
from pipelines.sources.batches import ExportError
from pipelines.sources.errors import PlatformError
from pipelines.stream.notices import Adapter, Brought, Notice

PAUSE = wait_random_exponential(multiplier=0.5, max=60)


class Follower:
    """One client's stream. Whatever happens to it concerns this client alone.

    A notice is `reached` only when it is in the lake, so a crash, or an error at any step, leads back
    to it. `tell` hears one line of each thing that an operator should know.
    """

    def __init__(
        self,
        adapter: Adapter,
        bring: Callable[[Notice], Brought],
        tell: Callable[[str], None],
        pause: wait_base = PAUSE,
    ) -> None:
        self._adapter, self._bring, self._tell, self._pause = adapter, bring, tell, pause
        self._stopped = Event()
        self._failures = 0

    def stop(self) -> None:
        """Follow no further; what is under way is brought to its end."""
        self._stopped.set()

    def run(self) -> None:
        """Follow until it is stopped."""
        while not self._stopped.is_set():
            try:
                self._follow()
            except (PlatformError, ExportError) as error:
                self._wait(printable(str(error)))
            except Exception as error:  # this client's alone, whatever it is
                self._wait(printable(f"{type(error).__name__}: {error}"))

    def _follow(self) -> None:
        for notice in self._adapter.notices():
            brought = self._bring(notice)
            notice.reached()
            self._failures = 0
            if said := [text for text in (notice.told, _counted(brought), *brought.notes) if text]:
                self._tell("; ".join(said))
            if self._stopped.is_set():
                return

    def _wait(self, problem: str) -> None:
        """Wait before the next try, longer each time, and say why unless it was said just before."""
        self._failures += 1
        state = RetryCallState(Retrying(), None, (), {})
        state.attempt_number = self._failures
        seconds = self._pause(state)
        if self._failures <= 3 or self._failures % 10 == 0:
            self._tell(f"{problem}; tried again in {seconds:.0f} s")
        self._stopped.wait(seconds)


def _counted(brought: Brought) -> str:
    new = brought.counts.appended
    return f"{new} {'deal' if new == 1 else 'deals'} changed" if new else ""
