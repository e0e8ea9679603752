"""Weights by which shared credit adds up to what was learnt, or comes as near as any can."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, strategies
from hypothesis import settings as hypothesis_settings

from pipelines.learning.markov import removal_effects
from pipelines.learning.shapley import shapley
from pipelines.learning.shared_credit import distance, linear, with_weights
from pipelines.learning.weights import Conversions, fitted
from tests.builders.paths import HISTORIES, Path, table


def conversions(*sets: tuple[str, int], names: str = "ABCD") -> Conversions:
    """Return sets of channels with how many conversions each has."""
    members = [[channel in channels for channel in names] for channels, _ in sets]
    return Conversions(np.array(members), np.array([float(count) for _, count in sets]))


def least_distance(given: Conversions, learnt: np.ndarray) -> float:
    """Return how much credit must be elsewhere: what some channels have alone, above what they learnt."""
    channels = range(len(learnt))
    groups = [set(each) for size in channels for each in combinations(channels, size + 1)]
    alone = {
        tuple(group): sum(
            amount
            for row, amount in zip(given.members, given.amounts)
            if set(np.flatnonzero(row)) <= group
        )
        for group in groups
    }
    excess = (amount - learnt[list(group)].sum() for group, amount in alone.items())
    return max(0.0, *excess) / given.amounts.sum()


def away(given: Conversions, learnt: np.ndarray) -> float:
    """Return the share of credit that is elsewhere than learnt, by the weights found."""
    credited = given.credited(fitted(given, learnt))
    assert credited.sum() == pytest.approx(given.amounts.sum())
    return np.abs(credited - learnt).sum() / 2 / given.amounts.sum()


def test_the_docstrings_example() -> None:
    given = conversions(("AB", 3), ("A", 1))
    weights = fitted(given, np.array([2.0, 2, 0, 0]))

    assert weights[1] / weights[0] == pytest.approx(2)
    assert given.credited(weights)[:2] == pytest.approx([2, 2])


def test_a_channel_alone_takes_its_conversions_whole_whatever_it_has_learnt() -> None:
    given = conversions(("A", 6), ("AB", 2), ("B", 2))
    credited = given.credited(fitted(given, np.array([1.0, 9, 0, 0])))

    assert credited == pytest.approx([6, 4, 0, 0])  # B has all that A has not alone


def test_totals_at_the_very_edge_are_reached() -> None:
    given = conversions(("A", 1), ("AB", 4), ("BC", 5), ("ABCD", 3))

    assert away(given, np.array([1.0, 4, 5, 3])) < 1e-8


def test_a_channel_that_learnt_nothing_still_weighs_something() -> None:
    given = conversions(("AB", 4), ("CD", 4))
    weights = fitted(given, np.array([4.0, 0, 0, 4]))

    assert (weights > 0).all()
    assert given.credited(weights) == pytest.approx([4, 0, 0, 4], abs=1e-7)


def test_channels_that_part_one_after_the_other_stay_apart() -> None:
    """B, D and E part from A and C at once; these fall far below F later, and never to B."""
    of_f = [("ABF", 963), ("BCF", 926), ("ABCDF", 819), ("BCDEF", 932), ("ABCEF", 812)]
    others = [("BCDE", 143), ("CE", 407), ("DE", 825), ("E", 580), ("AC", 871), ("BE", 1079)]
    given = conversions(*of_f, *others, names="ABCDEF")
    learnt = np.array([0.0392, 0.0985, 0.1786, 1e-5, 0, 0.68369]) * given.amounts.sum()

    assert away(given, learnt) == pytest.approx(least_distance(given, learnt), abs=1e-8)


WEIGHTS = strategies.lists(strategies.floats(-12, 12), min_size=4, max_size=4)
SETS = strategies.dictionaries(
    strategies.sets(strategies.sampled_from("ABCD"), min_size=1).map("".join),
    strategies.integers(1, 60),
    min_size=1,
    max_size=10,
)


@given(sets=SETS, logs=WEIGHTS)
@hypothesis_settings(max_examples=60, deadline=None, derandomize=True, database=None)
def test_what_some_weights_reach_is_reached(sets: dict[str, int], logs: list[float]) -> None:
    given = conversions(*sets.items())

    assert away(given, given.credited(np.exp(logs))) < 1e-7


@given(sets=SETS, learnt=strategies.lists(strategies.integers(0, 9), min_size=4, max_size=4))
@hypothesis_settings(max_examples=60, deadline=None, derandomize=True, database=None)
def test_what_none_reach_is_approached_as_near_as_can_be(
    sets: dict[str, int], learnt: list[int]
) -> None:
    given = conversions(*sets.items())
    totals = np.array(learnt, dtype=float) + (0 if any(learnt) else 1)
    totals *= given.amounts.sum() / totals.sum()

    assert away(given, totals) == pytest.approx(least_distance(given, totals), abs=1e-7)


def simulated(seed: int, loners: float) -> tuple[Conversions, np.ndarray]:
    """Return 88,000 conversions of twelve channels, a few of them common, most paths of one channel."""
    random = np.random.default_rng(seed)
    popular = random.dirichlet(np.full(12, 0.4))
    rows = np.zeros((88_000, 12), dtype=bool)
    sizes = random.geometric(loners, len(rows)).clip(1, 8)
    for size in range(8):
        more = np.flatnonzero(sizes > size)
        rows[more, random.choice(12, len(more), p=popular)] = True
    members, counts = np.unique(rows, axis=0, return_counts=True)
    return Conversions(members, counts.astype(float)), random.normal(0, 0.5, 12)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("loners", [0.4, 0.6, 0.85])
def test_journeys_of_the_usual_size_and_skew(seed: int, loners: float) -> None:
    given, logs = simulated(seed, loners)

    assert away(given, given.credited(np.exp(4 * logs))) < 1e-6
    wished = given.credited(np.ones(12)) * np.exp(logs)
    wished *= given.amounts.sum() / wished.sum()
    assert away(given, wished) == pytest.approx(least_distance(given, wished), abs=1e-6)


@given(paths=HISTORIES)
@hypothesis_settings(max_examples=20, deadline=None, derandomize=True, database=None)
def test_shapley_by_conversions_is_an_equal_share_for_each_channel(paths: list[Path]) -> None:
    given = table(paths)
    shared = with_weights(shapley(given), given, shares_equally=True)

    assert shared["credited"].to_pylist() == pytest.approx(shared["learnt"].to_pylist())
    assert shared["weight"].to_pylist() == [1] * shared.num_rows


@given(paths=HISTORIES)
@hypothesis_settings(max_examples=20, deadline=None, derandomize=True, database=None)
def test_learnt_and_credited_sum_to_the_conversions(paths: list[Path]) -> None:
    given = table(paths)
    shared = with_weights(removal_effects(given), given)
    total = sum(count for _, count, _ in paths)

    assert sum(shared["learnt"].to_pylist()) == pytest.approx(total)
    assert sum(shared["credited"].to_pylist()) == pytest.approx(total)
    assert sum(linear(given).values()) == pytest.approx(total)
    assert 0 <= distance(shared) <= 1


def test_a_channel_that_credit_went_against_before() -> None:
    """Frequency counts once: of two channels always together, the one worth more has its own total."""
    paths = table([("A>B", 50, 0), ("A", 1, 99), ("B", 40, 10)])
    shared = {
        row["channel"]: row for row in with_weights(removal_effects(paths), paths).to_pylist()
    }

    assert shared["A"]["credited"] == pytest.approx(shared["A"]["learnt"], rel=1e-9)
