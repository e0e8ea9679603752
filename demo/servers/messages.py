"""Hold one HTTP request and one HTTP answer."""

import json
from dataclasses import dataclass, field
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl


@dataclass(frozen=True)
class Request:
    """What a client asked; header names match in any case, path and query are decoded."""

    method: str
    path: str
    query: dict[str, str]
    headers: Message
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON, an empty object when it is none."""
        try:
            return json.loads(self.body or b"{}")
        except ValueError:
            return {}

    def form(self) -> dict[str, str]:
        """Return the body as a form."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    def bearer(self) -> str:
        """Return the bearer token of the Authorization header, or an empty string."""
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        return token if scheme.lower() == "bearer" else ""


@dataclass
class Answer:
    """What the client gets; `cut` is the number of body bytes after which the line drops."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None

    @classmethod
    def of(cls, status: int, body: Any = b"", headers: dict[str, str] | None = None) -> "Answer":
        """Return an answer, with JSON for a dict or a list and text for a string."""
        if isinstance(body, bytes):
            return cls(status, body, dict(headers or {}))
        text = body if isinstance(body, str) else json.dumps(body)
        kind = "text/plain" if isinstance(body, str) else "application/json"
        default = {"Content-Type": f"{kind}; charset=UTF-8"}
        return cls(status, text.encode(), default | (headers or {}))


class Refused(Exception):
    """Stop a request here and give this answer."""

    def __init__(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(status)
        self.answer = Answer.of(status, body, headers)
