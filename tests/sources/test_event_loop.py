"""All subscriptions share one loop, also those that begin together."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from pipelines.sources.events import event_loop


def test_threads_that_come_first_together_share_one_loop() -> None:
    together = Barrier(16)

    async def loop() -> int:
        return id(asyncio.get_running_loop())

    def ask(_: int) -> int:
        together.wait()
        return event_loop.answer(loop())

    event_loop._loop.cache_clear()
    with ThreadPoolExecutor(16) as pool:
        assert len({*pool.map(ask, range(16))}) == 1
