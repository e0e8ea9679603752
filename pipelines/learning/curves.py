"""Learn a client's own curves for the local model of IHC, from its journeys.

A client is scored by curves from its own journeys only. With too few of them it has none: the
defaults apply, and the method beside each score is `local: default curves`.
"""

from collections.abc import Callable
from typing import NamedTuple

from pipelines.home import home
from pipelines.learning.lesson import Lesson, Training, kept
from pipelines.learning.versions import keep
from pipelines.settings.attribution import Attribution
from pipelines.settings.client import Client

MINIMUM_JOURNEYS = 30  # of three touchpoints and more
_STEPS = 200  # of the closer's curve

_TOO_FEW = "nothing learnt: it needs {} journeys of three touchpoints and more; the curves before stay in force"
_LEARNT = "{} journeys: a touchpoint begins a journey after {:.1f} to {:.1f} hours, and ends one within {:.1f}"

_CURVES = """
WITH sessions AS (
  SELECT conversion_id, closer_engagement, position = path_length AS is_last,
    DATE_DIFF('SECOND', LAG(touched_at) OVER in_order, touched_at) / 3600::DOUBLE AS gap,
    (age_seconds - newest_age_seconds) / 3600::DOUBLE AS hours_left
  FROM {client}_journeys.current_paths
  WHERE path_length >= 3
  WINDOW in_order AS (PARTITION BY conversion_id ORDER BY position)
), journeys AS (
  SELECT conversion_id, MAX(gap) AS largest_gap,
    MAX(hours_left) FILTER (closer_engagement OR is_last) AS first_closing,
    MAX(hours_left) FILTER (closer_engagement AND NOT is_last) AS first_closing_before_last
  FROM sessions GROUP BY conversion_id
), ends AS (
  SELECT COUNT(*) AS journeys, {largest_gap} AS i1,
    COALESCE(NULLIF({first_closing}, 0), {first_closing_before_last}) AS c1
  FROM journeys, (SELECT
    QUANTILE_CONT(largest_gap, .8) AS largest_gap_80,
    QUANTILE_CONT(first_closing, .8) AS first_closing_80,
    QUANTILE_CONT(first_closing_before_last, .8) AS first_closing_before_last_80
  FROM journeys)
)
SELECT i0, i1, COALESCE(c1, 0) AS c1, COALESCE(closer_hours, []::DOUBLE[]) AS closer_hours, journeys
FROM ends, (SELECT QUANTILE_CONT(gap, .5) AS i0 FROM sessions), (
  SELECT QUANTILE_DISC(hours_left, {steps}) AS closer_hours
  FROM sessions, ends WHERE closer_engagement AND NOT is_last AND hours_left < c1
)
WHERE journeys >= {minimum} AND i0 < i1
"""


class CurveLearner(NamedTuple):
    """IHC's curves: the first are trained by `make train` only, as the default ones serve meanwhile."""

    folder: Callable[[Attribution], str]
    starts_by_itself: bool = False

    def train(self, model: str, training: Training) -> Lesson:
        """Keep the curves as a version, and return what they are; with too few journeys, keep none."""
        query, is_first = curves(training.client), not kept(self, training.client)
        shown = f"SELECT journeys, i0, i1, c1 FROM ({query})"
        if not (row := training.connection.execute(shown).fetchone()):
            return Lesson(
                model, version="", summary=_TOO_FEW.format(MINIMUM_JOURNEYS), status="too few"
            )
        folder = self.folder(training.client.attribution)
        keep(training.connection, query, str(home()), training.client.id, folder, training.now)
        newest = kept(self, training.client)[-1]
        return Lesson(model, newest.name, _LEARNT.format(*row), is_first=is_first)


LEARNER = CurveLearner(folder=lambda settings: "ihc")


def curves(client: Client) -> str:
    """Return a query for a client's curves in its warehouse: one row, or none.

    `i0` is the median of all gaps between touchpoints; `i1` the 90th percentile of the journeys'
    largest gaps, once those at or above their 80th are dropped; `c1` the same of the time from
    the first touchpoint that may end a journey to its last, or if that is 0, because in most only
    the last may, of the journeys in which another may. `closer_hours` are 200 quantiles of the
    times below `c1`. All are in hours; `journeys` counts those of three touchpoints and more, as of
    their newest revisions. There is no row with fewer than MINIMUM_JOURNEYS of them, or without gaps
    that differ.
    """
    steps = [(step + 0.5) / _STEPS for step in range(_STEPS)]
    columns = ("largest_gap", "first_closing", "first_closing_before_last")
    rules = {name: f"QUANTILE_CONT({name}, .9) FILTER ({name} < {name}_80)" for name in columns}
    return _CURVES.format(client=client.id, steps=steps, minimum=MINIMUM_JOURNEYS, **rules)
