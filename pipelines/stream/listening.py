"""Listen to every client's CRM in one process: a thread each, which waits and costs nothing.

What a thread hears is sent to the process that had this one started, which has it brought into the
lake. The thread waits for that, so a place is never remembered before.
"""

from collections.abc import Callable
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Lock, Thread
from time import monotonic

from pipelines.stream.adapters import adapter_of
from pipelines.stream.file_writers import prepare
from pipelines.stream.follower import REFUSED, Follower
from pipelines.stream.notices import Brought, Notice, nothing
from pipelines.stream.process_messages import (
    Alive,
    Done,
    Failure,
    Follow,
    Heard,
    Leave,
    Said,
    Troubled,
    Wanted,
)

_SELDOM = 30.0  # seconds between two signs of life that are passed on

_LEFT = Failure("it is not followed any more")


def listen(talk: Connection) -> None:
    """Follow and leave clients as told, until the one who tells has ended."""
    prepare()
    sending = Lock()

    def send(message: Heard) -> None:
        with sending:
            talk.send(message)

    listeners: dict[str, _Listener] = {}
    while True:
        try:
            message = talk.recv()
        except EOFError:
            return
        if isinstance(message, Follow):
            listeners[message.client.id] = _Listener(message, send)
        elif isinstance(message, Leave):
            listeners.pop(message.client).leave()
        elif isinstance(message, Done) and (of := listeners.get(message.work.client.id)):
            of.answer(message)


class _Listener:
    """The thread that follows one client."""

    def __init__(self, follow: Follow, send: Callable[[Heard], None]) -> None:
        self._client, self._number, self._send = follow.client.id, follow.number, send
        self._answers: SimpleQueue[Done | Failure] = SimpleQueue()
        self._told_alive = 0.0
        self._follower = Follower(
            adapter_of(follow.client),
            self._bring,
            lambda line: send(Said(self._client, line)),
            refused=REFUSED,
            troubled=lambda problem: send(Troubled(self._client, problem)),
        )
        Thread(target=self._follower.run, name=self._client, daemon=True).start()

    def leave(self) -> None:
        """Follow the client no longer; what is under way is not waited for."""
        self._follower.stop()
        self._answers.put(_LEFT)

    def answer(self, done: Done) -> None:
        """Hand on what became of a notice of this thread."""
        if done.work.number == self._number:
            self._answers.put(done)

    def _bring(self, notice: Notice) -> Brought:
        if notice.is_sign_of_life:
            if monotonic() - self._told_alive > _SELDOM:
                self._told_alive = monotonic()
                self._send(Alive(self._client))
            return Brought()
        self._send(Wanted(self._client, self._number, notice._replace(reached=nothing)))
        answer = self._answers.get()
        failure = answer if isinstance(answer, Failure) else answer.failure
        if failure:
            raise failure.error()
        assert isinstance(answer, Done)
        return answer.brought
