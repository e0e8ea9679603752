"""Run each piece of work in a process of its own: one that dies takes no other with it."""

import multiprocessing
import multiprocessing.connection
import os
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection
from typing import TypeVar

Work, Answer = TypeVar("Work"), TypeVar("Answer")


def in_processes(
    function: Callable[[Work], Answer], works: Iterable[Work]
) -> Iterator[tuple[Work, Answer | None]]:
    """Yield each work and its answer, as they end; None where the process died without one.

    Processes are forked, one a processor at a time: what is imported here costs them nothing.
    """
    waiting, running = list(works), {}
    while waiting or running:
        while waiting and len(running) < (os.cpu_count() or 1):
            work = waiting.pop(0)
            running[_start(function, work)] = work
        for answers in multiprocessing.connection.wait(list(running)):
            work = running.pop(answers)
            try:
                yield work, answers.recv()
            except EOFError:
                yield work, None


def _start(function: Callable[[Work], Answer], work: Work) -> Connection:
    receiver, sender = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(
        target=lambda: sender.send(function(work))
    )
    child.start()
    sender.close()
    return receiver
