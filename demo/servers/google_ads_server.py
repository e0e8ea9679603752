"""Speak the Google Ads REST interface: OAuth refresh, `searchStream`, `search`, errors and quota.

Errors are GoogleAdsFailure bodies, in a list where the answer is a stream. See
developers.google.com/google-ads/api/rest.
"""

from dataclasses import dataclass, field
from typing import Any

from demo.servers import gaql
from demo.servers.google_tokens import GoogleTokens
from demo.servers.http_server import Answer, Refused, Request, Status, route

API = r"/(?P<version>v\d+)/customers/(?P<customer_id>[^/]+)/googleAds:"
REQUEST_ID = "t0dEm0ReqUestId0000000"
MESSAGES = {
    "INVALID_ARGUMENT": (400, "Request contains an invalid argument."),
    "UNAUTHENTICATED": (
        401,
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login "
        "cookie or other valid authentication credential.",
    ),
    "PERMISSION_DENIED": (403, "The caller does not have permission"),
    "RESOURCE_EXHAUSTED": (429, "Resource has been exhausted (e.g. check quota)."),
    "INTERNAL": (500, "Internal error encountered."),
    "UNAVAILABLE": (503, "The service is currently unavailable."),
}


@dataclass
class Customer:
    """An advertising account; a row is one ad group on one day, its cost in micros."""

    currency: str = "EUR"
    time_zone: str = "Europe/Berlin"
    rows: list[dict] = field(default_factory=list)
    enabled: bool = True
    permitted: bool = True


def failure(
    status: str, family: str, code: str, message: str, version: str = "v26", **details: Any
) -> Status:
    """Return an error in the platform's shape; `family` is the kind of error code."""
    number, text = MESSAGES[status]
    error = {"errorCode": {family: code}, "message": message}
    if details:
        error["details"] = details
    detail = {
        "@type": f"type.googleapis.com/google.ads.googleads.{version}.errors.GoogleAdsFailure",
        "errors": [error],
        "requestId": REQUEST_ID,
    }
    body = {"code": number, "message": text, "status": status, "details": [detail]}
    return Status(number, {"error": body}, path="googleAds:")


def developer_quota(delay: str = "40591s") -> Status:
    """Answer that the developer token has used its day, for every customer."""
    return _quota("DEVELOPER", "Number of operations for basic access", delay)


def account_quota(delay: str = "30s") -> Status:
    """Answer that one customer is asked too often."""
    return _quota("ACCOUNT", "Requests per second per account", delay)


def internal_error() -> Status:
    """Answer that the platform failed."""
    message = "An internal error has occurred."
    return failure("INTERNAL", "internalError", "INTERNAL_ERROR", message)


def unavailable() -> Status:
    """Answer that the platform is away for a moment."""
    number, text = MESSAGES["UNAVAILABLE"]
    error = {"code": number, "message": text, "status": "UNAVAILABLE"}
    return Status(number, {"error": error}, path="googleAds:")


def developer_token_not_approved() -> Status:
    """Answer that the developer token may only see test accounts."""
    message = "The developer token is only approved for use with test accounts."
    code = "DEVELOPER_TOKEN_NOT_APPROVED"
    return failure("PERMISSION_DENIED", "authorizationError", code, message)


