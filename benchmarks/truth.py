"""Measure how far each model's credit is from the truth: `python benchmarks/truth.py --write`.

Journeys are drawn in worlds in which it is known what each touchpoint adds to a person's chance to
convert. The truth of a channel is what its touchpoints add, over all people: that many conversions
would be lost if they did nothing. A model sees the journeys alone, as the product gives them to it: the SQL
weights of the library, and what `pipelines/learning` learns and how it is shared. Its error is the
share of all credit that is with the wrong channel: half the sum of the differences between its
channels' shares and the true ones.

Two rows are no models. By `all channels alike` each channel that is met has the same share: who is
worse knows less than nothing. By `known effects` each conversion is shared by what its touchpoints
added, the rest of its chance left out: its error is that of chance alone, because people are drawn.

`--write` puts the tables into docs/models.md. Models by dates of a deal need a CRM, and the IHC
models their vendor's curves: they are not here.
"""

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from statistics import fmean
from typing import Annotated, NamedTuple

import duckdb
import pyarrow as pa
import typer

PROJECT = Path(__file__).parent.parent
sys.path.insert(0, str(PROJECT))

from docs.generator.markdown import table  # noqa: E402
from pipelines.attribution.learned_models import LEARNED_MODELS  # noqa: E402
from pipelines.attribution.library import MODELS, NOT_ADDITIVE  # noqa: E402
from pipelines.blueprints.model_choice import weight  # noqa: E402
from pipelines.files import write_atomically  # noqa: E402
from pipelines.learning.channel_values import ChannelLearner  # noqa: E402
from pipelines.learning.learners import learner_of  # noqa: E402
from pipelines.learning.shared_credit import with_weights  # noqa: E402
from pipelines.settings.attribution import Attribution  # noqa: E402

NOT_HERE = {"w_shaped", "full_path", "milestones", "ihc", "ihc_local"}
VARIANTS: dict[str, list[dict]] = {
    "markov": [{"order": 2}, {"order": "auto"}],
    "shapley": [{"worth": "conversion_rate"}],
}
TRUTH, ALIKE, KNOWN = "truth", "all channels alike", "known effects"
Shares = dict[str, float]


class Channel(NamedTuple):
    """A channel of a world: who meets it, when, and what a touchpoint of it adds."""

    reach: float  # the chance that a person meets it
    oldest: float  # its touchpoints are so many days before the end of the journey, at most
    newest: float = 0.0  # at least
    most: int = 2  # touchpoints of a person who meets it: 1 up to so many
    effect: float = 0.03  # added to the chance of a conversion
    keen_reach: float | None = None  # the chance that someone keen meets it, if it is another
    along: str = ""  # nine in ten who meet that other channel meet this one, too
    closes: bool = False  # six in ten who have decided to buy come by it, at last


CHANNELS = {
    "Display": Channel(0.35, 30, 10),
    "Paid Social": Channel(0.25, 30, 5),
    "Organic Search": Channel(0.3, 25),
    "Referral": Channel(0.1, 25),
    "Email": Channel(0.15, 15),
    "Paid Search": Channel(0.3, 12),
}
UNLIKE = {"Display": 0.005, "Paid Social": 0.02, "Referral": 0.06, "Email": 0.08}


class World(NamedTuple):
    """A world: what is true in it, its channels where they are not as usual, and what adds how much."""

    sentence: str
    channels: dict[str, Channel] = {}
    added: str = "effect"  # SQL over a person's touchpoints, the windows of TOUCHES at hand
    chance: str = "SUM(added)"  # SQL: what all of them add
    base: float = 0.005  # the chance of a conversion without any touchpoint
    keen_base: float | None = None  # that of one in five, who are keen, if it is another
    idle: str = ""  # the channel that adds nothing


def _with(effects: dict[str, float]) -> dict[str, Channel]:
    return {name: CHANNELS[name]._replace(effect=effect) for name, effect in effects.items()}


