"""Removal effects against published examples, and against the chain solved in fractions."""

from collections import defaultdict
from fractions import Fraction

import pytest
from hypothesis import given, strategies
from hypothesis import settings as hypothesis_settings

from pipelines.learning import markov
from pipelines.learning.markov import removal_effects
from tests.builders.paths import HISTORIES, MIXED, Path, table


def effects(paths: list[Path], order: int = 1) -> dict[str, float]:
    """Return each channel's removal effect."""
    rows = removal_effects(table(paths), order).to_pylist()
    return {row["channel"]: row["removal_effect"] for row in rows}


def values(paths: list[Path], order: int = 1) -> dict[str, float]:
    """Return each channel's value."""
    return {
        row["channel"]: row["value"] for row in removal_effects(table(paths), order).to_pylist()
    }


def solved(paths: list[Path], order: int) -> dict[str, Fraction]:
    """Return each channel's removal effect, by the definition: the chain with and without it."""
    counts: dict[tuple, dict] = defaultdict(lambda: defaultdict(Fraction))
    for path, conversions, nulls in paths:
        steps = [a for a, b in zip(path.split(">"), [None, *path.split(">")]) if a != b]
        state: tuple = ()
        for step in steps:
            counts[state][(*state, step)[-order:]] += conversions + nulls
            state = (*state, step)[-order:]
        counts[state]["conversion"] += conversions
        counts[state]["null"] += nulls
    chances = {
        state: {after: count / sum(afters.values()) for after, count in afters.items()}
        for state, afters in counts.items()
        if sum(afters.values())
    }
    whole = _converts(chances, None)
    channels = {channel for state in chances for channel in state}
    return {
        channel: 1 - _converts(chances, channel) / whole if whole else 0 for channel in channels
    }


def _converts(chances: dict, removed: str | None) -> Fraction:
    """Return the chance to convert from the start, by elimination of one state after the other."""
    rows = {
        state: {
            after: chance
            for after, chance in afters.items()
            if after != "null" and (after == "conversion" or removed not in after)
        }
        for state, afters in chances.items()
        if removed not in state
    }
    for gone in [state for state in rows if state != ()]:
        row = rows.pop(gone)
        stays = 1 - row.pop(gone, Fraction(0))
        for other in rows.values():
            share = other.pop(gone, Fraction(0))
            for after, chance in row.items():
                other[after] = other.get(after, Fraction(0)) + share * chance / stays
    return rows.get((), {}).get("conversion", Fraction(0))


DP6 = [
    ("direct>google_ads>direct", 1, 0),
    ("seo>direct", 0, 1),
    ("direct>crm>direct", 1, 0),
    ("seo>direct>direct", 1, 0),
    ("direct>direct>seo>direct", 1, 0),
]
PUBLISHED = {
    # Bryl', "Marketing Multi-Channel Attribution model with R", part 1, analyzecore.com, 2016
    "analyzecore": (
        [("C1>C2>C3", 1, 0), ("C1", 0, 1), ("C2>C3", 0, 1)],
        {"C1": 0.5, "C2": 1, "C3": 1},
    ),
    # Puzyrov, "Markov Chain Attribution: simple explanation of removal effect", 2019
    "puzyrov": (
        [("ads", 2, 1), ("mailing", 1, 0), ("ads>mailing", 1, 0)],
        {"ads": 0.75, "mailing": 0.5},
    ),
    # ChannelAttribution's own vignette (Altomare, Loris): A 2 and B 1 of 3 conversions
    "channelattribution": (
        [("A>B>A>B>B>A", 1, 0), ("A>B>B>A>A", 1, 0), ("A>A", 1, 0)],
        {"A": 1, "B": 0.5},
    ),
    # eeghor/mta, tests/test_probabilistic_models.py: its transition matrix, solved by hand
    "mta": ([("a>b", 3, 1), ("a>c", 1, 1)], {"a": 1, "b": 0.75, "c": 0.25}),
    # DP6/Marketing-Attribution-Models, data/test_dataset.csv and its test of removal effects
    "dp6": (DP6, {"direct": 1, "seo": 1 / 2, "crm": 1 / 6, "google_ads": 1 / 6}),
    # the same, data/test_dataset_multiple_conversions.csv, tests/test_multiple_conversions.py
    "dp6, one who bought twice": (
        [*DP6, ("direct>crm>direct", 2, 0)],
        {"direct": 1, "seo": 3 / 8, "crm": 3 / 10, "google_ads": 1 / 8},
    ),
}


@pytest.mark.parametrize("source", PUBLISHED)
def test_published_examples(source: str) -> None:
    paths, expected = PUBLISHED[source]

    assert effects(paths) == pytest.approx(expected, abs=1e-12)
    assert values(paths) == pytest.approx(
        {channel: effect / sum(expected.values()) for channel, effect in expected.items()}
    )


