"""The command that follows every client's CRM until it is stopped, and how that is shown."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime, timezone
from time import sleep
from typing import TYPE_CHECKING, Any

from pipelines.commands import results, screen
from pipelines.commands.chosen_clients import Some, usable
from pipelines.home import clients_folder, stream_folder
from pipelines.settings.client import Client
from pipelines.settings.reader import Problem, keep, read
from pipelines.settings.replaced import rollbacks

if TYPE_CHECKING:
    from pipelines.stream.consumer import Consumer

_TRIES = 20  # in two seconds


def stream(client: Some = None) -> None:
    """Follow every client's CRM until stopped: a deal that closes is published in seconds.

    Ctrl-C or SIGTERM ends it, and nothing is lost: what comes meanwhile is read the next time. A client's
    file that changes, appears or goes is taken up. A second one says who runs, and ends.
    """
    from pipelines.serving.turn import NotOurTurn

    clients, problems = usable(client)
    try:
        with _turn():
            _follow(client, clients, problems)
    except NotOurTurn as error:
        screen.tell(f"{error}: it follows the clients, this command leaves it to that one")


@contextmanager
def _turn() -> Iterator[None]:
    """Take the turn to follow; processes of a command that was just killed have it a moment longer."""
    from pipelines.serving.turn import STREAM, NotOurTurn, turn

    with ExitStack() as held:
        for tries_left in range(_TRIES, -1, -1):
            try:
                held.enter_context(turn(STREAM, folder=stream_folder()))
                break
            except NotOurTurn:
                if not tries_left:
                    raise
                sleep(0.1)
        yield


def show_followed(clients: list[Client]) -> bool:
    """Show how the clients are followed that are; return whether something is wrong with one."""
    from pipelines.stream.follow_status import read_status

    is_wrong, now = False, datetime.now(timezone.utc)
    for client in clients:
        if status := read_status(client.id):
            wrong, known = status.lines(now)
            if (why := _not_ahead(client)) and why not in status.publishing_problem:
                wrong.append(f"deals wait for make daily: {why}")
            for line in known:
                screen.say(client.id, line)
            for line in wrong:
                screen.warn(client.id, line)
            is_wrong |= bool(wrong)
    return is_wrong


def _not_ahead(client: Client) -> str:
    """Return why a client's deals are not credited ahead of the next run; nothing if they are."""
    from pipelines.fastpath.computing import why_not_ahead
    from pipelines.published.version_folders import PublishedFileError

    with suppress(PublishedFileError):  # which is told as what it is
        return why_not_ahead(client.id)
    return ""


def _follow(chosen: list[str] | None, clients: list[Client], problems: list[Problem]) -> None:
    from pipelines.stream.consumer import Consumer

    is_stopped: list[int] = []

    def stop(number: int, frame: Any) -> None:
        is_stopped.append(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    files = _files()
    consumer, left = Consumer(_tell), dict[str, str]()
    try:
        left = _take_up(consumer, clients, left)
        while not is_stopped:
            consumer.step()
            if (now := _files()) != files:
                files = now
                clients, problems = _read_again(chosen, problems)
                left = _take_up(consumer, clients, left)
    finally:
        consumer.end()
    screen.tell("stopped: what comes meanwhile is read by the next make stream, or make daily")


def _take_up(consumer: "Consumer", clients: list[Client], left: dict[str, str]) -> dict[str, str]:
    """Follow the clients that can be followed; return, and tell once, why others are left out."""
    from pipelines.stream.ways import why_not

    reasons = {client.id: why_not(client) for client in clients}
    consumer.follow(client for client in clients if not reasons[client.id])
    for client, why in reasons.items():
        if why and left.get(client) != why:
            _tell(client, f"left to the morning: {why}")
    return reasons


def _read_again(
    chosen: list[str] | None, problems: list[Problem]
) -> tuple[list[Client], list[Problem]]:
    """Return the clients as their files are now, and their problems; those are told that are new."""
    found, now = read()
    now = [problem for problem in now if not chosen or problem.client in chosen]
    results.show_problems(problem for problem in now if problem not in problems)
    for client in found:
        keep(client)
    return [client for client in found if not chosen or client.id in chosen], now


def _files() -> dict[str, tuple[int, int, int]]:
    """Return what says whether a client's file is another one, has other content, or is rolled back."""
    found = {}
    for file in (*clients_folder().glob("*"), *rollbacks()):
        try:
            stat = file.stat()
        except OSError:  # it has gone since it was listed
            continue
        found[str(file)] = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
    return found


def _tell(client: str, line: str) -> None:
    screen.say(f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M:%S} {client}", line)