class GoogleAdsServer(GoogleTokens):
    """Serve the customers in `customers` to the holder of `credentials`."""

    def __init__(self) -> None:
        super().__init__()
        self.customers: dict[str, Customer] = {}
        self.developer_token = "demo-developer-token"
        self.manager: str | None = None
        self.chunk_rows = self.page_rows = 10_000
        self.quota: int | None = None
        self.oldest_version = 23

    def heal(self) -> None:
        super().heal()
        self.quota = None

    def finish(self, request: Request, answer: Answer) -> Answer:
        if request.path.endswith("googleAds:searchStream") and answer.body.startswith(b"{"):
            answer.body = b"[" + answer.body + b"]"
        return answer

    @route("POST", API + "searchStream")
    def stream(self, request: Request, version: str, customer_id: str) -> Answer:
        rows, mask = self._rows(request, version, customer_id)
        tail = {"fieldMask": mask, "requestId": REQUEST_ID}
        chunks = _split(rows, self.chunk_rows)
        return Answer.of(200, [{"results": chunk, **tail} for chunk in chunks] or [tail])

    @route("POST", API + "search")
    def search(self, request: Request, version: str, customer_id: str) -> Answer:
        rows, mask = self._rows(request, version, customer_id)
        body = request.json()
        if "pageSize" in body:
            message = "Setting the page size is not supported."
            raise _refused(version, "requestError", "PAGE_SIZE_NOT_SUPPORTED", message)
        start = self._start(body.get("pageToken"), version)
        end = start + self.page_rows
        answer: dict[str, Any] = {"results": rows[start:end]} if rows else {}
        if end < len(rows):
            answer["nextPageToken"] = f"page-{end}"
        return Answer.of(200, {**answer, "fieldMask": mask})

    def _start(self, token: str | None, version: str) -> int:
        start = (token or "page-0").removeprefix("page-")
        if not start.isdigit():
            message = "Invalid page token."
            raise _refused(version, "requestError", "INVALID_PAGE_TOKEN", message)
        return int(start)

    def _rows(self, request: Request, version: str, customer_id: str) -> tuple[list[dict], str]:
        self._refuse_if_ended(version)
        self._authenticate(request, version)
        self._spend_quota()
        customer = self._customer(request, version, customer_id)
        facts = {"currency": customer.currency, "time_zone": customer.time_zone}
        try:
            query = gaql.parse(request.json().get("query", ""))
        except gaql.QueryError as error:
            raise _refused(version, "queryError", error.code, str(error)) from None
        rows = gaql.run(query, customer.rows, {"customer_id": customer_id, **facts})
        return rows, ",".join(_mask(field) for field in query.fields)

    def _refuse_if_ended(self, version: str) -> None:
        if int(version.removeprefix("v")) < self.oldest_version:
            message = f"Version {version} is deprecated. Requests to this version will be blocked."
            raise _refused(version, "requestError", "UNSUPPORTED_VERSION", message)

    def _authenticate(self, request: Request, version: str) -> None:
        state = self.token_state(request.bearer())
        if state != "good":
            code = "OAUTH_TOKEN_EXPIRED" if state == "expired" else "OAUTH_TOKEN_INVALID"
            message = f"The OAuth access token is {state}."
            raise _refused(version, "authenticationError", code, message, "UNAUTHENTICATED")
        token = request.headers.get("developer-token")
        if not token:
            message = "Developer token parameter was missing."
            raise _refused(version, "requestError", "DEVELOPER_TOKEN_PARAMETER_MISSING", message)
        if token != self.developer_token:
            code, message = "DEVELOPER_TOKEN_INVALID", "The developer token is not valid."
            raise _refused(version, "authenticationError", code, message, "UNAUTHENTICATED")

    def _spend_quota(self) -> None:
        if self.quota is None:
            return
        if self.quota <= 0:
            quota = developer_quota()
            raise Refused(quota.code, quota.body)
        self.quota -= 1

    def _customer(self, request: Request, version: str, customer_id: str) -> Customer:
        if not customer_id.isdigit():
            message = f"Invalid customer ID '{customer_id}'."
            raise _refused(version, "requestError", "INVALID_CUSTOMER_ID", message)
        customer = self.customers.get(customer_id)
        if customer is None:
            code, message = "CUSTOMER_NOT_FOUND", "No customer found for the provided customer id."
            raise _refused(version, "authenticationError", code, message, "UNAUTHENTICATED")
        login = request.headers.get("login-customer-id")
        if not customer.permitted or (self.manager and login != self.manager):
            message = (
                "User doesn't have permission to access customer. Note: If you're accessing a "
                "client customer, the manager's customer id must be set in the "
                "'login-customer-id' header."
            )
            code, kind = "USER_PERMISSION_DENIED", "PERMISSION_DENIED"
            raise _refused(version, "authorizationError", code, message, kind)
        if not customer.enabled:
            message = (
                "The customer account can't be accessed because it is not yet enabled or has "
                "been deactivated."
            )
            code, kind = "CUSTOMER_NOT_ENABLED", "PERMISSION_DENIED"
            raise _refused(version, "authorizationError", code, message, kind)
        return customer


def _refused(
    version: str, family: str, code: str, message: str, status: str = "INVALID_ARGUMENT"
) -> Refused:
    error = failure(status, family, code, message, version)
    return Refused(error.code, error.body)


def _quota(scope: str, name: str, delay: str) -> Status:
    code = "RESOURCE_EXHAUSTED"
    message = f"Too many requests. Retry in {delay.rstrip('s')} seconds."
    quota = {"rateScope": scope, "rateName": name, "retryDelay": delay}
    return failure(code, "quotaError", code, message, quotaErrorDetails=quota)


def _mask(field: str) -> str:
    return ".".join(gaql.camel(part) for part in field.split("."))


def _split(rows: list[dict], size: int) -> list[list[dict]]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]
