"""Spoil the answers of a server: errors, cut connections, cut bodies, delays, a proxy's page."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from demo.servers.messages import Answer


class Fault:
    """Change what a request gets; `method` and `path` narrow which requests it can hit."""

    method: str | None = None
    path: str | None = None

    def spoil(self, server: Any, produce: Callable[[], Answer]) -> Answer:
        """Return the spoilt answer; `produce` makes the good one."""
        raise NotImplementedError


@dataclass(frozen=True)
class Status(Fault):
    """Answer with this status in place of the platform; dicts and lists are sent as JSON."""

    code: int
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)
    path: str | None = None

    def spoil(self, server: Any, produce: Callable[[], Answer]) -> Answer:
        return Answer.of(self.code, self.body, self.headers)


@dataclass(frozen=True)
class Cut(Fault):
    """Announce the whole answer, send its first bytes, hang up; 0 resets before any byte."""

    after_bytes: int = 0

    def spoil(self, server: Any, produce: Callable[[], Answer]) -> Answer:
        answer = produce()
        answer.cut = self.after_bytes
        return answer


@dataclass(frozen=True)
class Truncated(Fault):
    """Answer 200 with only this share of the body, as if it were all."""

    share: float = 0.5

    def spoil(self, server: Any, produce: Callable[[], Answer]) -> Answer:
        answer = produce()
        answer.body = answer.body[: int(len(answer.body) * self.share)]
        answer.status = 200
        return answer


@dataclass(frozen=True)
class Slow(Fault):
    """Answer well, but only after this many seconds."""

    seconds: float

    def spoil(self, server: Any, produce: Callable[[], Answer]) -> Answer:
        time.sleep(self.seconds)
        return produce()


@dataclass(frozen=True)
class Html(Fault):
    """Answer 200 with a web page, as a proxy or a login wall would."""

    page: str = "<!DOCTYPE html><html><body><h1>Please sign in to the network</h1></body></html>"

    def spoil(self, server: Any, produce: Callable[[], Answer]) -> Answer:
        return Answer.of(200, self.page, {"Content-Type": "text/html; charset=utf-8"})
