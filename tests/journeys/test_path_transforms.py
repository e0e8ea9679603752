"""How paths are shortened, by Snowplow's own examples.

A path is a line of channels, oldest first; `Email/spring` is a touchpoint of a campaign.
"""

import duckdb
import pytest
from hypothesis import given, strategies
from hypothesis import settings as hypothesis_settings
from pydantic import ValidationError

from pipelines.attribution.path_transforms import TRANSFORMS, transformed
from pipelines.settings.attribution import Attribution
from tests.oracles import oracle

LONG = "D A B B C D C C"
SEVEN = "a a a Direct a Direct Direct"
EXAMPLES = [
    (["unique"], LONG, LONG),
    (["exposure"], LONG, "D A B C D C"),
    (["first"], LONG, "D A B C"),
    ([{"remove_if_last_and_not_all": ["A"]}], "A B A A", "A B"),
    ([{"remove_if_not_all": ["A"]}], "A B A A", "B"),
    # snowplow/dbt-snowplow-attribution, integration_tests/models/unit_tests/test_path_transformations
    (["exposure"], "Direct Direct", "Direct"),
    (["exposure"], SEVEN, "a Direct a Direct"),
    (["first"], SEVEN, "a Direct"),
    ([{"remove_if_not_all": ["Direct"]}], SEVEN, "a a a a"),
    ([{"remove_if_last_and_not_all": ["Direct"]}], SEVEN, "a a a Direct a"),
    ([{"remove_if_not_all": ["Direct"]}], "Example Video Direct Direct", "Example Video"),
    ([{"remove_if_last_and_not_all": ["Direct"]}], "Example Video Direct Direct", "Example Video"),
    ([{"remove_if_not_all": ["Direct"]}], "Direct", "Direct"),
    # beyond Snowplow's
    ([], LONG, LONG),
    ([{"remove_if_last_and_not_all": ["A"]}], "A A", "A A"),
    ([{"remove_if_not_all": ["A"]}], "A A", "A A"),
    ([{"remove_if_not_all": ["a"]}], "A B", "B"),
    ([{"remove_if_last_and_not_all": ["B"]}], "A B A A", "A B A A"),
    ([{"remove_if_last_and_not_all": ["A", "B"]}], "C B A", "C"),
    ([{"remove_if_last_and_not_all": ["B", "A"]}], "C B A", "C B"),  # one after the other
    ([{"remove_if_not_all": ["A", "B"]}], "A B A", "B"),
    (["exposure", {"remove_if_not_all": ["A"]}], "B A B", "B B"),
    ([{"remove_if_not_all": ["A"]}, "exposure"], "B A B", "B"),
    (["first", {"remove_if_last_and_not_all": ["It's @A"]}], "B It's@A", "B It's@A"),
    (["once_per_campaign"], "A/x B/x A/y A/x B/x A/y", "A/x B/x A/y"),
    (["once_per_campaign"], "A A/x A B A", "A A/x B"),  # without a campaign: one of its channel
    (["once_per_campaign"], "A/x A/X", "A/x A/X"),  # two campaigns, as in every report
    (["once_per_campaign", "exposure"], "A/x A/y B/x A/x", "A/x B/x"),
    (["exposure", "once_per_campaign"], "A/x A/y B/x A/y", "A/x B/x A/y"),
    ([{"remove_if_not_all": ["A"]}, "once_per_campaign"], "B/x A/x B/x", "B/x"),
]


def channel_of(touch: str) -> str:
    return touch.partition("/")[0]


def campaign_of(touch: str) -> str:
    return touch.partition("/")[2] or "(not set)"


def shortened(path: list[str], steps: list) -> list[str]:
    """Return what is left of a path, beside another one that must not touch it."""
    touches = [
        ("one", i, touch, channel_of(touch), campaign_of(touch)) for i, touch in enumerate(path)
    ]
    touches.append(("two", 0, "A", "A", "(not set)"))
    values = ", ".join("(?, ?, ?, ?, ?)" for _ in touches)
    relation = transformed(Attribution(path=steps).path_steps, "candidates")
    rows = duckdb.execute(
        f"""WITH candidates AS (
          SELECT *, 1 AS revised_at, 2 AS touched_at
          FROM (VALUES {values}) AS t(conversion_id, touchpoint_id, touch, channel, campaign)
        )
        SELECT touch FROM {relation} WHERE conversion_id = 'one' ORDER BY touchpoint_id""",
        [value for touch in touches for value in touch],
    ).fetchall()
    return [touch for (touch,) in rows]


@pytest.mark.parametrize(("steps", "path", "expected"), EXAMPLES, ids=str)
def test_a_path_is_shortened(steps: list, path: str, expected: str) -> None:
    assert shortened(path.split(), steps) == expected.split()


def test_every_transform_has_an_example() -> None:
    steps = [step for steps, *_ in EXAMPLES for step in Attribution(path=steps).path]
    assert {step.name for step in steps} == set(TRANSFORMS)


TOUCHES = strategies.sampled_from(["A", "B", "C", "A/x", "A/y", "B/x"])
PATHS = strategies.lists(TOUCHES, min_size=1, max_size=7)
STEPS = strategies.lists(
    strategies.sampled_from(["exposure", "first", "once_per_campaign", "unique"])
    | strategies.builds(
        lambda name, channels: {name: channels},
        strategies.sampled_from(["remove_if_last_and_not_all", "remove_if_not_all"]),
        strategies.lists(strategies.sampled_from("ABC"), min_size=1, max_size=2),
    ),
    max_size=3,
)


@given(path=PATHS, steps=STEPS)
@hypothesis_settings(max_examples=100, deadline=None, derandomize=True, database=None)
def test_any_chain_leaves_what_plain_python_leaves(path: list[str], steps: list) -> None:
    found = shortened(path, steps)

    assert found == oracle.shortened(path, Attribution(path=steps), channel_of, campaign_of)
    assert found


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("exposed", "'exposure', 'first', 'once_per_campaign'"),
        ({"remove_if_not_all": []}, "lacks the channels to remove"),
        ("remove_if_not_all", "lacks the channels to remove"),
        ({"exposure": ["Direct"]}, "takes no channels"),
        ({"remove_if_not_all": "Direct"}, "list"),
        ({"first": [], "exposure": []}, "write exposure, first"),
        (1, "write exposure, first"),
    ],
)
def test_a_bad_step_is_named(step: object, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Attribution(path=[step])
