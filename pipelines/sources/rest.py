"""Ask a platform over HTTP: by dlt's REST client, patiently up to a moment, with named errors."""

from collections.abc import Callable
from datetime import datetime, timezone
from time import sleep
from urllib.parse import urlsplit

from dlt.sources.helpers.requests import Session
from dlt.sources.helpers.rest_client import RESTClient
from requests import PreparedRequest, Response
from requests.auth import AuthBase
from requests.exceptions import RequestException, SSLError
from tenacity import RetryCallState, Retrying, retry_if_exception, wait_random_exponential

from pipelines.sources.credentials import conceal, keep_secret
from pipelines.sources.errors import AGAIN, NOT_KNOWN, PlatformError, quoted

_backoff = wait_random_exponential(multiplier=0.5, max=60)


class Token(AuthBase):
    """A Bearer token that is fetched when it is needed, and again when it has expired."""

    def __init__(self, fetch: Callable[[], str]) -> None:
        self._fetch, self._value = fetch, ""

    def forget(self) -> None:
        """Fetch a new token for the next request."""
        self._value = ""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        self._value = self._value or keep_secret(self._fetch())
        request.headers["Authorization"] = f"Bearer {self._value}"
        return request


def connect(
    base_url: str,
    until: datetime,
    named: Callable[[Response], PlatformError | None],
    auth: Token | None = None,
    headers: dict[str, str] | None = None,
) -> RESTClient:
    """Return a client whose every request is answered in JSON, or raises PlatformError.

    An error that may pass is retried, after the time that the platform names or a growing, random
    one, as long as the wait ends before `until`. `named` turns a platform's own error answers into
    PlatformErrors; what every platform has in common is handled here.
    """
    session = Session(raise_for_status=False)
    send_once = session.send

    def send(request: PreparedRequest, **options) -> Response:
        options["timeout"] = max(1.0, min(60.0, seconds_until(until)))
        try:
            response = send_once(request, **options)
        except RequestException as error:
            raise _unreached(request, error) from None
        if wrong := _wrong(response, named):
            raise wrong
        return response

    def send_patiently(request: PreparedRequest, **options) -> Response:
        try:
            return patient(until)(send, request, **options)
        except PlatformError as error:
            if not (error.renew and auth):
                raise
        auth.forget()
        return patient(until)(send, auth(request), **options)

    session.send = send_patiently  # type: ignore[method-assign]
    return RESTClient(base_url, headers=headers, auth=auth, session=session)


def patient(until: datetime) -> Retrying:
    """Return what retries a function while its PlatformError may pass, up to a moment."""
    return Retrying(
        retry=retry_if_exception(lambda error: isinstance(error, PlatformError) and error.passes),
        wait=_wait,
        stop=lambda state: state.upcoming_sleep > seconds_until(until),
        sleep=sleep,
        reraise=True,
    )


def _wait(state: RetryCallState) -> float:
    """Return the seconds to wait: those the platform asks for, and never all clients at once."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, PlatformError) else None
    return _backoff(state) if asked is None else asked + min(_backoff(state), 1 + asked / 10)


def seconds_until(moment: datetime) -> float:
    """Return the seconds from now to a moment; less than nothing once it is over."""
    return (moment - datetime.now(timezone.utc)).total_seconds()


def _unreached(request: PreparedRequest, error: RequestException) -> PlatformError:
    host = urlsplit(str(request.url)).netloc  # never the path: it may hold a token
    if isinstance(error, SSLError):
        return PlatformError(
            "connection_cut", f"no trusted connection to {host}; check its address"
        )
    kind = type(error).__name__
    return PlatformError("connection_cut", f"{host}: {kind}; the next run tries again", passes=True)


def _wrong(
    response: Response, named: Callable[[Response], PlatformError | None]
) -> PlatformError | None:
    host = urlsplit(response.url).netloc
    if error := _in_its_words(response, named):
        return error
    if response.status_code == 429:
        after = response.headers.get("Retry-After", "")
        return PlatformError(
            "rate_limited",
            f"{host} answers 429, too many requests; {AGAIN}",
            passes=True,
            retry_after=float(after) if after.isdigit() else None,
        )
    if response.status_code >= 500:
        reason = f"{host} answers {response.status_code}; the next run tries again"
        return PlatformError("platform_down", reason, passes=True)
    if response.status_code >= 400:
        reason = f"{host} answers {response.status_code}: {quoted(conceal(response.text))}"
        return PlatformError("request_refused", f"{reason}; {NOT_KNOWN}")
    try:
        response.json()
    except ValueError:
        reason = f"{host} answers what is no JSON, {len(response.content)} bytes"
        return PlatformError("malformed_answer", f"{reason}; the next run tries again", passes=True)
    return None


def _in_its_words(
    response: Response, named: Callable[[Response], PlatformError | None]
) -> PlatformError | None:
    """Return the error that a platform names; None if the answer is not in its usual form."""
    if response.status_code < 400:
        return None
    try:
        return named(response)
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
