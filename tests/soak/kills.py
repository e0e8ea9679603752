"""Kill commands at random points, run them again, and compare the end with an undisturbed twin."""

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from subprocess import TimeoutExpired
from typing import NamedTuple

from demo import write_exports
from demo.servers.platform_world import Platforms
from tests.soak.account import Trial
from tests.soak.homes import shop_home
from tests.soak.twin import copied, kill, log, published, run, same, start

CLIENTS = ("nova", "shop")


class Step(NamedTuple):
    """A command that is killed, in a home where the steps before it ended well."""

    command: tuple[str, ...]
    prepare: Callable[[Path], None] = lambda _: None


def kill_everything(kills: int, folder: Path, seed: int = 0) -> Iterator[Trial]:
    """Kill each command so many times, at points spread at random over its time."""
    chance = random.Random(seed)
    yesterday = datetime.now(timezone.utc).date() - timedelta(days=1)
    with Platforms(day_0=yesterday, sessions=60) as platforms:
        home = _home(folder / "before", platforms.settings("nova", yesterday - timedelta(days=60)))
        os.environ |= platforms.credentials("nova")
        since = str(yesterday - timedelta(days=80))
        for step in _steps(since):
            step.prepare(home)
            twin = copied(home, folder / "twin")
            began = time.monotonic()
            status, printed = run(twin, *step.command)
            if status:
                raise RuntimeError(f"{' '.join(step.command)} fails undisturbed:\n{printed}")
            lasts = time.monotonic() - began
            for number in range(kills):
                disturbed = copied(home, folder / "disturbed")
                after = lasts * chance.uniform(0.1, 1.0)
                yield _killed(step, disturbed, twin, after, number)
            home = copied(twin, folder / "before")


def _steps(since: str) -> list[Step]:
    return [
        Step(("ingest",)),
        Step(("daily",)),
        Step(("backfill", "nova", "--since", since)),
        Step(("promote", "nova"), _switch_model),
        Step(("daily",), _a_day_later),
    ]


def _killed(step: Step, home: Path, twin: Path, after: float, number: int) -> Trial:
    """Kill a command after some seconds, run it again, and compare."""
    fault, case = f"kill -9 of {step.command[0]}", f"{number}, after {after:.2f} s"
    process = start(home, *step.command)
    with suppress(TimeoutExpired):
        process.wait(after)
    if process.poll() is None:
        kill(process)
    process.stdout.close()  # type: ignore[union-attr]
    status, printed = run(home, *step.command)
    if status:
        return Trial(fault, case, "lost", f"the next run ends with {status}: {printed[-300:]}")
    for client in CLIENTS:
        differs = same(log(home, client), log(twin, client)) or _published_differs(
            home, twin, client
        )
        if differs:
            result = "lost" if client == "nova" else "crossed"
            return Trial(fault, case, result, f"{client}: {differs}")
    return Trial(fault, case, "survived")


def _published_differs(home: Path, twin: Path, client: str) -> str:
    if not (twin / "warehouse/home.duckdb").exists():
        return ""
    return same(published(home, client), published(twin, client))


def _home(home: Path, nova: str) -> Path:
    shop_home(home)
    (home / "clients/nova.yaml").write_text(nova)
    return home


def _switch_model(home: Path) -> None:
    file = home / "clients/nova.yaml"
    file.write_text(file.read_text().replace("position_based", "last_touch"))


def _a_day_later(home: Path) -> None:
    write_exports(home / "exports", 1, 60, ["shop"])
