"""Take disk and clock away, and compare the end with an undisturbed twin."""

import resource
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import time_machine

from tests.builders.tenant import Tenant
from tests.soak.account import Trial
from tests.soak.homes import shop_home
from tests.soak.twin import copied, log, published, run, same

KILOBYTES = (40, 120, 400, 1200, 4000)
HOURS = (-2.0, -0.001, 2.0, -365.0 * 24, 365.0 * 24)


def fill_the_disk(folder: Path, sizes: tuple[int, ...] = KILOBYTES) -> Iterator[Trial]:
    """Let no file of a morning grow above some size; the morning after has room again."""
    before = shop_home(folder / "before")
    twin = copied(before, folder / "twin")
    run(twin, "daily")
    for size in sizes:
        home = copied(before, folder / "disturbed")
        _, printed = run(home, "daily", preexec_fn=lambda size=size: _limit(size))
        if "Traceback" in printed:
            yield Trial("full disk", f"{size} KB", "unclear", printed[-400:])
            continue
        status, printed = run(home, "daily")
        differs = (
            printed[-300:] if status else same(published(home, "shop"), published(twin, "shop"))
        )
        differs = differs or same(log(home, "shop"), log(twin, "shop"))
        yield Trial("full disk", f"{size} KB", "lost" if differs else "survived", differs)


def _limit(kilobytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes * 1024, kilobytes * 1024))


def move_the_clock(home: Path, hours: tuple[float, ...] = HOURS) -> Iterator[Trial]:
    """Correct an export while the clock is ahead or behind, and once more when it is right again."""
    for number, shift in enumerate(hours):
        client = Tenant(home, f"clock{number}")
        now = datetime.now(timezone.utc)
        costs = {"first": "1.00", "corrected": "2.00", "corrected again": "3.00"}
        moments = (now, now + timedelta(hours=shift), now + timedelta(seconds=1))
        for moment, (what, cost) in zip(moments, costs.items()):
            with time_machine.travel(moment, tick=True):
                client.spend("spend.csv", f"01,a,{cost}")
                client.ingest()
            live = _newest_cost(client)
            if live != cost:
                text = f"{what}: {cost} was delivered, {live} is the newest"
                yield Trial("clock", f"{shift} hours", "lost", text)
                break
        else:
            yield Trial("clock", f"{shift} hours", "survived")


def _newest_cost(client: Tenant) -> str:
    return max(client.log("loaded_at, ordinal, cost"))[-1]
