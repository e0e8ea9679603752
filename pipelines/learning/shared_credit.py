"""Share the conversions that a model learns from by what it has learnt: weights, and what they give."""

import duckdb
import numpy as np
import pyarrow as pa

from pipelines.learning.channel_sets import channel_sets
from pipelines.learning.weights import Conversions, fitted

_LINEAR = """
SELECT channel, SUM({worth} / len(path))::DOUBLE AS credited FROM (
  SELECT UNNEST(path) AS channel, path, {worth} FROM paths WHERE conversions > 0 ORDER BY path, channel
) GROUP BY channel ORDER BY channel
"""


def with_weights(
    values: pa.Table, paths: pa.Table, worth: str = "conversions", shares_equally: bool = False
) -> pa.Table:
    """Return a model's values of channels with `learnt`, `weight` and `credited` beside each.

    `value` is a share of all. `learnt` is what it comes to on these paths: in conversions, or in
    revenue where that is its `worth`. `weight` is above 0: a conversion is shared in proportion to
    its channels' weights, and `credited` is what that gives each. With `shares_equally` all weigh 1.
    Channels on converting paths that the values lack come with the value 0.
    """
    sets = channel_sets(paths, worth)
    names = values["channel"].to_pylist()
    names += sorted(set(sets.names) - set(names))
    members = np.zeros((len(sets.members), len(names)), dtype=bool)
    members[:, [names.index(name) for name in sets.names]] = sets.members
    conversions = Conversions(members, sets.amounts[0])
    shares = np.zeros(len(names))
    shares[: values.num_rows] = values["value"].to_numpy()
    learnt = shares * conversions.amounts.sum()
    weights = np.ones(len(names)) if shares_equally else fitted(conversions, shares)
    missing = pa.table({"channel": names[values.num_rows :]})
    table = pa.concat_tables([values, missing], promote_options="default")
    table = table.set_column(table.schema.get_field_index("value"), "value", pa.array(shares))
    for name, column in (
        ("learnt", learnt),
        ("weight", weights),
        ("credited", conversions.credited(weights)),
    ):
        table = table.append_column(name, pa.array(column))
    return table


def distance(table: pa.Table) -> float:
    """Return the share of all credit that is elsewhere than what was learnt."""
    learnt, credited = (table[name].to_numpy() for name in ("learnt", "credited"))
    total = learnt.sum()
    return float(np.abs(credited - learnt).sum() / 2 / total) if total > 0 else 0.0


def linear(paths: pa.Table, worth: str = "conversions") -> dict[str, float]:
    """Return what each channel gets of the paths' conversions, or revenue, where touchpoints share alike."""
    with duckdb.connect() as connection:
        connection.register("paths", paths)
        return dict(connection.execute(_LINEAR.format(worth=worth)).fetchall())
