"""The benchmark of the truth, on few people: what is known holds, and its page shows what it finds."""

import re

import duckdb
import pytest

from benchmarks.truth import (
    KNOWN,
    NOT_HERE,
    TRUTH,
    UNLIKE,
    WORLDS,
    Shares,
    draw_world,
    error,
    filled,
    markdown,
    names,
    shares,
)
from pipelines.attribution.library import MODELS
from tests.builders.checkout import PROJECT

pytestmark = pytest.mark.xdist_group("truth")  # its worlds are drawn once

PEOPLE = 20_000
CHANCE = 0.05  # how far so few people may be from all of them
Found = dict[str, dict[str, Shares]]
Cells = dict[tuple[str, str], float]


@pytest.fixture(scope="module")
def found() -> Found:
    """Return in each world the channels' shares, in truth and by each model."""
    return {name: shares(world, PEOPLE, 0) for name, world in WORLDS.items()}


def errors(found: Found, world: str) -> dict[str, float]:
    return {name: error(each, found[world][TRUTH]) for name, each in found[world].items()}


def cells(text: str) -> Cells:
    """Return the figures of Markdown tables, by their column and row."""
    figures: Cells = {}
    head: list[str] = []
    for line in text.splitlines():
        row = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if row and not head:
            head = row
        elif row and not row[0].startswith("-"):
            figures |= {(column, row[0]): float(cell) for column, cell in zip(head[1:], row[1:])}
        head = head if row else []
    return figures


def test_an_error_is_the_credit_that_would_have_to_move() -> None:
    assert error({"Email": 0.7, "Display": 0.3}, {"Email": 0.5, "Referral": 0.5}) == 0.5


@pytest.mark.parametrize("world", WORLDS)
def test_shares_sum_to_one_and_the_truth_has_no_error(found: Found, world: str) -> None:
    for each in found[world].values():
        assert sum(each.values()) == pytest.approx(1)
        assert min(each.values()) >= 0
    assert errors(found, world)[TRUTH] == 0


@pytest.mark.parametrize("world", WORLDS)
def test_who_knows_the_effects_is_wrong_by_chance_alone(found: Found, world: str) -> None:
    assert errors(found, world)[KNOWN] < CHANCE


@pytest.mark.parametrize("world", WORLDS)
def test_nobody_is_surer_than_sure(world: str) -> None:
    with duckdb.connect() as connection:
        draw_world(connection, WORLDS[world], 5000, 0)
        likeliest = "SELECT MAX(probability) FROM decided"
        assert 0 < connection.execute(likeliest).fetchone()[0] < 1


@pytest.mark.parametrize("channel", UNLIKE)
def test_what_a_channel_adds_is_lost_without_it(channel: str) -> None:
    """The same people, once as they are and once where the channel's touchpoints do nothing."""

    def converting(effect: float) -> tuple[int, float]:
        changed = world.channels[channel]._replace(effect=effect)
        changes = world.channels | {channel: changed}
        with duckdb.connect() as connection:
            draw_world(connection, world._replace(channels=changes), 100_000, 0)
            added = f"(SELECT SUM(added) FROM touches WHERE channel = '{channel}')"
            return connection.execute(
                f"SELECT COUNT(*) FILTER (converts), {added} FROM decided"
            ).fetchone()

    world = WORLDS["unlike"]
    (all_of_them, added), (without, nothing) = converting(UNLIKE[channel]), converting(0)

    assert nothing == 0
    assert all_of_them - without == pytest.approx(added, rel=0.15)


def test_linear_is_right_where_every_touchpoint_adds_the_same(found: Found) -> None:
    assert errors(found, "same")["`linear`"] < CHANCE


@pytest.mark.parametrize(
    ("model", "world"),
    [
        ("`first_touch`", "opens"),
        ("`last_touch`", "ends"),
        ("`time_decay`", "fades"),
        ("`participation`, scaled to 1", "needed"),
        ("`shapley`, `worth: conversion_rate`", "unlike"),
    ],
)
def test_a_rule_beats_linear_where_it_is_true(found: Found, model: str, world: str) -> None:
    assert errors(found, world)[model] < errors(found, world)["`linear`"]


def test_every_model_gives_credit_to_a_channel_that_adds_nothing(found: Found) -> None:
    idle = {name: world.idle for name, world in WORLDS.items() if world.idle}
    assert set(idle) == {"keen", "along", "closes", "typed"}
    for world, channel in idle.items():
        for name, each in found[world].items():
            assert (each[channel] > 0) == (name not in (TRUTH, KNOWN)), (world, name)


def test_a_draw_is_always_the_same() -> None:
    assert shares(WORLDS["keen"], 1000, 1) == shares(WORLDS["keen"], 1000, 1)
    assert shares(WORLDS["keen"], 1000, 1) != shares(WORLDS["keen"], 1000, 2)


def test_every_model_has_its_row() -> None:
    rows = {re.findall(r"^`(\w+)`", name)[0] for name in names() if name.startswith("`")}
    assert rows == MODELS.keys() - NOT_HERE


def test_the_page_shows_what_is_found(found: Found) -> None:
    """Its figures are of more people: `python benchmarks/truth.py --write` makes them."""
    page = (PROJECT / "docs/models.md").read_text()
    text = markdown({name: [each] for name, each in found.items()})
    written = page.partition("written by benchmarks/truth.py")[2].partition("<!-- end -->")[0]
    shown, here = cells(written), cells(text)

    assert all(f"\n- `{name}`: {world.sentence}\n" in page for name, world in WORLDS.items())
    assert shown.keys() == here.keys()
    assert {where for where, figure in here.items() if abs(shown[where] - figure) > 7} == set()


def test_only_what_is_between_the_marks_is_written() -> None:
    page = "before <!-- truth: written by benchmarks/truth.py -->\nold\n<!-- end --> <!-- end --> after"
    new = filled(page, r"\1 new")
    assert new == page.replace("\nold\n", "\n\n\\1 new\n\n")
    assert filled(new, r"\1 new") == new
