"""The probabilistic model of Shao and Li against its definition, by hand and by an independent reckoning."""

from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import assume, given
from hypothesis import settings as hypothesis_settings

from pipelines.learning.shao_li import LEARNER
from pipelines.learning.shao_li import shao_li as learnt
from pipelines.learning.shapley import shapley
from pipelines.learning.shared_credit import distance, with_weights
from pipelines.settings.attribution import Attribution
from tests.builders.paths import HISTORIES, Path, table


def shao_li(paths: list[Path], column: str = "value") -> dict[str, float]:
    """Return each channel's share of all conversions, or another column."""
    return {row["channel"]: row[column] for row in learnt(table(paths)).to_pylist()}


def rate(paths: list[Path], *channels: str) -> Fraction:
    """Return the share of converting journeys among those that met all of some channels."""
    met = [path for path in paths if set(channels) <= set(path[0].split(">"))]
    conversions = sum(path[1] for path in met)
    return Fraction(conversions, conversions + sum(path[2] for path in met))


def contribution(paths: list[Path], channel: str, met: set[str]) -> Fraction:
    """Return what a channel contributes to one conversion, as the paper's second step has it."""
    others = met - {channel}
    alone = rate(paths, channel)
    if not others:
        return alone
    beyond = [rate(paths, channel, other) - alone - rate(paths, other) for other in others]
    return alone + sum(beyond, Fraction(0)) / (2 * len(others))


def by_definition(paths: list[Path]) -> tuple[dict[str, Fraction], dict[str, Fraction]]:
    """Return each channel's shares of conversions, and its contributions, conversion by conversion."""
    channels = {channel for path, *counts in paths if sum(counts) for channel in path.split(">")}
    shares, sums = dict.fromkeys(channels, Fraction(0)), dict.fromkeys(channels, Fraction(0))
    for path, conversions, _ in paths:
        met = set(path.split(">"))
        for _ in range(conversions):
            own = {channel: contribution(paths, channel, met) for channel in met}
            positive = {channel: max(each, Fraction(0)) for channel, each in own.items()}
            for channel in met:
                sums[channel] += own[channel]
                shares[channel] += positive[channel] / sum(positive.values())
    return shares, sums


def test_the_docstrings_example() -> None:
    """p(A) = 5/6, p(B) = 3/6, p(A, B) = 1; of each of the two conversions over both, A has 2/3."""
    paths = [("A", 3, 1), ("B", 1, 3), ("A>B", 2, 0)]

    assert shao_li(paths, "contribution") == pytest.approx(
        {"A": 3 * 5 / 6 + 2 * 2 / 3, "B": 1 * 3 / 6 + 2 * 1 / 3}
    )
    assert shao_li(paths) == pytest.approx({"A": (3 + 4 / 3) / 6, "B": (1 + 2 / 3) / 6})


def test_three_channels_by_hand() -> None:
    """A channel of three shares what it does beyond each of two others: a quarter of each excess.

    p(A) = 4/10, p(B) = 4/8, p(C) = 2/4; p(A, B) = 3/5, p(A, C) = p(B, C) = 2/4. So of A>B>C
    C(A) = 4/10 + (3/5 - 9/10 + 2/4 - 9/10) / 4 = 0.225, C(B) = 0.5 + (-0.3 - 0.5) / 4 = 0.3,
    C(C) = 0.5 + (-0.4 - 0.5) / 4 = 0.275; together 0.8, the sum of the pairs' 1.6 over 2.
    """
    paths = [("A>B>C", 2, 2), ("A>B", 1, 0), ("A", 1, 4), ("B", 1, 2)]
    two = {"A": 0.4 + (0.6 - 0.9) / 2, "B": 0.5 + (0.6 - 0.9) / 2}  # 0.25 and 0.35

    assert shao_li(paths, "contribution") == pytest.approx(
        {"A": 2 * 0.225 + two["A"] + 0.4, "B": 2 * 0.3 + two["B"] + 0.5, "C": 2 * 0.275}
    )
    assert shao_li(paths) == pytest.approx(
        {
            "A": (2 * 0.225 / 0.8 + two["A"] / 0.6 + 1) / 5,
            "B": (2 * 0.3 / 0.8 + two["B"] / 0.6 + 1) / 5,
            "C": (2 * 0.275 / 0.8) / 5,
        }
    )


