"""Paths to learn from, as a test writes them: `("Email>Search", 3, 2)`, conversions and nulls."""

import pyarrow as pa
from hypothesis import strategies

Path = tuple[str, int, int]  # channels as "A>B", conversions, nulls
MIXED = [("A>B>A>C", 3, 2), ("B>A", 2, 1), ("C>B>A>B", 1, 4), ("A", 1, 5)]
HISTORIES = strategies.lists(
    strategies.tuples(
        strategies.lists(strategies.sampled_from("ABCD"), min_size=1, max_size=6).map(">".join),
        strategies.integers(0, 5),
        strategies.integers(0, 5),
    ),
    min_size=1,
    max_size=6,
)


def table(paths: list[Path]) -> pa.Table:
    """Return paths as the library reads them."""
    return pa.table(
        {
            "path": pa.array(
                [path.split(">") if path else [] for path, _, _ in paths], pa.list_(pa.string())
            ),
            "conversions": pa.array([conversions for _, conversions, _ in paths], pa.int64()),
            "nulls": pa.array([nulls for _, _, nulls in paths], pa.int64()),
        }
    )
