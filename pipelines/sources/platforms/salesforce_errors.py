"""Turn Salesforce's errors into PlatformErrors."""

import re

from requests import Response

from pipelines.sources.errors import AGAIN, PlatformError, quoted


class Forgotten(PlatformError):
    """The next page of a query is no longer there: the query is to be asked again."""


HOUR = 3600.0  # requests are counted over 24 hours that move on: some are free again by then


def refusal(response: Response) -> PlatformError | None:
    """Return the error that Salesforce reports in an answer."""
    body = response.json()
    if isinstance(body, dict):
        return _no_session(body["error"], body.get("error_description", ""))
    return _no_data(body[0]["errorCode"], _line(body[0]["message"]), response)


def _no_session(error: str, description: str) -> PlatformError | None:
    reason = f"Salesforce gives no session: {error}, {_line(description)}"
    if error in ("invalid_client", "invalid_client_id"):
        return PlatformError(
            "credentials_refused", f"{reason}; set the connected app's client_id and client_secret"
        )
    if error == "invalid_grant":
        return PlatformError(
            "consent_revoked",
            f"{reason}; have an administrator renew the connected app's run-as user",
        )
    return PlatformError("request_refused", f"{reason}; check base_url and the connected app")


def _no_data(code: str, message: str, response: Response) -> PlatformError | None:
    if code == "INVALID_SESSION_ID":
        return PlatformError(
            "credentials_expired",
            "Salesforce ends every session at once; check the run-as user's session settings",
            renew=True,
        )
    if code == "INVALID_QUERY_LOCATOR":
        return Forgotten("connection_cut", "Salesforce forgot a query half-way; run it again")
    if code == "REQUEST_LIMIT_EXCEEDED":
        if "concurrent" in message.lower():
            return PlatformError("rate_limited", f"Salesforce: {message}; {AGAIN}", passes=True)
        used = response.headers.get("Sforce-Limit-Info", "")
        reason = f"the org's requests of 24 hours are used up, {used or message}"
        return PlatformError(
            "rate_limited", f"{reason}; the next run tries again", retry_after=HOUR
        )
    if code in ("INVALID_FIELD", "INVALID_TYPE"):
        return PlatformError("request_refused", _unseen(code, message), account=True)
    if code in ("QUERY_TIMEOUT", "SERVER_UNAVAILABLE"):
        return PlatformError("platform_down", f"Salesforce: {message}; {AGAIN}", passes=True)
    if code in ("NOT_FOUND", "UNSUPPORTED_API_VERSION"):
        return PlatformError(
            "request_refused", f"Salesforce: {message}; check base_url and version"
        )
    return None


def _unseen(code: str, message: str) -> str:
    """Return which field or object the integration user does not see, and the remedy."""
    if found := re.search(r"No such column '([^']+)' on entity '([^']+)'", message):
        return (
            f"the integration user sees no field {found[1]} of {found[2]};"
            " name another under `columns:`, or give it permission to read the field"
        )
    if found := re.search(r"sObject type '([^']+)' is not supported", message):
        return (
            f"the integration user sees no {found[1]}; give it permission to read the object,"
            " or leave its table out of `tables:`"
        )
    return (
        f"{code}: {quoted(message)}; name another field under `columns:`,"
        " or give the integration user permission to read it"
    )


def _line(message: str) -> str:
    return " ".join(message.split())
