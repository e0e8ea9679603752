"""Property tests of the largest remainder: nothing lost, nothing made, whatever is shared."""

from math import floor

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from macros.largest_remainder import largest_remainder

whole_money = st.integers(0, 10**12)
weights = st.lists(st.integers(0, 1000), min_size=1, max_size=30).filter(any)


class Shared:
    """A relation's name, as SQLMesh gives it to a macro."""

    name = "shared"


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect(config={"threads": 1}) as connection:
        yield connection


def units(connection, revenue, credits, numbers):
    relation = largest_remainder(None, Shared)
    ((shared,),) = connection.execute(
        f"""WITH shared AS (
          SELECT $1::BIGINT AS revenue_units, $2::DOUBLE[] AS credits, $3::BIGINT[] AS numbers
        ) SELECT units FROM {relation}""",
        [revenue, credits, numbers],
    ).fetchall()
    return shared


@settings(max_examples=200, deadline=None)
@given(revenue=whole_money, weights=weights, data=st.data())
def test_shares_sum_to_what_is_shared(connection, revenue, weights, data):
    numbers = data.draw(st.permutations(range(1, len(weights) + 1)))
    credits = [weight / sum(weights) for weight in weights]
    shares = units(connection, revenue, credits, numbers)
    assert sum(shares) == revenue
    assert all(share - floor(credit * revenue) in (0, 1) for share, credit in zip(shares, credits))


@settings(max_examples=50, deadline=None)
@given(revenue=whole_money, weights=weights, data=st.data())
def test_order_of_the_rows_does_not_matter(connection, revenue, weights, data):
    rows = [(weight / sum(weights), number) for number, weight in enumerate(weights, 1)]
    mixed = data.draw(st.permutations(rows))
    shares = units(connection, revenue, *zip(*rows))
    assert dict(zip([number for _, number in rows], shares)) == dict(
        zip([number for _, number in mixed], units(connection, revenue, *zip(*mixed)))
    )


@pytest.mark.parametrize(
    ("revenue", "credits", "numbers", "shares"),
    [
        (100, [1 / 3] * 3, [7, 5, 6], [33, 34, 33]),  # of equal remainders the lowest number
        (10, [0.55, 0.25, 0.2], [1, 2, 3], [6, 2, 2]),
        (10, [0.25, 0.55, 0.2], [1, 2, 3], [3, 5, 2]),
        (1, [0.2, 0.2, 0.6], [1, 2, 3], [0, 0, 1]),
        (0, [0.5, 0.5], [1, 2], [0, 0]),
        (999, [1.0], [1], [999]),
        (5, [1.0, 1.0, 1.0], [1, 2, 3], [5, 5, 5]),  # participation: each earns it all
    ],
)
def test_examples(connection, revenue, credits, numbers, shares):
    assert units(connection, revenue, credits, numbers) == shares
