"""Run each piece of work in a process of its own: one that dies or never ends takes no other with it."""

import gc
import math
import multiprocessing
import multiprocessing.connection
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from enum import Enum
from multiprocessing.connection import Connection
from threading import Thread
from time import monotonic, sleep
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

Work = TypeVar("Work")
Answer = TypeVar("Answer")

_TOO_LARGE = 99  # the exit status of a process that took too much memory
_LONG = 60  # seconds, after which a work keeps no other from being started
_MOST = 4  # times as many processes at once, those that take long among them


class Bounds(NamedTuple):
    """What a process may take: it is ended where it takes more."""

    seconds: float = math.inf
    megabytes: float = math.inf


_UNBOUNDED = Bounds()


class Exceeded(Enum):
    """Stands for the answer of a work that was ended: the bound that it did not keep."""

    TIME = "time"
    MEMORY = "memory"


class Process:
    """A forked process that talks with this one, and ends with it or when its time is over.

    Processes are forked: what is imported here costs them nothing. The function's last argument is
    its end of the connection. An interruption is for this process alone, which then ends the others.
    One that `has_children` may fork further processes; it must be ended before this one ends.
    """

    def __init__(
        self,
        function: Callable,
        *arguments: Any,
        bounds: Bounds = _UNBOUNDED,
        has_children: bool = False,
    ) -> None:
        self.bounds, self.began = bounds, monotonic()
        self.connection, theirs = multiprocessing.Pipe()
        process = multiprocessing.get_context("fork").Process(
            target=_run,
            args=(os.getpid(), bounds.megabytes, function, *arguments, theirs),
            daemon=not has_children,
        )
        process.start()
        self._process = process
        theirs.close()

    @property
    def seconds_left(self) -> float:
        """Return how long it may still run."""
        return self.bounds.seconds - (monotonic() - self.began)

    def hear(self) -> Any:
        """Return what it sent, or which bound it exceeded. Raise EOFError if it died.

        After the last two it has ended.
        """
        is_late = not self.connection.poll()
        with suppress(EOFError, OSError):  # it died before it sent something, or within it
            if not is_late:
                return self.connection.recv()
        status = self.end()
        if is_late:
            return Exceeded.TIME
        if status == _TOO_LARGE:
            return Exceeded.MEMORY
        raise EOFError

    def send(self, message: Any) -> None:
        """Send it something; if it has died, that is heard next."""
        with suppress(OSError):
            self.connection.send(message)

    def end(self) -> int | None:
        """End it at once, however busy it is, and return its exit status."""
        self._process.join(0.1)  # it may be about to end by itself
        self._process.kill()
        self._process.join()
        self.connection.close()
        return self._process.exitcode


class Talking(Protocol):
    """What is waited for: a process, or whoever else talks over a connection."""

    connection: Connection

    @property
    def seconds_left(self) -> float:
        """Return how long it may still run."""
        ...


Talker = TypeVar("Talker", bound=Talking)


def heard(processes: Iterable[Talker], seconds: float = math.inf) -> list[Talker]:
    """Wait for the processes that sent something, died, or had their time; return these.

    After some seconds without any, return none.
    """
    talking = {process.connection: process for process in processes}
    wait = max(0, min([seconds, *(process.seconds_left for process in talking.values())]))
    ready = multiprocessing.connection.wait(list(talking), None if wait == math.inf else wait)
    late = [process for process in talking.values() if process.seconds_left <= 0]
    return list(dict.fromkeys([talking[each] for each in ready] + late))  # type: ignore[index]


class Pool(Generic[Work, Answer]):
    """Works that are done each in a process, so many at once: one a processor, if it is not said.

    One that takes long keeps no other from being started: it may be one that never ends.
    """

    def __init__(
        self,
        function: Callable[[Work], Answer],
        works: Iterable[Work],
        bounds: Callable[[Work], Bounds] = lambda work: _UNBOUNDED,
        at_once: int | None = None,
    ) -> None:
        self._at_once = at_once or os.cpu_count() or 1
        self._function, self._bounds = function, bounds
        self._waiting = list(works)
        self._running: dict[Process, Work] = {}

    def add(self, work: Work) -> None:
        """Have one more work done, after those that wait."""
        self._waiting.append(work)

    def running(self) -> list[Process]:
        """Start what can be started; return the processes that are running, none at the end."""
        while self._waiting and self._has_room():
            work = self._waiting.pop(0)
            process = Process(_answer, self._function, work, bounds=self._bounds(work))
            self._running[process] = work
        return list(self._running)

    def next_start(self) -> float:
        """Return the seconds after which there may be room for another, though none has ended."""
        ages = [monotonic() - process.began for process in self._running]
        return min((_LONG - age for age in ages if age < _LONG), default=math.inf)

    def answer(self, process: Process) -> tuple[Work, Answer | Exceeded | None] | None:
        """Return a work and its answer; None for the answer where its process died without one.

        Return None for a process that is not of this pool.
        """
        if process not in self._running:
            return None
        work = self._running.pop(process)
        with suppress(EOFError):
            answer = process.hear()
            process.end()
            return work, answer
        return work, None

    def end(self) -> None:
        """End what is running, and start nothing more."""
        self._waiting.clear()
        for process in self._running:
            process.end()

    def _has_room(self) -> bool:
        new = [each for each in self._running if monotonic() - each.began < _LONG]
        return len(new) < self._at_once and len(self._running) < _MOST * self._at_once


def _run(parent: int, megabytes: float, function: Callable, *arguments: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    gc.freeze()  # what is inherited is not cleared away: its threads were not inherited
    Thread(target=_watch, args=(parent, megabytes), daemon=True).start()
    function(*arguments)


def _watch(parent: int, megabytes: float) -> None:
    """End this process with the one that started it, even if that was killed, or as it grows too large.

    What it has from the one that started it, however large that is, does not count.
    """
    inherited = _largest_size()
    while os.getppid() == parent:
        if _largest_size() - inherited > megabytes * 1e6:
            os._exit(_TOO_LARGE)
        sleep(0.2)
    os._exit(1)


def _largest_size() -> int:
    """Return how many bytes of memory this process had at most so far."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _answer(function: Callable[[Work], Answer], work: Work, talk: Connection) -> None:
    talk.send(function(work))
