"""Kill the stream and the morning at random while deals close, and compare with a full rebuild."""

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from unittest.mock import patch

import yaml

from demo.servers.event_bus import EventBus
from demo.servers.platform_world import Platforms
from tests.soak.account import Trial
from tests.soak.homes import empty_home
from tests.soak.readers import Readers, shown
from tests.soak.twin import kill, published, run, same, start

CLIENT = "nova"
PATIENCE = 120  # seconds until a deal that nobody disturbs any more must be shown
# What says of a row that it is not settled yet.
PROVISIONAL = {"is_provisional", "provisional_since"}


class Crm:
    """The CRM of one client, whose deals close while somebody listens."""

    def __init__(self, platforms: Platforms, bus: EventBus, chance: random.Random) -> None:
        self._deals, self._bus = platforms.salesforce.objects["Opportunity"], bus
        self._accounts = sorted({deal["AccountId"] for deal in self._deals})
        self._chance = chance
        self._number = 0

    def close(self, is_new: bool = False) -> str:
        """Close a new deal, or change one that is known, and tell the bus; return its id."""
        self._number += 1
        now = datetime.now(timezone.utc)
        deal = {} if is_new else self._chance.choice([{}, self._chance.choice(self._deals)])
        is_won = is_new or self._chance.random() < 0.8
        changed = {
            "AccountId": self._chance.choice(self._accounts),
            "StageName": "Closed Won" if is_won else "Closed Lost",
            "IsWon": is_won,
            "Amount": self._chance.randint(100, 99_999) / 100,
            "LastStageChangeDate": (now - timedelta(days=self._chance.randint(1, 20))).isoformat(),
            "SystemModstamp": now.isoformat(),
            "IsDeleted": not is_new and self._chance.random() < 0.1,
        }
        if not deal:
            new = {"Id": f"006{self._number:012}AAA", "Name": "A deal"}
            self._deals.append(
                new | {"CreatedDate": (now - timedelta(days=30)).isoformat()} | changed
            )
            deal = self._deals[-1]
        else:
            deal |= changed
        self._bus.publish("Opportunity", deal["Id"])
        return deal["Id"]


