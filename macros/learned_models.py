"""Models that learn: what a touchpoint weighs is its score, in a table of the attribution layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.settings.attribution import Attribution

# Where each model's scores are.
SCORED = {
    "markov": "channel_scores",
    "shapley": "channel_scores",
    "ihc": "ihc_scores",
    "ihc_local": "ihc_local",
}


def markov(settings: Attribution) -> str:
    """What the channel's removal from the learnt Markov chain would cost (Anderl and others, 2016)."""
    return "score"


def shapley(settings: Attribution) -> str:
    """The channel's learnt Shapley value."""
    return "score"


def ihc(settings: Attribution) -> str:
    """What the service or the local model says of initializer, holder and closer."""
    return "score"


def ihc_local(settings: Attribution) -> str:
    """What the local model says of them, whoever computes `ihc`: to compare."""
    return "score"
