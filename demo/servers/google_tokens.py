"""Speak Google's OAuth: a refresh token buys access tokens that end."""

import time

from demo.servers.http_server import Answer, Refused, Request, Server, route

SCOPE = "https://www.googleapis.com/auth/adwords"


class GoogleTokens(Server):
    """Give access tokens, good for `token_seconds`, to the holder of `credentials`."""

    def __init__(self) -> None:
        super().__init__()
        self.credentials = {
            "client_id": "demo.apps.googleusercontent.com",
            "client_secret": "demo-secret",
            "refresh_token": "1//demo-refresh",
        }
        self.token_seconds = 3599
        self._revoked: set[str] = set()
        self._ends: dict[str, float | None] = {}

    def revoke(self) -> None:
        """End the refresh token and all access tokens, as a user who withdraws consent."""
        self._revoked.add(self.credentials["refresh_token"])
        self._ends = dict.fromkeys(self._ends, None)

    def expire_tokens(self) -> None:
        """End every access token; the refresh token stays good."""
        self._ends = dict.fromkeys(self._ends, 0.0)

    def token_state(self, token: str) -> str:
        """Say whether an access token is good, expired or invalid."""
        end = self._ends.get(token)
        if end is None:
            return "invalid"
        return "good" if end > time.monotonic() else "expired"

    @route("POST", "/token")
    def token(self, request: Request) -> Answer:
        form = request.form()
        if form.get("grant_type") != "refresh_token":
            raise _refused(400, "unsupported_grant_type", "Invalid grant_type.")
        if form.get("client_id") != self.credentials["client_id"]:
            raise _refused(401, "invalid_client", "The OAuth client was not found.")
        if form.get("client_secret") != self.credentials["client_secret"]:
            raise _refused(401, "invalid_client", "Unauthorized")
        if form.get("refresh_token") in self._revoked:
            raise _refused(400, "invalid_grant", "Token has been expired or revoked.")
        if form.get("refresh_token") != self.credentials["refresh_token"]:
            raise _refused(400, "invalid_grant", "Bad Request")
        token = f"ya29.demo-{len(self._ends)}"
        self._ends[token] = time.monotonic() + self.token_seconds
        body = {"access_token": token, "expires_in": self.token_seconds}
        return Answer.of(200, {**body, "scope": SCOPE, "token_type": "Bearer"})


def _refused(status: int, error: str, description: str) -> Refused:
    return Refused(status, {"error": error, "error_description": description})
