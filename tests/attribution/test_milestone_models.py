"""Worked examples of the models of B2B, small enough to check by eye."""

from fractions import Fraction

import duckdb
import pytest
from hypothesis import given, strategies
from pydantic import ValidationError

from pipelines.blueprints.model_choice import weight
from pipelines.settings.attribution import Attribution
from pipelines.settings.b2b import FullPath, Milestones, WShaped
from pipelines.settings.needs import milestones

OWN = {
    "shares": {"first": 0.1, "sql": 0.5, "closing": 0.2},
    "dates": {"sql": "milestone_2"},
}


def credits(length: int, held: dict[str, int | None], **chosen) -> list[float]:
    """Return the credit of a path's touchpoints; `held` has the position that holds a milestone."""
    settings = Attribution(**chosen)
    positions = ", ".join(
        f"{held.get(name) or 'NULL'} AS {name}_position" for name in milestones(settings)
    )
    rows = duckdb.execute(
        f"""WITH paths AS (
          SELECT UNNEST(RANGE(1, {length} + 1)) AS position, {length}::BIGINT AS path_length, {positions}
        ), weighed AS (SELECT position, ({weight(settings)})::DOUBLE AS weight FROM paths)
        SELECT weight / SUM(weight) OVER () FROM weighed ORDER BY position"""
    ).fetchall()
    return [credit for (credit,) in rows]


# What Adobe tells of Marketo Measure: an AdWords visit, the post that made a lead, two visits of
# others, the pricing page after which the opportunity was made; then a demo and a visit, and won.
# https://experienceleague.adobe.com/en/docs/marketo-measure/using/introduction-to-marketo-measure/
# overview-resources/marketo-measure-attribution-models
STORY = {"lead": 2, "opportunity": 5, "closing": 7}


def test_marketo_measures_w() -> None:
    found = credits(5, STORY, model="w_shaped")

    assert found == pytest.approx([0.3, 0.3, 0.05, 0.05, 0.3])


def test_marketo_measures_full_path() -> None:
    found = credits(7, STORY, model="full_path")

    assert found == pytest.approx([0.225, 0.225, *[0.1 / 3] * 2, 0.225, 0.1 / 3, 0.225])


def test_marketo_measures_u_is_milestones_of_the_clients_own() -> None:
    """Of the same story; Adobe's video on the U says 40, 40 and 20 for the others."""
    for share, others in ((0.5, 0), (0.4, 0.2 / 3)):
        shares = {"first": share, "lead": share}

        found = credits(5, STORY, model="milestones", milestones={"shares": shares})

        assert found == pytest.approx([share, share, *[others] * 3], abs=1e-12)


def test_hubspots_other_interactions_come_after_the_opportunity_too() -> None:
    found = credits(6, {"lead": 2, "opportunity": 4}, model="w_shaped")

    assert found == pytest.approx([0.3, 0.3, 0.1 / 3, 0.3, 0.1 / 3, 0.1 / 3])


def test_a_w_whose_third_peak_is_the_close_is_milestones_of_the_clients_own() -> None:
    """As leadsources.io, "W-Shaped Attribution", has it: 2.5 % for each of four nurture emails."""
    shares = {"first": 0.3, "lead": 0.3, "closing": 0.3}

    found = credits(7, {"lead": 2, "closing": 7}, model="milestones", milestones={"shares": shares})

    assert found == pytest.approx([0.3, 0.3, *[0.025] * 4, 0.3])


