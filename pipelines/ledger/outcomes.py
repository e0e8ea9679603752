"""Name every way in which a recorded run may end; what it was in the case at hand is its reason."""

from typing import Literal

Outcome = Literal[
    # of any step
    "ok",
    "unchanged",
    "failed",
    "interrupted",
    # of a morning, and of what it computes and publishes
    "published",
    "nothing new",
    "held",
    # of what somebody puts in force, shows, or takes out
    "promoted",
    "rolled back",
    "shown",
    "retired",
    "erased",
    "aged",
    # of accept, withdraw, train and backfill
    "accepted",
    "taken back",
    "nothing learnt",
    "late",
    # of a source
    "refused",
    "stale",
    # why a platform did not answer
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
