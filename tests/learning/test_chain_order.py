"""The order of a chain by journeys that it did not learn from, and removal effects by revenue."""

from math import log

import pyarrow as pa
import pytest

from pipelines.learning.chain_order import held_out_likelihoods
from pipelines.learning.markov import LEARNER, removal_effects
from pipelines.settings.attribution import Attribution
from tests.builders.paths import Path, table


def grouped(paths: list[Path]) -> pa.Table:
    """Return paths, each of sixteen groups of people."""
    rows = table([path for path in paths for _ in range(16)])
    groups = pa.array([group for _ in paths for group in range(16)])
    return rows.append_column("person_group", groups)


# What follows C depends on what came before it: a chain of order 1 cannot know.
MEMORY = grouped([("A>C>D", 0, 9), ("B>C>E", 9, 0), ("A>C", 1, 0), ("B>C", 0, 1)])
# Where the last channel decides all, a longer memory has only more to learn.
FORGETFUL = grouped(
    [(f"{first}>{last}", 3 * (last == "B"), 2) for first in "CDEFGH" for last in "AB"]
)


@pytest.mark.parametrize(("paths", "order"), [(MEMORY, 2), (FORGETFUL, 1)])
def test_the_order_is_the_one_that_foretells_best(paths: pa.Table, order: int) -> None:
    settings, decided = LEARNER.settled(paths, Attribution(markov={"order": "auto"}))

    assert settings.markov.order == order
    assert decided.startswith(f"order {order}, by log-likelihood of a held-out journey (1: -")


def test_a_chain_that_is_too_large_is_not_tried() -> None:
    assert set(held_out_likelihoods(MEMORY, 100)) == {1, 2, 3, 4}
    assert set(held_out_likelihoods(MEMORY, 4)) == {1}


def test_a_likelihood_worked_out_by_hand() -> None:
    """One channel that never converts: the other parts have 12 such journeys, and three things may follow."""
    found = held_out_likelihoods(grouped([("A", 0, 1)]), 100)

    chance = (12 + 1 / 3) / 13  # of the step from the start, and of the end after A
    assert found == pytest.approx(dict.fromkeys([1, 2, 3, 4], 2 * log(chance)))


def test_an_order_that_is_given_stays() -> None:
    settings = Attribution(markov={"order": 3})
    assert LEARNER.settled(MEMORY, settings) == (settings, "")


def test_by_revenue_a_channel_is_worth_the_money_that_is_lost_without_it() -> None:
    paths = table([("A", 3, 1), ("B", 1, 1)]).append_column("revenue", pa.array([30.0, 90.0]))
    by_revenue = removal_effects(paths, worth="revenue")

    assert dict(zip("AB", by_revenue["value"].to_pylist())) == pytest.approx({"A": 0.25, "B": 0.75})
    assert removal_effects(paths)["value"].to_pylist() == pytest.approx([0.75, 0.25])


def test_each_choice_is_a_model_of_its_own() -> None:
    chosen = [{}, {"order": 2}, {"order": "auto"}, {"worth": "revenue"}]
    folders = {LEARNER.folder(Attribution(markov=each)) for each in chosen}

    assert len(folders) == len(chosen)