# What is met is what works, each in its own way.
SEEN = {
    "same": World("every touchpoint adds the same, 3 percentage points"),
    "unlike": World("touchpoints of the channels add 0.5 to 8 percentage points", _with(UNLIKE)),
    "often": World(
        "each further touchpoint of a channel adds half as much as the one before; Display and Email are"
        " met up to six times",
        {name: CHANNELS[name]._replace(most=6) for name in ("Display", "Email")},
        added="effect * POWER(0.5, ROW_NUMBER() OVER own - 1)",
    ),
    "opens": World(
        "the first touchpoint of a journey adds ten times what others do",
        added="CASE WHEN ROW_NUMBER() OVER person = 1 THEN 0.08 ELSE 0.008 END",
    ),
    "ends": World(
        "the last touchpoint adds ten times what others do",
        added="CASE WHEN LEAD(i) OVER person IS NULL THEN 0.08 ELSE 0.008 END",
    ),
    "fades": World(
        "what a touchpoint adds halves every 7 days", added="effect * 2 * POWER(2, -age_days / 7)"
    ),
    "together": World(
        "Display before Paid Search adds 12 percentage points, half of it each one's; others add 2",
        {name: CHANNELS[name]._replace(most=1) for name in ("Display", "Paid Search")},
        added="""CASE
            WHEN channel = 'Display' THEN 0.06 * COALESCE(BOOL_OR(channel = 'Paid Search') OVER behind, FALSE)::INT
            WHEN channel = 'Paid Search' THEN 0.06 * COALESCE(BOOL_OR(channel = 'Display') OVER before, FALSE)::INT
            ELSE 0.02 END""",
    ),
    "needed": World(
        "as in `unlike`, but a journey without any one of its channels leads nowhere: all of its chance is lost"
        " with each",
        _with(UNLIKE),
        added="CASE WHEN ROW_NUMBER() OVER own = 1 THEN SUM(effect) OVER (PARTITION BY i) ELSE 0 END",
        chance="MAX(added)",
    ),
}
# What works is not what is met.
HIDDEN = {
    "anyway": World(
        "as in `unlike`, and 10 % of all people buy whatever they meet", _with(UNLIKE), base=0.1
    ),
    "keen": World(
        "one person in five is keen: 20 % buy whatever they meet, and nine in ten of them, one in five of the"
        " others, meet Paid Search, which adds nothing",
        {"Paid Search": Channel(0.2, 12, effect=0.0, keen_reach=0.9)},
        keen_base=0.2,
        idle="Paid Search",
    ),
    "along": World(
        "Organic Social adds nothing, and is met by nine in ten who meet Email, which adds 10 percentage points",
        _with({"Email": 0.1}) | {"Organic Social": Channel(0.05, 15, effect=0.0, along="Email")},
        idle="Organic Social",
    ),
    "closes": World(
        "Affiliates add nothing: six in ten who have decided to buy look for a voucher there at last, and one in"
        " twenty of the others",
        {"Affiliates": Channel(0.05, 0, effect=0.0, closes=True)},
        idle="Affiliates",
    ),
    "typed": World(
        "the same, but they type the address; direct visits earn like others, `direct_touches: include`",
        {"Direct": Channel(0.05, 0, effect=0.0, closes=True)},
        idle="Direct",
    ),
}
WORLDS = SEEN | HIDDEN