def test_contributions_are_those_of_mta() -> None:
    """What eeghor's mta adds up as `shao`, in its own test: it does not divide each conversion."""
    assert shao_li([("a", 3, 1), ("b", 1, 3)], "contribution") == {"a": 2.25, "b": 0.25}


@given(paths=HISTORIES)
@hypothesis_settings(max_examples=40, deadline=None, derandomize=True, database=None)
def test_conversions_are_shared_as_by_the_definition(paths: list[Path]) -> None:
    shares, sums = by_definition(paths)
    total = sum(path[1] for path in paths) or 1

    expected = {channel: float(share / total) for channel, share in shares.items()}
    assert shao_li(paths) == pytest.approx(expected, abs=1e-12)
    contributions = {channel: float(each) for channel, each in sums.items()}
    assert shao_li(paths, "contribution") == pytest.approx(contributions, abs=1e-12)


@given(paths=HISTORIES)
@hypothesis_settings(max_examples=25, deadline=None, derandomize=True, database=None)
def test_a_conversion_always_has_somebody_who_contributed(paths: list[Path]) -> None:
    """Contributions sum to the sum of the pairs' rates over n - 1: never to nothing, unlike one alone."""
    for path, conversions, _ in paths:
        met = sorted(set(path.split(">")))
        if conversions and len(met) > 1:
            pairs = sum(rate(paths, *pair) for pair in combinations(met, 2))
            own = sum(contribution(paths, channel, set(met)) for channel in met)
            assert own == pairs / (len(met) - 1) > 0


@given(paths=HISTORIES)
@hypothesis_settings(max_examples=40, deadline=None, derandomize=True, database=None)
def test_what_is_learnt_is_what_is_credited(paths: list[Path]) -> None:
    """Each conversion is divided among its own channels, so there are weights that add up to it."""
    assume(any(path[1] for path in paths))
    shared = with_weights(learnt(table(paths)), table(paths))

    assert sum(shared["learnt"].to_pylist()) == pytest.approx(sum(path[1] for path in paths))
    assert distance(shared) < 1e-6


def test_a_channel_with_which_fewer_convert_has_nothing_of_them() -> None:
    """C(B) = (p(A, B) + p(B) - p(A)) / 2 = (1/10 + 1/10 - 10/20) / 2: below 0, and A has the conversion."""
    paths = [("A", 9, 1), ("A>B", 1, 9)]

    assert shao_li(paths, "contribution")["B"] == pytest.approx(-0.15)
    assert shao_li(paths) == {"A": 1, "B": 0}


def test_a_channel_alone_has_its_conversions_whole_however_few_convert() -> None:
    assert shao_li([("A", 1, 99), ("B", 1, 0)]) == {"A": 0.5, "B": 0.5}


def test_order_and_repeats_do_not_matter() -> None:
    paths = [("A>B", 3, 4), ("A", 1, 1)]
    other = [("B>A>B", 2, 1), ("A>A>B", 1, 3), ("A>A", 1, 1)]

    assert shao_li(other) == pytest.approx(shao_li(paths))


@given(paths=HISTORIES)
@hypothesis_settings(max_examples=15, deadline=None, derandomize=True, database=None)
def test_without_nulls_channels_share_alike_and_it_is_said(paths: list[Path]) -> None:
    known = [(path, conversions, 0) for path, conversions, _ in paths]
    equal = shapley(table(known)).to_pylist()

    assert shao_li(known) == pytest.approx({row["channel"]: row["value"] for row in equal})
    assert LEARNER.settled(table(known), Attribution())[1].startswith(
        "no journey without a conversion is known, so every rate of conversion is 1"
    )
    assert LEARNER.settled(table([("A", 1, 1)]), Attribution())[1] == ""


def test_without_a_journey_there_is_no_channel() -> None:
    assert shao_li([]) == shao_li([("A", 0, 0)]) == {}
    assert shao_li([("A", 0, 2)]) == {"A": 0}
