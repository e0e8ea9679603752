"""Name what can go wrong between a platform and us, as the status table shows it."""

from typing import Literal

Code = Literal[
    "credentials_missing",
    "credentials_expired",
    "credentials_refused",
    "consent_revoked",
    "unknown_account",
    "version_expired",
    "rate_limited",
    "platform_down",
    "connection_cut",
    "malformed_answer",
    "request_refused",
    "place_gone",
]


AGAIN = "the next run tries again"
NOT_KNOWN = "check what the client's file says of it under `api:`, and report it if that is right"
_LETTERS = 1_000  # that are quoted of what a platform says: a whole page may be an answer


def quoted(text: str) -> str:
    """Return what a platform says, in one line; of a page its beginning, and how much more there is."""
    line = " ".join(text.split())
    more = len(line) - _LETTERS
    return line if more <= 0 else f"{line[:_LETTERS]}… ({more} more letters)"


class PlatformError(Exception):
    """A platform did not answer what it was asked; the text names the reason and the remedy.

    With `passes`, the same request may succeed a little later: after `retry_after` seconds, where
    the platform names a time. With `renew`, a new access token may help. With `account`, the error
    concerns one account, or one table, and the others of the client can go on.
    """

    def __init__(
        self,
        code: Code,
        reason: str,
        *,
        passes: bool = False,
        retry_after: float | None = None,
        renew: bool = False,
        account: bool = False,
    ) -> None:
        super().__init__(reason)
        self.code, self.passes, self.retry_after = code, passes, retry_after
        self.renew, self.account = renew, account
