"""Shapley values against published examples, and against their axioms."""

from fractions import Fraction
from itertools import combinations, permutations
from math import factorial

import pytest
from hypothesis import given, strategies
from hypothesis import settings as hypothesis_settings

from pipelines.learning import shapley as library
from pipelines.settings.attribution import Attribution
from tests.builders.paths import HISTORIES, MIXED, Path, table


def shapley(paths: list[Path], *settings) -> dict[str, float]:
    """Return each channel's Shapley value."""
    rows = library.shapley(table(paths), *settings).to_pylist()
    return {row["channel"]: row["shapley"] for row in rows}


def by_definition(players: list[str], worth) -> dict[str, Fraction]:
    """Return each player's mean gain over all orders of joining."""
    gains = dict.fromkeys(players, Fraction(0))
    for order in permutations(players):
        for i, player in enumerate(order):
            gains[player] += worth(frozenset(order[: i + 1])) - worth(frozenset(order[:i]))
    return {player: gain / factorial(len(players)) for player, gain in gains.items()}


PUBLISHED = {
    # eeghor/mta, tests/test_shapley.py
    "mta, one channel": ([("a", 5, 0)], {"a": 5}),
    "mta, four channels": ([("a>b>c>d", 10, 0)], {"a": 2.5, "b": 2.5, "c": 2.5, "d": 2.5}),
    "mta, mixed": ([("a", 4, 0), ("a>b", 6, 0)], {"a": 7, "b": 3}),
    # "Data-Driven Marketing Attribution", towardsdatascience.com, as computed in tomgorb/misc:
    # Facebook .455, organic .205, LinkedIn .34 of 100 conversions
    "towards data science": (
        [("F", 20, 0), ("O", 10, 0), ("L", 17, 0), ("O>F", 17, 0), ("F>L", 30, 0), ("F>L>O", 6, 0)],
        {"F": 45.5, "O": 20.5, "L": 34},
    ),
    # Moretti, studylib.net/doc/9282877: a singer earns 100, a pianist 200, the duo 700
    "duo": ([("s", 100, 0), ("p", 200, 0), ("s>p", 400, 0)], {"s": 300, "p": 400}),
    # stand--sure.blogspot.com, 2015-12-21: who needs 8, 11, 13, 18 units of a runway pays 2, 3, 4, 9
    "runway": (
        [("A>B>C>D", 8, 0), ("B>C>D", 3, 0), ("C>D", 2, 0), ("D", 5, 0)],
        {"A": 2, "B": 3, "C": 4, "D": 9},
    ),
}


@pytest.mark.parametrize("source", PUBLISHED)
def test_published_examples(source: str) -> None:
    paths, expected = PUBLISHED[source]

    assert shapley(paths) == pytest.approx(expected, abs=1e-12)


# What coalitions are worth, the smaller first, each size in the players' order; and the values.
GAMES = {
    # natemeyvis.com, "A Shapley example": two right gloves, one left
    "gloves": ([0, 0, 0, 0, 1, 1, 1], [1 / 6, 1 / 6, 2 / 3]),
    # manuals of R packages, in their examples: ?Shapley_value, ?shapleyValue, ?vShapley
    "GameTheoryAllocation 1.0": ([1, 1, 2, 1, 2, 2, 2], [1 / 3, 1 / 3, 4 / 3]),
    "coopProductGame 2.0": ([68, 102, 0, 170, 710, 762, 992], [229, 272, 491]),
    "InventorymodelPackage": ([1, 1, 1, 1, 2, 1, 2], [5 / 6, 1 / 3, 5 / 6]),
    "CoopGame 0.2.2, Ibn Ezra's heirs": (
        [120, 60, 40, 30, 120, 120, 120, 60, 60, 40, 120, 120, 120, 60, 120],
        [80.83333, 20.83333, 10.83333, 7.5],
    ),
    # drvinceknight/coopgt, docs/how-to/calculate-the-shapley-value.rst
    "coopgt": ([6, 12, 42, 12, 42, 42, 42], [2, 5, 35]),
}


@pytest.mark.parametrize("source", GAMES)
def test_rates_that_are_a_published_game_share_its_worth_as_published(source: str) -> None:
    worths, expected = GAMES[source]
    players = "ABCD"[: len(expected)]
    sets = [">".join(s) for n in range(len(players)) for s in combinations(players, n + 1)]
    *smaller, whole = [(s, worth, max(worths) - worth) for s, worth in zip(sets, worths)]

    with_all, without = (
        shapley(paths, "conversion_rate") for paths in ([*smaller, whole], smaller)
    )

    values = [with_all[player] - without[player] for player in players]  # smaller games taken off
    assert values == pytest.approx(expected, abs=1e-5)


def test_dp6_shares_rates_alike() -> None:
    """The numbers are those of marketing-attribution-models 2.1.1, without a maximum size."""
    expected = {"A": 5.25, "B": 2.916667, "C": -1.166667}
    assert shapley(MIXED, "conversion_rate") == pytest.approx(expected, abs=1e-6)


@given(paths=HISTORIES)
@hypothesis_settings(max_examples=25, deadline=None, derandomize=True, database=None)
def test_conversions_are_shared_as_over_all_orders_of_joining(paths: list[Path]) -> None:
    sets = [(frozenset(path.split(">")), conversions) for path, conversions, _ in paths]
    players = sorted({player for path, *counts in paths if sum(counts) for player in path[::2]})

    def worth(channels: frozenset) -> int:
        return sum(conversions for members, conversions in sets if members <= channels)

    expected = {player: float(value) for player, value in by_definition(players, worth).items()}
    assert shapley(paths) == pytest.approx(expected, abs=1e-12)


