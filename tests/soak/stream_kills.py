"""Kill the stream and the morning at random while deals close, and compare with a full rebuild."""

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

from tests.soak.account import Trial
from tests.soak.followed_crms import WAYS, Crm, World, world
from tests.soak.readers import Readers, shown
from tests.soak.twin import kill, published, run, same, start

PATIENCE = 180  # seconds until a deal that nobody disturbs any more must be shown
# What says of a row that it is not settled yet.
PROVISIONAL = {"is_provisional", "provisional_since"}


class Disturbed:
    """A home whose stream and mornings are killed while its clients' CRMs go on."""

    def __init__(self, home: Path, crms: list[Crm], chance: random.Random) -> None:
        self._home, self._crms, self._chance = home, crms, chance
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
            for crm in self._chance.sample(self._crms, self._chance.randint(1, len(self._crms))):
                crm.close(self._chance)
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

    def wait_for_last_deals(self) -> str:
        """Close one more deal of each and wait until they are shown; return what is wrong if one never is."""
        self.start("stream")
        last = {crm.client: crm.close(self._chance, is_new=True) for crm in self._crms}
        until = time.monotonic() + PATIENCE
        while last:
            if time.monotonic() > until or self._running["stream"].poll() is not None:
                self.kill("stream")
                return f"{last} are not shown"
            time.sleep(0.2)
            last = {
                client: deal
                for client, deal in last.items()
                if (deal,) not in shown(self._home, client, "conversion_id")
            }
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


def kill_streams(
    kills: int,
    folder: Path,
    seed: int = 0,
    ways: tuple[str, ...] = WAYS,
    is_brief: bool = False,
) -> Iterator[Trial]:
    """Close deals while the stream and mornings are killed; each time, settle and rebuild.

    A round kills the stream, a part of it, then stream and morning, then nothing: a morning settles
    while deals close. What is shown then, with what is provisional, must be what a rebuild in a fresh
    home publishes, and so must what the next morning settles: of every client, however it is followed. A
    brief round begins with the stream and morning that are killed together.
    """
    chance = random.Random(seed)
    with world(folder, ways) as clients:
        home = clients.settle_in(folder / "home")
        began = time.monotonic()
        _must_run(home)
        morning = time.monotonic() - began
        disturbed = Disturbed(home, clients.crms, chance)
        try:
            for number in range(kills):
                wrong = _disturb(disturbed, home, clients, morning, is_brief)
                wrong = wrong or _differs(home, clients.settle_in(folder / "rebuilt"), clients)
                fault, case = "kill -9 of stream and daily", f"{seed}.{number}"
                yield Trial(fault, case, "lost" if wrong else "survived", wrong)
        finally:
            disturbed.end()


def _disturb(
    disturbed: Disturbed, home: Path, clients: World, morning: float, is_brief: bool
) -> str:
    """Go through a round beside readers of every client; return the first thing that went wrong."""
    steps: list[Callable[[], str | None]] = [
        *([] if is_brief else [disturbed.kill_stream, disturbed.kill_a_part]),
        lambda: disturbed.kill_both(morning),
        disturbed.serve,
        disturbed.wait_for_last_deals,
        disturbed.stop_stream,
    ]
    with ExitStack() as stack:
        readers = [stack.enter_context(Readers(home, crm.client)) for crm in clients.crms]
        wrong = next(filter(None, (step() for step in steps)), "")
    wrong = wrong or "; ".join(text for each in readers for text in each.wrong[:3])
    return wrong or ("" if all(each.looks for each in readers) else "nobody read")


def _differs(home: Path, rebuilt: Path, clients: World) -> str:
    """Return how a home differs from its rebuild: as it is shown, and once it is settled."""
    _must_run(rebuilt)
    for crm in clients.crms:
        mine, twin = (
            {"attribution_v1": published(each, crm.client, without=PROVISIONAL)["attribution_v1"]}
            for each in (home, rebuilt)
        )
        if differs := same(mine, twin):
            return f"{crm.client}, as shown by the stream: {differs}"
    _must_run(home)
    for crm in clients.crms:
        if differs := same(published(home, crm.client), published(rebuilt, crm.client)):
            return f"{crm.client}, once settled: {differs}"
    return ""


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
