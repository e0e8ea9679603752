"""Compute the examples of docs/models.md: what each model gives one path, by the library itself."""

import duckdb

from docs.generator.markdown import table
from pipelines.attribution.learned_models import LEARNED_MODELS
from pipelines.attribution.library import MODELS, NOT_ADDITIVE
from pipelines.blueprints.model_choice import weight
from pipelines.settings.attribution import Attribution

# Four touchpoints before one conversion: the third made the lead, the fourth the opportunity.
PATH = """(
  SELECT 1 AS conversion_id, 1 AS revised_at, NULL AS model,
    position, channel, is_direct, age_days * 86400 AS age_seconds,
    86400 AS newest_age_seconds, 5 AS path_length, FALSE AS path_is_direct,
    CASE WHEN position = 5 THEN 0 ELSE 4 - position END AS non_direct_after,
    3 AS lead_position, 4 AS opportunity_position, 5 AS closing_position
  FROM (VALUES
    (1, 'Paid Search', FALSE, 22), (2, 'Email', FALSE, 15), (3, 'Referral', FALSE, 8),
    (4, 'Paid Social', FALSE, 3), (5, 'Direct', TRUE, 1)
  ) AS touchpoints(position, channel, is_direct, age_days)
) AS paths"""


def examples() -> str:
    """Return each model's credit for the touchpoints of one path, in percent."""
    names = [name for name in MODELS if name not in LEARNED_MODELS]
    head = ["model", *(row[0] for row in duckdb.sql(f"SELECT channel FROM {PATH}").fetchall())]
    return table(head, ([f"`{name}`", *_shares(name)] for name in names))


def _shares(model: str) -> list[str]:
    """Return what a model of default settings gives each touchpoint."""
    settings = Attribution.model_construct(model=model)
    total = "1" if model in NOT_ADDITIVE else "SUM(weight) OVER ()"
    rows = duckdb.sql(
        f"""SELECT weight / {total} FROM (SELECT position, {weight(settings)} AS weight FROM {PATH})
        ORDER BY position"""
    ).fetchall()
    return [f"{100 * share:.1f} %" if share else "" for (share,) in rows]