def rates(paths: list[Path]) -> dict[str, Fraction]:
    """Return what DP6's conversion rates give: a game for each set of channels that converted."""
    counts: dict[frozenset, list[int]] = {}
    for path, conversions, nulls in paths:
        if conversions + nulls:
            known = counts.setdefault(frozenset(path.split(">")), [0, 0])
            known[0] += conversions
            known[1] += conversions + nulls
    worths = {members: Fraction(*known) for members, known in counts.items()}
    totals = {channel: Fraction(0) for members in counts for channel in members}
    for members, (conversions, seen) in counts.items():
        if conversions:
            game = by_definition(sorted(members), lambda group: worths.get(group, Fraction(0)))
            for channel, value in game.items():
                totals[channel] += value * seen
    return totals


@given(paths=HISTORIES)
@hypothesis_settings(max_examples=25, deadline=None, derandomize=True, database=None)
def test_rates_are_shared_in_a_game_of_each_set(paths: list[Path]) -> None:
    expected = {channel: float(value) for channel, value in rates(paths).items()}

    assert shapley(paths, "conversion_rate") == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("worth", ["conversions", "conversion_rate"])
@given(paths=HISTORIES)
@hypothesis_settings(max_examples=15, deadline=None, derandomize=True, database=None)
def test_all_conversions_are_shared(worth: str, paths: list[Path]) -> None:
    conversions = sum(path[1] for path in paths)
    rows = library.shapley(table(paths), worth).to_pylist()

    assert sum(row["shapley"] for row in rows) == pytest.approx(conversions, abs=1e-9)
    assert sum(row["value"] for row in rows) == pytest.approx(int(conversions > 0), abs=1e-9)
    assert all(row["value"] >= 0 for row in rows)


@given(paths=HISTORIES)
@hypothesis_settings(max_examples=10, deadline=None, derandomize=True, database=None)
def test_a_channel_that_converts_nowhere_is_worth_nothing(paths: list[Path]) -> None:
    assert shapley([*paths, ("A>X", 0, 3), ("X", 0, 1)])["X"] == 0


@given(paths=HISTORIES)
@hypothesis_settings(max_examples=10, deadline=None, derandomize=True, database=None)
def test_channels_that_do_the_same_are_worth_the_same(paths: list[Path]) -> None:
    swapped = [(path.translate(str.maketrans("AB", "BA")), *counts) for path, *counts in paths]

    for worth in ("conversions", "conversion_rate"):
        found = shapley([*paths, *swapped, ("A>B", 1, 0)], worth)
        assert found["A"] == pytest.approx(found["B"], abs=1e-9)


def test_a_channel_that_lowers_the_rate_has_no_value() -> None:
    rows = library.shapley(table([("A", 9, 1), ("A>B", 1, 9)]), "conversion_rate").to_pylist()

    assert [row["shapley"] for row in rows] == pytest.approx([9 + 5, -4])
    assert [row["value"] for row in rows] == [1, 0]


LONG = [("A>B>C>D>E>F", 6, 2), ("A>B", 3, 5), ("C", 2, 9), ("D>E", 1, 1), ("F>A>B>C", 2, 1)]


def test_sampling_is_within_its_stated_error_and_always_the_same() -> None:
    exact = shapley(LONG, "conversion_rate", 6)
    rows = library.shapley(table(LONG), "conversion_rate", 5, 2000).to_pylist()

    assert rows == library.shapley(table(LONG), "conversion_rate", 5, 2000).to_pylist()
    for row in rows:
        assert 0 < row["standard_error"] < 0.1
        assert abs(row["shapley"] - exact[row["channel"]]) < 4 * row["standard_error"]
    assert sum(row["shapley"] for row in rows) == pytest.approx(14)


@given(strategies.integers(13, 40))
@hypothesis_settings(max_examples=5, deadline=None, derandomize=True, database=None)
def test_any_number_of_channels_is_exact_by_conversions(channels: int) -> None:
    names = [f"channel {number:02}" for number in range(channels)]

    assert shapley([(">".join(names), channels, 0)]) == pytest.approx(dict.fromkeys(names, 1.0))


@pytest.mark.parametrize(("worth", "is_told"), [("conversions", False), ("conversion_rate", True)])
def test_rates_that_tell_nothing_are_named(worth: str, is_told: bool) -> None:
    settings = Attribution.model_validate({"shapley": {"worth": worth}})

    for paths, lacks_nulls in [([("A", 2, 0), ("B", 1, 0)], True), ([("A", 2, 1)], False)]:
        _, said = library.LEARNER.settled(table(paths), settings)
        assert said.startswith("no journey without a conversion") == (is_told and lacks_nulls)


def test_too_many_channels_for_rates_name_the_remedy() -> None:
    path = ">".join(f"channel {number}" for number in range(63))

    with pytest.raises(ValueError, match="63 channels, conversion_rate knows 62 at most: set"):
        shapley([(path, 1, 0)], "conversion_rate")


def test_without_a_journey_there_is_no_channel() -> None:
    assert shapley([]) == shapley([], "conversion_rate") == {}
    assert shapley([("A", 0, 2)]) == shapley([("A", 0, 2)], "conversion_rate") == {"A": 0}
