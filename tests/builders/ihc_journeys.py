"""Journeys to ask IHC's service about, as the model `ihc_answers` hands them over."""

from datetime import datetime, timedelta

import pandas as pd

NOW = datetime(2026, 9, 1, 12)


def touchpoints(
    journeys: dict[str, list[float]], restarts: int = 0, revised_at: datetime = NOW
) -> pd.DataFrame:
    """Return journeys as the model hands them over; those before `restarts` are before a restart."""
    return pd.DataFrame(
        [
            {
                "conversion_id": conversion,
                "touchpoint_id": f"{conversion}-{k:04}",
                "revised_at": revised_at,
                "touched_at": NOW + timedelta(hours=at),
                "channel": "Email",
                "holder_engagement": True,
                "closer_engagement": True,
                "position": k + 1,
                "path_length": len(journey),
                "is_current": k >= restarts,
            }
            for conversion, journey in journeys.items()
            for k, at in enumerate(journey)
        ]
    )


def many(count: int, length: int = 3) -> dict[str, list[float]]:
    """Return so many journeys of so many touchpoints."""
    return {f"deal-{i:04}": [40.0 * k for k in range(length)] for i in range(count)}