@pytest.mark.parametrize(
    ("order", "simulated"),
    [
        (1, {"A": 0.741943, "B": 0.491143, "C": 0.577701}),
        (2, {"A": 1.000000, "B": 0.857311, "C": 0.598641}),
        (3, {"A": 1.000000, "B": 0.857261, "C": 0.571585}),
    ],
)
def test_channelattribution_simulates_what_is_solved_here(
    order: int, simulated: dict[str, float]
) -> None:
    """The numbers are ChannelAttribution 2.2.5's, of a million paths and more."""
    assert effects(MIXED, order) == pytest.approx(simulated, abs=5e-4)


def test_loops_are_followed_to_their_end() -> None:
    """ChannelAttribution 2.2.5 comes near with `max_step=10000`; else it drops long journeys: A .8235."""
    found = effects([("A>B>A>B>C", 1, 0), ("A>B>A", 1, 1), ("B", 0, 2)])

    assert found == pytest.approx({"A": 5 / 6, "B": 3 / 4, "C": 1 / 2}, abs=1e-12)
    assert found == pytest.approx({"A": 0.833866, "B": 0.750393, "C": 0.499775}, abs=1e-3)


def test_dp6_finds_the_same_removal_effects() -> None:
    """The numbers are those of marketing-attribution-models 2.1.1."""
    assert effects(MIXED) == pytest.approx({"A": 0.742063, "B": 0.491071, "C": 0.577578}, abs=1e-6)


@pytest.mark.parametrize(("order", "expected"), [(1, 0.5), (2, 0)])
def test_a_longer_memory_knows_that_what_went_through_a_channel_never_converted(
    order: int, expected: float
) -> None:
    found = effects([("X>D", 0, 1), ("D", 1, 0)], order)

    assert found == pytest.approx({"D": 1, "X": expected}, abs=1e-12)


@given(paths=HISTORIES, order=strategies.integers(1, 4))
@hypothesis_settings(max_examples=25, deadline=None, derandomize=True, database=None)
def test_effects_are_those_of_the_chain_solved_in_fractions(paths: list[Path], order: int) -> None:
    expected = {channel: float(effect) for channel, effect in solved(paths, order).items()}

    assert effects(paths, order) == pytest.approx(expected, abs=1e-12)


@given(paths=HISTORIES, order=strategies.integers(1, 3))
@hypothesis_settings(max_examples=25, deadline=None, derandomize=True, database=None)
def test_values_share_all_conversions(paths: list[Path], order: int) -> None:
    found = values(paths, order)

    assert sum(found.values()) == pytest.approx(int(any(path[1] for path in paths)), abs=1e-12)
    assert all(value >= 0 for value in found.values())


@given(paths=HISTORIES, order=strategies.integers(1, 3))
@hypothesis_settings(max_examples=10, deadline=None, derandomize=True, database=None)
def test_only_the_journeys_count_not_their_rows(paths: list[Path], order: int) -> None:
    one_by_one = [(path, 1, 0) for path, count, _ in paths for _ in range(count)]
    one_by_one += [(path, 0, 1) for path, _, count in reversed(paths) for _ in range(count)]
    repeated = [(path.replace("A", "A>A"), *counts) for path, *counts in paths]
    tenfold = [(path, 10 * conversions, 10 * nulls) for path, conversions, nulls in paths]

    for same in (one_by_one, repeated, tenfold):
        assert effects(same, order) == pytest.approx(effects(paths, order), abs=1e-12)


@given(paths=HISTORIES)
@hypothesis_settings(max_examples=10, deadline=None, derandomize=True, database=None)
def test_names_do_not_matter(paths: list[Path]) -> None:
    names = dict(zip("ABCD", "ZCAB"))
    renamed = [
        (">".join(names[channel] for channel in path.split(">")), *counts)
        for path, *counts in paths
    ]

    expected = {names[channel]: effect for channel, effect in effects(paths).items()}
    assert effects(renamed) == pytest.approx(expected, abs=1e-12)


def test_a_channel_alone_takes_all() -> None:
    assert values([("A", 3, 0)]) == {"A": 1}
    assert values([("A>A", 3, 9)]) == {"A": 1}


def test_paths_that_are_all_the_same_share_equally() -> None:
    assert values([("A>B>C", 7, 0)]) == pytest.approx({"A": 1 / 3, "B": 1 / 3, "C": 1 / 3})


def test_a_channel_that_never_leads_to_a_conversion_is_worth_nothing() -> None:
    assert values([("A", 1, 0), ("B", 0, 5)]) == {"A": 1, "B": 0}


def test_without_a_conversion_nothing_is_worth_anything() -> None:
    assert values([("A>B", 0, 5)]) == {"A": 0, "B": 0}
    assert values([("A>B", 0, 0), ("", 1, 1)]) == {}
    assert values([]) == {}


def test_a_chain_that_is_too_large_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(markov, "MAXIMUM_STATES", 4)

    with pytest.raises(ValueError, match=r"order 2 has .* states here, 4 at most: lower"):
        effects(MIXED, 2)