CHANCE = "CREATE MACRO chance(i, what) AS (hash({seed}, i, what) % 1000000) / 1000000"
PEOPLE = """
CREATE TEMP TABLE people AS
SELECT i, chance(i, 'keen') < 0.2 AS is_keen FROM range({people}) AS numbers(i)
"""
TOUCHES = """
CREATE TEMP TABLE touches AS
WITH met AS (
  SELECT i, channels.*
  FROM people CROSS JOIN channels LEFT JOIN channels AS other ON other.channel = channels.along
  WHERE NOT channels.closes AND chance(i, channels.channel) < CASE
    WHEN chance(i, other.channel) < other.reach THEN 0.9
    WHEN is_keen THEN COALESCE(channels.keen_reach, channels.reach)
    ELSE channels.reach
  END
), repeated AS (
  SELECT *, UNNEST(range((1 + FLOOR(most * chance(i, channel || ' times')))::BIGINT)) AS number FROM met
), aged AS (
  SELECT *, newest + (oldest - newest) * chance(i, concat(channel, number)) AS age_days FROM repeated
)
SELECT i, channel, age_days, ({added})::DOUBLE AS added FROM aged
WINDOW
  person AS (PARTITION BY i ORDER BY age_days DESC, channel, number),
  own AS (PARTITION BY i, channel ORDER BY age_days DESC, number),
  before AS (
    PARTITION BY i ORDER BY age_days DESC, channel, number ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
  ),
  behind AS (
    PARTITION BY i ORDER BY age_days DESC, channel, number ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
  )
"""
DECIDED = """
CREATE TEMP TABLE decided AS
SELECT *, chance(i, 'buys') < probability AS converts FROM (
  SELECT i, CASE WHEN is_keen THEN {keen_base} ELSE {base} END + COALESCE({chance}, 0) AS probability
  FROM people LEFT JOIN touches USING (i) GROUP BY i, is_keen
)
"""
CLOSING = """
INSERT INTO touches SELECT i, channel, 0, 0 FROM decided CROSS JOIN channels
WHERE closes AND chance(i, channel) < CASE WHEN converts THEN 0.6 ELSE reach END
"""
# The columns of journeys.paths that weights are made of.
PATHS = """
CREATE TEMP TABLE paths AS
SELECT
  i AS conversion_id, 1 AS revised_at, NULL AS model, channel, is_direct, added / probability AS known,
  ROW_NUMBER() OVER in_order AS position, COUNT(*) OVER whole AS path_length,
  BOOL_AND(is_direct) OVER whole AS path_is_direct,
  COUNT(*) FILTER (NOT is_direct) OVER (in_order ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)
    AS non_direct_after,
  age_days * 86400 AS age_seconds, MIN(age_days) OVER whole * 86400 AS newest_age_seconds
FROM (SELECT *, channel = 'Direct' AS is_direct FROM touches JOIN decided USING (i) WHERE converts)
WINDOW whole AS (PARTITION BY i), in_order AS (PARTITION BY i ORDER BY age_days DESC, channel)
"""
JOURNEYS = """
SELECT
  path, (i % 16)::INT AS person_group, SUM(converts::INT) AS conversions, SUM(1 - converts::INT) AS nulls
FROM (
  SELECT i, ANY_VALUE(converts) AS converts, list(channel ORDER BY age_days DESC, channel) AS path
  FROM touches JOIN decided USING (i) GROUP BY i
)
GROUP BY ALL ORDER BY path, person_group
"""


def main(
    people: Annotated[int, typer.Option(help="People of each world.")] = 200_000,
    draws: Annotated[int, typer.Option(help="Draws of each world; their mean is shown.")] = 3,
    write: Annotated[bool, typer.Option(help="Put the tables into docs/models.md.")] = False,
) -> None:
    """Print how far each model is from the truth."""
    found = {
        name: [shares(world, people, draw) for draw in range(draws)]
        for name, world in WORLDS.items()
    }
    print(text := markdown(found))
    if write:
        page = PROJECT / "docs/models.md"
        write_atomically(page, filled(page.read_text(), text))


def filled(page: str, text: str) -> str:
    """Return a page with a text between its marks."""
    begin, end = "<!-- truth: written by benchmarks/truth.py -->", "<!-- end -->"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    return pattern.sub(lambda _: f"{begin}\n\n{text}\n\n{end}", page)


def shares(world: World, people: int, draw: int) -> dict[str, Shares]:
    """Return each channel's share of what is added, under TRUTH, and of the credit by each model."""
    with duckdb.connect(config={"threads": 1}) as connection:
        draw_world(connection, world, people, draw)
        channels = "FROM (SELECT DISTINCT channel FROM touches)"
        found = {TRUTH: _sums(connection, "added", "FROM touches")}
        found[ALIKE] = _sums(connection, "1", channels)
        for model in MODELS.keys() - LEARNED_MODELS.keys() - NOT_HERE:
            found[_name(model)] = _weighed(connection, model)
        found[KNOWN] = _sums(connection, "known", "FROM paths")
        journeys = connection.execute(JOURNEYS).to_arrow_table()
    for model in LEARNED_MODELS:
        for variant in _variants(model):
            settings = Attribution.model_validate(
                {"model": model} | ({model: variant} if variant else {})
            )
            found[_name(model, variant)] = _learnt(journeys, model, settings)
    return {name: _scaled(found[name]) for name in (TRUTH, *names())}


def names() -> list[str]:
    """Return the rows of the tables: the models of the library, and two that are none."""
    models = [_name(model, variant) for model in MODELS for variant in _variants(model)]
    return [ALIKE, *models, KNOWN]


