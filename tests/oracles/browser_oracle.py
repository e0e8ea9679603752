"""Whose an anonymous touchpoint is, for one conversion: who was seen on its browser, by the definition.

It reads `visitor_id`, `customer_id`, `touched_at` and `touchpoint_id` of any touchpoints.
"""

from collections.abc import Iterable
from datetime import datetime
from operator import attrgetter
from typing import Any

IN_ORDER = attrgetter("touched_at", "touchpoint_id")


class Browsers:
    """Which customers were seen on each browser, and when."""

    def __init__(self, touches: Iterable[Any], identity: str) -> None:
        self.identity = identity
        self.seen: dict[str, list] = {}
        for touch in sorted(touches, key=IN_ORDER):
            if touch.visitor_id is not None and touch.customer_id is not None:
                self.seen.setdefault(touch.visitor_id, []).append(touch)

    def owner(self, touch: Any, moment: datetime) -> str | None:
        """Return whose a touchpoint is for what happens at a moment: a conversion, or a journey's end."""
        if touch.customer_id is not None:
            return touch.customer_id
        seen = self.seen.get(touch.visitor_id, [])
        before = [one.customer_id for one in seen if IN_ORDER(one) < IN_ORDER(touch)]
        after = [one for one in seen if IN_ORDER(one) > IN_ORDER(touch)]
        if self.identity == "last_seen":
            return seen[-1].customer_id if seen else None
        if after and after[0].touched_at <= moment:
            return after[0].customer_id
        return before[-1] if before else None
