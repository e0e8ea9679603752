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
REFUSED = wait_random_exponential(multiplier=30, max=900)  # who is refused asks a few times an hour


class Follower:
    """One client's stream. Whatever happens to it concerns this client alone.

    A notice is `reached` only when it is in the lake, so a crash, or an error at any step, leads back
    to it. `tell` hears one line of each thing that an operator should know; `troubled` hears each
    problem, and an empty text when it is over.
    """

    def __init__(
        self,
        adapter: Adapter,
        bring: Callable[[Notice], Brought],
        tell: Callable[[str], None],
        pause: wait_base = PAUSE,
        refused: wait_base | None = None,
        troubled: Callable[[str], None] = lambda problem: None,
    ) -> None:
        self._adapter, self._bring, self._tell = adapter, bring, tell
        self._pause, self._refused, self._troubled = pause, refused or pause, troubled
        self._stopped = Event()
        self._failures = 0
        self._problem = ""

    def stop(self) -> None:
        """Follow no further; what is under way is brought to its end."""
        self._stopped.set()
        self._adapter.stop()

    def run(self) -> None:
        """Follow until it is stopped."""
        while not self._stopped.is_set():
            try:
                self._follow()
                self._stopped.wait(0.1)  # an adapter that ends at once is not asked without a pause
            except PlatformError as error:
                pause = self._pause if error.passes else self._refused
                self._wait(str(error), pause, error.retry_after or 0)
            except ExportError as error:
                self._wait(str(error), self._refused)
            except Exception as error:  # this client's alone, whatever it is
                self._wait(f"{type(error).__name__}: {error}", self._pause)

    def _follow(self) -> None:
        for notice in self._adapter.notices():
            if self._stopped.is_set():
                return
            brought = self._bring(notice)
            notice.reached()
            self._recover()
            if said := [text for text in (notice.told, _counted(brought), *brought.notes) if text]:
                self._tell("; ".join(said))

    def _recover(self) -> None:
        self._failures = 0
        if self._problem:
            self._problem = ""
            self._troubled("")

    def _wait(self, problem: str, pause: wait_base, at_least: float = 0) -> None:
        """Wait before the next try, longer each time, and say why unless it was said just before."""
        if self._stopped.is_set():
            return
        problem = printable(problem)
        self._failures += 1
        state = RetryCallState(Retrying(), None, (), {})
        state.attempt_number = self._failures
        seconds = max(pause(state), at_least)
        if problem != self._problem or self._failures % 10 == 0:
            self._tell(f"{problem}; tried again in {seconds:.0f} s")
        self._problem = problem
        self._troubled(problem)
        self._stopped.wait(seconds)


def _counted(brought: Brought) -> str:
    new = brought.counts.appended
    return f"{new} {'deal' if new == 1 else 'deals'} changed" if new else ""
