"""Ask the IHC service: several requests at a time, retried until a limit, each answer kept first."""

import json
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from datetime import datetime, timedelta, timezone

from requests import Response

from pipelines.ihc import request_log
from pipelines.ihc.asking_bounds import Bounds
from pipelines.ihc.packing import Journey
from pipelines.settings.client import Client
from pipelines.sources.credentials import conceal, credentials
from pipelines.sources.errors import PlatformError
from pipelines.sources.rest import connect, patient


class Service:
    """The service as one client asks it: with its key, and until `patience_minutes` are over."""

    def __init__(self, client: Client, request: dict, bounds: Bounds | None = None) -> None:
        settings = client.attribution.ihc
        bounds = bounds or Bounds(settings.patience_minutes)
        self._client, self._request = client.id, request
        self._concurrency, self._calls = settings.concurrency, settings.calls_per_month
        self._quota = bounds.quota
        self._key = credentials(client.id, "ihc", "api_key")["api_key"]
        self._minutes = min(bounds.minutes, settings.patience_minutes)
        self._until = datetime.now(timezone.utc) + timedelta(minutes=self._minutes)
        self._folder = request_log.log_folder(client.id)

    def ask(self, requests: list[list[Journey]]) -> None:
        """Send all requests and keep the answers; after the first PlatformError, send no more, and raise it."""
        left = self._left(len(requests))
        with ThreadPoolExecutor(self._concurrency) as pool:
            asked = [pool.submit(self._ask, journeys) for journeys in requests[:left]]
            wait(asked, return_when=FIRST_EXCEPTION)
            for one in asked:
                one.cancel()
        for one in asked:
            if not one.cancelled():
                one.result()
        if left < len(requests):
            raise PlatformError("rate_limited", self._used_up(len(requests) - left))

    def _left(self, wanted: int) -> int:
        if self._calls is None:
            return wanted
        used = request_log.calls(self._folder, datetime.now(timezone.utc))
        return max(0, int(self._calls * self._quota) - used)

    def _used_up(self, unsent: int) -> str:
        return (
            f"{self._client}: {self._calls} requests of this month are used up, {unsent} are not"
            " sent; raise attribution.ihc.calls_per_month, or write `by: local`"
        )

    def _ask(self, journeys: list[Journey]) -> None:
        if datetime.now(timezone.utc) >= self._until:
            raise PlatformError(
                "platform_down",
                f"the IHC service has not answered everything in {self._minutes:g} minutes; what it"
                " answered is kept: run it again, or raise attribution.ihc.patience_minutes",
            )
        redistribution = self._request["redistribution"]
        parameter = (
            f', "redistribution_parameter": {json.dumps(redistribution)}' if redistribution else ""
        )
        body = f'{{"customer_journeys": [{",".join(one.body for one in journeys)}]{parameter}}}'
        name = request_log.keep_request(self._folder, journeys, body, datetime.now(timezone.utc))

        def keep(response: Response, **_) -> None:
            if response.status_code != 429 and response.status_code < 500:
                text = conceal(response.text)
                request_log.keep_answer(self._folder, name, journeys, response.status_code, text)

        def send() -> None:
            service = connect(
                self._request["base_url"],
                self._until,
                _gateway_error,
                headers={"x-api-key": self._key},
            )
            response = service.post(
                "compute_ihc",
                data=body.encode(),
                params={"conv_type_id": self._request["conv_type_id"]},
                headers={"Content-Type": "application/json"},
                hooks={"response": [keep]},
                allow_redirects=False,  # they would carry the key elsewhere
            )
            _check(response.json())

        patient(self._until)(send)


def _gateway_error(response: Response) -> PlatformError | None:
    """Return what an answer of the service's gateway means."""
    if response.status_code in (401, 403):
        return PlatformError(
            "credentials_refused", "the IHC service does not accept the key; check api_key"
        )
    if response.status_code == 429 and "limit exceeded" in response.text.lower():
        return PlatformError(
            "rate_limited",
            "the IHC service's monthly quota is used up; raise it there, or write `by: local`",
        )
    return None


def _check(answer: object) -> None:
    """Raise PlatformError if the body holds an error; HTTP's own status may be 200 even then."""
    if not isinstance(answer, dict):
        raise PlatformError(
            "malformed_answer", "the IHC service answers without a body", passes=True
        )
    status, text = answer.get("statusCode", 200), conceal(json.dumps(answer))[:300]
    if not isinstance(status, int):
        raise PlatformError(
            "malformed_answer", f"the IHC service has no status: {text}", passes=True
        )
    if status == 429 or status >= 500:
        raise PlatformError("platform_down", f"the IHC service says {status}: {text}", passes=True)
    if status not in (200, 206):
        raise PlatformError("request_refused", f"the IHC service says {status}: {text}")
    if not isinstance(answer.get("value"), list):
        raise PlatformError(
            "malformed_answer", f"the IHC service answers without values: {text}", passes=True
        )
