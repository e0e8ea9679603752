"""How paths are shortened, by Snowplow's own examples; a path is a line of channels, oldest first."""

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
]


def shortened(path: list[str], steps: list) -> list[str]:
    """Return what is left of a path, beside another one that must not touch it."""
    touches = [("one", str(i), channel) for i, channel in enumerate(path)] + [("two", "0", "A")]
    values = ", ".join("(?, ?, ?)" for _ in touches)
    relation = transformed(Attribution(path=steps).path_steps, "candidates")
    rows = duckdb.execute(
        f"""WITH candidates AS (
          SELECT *, 1 AS revised_at, 2 AS touched_at
          FROM (VALUES {values}) AS t(conversion_id, touchpoint_id, channel)
        )
        SELECT channel FROM {relation} WHERE conversion_id = 'one' ORDER BY touchpoint_id""",
        [value for touch in touches for value in touch],
    ).fetchall()
    return [channel for (channel,) in rows]


@pytest.mark.parametrize(("steps", "path", "expected"), EXAMPLES, ids=str)
def test_a_path_is_shortened(steps: list, path: str, expected: str) -> None:
    assert shortened(path.split(), steps) == expected.split()


def test_every_transform_has_an_example() -> None:
    steps = [step for steps, *_ in EXAMPLES for step in Attribution(path=steps).path]
    assert {step.name for step in steps} == set(TRANSFORMS)


CHANNELS = strategies.lists(strategies.sampled_from("ABC"), min_size=1, max_size=7)
STEPS = strategies.lists(
    strategies.sampled_from(["exposure", "first", "unique"])
    | strategies.builds(
        lambda name, channels: {name: channels},
        strategies.sampled_from(["remove_if_last_and_not_all", "remove_if_not_all"]),
        strategies.lists(strategies.sampled_from("ABC"), min_size=1, max_size=2),
    ),
    max_size=3,
)


@given(path=CHANNELS, steps=STEPS)
@hypothesis_settings(max_examples=100, deadline=None, derandomize=True, database=None)
def test_any_chain_leaves_what_plain_python_leaves(path: list[str], steps: list) -> None:
    found = shortened(path, steps)

    assert found == oracle.shortened(path, Attribution(path=steps), lambda channel: channel)
    assert found


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("exposed", "'exposure', 'first', 'unique'"),
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
