"""Shorten paths as Snowplow's attribution package does: a chain of steps in SQL, over whole paths.

Each step reads the rows of the one before. What it removes earns nothing; no step removes all of a
path. Only the client's own chain is written into its models, as text. Snowplow has no
`once_per_campaign`.
"""

from collections.abc import Callable, Iterable

from pipelines.sql import literal

PATH = "PARTITION BY conversion_id, revised_at"
ORDER = "ORDER BY touched_at, touchpoint_id"


def exposure() -> str:
    """Keep the first of touchpoints of one channel that follow each other: D A B B C D C C, D A B C D C."""
    return f"channel IS DISTINCT FROM LAG(channel) OVER ({PATH} {ORDER})"


def first() -> str:
    """Keep the first touchpoint of each channel: D A B B C D C C, D A B C."""
    return f"ROW_NUMBER() OVER ({PATH}, channel {ORDER}) = 1"


def once_per_campaign() -> str:
    """Keep the first touchpoint of each campaign of a channel: of A/x B/x A/y A/x, A/x B/x A/y.

    The first is when the campaign reached somebody; later ones repeat it, as retargeting does.
    Touchpoints of a channel without a campaign are one campaign, `(not set)`, as in every report.
    """
    return f"ROW_NUMBER() OVER ({PATH}, channel, campaign {ORDER}) = 1"


def unique() -> str:
    """Keep every touchpoint: Snowplow's name for the path as it is."""
    return ""


def remove_if_last_and_not_all(channel: str) -> str:
    """Cut a channel off the end of a path that has another: of A, A B A A is A B."""
    is_other = _is_other(channel)
    return f"""(
        COUNT(*) FILTER (WHERE {is_other}) OVER (
          {PATH} {ORDER} ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
        ) > 0
        OR COUNT(*) FILTER (WHERE {is_other}) OVER ({PATH}) = 0
    )"""


def remove_if_not_all(channel: str) -> str:
    """Take a channel out of a path that has another: of A, A B A A is B."""
    is_other = _is_other(channel)
    return f"({is_other} OR COUNT(*) FILTER (WHERE {is_other}) OVER ({PATH}) = 0)"


TRANSFORMS: dict[str, Callable[..., str]] = {
    transform.__name__: transform
    for transform in (
        exposure,
        first,
        once_per_campaign,
        unique,
        remove_if_last_and_not_all,
        remove_if_not_all,
    )
}


def transformed(steps: Iterable[tuple[str, list[str]]], path: str) -> str:
    """Return a relation of what the steps leave of `path`, on one line; of several channels, one by one.

    A step is a name and its channels: `("remove_if_not_all", ["Direct"])`, `("exposure", [])`.
    """
    for name, channels in steps:
        transform = TRANSFORMS[name]
        for kept in [transform(channel) for channel in channels] or [transform()]:
            if kept:
                path = f"(SELECT * FROM {path} QUALIFY {' '.join(kept.split())})"
    return path if path.startswith("(") else f"(SELECT * FROM {path})"


def _is_other(channel: str) -> str:
    return f"LOWER(channel) <> {literal(channel.lower())}"
