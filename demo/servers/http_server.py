"""Serve routes over HTTP/1.1 on a free local port, record every request, fail on demand.

A platform is a subclass of `Server` whose methods carry `@route(method, path)`. Faults apply to
every route of every platform: `server.fail(Status(503), times=2, after=1, path="/token")`.
"""

import re
import socket
import struct
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from demo.servers.faults import Cut, Fault, Html, Slow, Status, Truncated
from demo.servers.messages import Answer, Refused, Request

__all__ = [
    "Answer",
    "Cut",
    "Fault",
    "Html",
    "Refused",
    "Request",
    "Server",
    "Slow",
    "Status",
    "Truncated",
    "route",
]


def route(method: str, path: str) -> Callable:
    """Mark a method as the answer to a method and a path; named groups become arguments."""

    def mark(function: Callable) -> Callable:
        setattr(function, "route", (method, re.compile(path)))  # noqa: B010
        return function

    return mark


@dataclass
class Plan:
    """A fault that waits for its requests."""

    fault: Fault
    times: int | None
    after: int
    path: str | None

    def hits(self, request: Request) -> bool:
        """Say whether this request is spoilt, and count it."""
        path = self.path or self.fault.path
        if self.times == 0 or (path and not re.search(path, request.path)):
            return False
        if self.fault.method not in (None, request.method):
            return False
        if self.after:
            self.after -= 1
            return False
        if self.times:
            self.times -= 1
        return True


class Server:
    """Answer like a platform on 127.0.0.1 while used as a context manager."""

    routes: list[tuple[str, re.Pattern, str]] = []

    def __init_subclass__(cls) -> None:
        marked = [(name, value) for name, value in vars(cls).items() if hasattr(value, "route")]
        cls.routes = [*cls.routes, *((*value.route, name) for name, value in marked)]

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.lock = threading.RLock()
        self._plans: list[Plan] = []
        self._connections: set[socket.socket] = set()
        self._http = Listener(("127.0.0.1", 0), type("Bound", (Handler,), {"app": self}))
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def fail(
        self, fault: Fault, times: int | None = 1, after: int = 0, path: str | None = None
    ) -> None:
        """Let `after` requests that match `path` pass, then spoil `times`, or all when None."""
        with self.lock:
            self._plans.append(Plan(fault, times, after, path))

    def heal(self) -> None:
        """Forget every fault."""
        with self.lock:
            self._plans.clear()

    def answer(self, request: Request) -> Answer:
        """Record a request and return its answer, spoilt when a fault is due."""
        with self.lock:
            self.requests.append(request)
            plan = next((plan for plan in self._plans if plan.hits(request)), None)
        if not plan:
            return self._produce(request)
        spoilt = plan.fault.spoil(self, lambda: self._produce(request))
        return self.finish(request, spoilt) if isinstance(plan.fault, Status) else spoilt

    def finish(self, request: Request, answer: Answer) -> Answer:
        """Return the answer with what the platform puts on all of them."""
        return answer

    def missing(self, request: Request) -> Answer:
        """Answer a path the platform does not have."""
        return Answer.of(404, f"Not Found: {request.path}")

    def _produce(self, request: Request) -> Answer:
        with self.lock:
            try:
                answer = self._dispatch(request)
            except Refused as refused:
                answer = refused.answer
            except Exception:
                traceback.print_exc()
                answer = Answer.of(500, traceback.format_exc())
            return self.finish(request, answer)

    def _dispatch(self, request: Request) -> Answer:
        for method, path, name in self.routes:
            match = path.fullmatch(request.path)
            if match and method == request.method:
                return getattr(self, name)(request, **match.groupdict())
        return self.missing(request)


class Listener(ThreadingHTTPServer):
    """Let many callers knock at once."""

    request_queue_size = 128


class Handler(BaseHTTPRequestHandler):
    """Carry requests and answers between the socket and the server."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    app: Server

    def setup(self) -> None:
        super().setup()
        self.app._connections.add(self.connection)

    def finish(self) -> None:
        self.app._connections.discard(self.connection)
        with suppress(OSError):
            super().finish()

    def handle(self) -> None:
        with suppress(ConnectionError):
            super().handle()

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = Request(self.command, unquote(parts.path), query, self.headers, body)
        self._send(self.app.answer(request))

    def _send(self, answer: Answer) -> None:
        if answer.cut == 0:
            return self._reset()
        self.send_response(answer.status)
        for name, value in ({"Content-Length": str(len(answer.body))} | answer.headers).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body[: answer.cut])
        self.wfile.flush()
        self.close_connection = self.close_connection or answer.cut is not None

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    do_GET = do_POST = do_HEAD = do_PUT = do_DELETE = do_PATCH = _serve
