"""Follow every client until it is stopped: what changes in a CRM is in the published numbers soon after.

This process waits. One that it starts listens to the CRMs, a thread for each client; another, while
there is something to do, has loads appended and credit published, a process for each work. Each of them
may die, or never end: its client is told, and the others go on.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from multiprocessing.connection import Connection
from time import monotonic

from pipelines.processes import Process, heard
from pipelines.settings.client import Client
from pipelines.stream.follow_status import forget_status
from pipelines.stream.followed_client import FollowedClient
from pipelines.stream.process_messages import Done, Failure, Follow, Leave, Work

TICK = 2.0  # seconds between two looks at what is no message
IDLE = 60.0  # seconds without a work after which the process that works is ended
LONGEST_PAUSE = 60.0  # seconds until the process that listens is started again

Tell = Callable[[str, str], None]


class Consumer:
    """Follow clients. `tell` hears a client, and a line of what an operator should know of it."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._clients: dict[str, FollowedClient] = {}
        self._listener: Process | None = None
        self._listen_at, self._deaths = 0.0, 0
        self._workshop: Process | None = None
        self._works: list[Work] = []  # under way
        self._last_work = 0.0
        self._numbers = 0

    def follow(self, clients: Iterable[Client]) -> None:
        """Follow these clients from now on, and no others; one whose file was changed, anew."""
        wanted = {client.id: client for client in clients}
        for name, followed in [*self._clients.items()]:
            if wanted.get(name) != followed.client:
                self._leave(followed, is_gone=name not in wanted)
        for name, client in wanted.items():
            if name not in self._clients:
                self._take_up(client)

    def step(self) -> None:
        """Wait a moment for what happens next, and deal with it."""
        self._listen()
        self._work()
        for process in heard([each for each in (self._listener, self._workshop) if each], TICK):
            if process is self._listener:
                self._hear_listener(process)
            else:
                self._hear_workshop(process)
        for followed in self._clients.values():
            followed.look()

    def end(self) -> None:
        """End all processes, whatever they do: what is not in the lake yet is told again."""
        for process in (self._listener, self._workshop):
            if process:
                process.end()
        self._listener = self._workshop = None
        for followed in self._clients.values():
            followed.close()
        self._clients = {}

    def _take_up(self, client: Client) -> None:
        def tell(line: str) -> None:
            self._tell(client.id, line)

        followed = self._clients[client.id] = FollowedClient(client, self._next_number(), tell)
        if self._listener:
            self._listener.send(Follow(client, followed.number))

    def _leave(self, followed: FollowedClient, is_gone: bool) -> None:
        name = followed.client.id
        self._clients.pop(name)
        if self._listener:
            self._listener.send(Leave(name))
        if is_gone:
            with suppress(OSError):
                forget_status(name)
            self._tell(name, "not followed any more")

    def _next_number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _listen(self) -> None:
        """Have the process run that listens."""
        if self._listener or monotonic() < self._listen_at:
            return
        self._listener = Process(_listen)
        for followed in self._clients.values():
            followed.start_anew(self._next_number())
            self._listener.send(Follow(followed.client, followed.number))

    def _hear_listener(self, process: Process) -> None:
        try:
            message = process.hear()
        except EOFError:
            self._listener, self._deaths = None, self._deaths + 1
            pause = min(2.0**self._deaths, LONGEST_PAUSE)
            self._listen_at = monotonic() + pause
            for name in self._clients:
                self._tell(name, f"the process that listens died; it begins anew in {pause:.0f} s")
            return
        if followed := self._clients.get(message.client):
            followed.hear(message)

    def _work(self) -> None:
        """Hand on what is to be done; end the process that works once nothing is."""
        for followed in self._clients.values():
            if work := followed.next_work():
                self._workshop = self._workshop or Process(_work, has_children=True)
                self._works.append(work)
                self._workshop.send(work)
        if self._works:
            self._last_work = monotonic()
        elif self._workshop and monotonic() - self._last_work > IDLE:
            self._workshop.end()
            self._workshop = None

    def _hear_workshop(self, process: Process) -> None:
        try:
            self._ended(process.hear())
        except EOFError:
            self._workshop = None
            for work in [*self._works]:
                self._ended(Done(work, failure=Failure("the process that works died")))

    def _ended(self, done: Done) -> None:
        """Tell everybody concerned what became of a work."""
        self._works.remove(done.work)
        if self._listener and done.work.is_waited_for:
            self._listener.send(done)
        if followed := self._clients.get(done.work.client.id):
            followed.end(done)


def _listen(talk: Connection) -> None:
    from pipelines.stream.listening import listen  # here: this process is to stay small

    listen(talk)


def _work(talk: Connection) -> None:
    from pipelines.stream.workshop import do_works

    do_works(talk)
