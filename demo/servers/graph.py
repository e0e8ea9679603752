"""Speak the Graph API's ground rules: tokens, cursors, usage headers, errors."""

import base64
import json
from typing import Any
from urllib.parse import urlencode

from demo.servers.http_server import Answer, Refused, Request, Server, Status

ENDED = "You are calling a deprecated version of the Ads API. Please update to the latest version: v27.0."


class GraphServer(Server):
    """Check `token`, page rows, and report the usage with every answer."""

    def __init__(self) -> None:
        super().__init__()
        self.token = "EAAdemo"
        self.oldest_version = 25
        self.raises_versions = False  # silently, as the platform does for those that ask often
        self._dead: dict[str, Status] = {}

    def expire_token(self) -> None:
        """End the token as time does."""
        message = "Error validating access token: Session has expired."
        self._dead[self.token] = failure(400, 190, message, 463)

    def revoke(self) -> None:
        """End the token as a user does who removes the app."""
        message = "Error validating access token: The user has not authorized application."
        self._dead[self.token] = failure(400, 190, message, 458)

    def finish(self, request: Request, answer: Answer) -> Answer:
        usage = {"call_count": 1, "total_cputime": 1, "total_time": 1}
        account = {"acc_id_util_pct": 1.0, "reset_time_duration": 0}
        headers = {"facebook-api-version": _version(request), "x-app-usage": json.dumps(usage)}
        if self.raises_versions and self._is_ended(request):
            headers["facebook-api-version"] = f"v{self.oldest_version}.0"
            raised = f"The call has been auto-upgraded to v{self.oldest_version}.0"
            headers["X-Ad-Api-Version-Warning"] = f"{raised} as {_version(request)} has ended"
        answer.headers = {**headers, "x-ad-account-usage": json.dumps(account)} | answer.headers
        return answer

    def authenticate(self, request: Request) -> None:
        """Refuse a request without a good token, or in a version that has ended."""
        if self._is_ended(request) and not self.raises_versions:
            raise refused(400, 2635, f"(#2635) {ENDED}")
        token = request.bearer() or parameters(request).get("access_token")
        if not token:
            raise refused(400, 104, "An access token is required to request this resource.")
        if token in self._dead:
            dead = self._dead[token]
            raise Refused(dead.code, dead.body)
        if token != self.token:
            raise refused(400, 190, "Invalid OAuth access token - Cannot parse access token")

    def _is_ended(self, request: Request) -> bool:
        return int(_version(request)[1:].partition(".")[0] or 0) < self.oldest_version

    def page(self, request: Request, rows: list[dict]) -> Answer:
        """Answer one page of rows; its `next` link holds the access token, as the real one."""
        limit = int(request.query.get("limit", 25))
        start = _position(request.query["after"]) if request.query.get("after") else 0
        page = rows[start : start + limit]
        if not page:
            return Answer.of(200, {"data": []})
        end = start + len(page)
        paging: dict[str, Any] = {"cursors": {"before": _cursor(start), "after": _cursor(end)}}
        if end < len(rows):
            after = {"access_token": self.token, "after": _cursor(end)}
            paging["next"] = f"{self.url}{request.path}?{urlencode(request.query | after)}"
        return Answer.of(200, {"data": page, "paging": paging})


def failure(
    status: int,
    code: int,
    message: str,
    subcode: int | None = None,
    kind: str = "OAuthException",
    headers: dict[str, str] | None = None,
    **more: Any,
) -> Status:
    """Return an error in the platform's shape."""
    error = {"message": message, "type": kind, "code": code, **more}
    if subcode:
        error["error_subcode"] = subcode
    return Status(
        status, {"error": {**error, "fbtrace_id": "AdEmoTraceId0000000000"}}, headers or {}
    )


def refused(status: int, code: int, message: str, subcode: int | None = None) -> Refused:
    """Return the refusal to raise for an error."""
    error = failure(status, code, message, subcode)
    return Refused(error.code, error.body)


def unknown(name: str) -> Refused:
    """Return the refusal to raise for an object that is not there, or not for this token."""
    message = (
        f"Unsupported get request. Object with ID '{name}' does not exist, cannot be loaded due "
        "to missing permissions, or does not support this operation."
    )
    error = failure(400, 100, message, 33, "GraphMethodException")
    return Refused(error.code, error.body)


def parameters(request: Request) -> dict[str, str]:
    """Return the parameters of a request: its query, and its form or JSON."""
    if request.headers.get_content_type() != "application/json":
        return request.query | request.form()
    body = request.json()
    return request.query | {
        name: value if isinstance(value, str) else json.dumps(value) for name, value in body.items()
    }


def _version(request: Request) -> str:
    """Return the version that a path begins with, such as v27.0."""
    return request.path.split("/")[1]


def _cursor(position: int) -> str:
    return base64.b64encode(str(position).encode()).decode().replace("=", "ZD")


def _position(cursor: str) -> int:
    try:
        return int(base64.b64decode(cursor.replace("ZD", "=")))
    except ValueError:
        raise refused(400, 100, "(#100) Invalid cursor for pagination") from None
