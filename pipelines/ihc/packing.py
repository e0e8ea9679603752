"""Pack whole journeys into requests: the service shares a conversion out within one request."""

from collections.abc import Iterable
from typing import NamedTuple

# So few requests are open at a time that packing stays linear; what they leave empty is little.
_OPEN = 8


class Journey(NamedTuple):
    """One conversion to ask about: what is sent, and its digest."""

    conversion_id: str
    digest: str
    sessions: int
    body: str


def pack(
    journeys: Iterable[Journey], most_journeys: int, most_sessions: int
) -> list[list[Journey]]:
    """Return requests that hold each journey once, whole, and keep both caps.

    First fit, the longest first; equal ones by digest, so that the same journeys make the same
    requests. Raise ValueError for a journey that no request can hold, or for a conversion that
    is there twice: an answer would not tell which of its sessions are whose.
    """
    full: list[list[Journey]] = []
    opened: list[tuple[list[Journey], int]] = []
    seen: set[str] = set()
    for journey in sorted(journeys, key=lambda one: (-one.sessions, one.digest)):
        if journey.sessions > most_sessions:
            raise ValueError(
                f"{journey.conversion_id} has {journey.sessions} sessions; cut it first"
            )
        if journey.conversion_id in seen:
            raise ValueError(f"{journey.conversion_id} is there twice; ask for its newest revision")
        seen.add(journey.conversion_id)
        place = next((i for i, (_, free) in enumerate(opened) if journey.sessions <= free), None)
        if place is None:
            place = len(opened)
            opened.append(([], most_sessions))
        request, free = opened[place]
        request.append(journey)
        opened[place] = (request, free - journey.sessions)
        if len(request) == most_journeys:
            full.append(opened.pop(place)[0])
        elif len(opened) > _OPEN:
            full.append(opened.pop(0)[0])
    return full + [request for request, _ in opened]
