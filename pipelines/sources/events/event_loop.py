"""Run gRPC's coroutines in one thread, however many subscriptions are open.

A subscription that waits in a thread of gRPC's own wakes it fifteen times a second; here it costs
nothing while nothing comes.
"""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future
from functools import cache
from threading import Lock, Thread
from typing import Any, TypeVar

Answer = TypeVar("Answer")

_starting = Lock()  # threads that come first together share one loop


def start(work: Coroutine[Any, Any, Answer]) -> Future[Answer]:
    """Start a coroutine in the thread; return what its answer, or its error, can be had from."""
    with _starting:
        loop = _loop()
    return asyncio.run_coroutine_threadsafe(work, loop)


def answer(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Return a coroutine's answer, or raise its error."""
    return start(work).result()


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    Thread(target=loop.run_forever, name="subscriptions", daemon=True).start()
    return loop
