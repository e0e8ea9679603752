"""Run each piece of work in a process of its own: one that dies takes no other with it."""

import gc
import multiprocessing
import multiprocessing.connection
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import TypeVar

Work = TypeVar("Work")
Answer = TypeVar("Answer")


def in_processes(
    function: Callable[[Work], Answer], works: Iterable[Work]
) -> Iterator[tuple[Work, Answer | None]]:
    """Yield each work and its answer, as they end; None where the process died without one.

    Processes are forked, one a processor at a time: what is imported here costs them nothing.
    """
    waiting = list(works)
    running: dict[Connection, Work] = {}
    while waiting or running:
        while waiting and len(running) < (os.cpu_count() or 1):
            work = waiting.pop(0)
            running[_start(function, work)] = work
        ended = multiprocessing.connection.wait(list(running))
        for answers in [each for each in running if each in ended]:
            work, answer = running.pop(answers), None
            with answers, suppress(EOFError, OSError):  # it died before its answer, or within it
                answer = answers.recv()
            yield work, answer


def _start(function: Callable[[Work], Answer], work: Work) -> Connection:
    receiver, sender = multiprocessing.Pipe(duplex=False)

    def run() -> None:
        gc.freeze()  # what is inherited is not cleared away: its threads were not inherited
        sender.send(function(work))

    multiprocessing.get_context("fork").Process(target=run).start()
    sender.close()
    return receiver
