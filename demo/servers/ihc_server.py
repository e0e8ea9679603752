"""Speak the IHC service's protocol, v1: one flat list of sessions in, a share of each phase out.

Codes are in the body, under HTTP 200. What a request holds of a conversion is taken for all of it:
its values sum to one in each request. Calls of a month are counted by the gateway before it.
"""

from collections import Counter, defaultdict
from datetime import datetime
from typing import Any

from demo.servers.http_server import Answer, Refused, Request, Server, Status, route
from tests.oracles.ihc_oracle import Session, scores

DIRECTIONS = ("earlier_sessions_only", "later_sessions_only", "any_session")


def busy(seconds: int | None = None) -> Status:
    """Answer that there are too many requests, and when to come back."""
    headers = {} if seconds is None else {"Retry-After": str(seconds)}
    return Status(429, {"message": "Too Many Requests"}, headers)


def down(code: int = 503) -> Status:
    """Answer that the service is not there."""
    return Status(code, {"message": "Service Unavailable"})


class IhcServer(Server):
    """Serve the holder of `key`; `unreadable` conversions fail alone, `paid` counts the others."""

    def __init__(self, key: str = "key-1", conv_types: tuple[str, ...] = ("deals",)) -> None:
        super().__init__()
        self.key, self.conv_types = key, conv_types
        self.most_journeys, self.most_sessions = 100, 3000
        self.calls_left: int | None = None
        self.unreadable: set[str] = set()
        self.lost: set[str] = set()
        self.paid: Counter[str] = Counter()

    @property
    def base_url(self) -> str:
        """Return the address that a client configures."""
        return f"{self.url}/v1"

    def bodies(self) -> list[dict]:
        """Return what was asked, request by request."""
        return [request.json() for request in self.requests]

    @route("POST", "/v1/compute_ihc")
    def compute(self, request: Request) -> Answer:
        if request.headers.get("x-api-key") != self.key:
            raise Refused(403, {"message": "Forbidden"})
        if self.calls_left is not None:
            if not self.calls_left:
                raise Refused(429, {"message": "Limit Exceeded"})
            self.calls_left -= 1
        if request.query.get("conv_type_id") not in self.conv_types:
            raise _bad("conv_type_id is unknown")
        return self._computed(request.json())

    def _computed(self, asked: dict) -> Answer:
        journeys: dict[str, list[dict]] = defaultdict(list)
        for session in asked.get("customer_journeys") or []:
            journeys[session["conversion_id"]].append(session)
        if not journeys:
            raise _bad("customer_journeys is empty")
        if len(journeys) > self.most_journeys:
            raise _bad(f"at most {self.most_journeys} customer journeys a request")
        if sum(map(len, journeys.values())) > self.most_sessions:
            raise _bad(f"at most {self.most_sessions} sessions a request")
        for block in (asked.get("redistribution_parameter") or {}).values():
            if block["direction"] not in DIRECTIONS:
                raise _bad("redistribution_parameter is malformed")
        values, errors = [], []
        for conversion, sessions in journeys.items():
            found = None if conversion in self.unreadable else _shares(sessions)
            if found is None:
                errors.append(
                    {"statusCode": 406, "conversion_id": conversion, "error": "Not parsed"}
                )
            elif conversion not in self.lost:
                values += found
                self.paid[conversion] += 1
        code = 206 if errors else 200
        return Answer.of(200, {"statusCode": code, "value": values, "partialFailureErrors": errors})


def _shares(sessions: list[dict]) -> list[dict] | None:
    """Return the values of one conversion's sessions; None if they are no journey."""
    try:
        times = [datetime.strptime(one["timestamp"], "%Y-%m-%d %H:%M:%S") for one in sessions]
    except ValueError:
        return None
    if sum(one["conversion"] for one in sessions) != 1 or times != sorted(times):
        return None
    if len({one["session_id"] for one in sessions}) < len(sessions):
        return None
    journey = [
        Session(
            (time - times[0]).total_seconds() / 3600,
            one["holder_engagement"] == 1,
            one["closer_engagement"] == 1,
            one["channel_label"],
        )
        for time, one in zip(times, sessions)
    ]
    return [
        {
            "conversion_id": one["conversion_id"],
            "session_id": one["session_id"],
            "initializer": round(share, 4),
            "holder": round(share, 4),
            "closer": round(share, 4),
            "ihc": round(share, 4),
        }
        for one, share in zip(sessions, scores(journey))
    ]


def _bad(message: str) -> Refused:
    body: dict[str, Any] = {"statusCode": 400, "value": [], "partialFailureErrors": []}
    return Refused(200, body | {"error": message})
