"""Disturb streams at random, and compare each lake with what its CRM went through."""

from collections.abc import Iterator
from pathlib import Path

from tests.builders.disturbances import disturb
from tests.soak.account import Trial

STEPS = 40


def disturb_streams(home: Path, seeds: int) -> Iterator[Trial]:
    """Disturb so many streams, each by other steps and beside a neighbour that is not to wait."""
    for seed in range(seeds):
        fault, case = "faults of a stream", f"seed {seed}"
        try:
            wrong = disturb(home, seed, STEPS)
        except AssertionError as error:  # nobody came to what was waited for
            yield Trial(fault, case, "crossed", str(error)[-400:])
        else:
            yield Trial(fault, case, "lost" if wrong else "survived", "; ".join(wrong))
