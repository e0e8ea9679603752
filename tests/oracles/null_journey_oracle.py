"""Which journeys ended without a conversion: the definition, touchpoint by touchpoint in plain Python."""

from collections import Counter
from datetime import datetime, timedelta

from pipelines.settings.client import Client
from tests.builders.lake_writer import Load
from tests.oracles import oracle
from tests.oracles.browser_oracle import IN_ORDER, Browsers
from tests.oracles.oracle import Touch


def null_paths(history: list[Load], client: Client, until: datetime) -> Counter[tuple[str, ...]]:
    """Return how often each path of channels ended without a conversion, by what was committed before."""
    touches = sorted(oracle._touches(history, client, until), key=IN_ORDER)
    browsers = Browsers(touches, client.attribution.identity)
    lookback = timedelta(days=client.attribution.lookback_days)
    converted: dict[str | None, list[datetime]] = {}
    for conversion in oracle._conversions(history, client, until):
        converted.setdefault(conversion.customer_id, []).append(conversion.converted_at)

    def person(touch: Touch, moment: datetime) -> tuple:
        owner = browsers.owner(touch, moment)
        return ("visitor", touch.visitor_id) if owner is None else ("customer", owner)

    def candidates(touch: Touch) -> set[tuple]:
        moments = [touch.touched_at, *(other.touched_at for other in touches)]
        return {person(touch, moment) for moment in moments if moment >= touch.touched_at}

    def is_claimed(touch: Touch, who: tuple) -> bool:
        return who[0] == "customer" and any(
            touch.touched_at <= at <= touch.touched_at + lookback and person(touch, at) == who
            for at in converted.get(who[1], [])
        )

    found: Counter[tuple[str, ...]] = Counter()
    for who in {each for touch in touches for each in candidates(touch)} - {("visitor", None)}:
        own = [
            touch for touch in touches if who in candidates(touch) and not is_claimed(touch, who)
        ]
        at_its_end = [
            touch
            for journey in _journeys(own, lookback)
            for touch in journey
            if person(touch, journey[-1].touched_at + lookback) == who
        ]
        for journey in _journeys(at_its_end, lookback):
            if journey[-1].touched_at + lookback < until:
                path = oracle._eligible(journey, client.attribution.direct_touches)
                found[tuple(touch.channel for touch in path)] += bool(path)
    return +found


def _journeys(touches: list[Touch], lookback: timedelta) -> list[list[Touch]]:
    """Split touchpoints, in their order, where more than the lookback lies between two."""
    journeys: list[list[Touch]] = []
    for touch in touches:
        if journeys and touch.touched_at <= journeys[-1][-1].touched_at + lookback:
            journeys[-1].append(touch)
        else:
            journeys.append([touch])
    return journeys