def error(found: Shares, truth: Shares) -> float:
    """Return the share of all credit that is with the wrong channel."""
    return sum(abs(found.get(name, 0) - truth.get(name, 0)) for name in found | truth) / 2


def markdown(found: dict[str, list[dict[str, Shares]]]) -> str:
    """Return the worlds, the errors in them, and what channels get that add nothing; in percent."""
    parts = []
    for worlds in (SEEN, HIDDEN):
        parts.append("\n".join(f"- `{name}`: {world.sentence}" for name, world in worlds.items()))
        errors = {
            name: [
                fmean(error(each[name], each[TRUTH]) for each in found[world]) for world in worlds
            ]
            for name in names()
        }
        parts.append(_percent("credit with the wrong channel, %", worlds, errors))
    idle = {name: world.idle for name, world in HIDDEN.items() if world.idle}
    got = {
        name: [fmean(each[name].get(idle[world], 0) for each in found[world]) for world in idle]
        for name in names()
    }
    heads = [f"{channel} in `{world}`" for world, channel in idle.items()]
    return "\n\n".join([*parts, _percent("credit of a channel that adds nothing, %", heads, got)])


def draw_world(connection: duckdb.DuckDBPyConnection, world: World, people: int, draw: int) -> None:
    """Draw a world's people: what they meet, who converts, and by which path."""
    rows = [{"channel": name, **one._asdict()} for name, one in (CHANNELS | world.channels).items()]
    connection.register("channels", pa.Table.from_pylist(rows))
    connection.execute(CHANCE.format(seed=draw))
    connection.execute(PEOPLE.format(people=people))
    connection.execute(TOUCHES.format(added=world.added))
    keen_base = world.base if world.keen_base is None else world.keen_base
    connection.execute(DECIDED.format(base=world.base, keen_base=keen_base, chance=world.chance))
    for text in (CLOSING, PATHS):
        connection.execute(text)


def _sums(connection: duckdb.DuckDBPyConnection, amount: str, rows: str) -> Shares:
    return dict(connection.execute(f"SELECT channel, SUM({amount}) {rows} GROUP BY 1").fetchall())


def _weighed(connection: duckdb.DuckDBPyConnection, model: str) -> Shares:
    """Return what each channel gets by a model's weights: inside each conversion, they sum to 1."""
    total = "1" if model in NOT_ADDITIVE else "SUM(weight) OVER (PARTITION BY conversion_id)"
    own = weight(Attribution.model_construct(model=model))
    credit = f"FROM (SELECT channel, weight / {total} AS credit FROM (SELECT *, {own} AS weight FROM paths))"
    return _sums(connection, "credit", credit)


def _learnt(journeys: pa.Table, model: str, settings: Attribution) -> Shares:
    """Return what each channel gets by what a model has learnt, shared as the product shares it."""
    learner = learner_of(model)
    assert isinstance(learner, ChannelLearner), f"{model} learns no values of channels: NOT_HERE?"
    settings, _ = learner.settled(journeys, settings)
    values, worth = learner.values(journeys, settings), learner.worth(settings)
    learnt = with_weights(values, journeys, worth, learner.shares_equally(settings))
    return dict(zip(learnt["channel"].to_pylist(), learnt["credited"].to_pylist()))


def _variants(model: str) -> list[dict]:
    """Return the settings that a model is measured by, its defaults first; none if it is not here."""
    return [] if model in NOT_HERE else [{}, *VARIANTS.get(model, [])]


def _name(model: str, variant: dict | None = None) -> str:
    settings = [f"`{key}: {value}`" for key, value in (variant or {}).items()]
    return ", ".join([f"`{model}`", *settings, *(["scaled to 1"] if model in NOT_ADDITIVE else [])])


def _scaled(amounts: Shares) -> Shares:
    total = sum(amounts.values())
    return {name: amount / total for name, amount in sorted(amounts.items())}


def _percent(head: str, columns: Iterable[str], rows: dict[str, list[float]]) -> str:
    cells = ([name, *(f"{100 * share:.1f}" for share in shares)] for name, shares in rows.items())
    return table([head, *columns], cells)


if __name__ == "__main__":
    typer.run(main)