class Disturbed:
    """A home whose stream and mornings are killed while its CRM goes on."""

    def __init__(self, home: Path, crm: Crm, chance: random.Random) -> None:
        self._home, self._crm, self._chance = home, crm, chance
        self._running: dict[str, subprocess.Popen] = {}

    def start(self, command: str) -> None:
        """Start a command, unless it runs."""
        if command not in self._running or self._running[command].poll() is not None:
            self._running[command] = start(self._home, command)

    def kill(self, command: str) -> None:
        """Kill a command with all its processes, or only the first: the others then end by themselves."""
        process = self._running.pop(command)
        if self._chance.random() < 0.5:
            process.kill()
            process.wait()
        else:
            with suppress(ProcessLookupError):
                kill(process)

    def kill_a_part(self) -> None:
        """Kill one of the processes that the stream has started, which goes on without it."""
        self.start("stream")
        self.close_deals(self._chance.uniform(2, 5))
        if parts := _descendants(self._running["stream"].pid):
            with suppress(ProcessLookupError):
                os.kill(self._chance.choice(parts), signal.SIGKILL)

    def close_deals(self, seconds: float) -> None:
        """Let deals close for a while."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._crm.close()
            time.sleep(min(self._chance.uniform(0.2, 2.5), max(0.0, until - time.monotonic())))

    def kill_stream(self) -> None:
        """Kill the stream at some point between its start and what it publishes, while deals close."""
        self.start("stream")
        self.close_deals(self._chance.uniform(0.3, 6))
        self.kill("stream")

    def kill_both(self, morning: float) -> None:
        """Kill a morning of some seconds, and the stream beside it, each at some point."""
        self.start("stream")
        self.start("daily")
        for command in self._chance.sample(("stream", "daily"), 2):
            self.close_deals(morning * self._chance.uniform(0.1, 0.6))
            self.kill(command)

    def serve(self) -> str:
        """Serve a morning beside the stream while deals close; return what went wrong."""
        self.start("stream")
        self.start("daily")
        daily = self._running["daily"]
        while daily.poll() is None:
            self.close_deals(0.5)
        printed, _ = daily.communicate()
        return (
            "" if daily.returncode == 0 else f"make daily ends with {daily.returncode}: {printed}"
        )

    def wait_for_a_last_deal(self) -> str:
        """Close one more deal and wait until it is shown; return what is wrong if it never is."""
        self.start("stream")
        deal = self._crm.close(is_new=True)
        until = time.monotonic() + PATIENCE
        while (deal,) not in shown(self._home, CLIENT, "conversion_id"):
            if time.monotonic() > until or self._running["stream"].poll() is not None:
                self.kill("stream")
                return f"{deal} is not shown"
            time.sleep(0.2)
        return ""

    def stop_stream(self) -> str:
        """End the stream as an operator does; return what is wrong if it does not end well."""
        stream = self._running.pop("stream")
        stream.terminate()
        printed, _ = stream.communicate(timeout=PATIENCE)
        return "" if stream.returncode == 0 else f"ended with {stream.returncode}: {printed[-400:]}"

    def end(self) -> None:
        """Let nothing run."""
        for process in self._running.values():
            with suppress(ProcessLookupError):
                kill(process)


def kill_streams(kills: int, folder: Path, seed: int = 0) -> Iterator[Trial]:
    """Close deals while the stream and mornings are killed; each time, settle and rebuild.

    A round kills the stream, a part of it, then stream and morning, then nothing: a morning settles while deals close. What is
    shown then, with what is provisional, must be what a rebuild in a fresh home publishes, and so
    must what the next morning settles.
    """
    chance = random.Random(seed)
    with _world() as (platforms, bus):
        home = _home(folder / "home", platforms, bus)
        began = time.monotonic()
        _must_run(home)
        morning = time.monotonic() - began
        disturbed = Disturbed(home, Crm(platforms, bus, chance), chance)
        try:
            for number in range(kills):
                with Readers(home, CLIENT) as readers:
                    steps = [
                        disturbed.kill_stream,
                        disturbed.kill_a_part,
                        lambda: disturbed.kill_both(morning),
                        disturbed.serve,
                        disturbed.wait_for_a_last_deal,
                        disturbed.stop_stream,
                    ]
                    wrong = next(filter(None, (step() for step in steps)), "")
                wrong = wrong or "; ".join(readers.wrong[:3])
                wrong = wrong or ("" if readers.looks else "nobody read")
                wrong = wrong or _differs(home, _home(folder / "rebuilt", platforms, bus))
                fault, case = "kill -9 of stream and daily", f"{seed}.{number}"
                yield Trial(fault, case, "lost" if wrong else "survived", wrong)
        finally:
            disturbed.end()


def _differs(home: Path, rebuilt: Path) -> str:
    """Return how a home differs from its rebuild: as it is shown, and once it is settled."""
    _must_run(rebuilt)
    settled = published(rebuilt, CLIENT, without=PROVISIONAL)["attribution_v1"]
    if differs := same(
        {"attribution_v1": published(home, CLIENT, without=PROVISIONAL)["attribution_v1"]},
        {"attribution_v1": settled},
    ):
        return f"as shown by the stream: {differs}"
    _must_run(home)
    return same(published(home, CLIENT), published(rebuilt, CLIENT))


def _descendants(process: int) -> list[int]:
    """Return the processes that a process has started, and theirs."""
    found = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = file.read_text().rpartition(")")[2].split()
            if int(fields[1]) == process:
                found += [int(file.parent.name), *_descendants(int(file.parent.name))]
    return found


def _must_run(home: Path) -> None:
    status, printed = run(home, "daily")
    if status:
        raise RuntimeError(f"daily fails undisturbed:\n{printed}")


@contextmanager
def _world() -> Iterator[tuple[Platforms, EventBus]]:
    yesterday = datetime.now(timezone.utc).date() - timedelta(days=1)
    with (
        Platforms(day_0=yesterday, sessions=60) as platforms,
        EventBus(platforms.salesforce) as bus,
        patch.dict(os.environ, platforms.credentials(CLIENT)),
    ):
        bus.keepalive = 5
        yield platforms, bus


def _home(home: Path, platforms: Platforms, bus: EventBus) -> Path:
    """Make a home of one client, whose deals come from its CRM and whose sessions from a bucket."""
    empty_home(home)
    settings = yaml.safe_load(platforms.settings(CLIENT, platforms.day_0 - timedelta(days=60)))
    sources = settings["sources"]
    settings["sources"] = {name: sources[name] for name in ("web", "salesforce")}
    sources["salesforce"]["api"]["stream"] = {"bus": bus.address}
    (home / f"clients/{CLIENT}.yaml").write_text(yaml.safe_dump(settings))
    return home