@pytest.mark.parametrize(
    ("length", "held", "expected"),
    [
        (3, {"lead": 2, "opportunity": 3}, [1 / 3, 1 / 3, 1 / 3]),  # nobody for the ten
        (2, {"lead": 1, "opportunity": 2}, [2 / 3, 1 / 3]),  # the first is the lead's
        (1, {"lead": 1, "opportunity": 1}, [1]),
        (3, {"lead": 1, "opportunity": 3}, [0.6, 0.1, 0.3]),
        (3, {"lead": 3, "opportunity": 3}, [0.3, 0.1, 0.6]),
        (3, {"opportunity": 3}, [3 / 7, 1 / 7, 3 / 7]),  # no lead: 30, 10, 30
        (3, {"lead": 2}, [3 / 7, 3 / 7, 1 / 7]),
        (3, {}, [0.75, 0.125, 0.125]),  # 30, and 10 for two
        (1, {}, [1]),
    ],
)
def test_what_is_left_over_goes_to_all_in_proportion(
    length: int, held: dict[str, int], expected: list[float]
) -> None:
    assert credits(length, held, model="w_shaped") == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ({"sql": 2, "closing": 4}, [0.1, 0.5, 0.2, 0.2]),
        ({"sql": 4, "closing": 4}, [0.1, 0.1, 0.1, 0.7]),
        ({"closing": 4}, [0.2, 0.2, 0.2, 0.4]),  # 10, 20 for two, 20
    ],
)
def test_milestones_of_the_clients_own(held: dict[str, int], expected: list[float]) -> None:
    found = credits(4, held, model="milestones", milestones=OWN)

    assert found == pytest.approx(expected, abs=1e-12)


def test_shares_are_settable() -> None:
    found = credits(4, {"lead": 2, "opportunity": 3}, model="w_shaped", w_shaped={"first": 0})

    assert found == pytest.approx([0.2, 0.3, 0.3, 0.2], abs=1e-12)


@given(
    length=strategies.integers(1, 6),
    held=strategies.dictionaries(
        strategies.sampled_from(["lead", "opportunity", "closing", "sql"]),
        strategies.integers(1, 6),
    ),
    model=strategies.sampled_from(["w_shaped", "full_path", "milestones"]),
)
def test_credit_is_what_the_rule_says_and_sums_to_one(
    length: int, held: dict[str, int], model: str
) -> None:
    held = {name: position for name, position in held.items() if position <= length}
    chosen = {"milestones": OWN["shares"]}.get(model) or {
        "w_shaped": WShaped(),
        "full_path": FullPath(),
    }[model].model_dump()

    found = credits(length, held, model=model, milestones=OWN)

    assert found == pytest.approx([float(credit) for credit in shared(length, held, chosen)])
    assert sum(found) == pytest.approx(1)


def shared(length: int, held: dict[str, int], chosen: dict[str, float]) -> list[Fraction]:
    """Return the credit of a path's touchpoints, by the rule, in plain Python."""
    earned = [Fraction(0)] * length
    for name, position in ({"first": 1} | held).items():
        if name in chosen:
            earned[position - 1] += Fraction(str(chosen[name]))
    others = [i for i, share in enumerate(earned) if not share]
    for i in others:
        earned[i] = (1 - sum(Fraction(str(share)) for share in chosen.values())) / len(others)
    return [share / sum(earned) for share in earned]


def test_only_the_milestones_of_the_models_asked_for_are_looked_for() -> None:
    assert milestones(Attribution()) == []
    assert milestones(Attribution(model="w_shaped")) == ["lead", "opportunity"]
    assert milestones(Attribution(compare=["full_path"])) == ["lead", "opportunity", "closing"]
    assert milestones(Attribution(model="milestones", milestones=OWN)) == ["closing", "sql"]
    assert milestones(Attribution(model="w_shaped", w_shaped={"lead": 0})) == ["opportunity"]


@pytest.mark.parametrize(
    ("settings", "remedy"),
    [
        ({"shares": {"sql": 0.3}}, "name under `dates:` the column"),
        ({"shares": {"lead": 0.3}, "dates": {"lead": "milestone_1"}}, "choose another name"),
        ({"shares": {"first": 0.6, "lead": 0.6}}, "at most 1"),
        ({"shares": {}}, "above 0"),
        ({"shares": {"first": 0.3}, "dates": {"sql": "sql_date"}}, "'milestone_1'"),
        ({"shares": {"first": 0.3}, "dates": {"S Q L": "milestone_1"}}, "match pattern"),
    ],
)
def test_wrong_milestones_are_refused(settings: dict, remedy: str) -> None:
    with pytest.raises(ValidationError, match=remedy):
        Milestones(**settings)
