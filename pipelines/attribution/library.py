"""The library of attribution models: each returns the weight of one touchpoint of a path, in SQL.

A weight is an expression over the columns of `journeys.paths`, and over `score` for a model that
learns; a touchpoint's credit is its weight divided by the sum of its conversion's weights. A function
marked `@register` is a model that clients may choose, by its name. Its parameters are the settings
of that name: `position_based(first, last)` gets those under `attribution.position_based`. Only the
client's own formula is written into its models, as text: a new entry here rebuilds nobody.
"""

from collections.abc import Callable

from pipelines.attribution.learned_models import LEARNED_MODELS, score
from pipelines.attribution.milestone_models import full_path, milestones, w_shaped

Model = Callable[..., str]
MODELS: dict[str, Model] = {}


def register(model: Model) -> Model:
    """Enter a model into the library, by the name of its function."""
    MODELS[model.__name__] = model
    return model


@register
def first_touch() -> str:
    """All to the first touchpoint."""
    return "CASE WHEN position = 1 THEN 1 ELSE 0 END"


@register
def last_touch() -> str:
    """All to the last touchpoint."""
    return "CASE WHEN position = path_length THEN 1 ELSE 0 END"


@register
def last_non_direct() -> str:
    """All to the last touchpoint that is not direct; to the last one if all are (GA4)."""
    return """CASE
        WHEN path_is_direct THEN CASE WHEN position = path_length THEN 1 ELSE 0 END
        WHEN NOT is_direct AND non_direct_after = 0 THEN 1
        ELSE 0
    END"""


@register
def linear() -> str:
    """The same to every touchpoint."""
    return "1"


@register
def position_based(first: float, last: float) -> str:
    """Fixed shares to both ends, the rest to those between; ends alone are renormalised (Adobe)."""
    return _ends(first, last)


@register
def j_shaped() -> str:
    """20 % to the first touchpoint, 60 % to the last, the rest to those between (Adobe, Mixpanel)."""
    return _ends(0.2, 0.6)


@register
def inverse_j() -> str:
    """60 % to the first touchpoint, 20 % to the last, the rest to those between (Adobe, Mixpanel)."""
    return _ends(0.6, 0.2)


@register
def time_decay(half_life_days: float) -> str:
    """Half for every half-life before the conversion, by continuous age: 2^(-age / half-life).

    Ages are counted from the newest touchpoint: the shares are the same, and never underflow.
    """
    days = half_life_days
    return f"POWER(2::DOUBLE, -(age_seconds - newest_age_seconds) / ({days} * 86400::DOUBLE))"


@register
def participation() -> str:
    """One to every channel of the path, shared among its touchpoints: not additive (Adobe, PostHog)."""
    return "1::DOUBLE / COUNT(*) OVER (PARTITION BY conversion_id, revised_at, model, channel)"


def _ends(first: float, last: float) -> str:
    return f"""CASE
        WHEN path_length = 1 THEN 1
        WHEN path_length = 2 AND position = 1 THEN {first}
        WHEN path_length = 2 THEN {last}
        WHEN position = 1 THEN {first}
        WHEN position = path_length THEN {last}
        ELSE {round(1 - first - last, 9)}::DOUBLE / NULLIF(path_length - 2, 0)
    END"""


NOT_ADDITIVE = {"participation"}
# What a model that learns may fall back to: a model that needs nothing but the path itself.
FALLBACKS = tuple(name for name in MODELS if name not in NOT_ADDITIVE)

for each in (w_shaped, full_path, milestones):
    register(each)
MODELS |= dict.fromkeys(LEARNED_MODELS, score)
