"""Keep what the bus sent until it is taken; more is asked for only while there is room."""

from collections import deque
from threading import Condition
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class Inbox(Generic[Answer]):
    """What one subscription has received. A full one blocks the sender, and drops nothing.

    `most` is how many events may wait. Of what is put in, `put` and `take` return how many events
    may be asked for again.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._answers: deque[Answer] = deque()
        self._held = self._owed = 0  # events that wait, and those that were not asked for again yet
        self._error: BaseException | None = None
        self._is_over = False
        self._changed = Condition()

    def put(self, answer: Answer, events: int) -> int:
        """Keep an answer; return how many events may be asked for, none where it is full."""
        with self._changed:
            self._answers.append(answer)
            self._held += events
            self._owed += events
            self._changed.notify_all()
            return self._may_ask()

    def end(self, error: BaseException | None = None) -> None:
        """Let whoever takes know, after all that is there, that nothing more comes."""
        with self._changed:
            self._error, self._is_over = self._error or error, True
            self._changed.notify_all()

    def take(self, patience: float) -> tuple[list[Answer], int] | None:
        """Wait, and return all answers that are there, and how many events may be asked for.

        Return no answers after `patience` seconds without any, and None at the end. Raise the error
        that it ended with.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._answers or self._is_over, patience)
            if not self._answers and self._is_over:
                if self._error:
                    raise self._error
                return None
            taken = list(self._answers)
            self._answers.clear()
            self._held = 0
            return taken, self._may_ask()

    def _may_ask(self) -> int:
        if self._held >= self._most:
            return 0
        owed, self._owed = self._owed, 0
        return owed
