"""Deliveries are ordered by their own time, never by the alphabet; what cannot be told is said."""

from datetime import datetime, timedelta
from random import Random

import pytest

from pipelines.settings.ordered_by import DeliveryOrder, Order
from pipelines.sources.files.delivery_groups import SECOND, Delivery, Group
from pipelines.sources.files.delivery_order import in_order
from pipelines.sources.files.name_patterns import OrderError
from pipelines.sources.files.name_times import time_in

MINUTE = 60 * SECOND


def ordered(
    *names: str, times: list[int] | None = None, ordered_by: Order | None = None
) -> list[Group]:
    """Return how deliveries are ordered; all were written at once if `times` does not say."""
    written = times or [0] * len(names)
    deliveries = [Delivery(name, time * MINUTE) for name, time in zip(names, written)]
    return in_order(deliveries, ordered_by)


def names(groups: list[Group]) -> list[str]:
    """Return the names, each of which must have a place of its own."""
    assert all(len(group.names) == 1 for group in groups), groups
    return [group.names[0] for group in groups]


@pytest.mark.parametrize(
    "oldest, newest",
    [
        ("Ads-Oct-31-2026.csv", "Ads-Nov-1-2026.csv"),
        ("spend-31.10.2026.csv", "spend-01.11.2026.csv"),
        ("31-Okt-2026.csv", "1-Nov-2026.csv"),
        ("report1793400000000.csv", "report1793786400000.csv"),
        ("999 of 1793400000.csv", "1 of 1793786400.csv"),
        ("z-20261031.csv", "a-2026-11-01.csv"),
        ("2026-10-25T0230+0200.csv", "2026-10-25T0215+0100.csv"),
        ("2026-11-01T00:30:00+02:00.csv", "2026-10-31T23:00:00Z.csv"),
        ("spend-261031.csv", "spend-261101.csv"),
        ("spend-000012.csv", "spend-000113.csv"),
        ("week 9.csv", "week 10.csv"),
        ("2026 week 2.csv", "2026 week 50.csv"),
        ("q1.csv", "q2.csv"),
        ("b 31 October 2026.csv", "a-20261101T053000Z.csv"),
        ("2026/10/31/23/part.csv", "2026/11/01/02/part.csv"),
        ("year=2026/month=9/day=30/b.csv", "year=2026/month=10/day=1/a.csv"),
        ("Oct-1-2026-Oct-31-2026.csv", "Oct-1-2026-Nov-1-2026.csv"),
        ("2026-12.csv", "2027-01.csv"),
        ("KW52-2026.csv", "KW01-2027.csv"),
        ("Q4-2026.csv", "Q1-2027.csv"),
        ("report (2).csv", "report (10).csv"),
        ("report.csv", "report (1).csv"),
        ("spend-9.csv.gz", "spend-10.csv.gz"),
        ("2026-11-01.csv", "2026-11-01 (1).csv"),
    ],
)
def test_names_are_ordered_by_the_time_or_the_number_in_them(oldest: str, newest: str) -> None:
    assert names(ordered(newest, oldest)) == [oldest, newest]
    assert names(ordered(oldest, newest)) == [oldest, newest]


@pytest.mark.parametrize(
    "name",
    ["report (10).csv", "march-madness.csv", "31-02-2026.csv", "v2026.csv", "123-456-7890.csv"],
)
def test_what_is_no_time_is_not_taken_for_one(name: str) -> None:
    assert time_in(name) is None


def test_every_day_is_read_in_every_way_of_writing_it() -> None:
    random = Random(7)
    for _ in range(300):
        day = datetime(2024, 1, 1) + timedelta(days=random.randrange(1500))
        for form in ("%Y-%m-%d", "%Y%m%d", "%Y_%m_%d", "%d.%m.%Y", "%b-%d-%Y", "%d %B %Y"):
            found = time_in(f"Report {day:{form}}.csv")
            assert found and found.day_first == found.month_first, form
            assert found.day_first == (day, day + timedelta(days=1)), form


def test_day_or_month_first_is_told_by_any_of_the_names_and_else_asked() -> None:
    unsure = ("spend-01-11-2026.csv", "spend-11-01-2026.csv")
    (group,) = ordered(*unsure)
    assert group.why == "spend-01-11-2026.csv may name the day or the month first"
    assert group.orders[0].setting == "ordered_by: {pattern: '%d-%m-%Y'}"
    assert names(ordered(*unsure, "spend-13-11-2026.csv"))[0] == "spend-11-01-2026.csv"
    assert names(ordered(*unsure, "spend-11-13-2026.csv"))[0] == "spend-01-11-2026.csv"
    assert len(ordered(*unsure, "spend-11-13-2026.csv", "spend-13-11-2026.csv")) == 1
    by_pattern = ordered(*unsure, ordered_by=DeliveryOrder(pattern="%m-%d-%Y"))
    assert names(by_pattern) == list(unsure)
    with pytest.raises(OrderError, match=r"spend\.csv has no time like %d-%m-%Y in its name"):
        ordered("spend.csv", *unsure, ordered_by=DeliveryOrder(pattern="%d-%m-%Y"))
    same_either_way = ("01-02-2026.csv", "05-02-2026.csv")
    assert names(ordered(*same_either_way)) == list(same_either_way)


def test_without_a_time_in_the_name_the_file_time_counts() -> None:
    assert names(ordered("a.csv", "b.csv", times=[9, 0])) == ["b.csv", "a.csv"]
    (group,) = ordered("a.csv", "b.csv")
    assert group.why == "their names tell no time, and they were written in the same moment"
    assert names(ordered("b.csv", "a.csv", ordered_by="name")) == ["a.csv", "b.csv"]
    by_time = ordered("2026-11-01.csv", "2026-10-01.csv", times=[0, 5], ordered_by="file time")
    assert names(by_time) == ["2026-11-01.csv", "2026-10-01.csv"]


def test_numbers_that_file_times_contradict_are_asked_for() -> None:
    (group,) = ordered("report (2).csv", "report (10).csv", times=[9, 0])
    assert group.why.endswith("the times at which they were written contradict")
    assert names(ordered("report (10).csv", "report (2).csv", times=[0, 9], ordered_by="name")) == [
        "report (2).csv",
        "report (10).csv",
    ]


@pytest.mark.parametrize(
    "oldest, newest, why, setting",
    [
        ("spend-311026.csv", "spend-011126.csv", "a day, as %d%m%y", "{pattern: '%d%m%y'}"),
        ("spend-31102026.csv", "spend-01112026.csv", "a day, as %d%m%Y", "{pattern: '%d%m%Y'}"),
        ("spend-3110261200.csv", "spend-0111261200.csv", "a day, as %d%m%y", "{pattern: '%d%m%y'}"),
        ("spend-3110.csv", "spend-0111.csv", "the names do not say their year", "name"),
        ("spend-1231.csv", "spend-0101.csv", "the names do not say their year", "name"),
        ("week 52.csv", "week 1.csv", "week 1 may be of the next year", "name"),
        ("spend_kw51.csv", "spend_kw02.csv", "kw02 may be of the next year", "name"),
        ("q4.csv", "q1.csv", "q1 may be of the next year", "name"),
    ],
)
def test_numbers_that_may_be_times_are_asked_for(
    oldest: str, newest: str, why: str, setting: str
) -> None:
    (group,) = ordered(newest, oldest)
    assert group.names == [newest, oldest]
    assert why in group.why and group.orders[0].setting == f"ordered_by: {setting}"
    assert names(ordered(newest, oldest, times=[0, 5])) == [newest, oldest]  # they were counting


def test_the_pattern_that_is_named_orders_days() -> None:
    by_pattern = DeliveryOrder(pattern="%d%m%y")
    found = ordered("spend-011126.csv", "spend-311026.csv", ordered_by=by_pattern)
    assert names(found) == ["spend-311026.csv", "spend-011126.csv"]


def test_a_name_without_a_time_beside_others_goes_by_its_file_time() -> None:
    files = ("report.csv", "report-2026-10-31.csv", "report-2026-11-01.csv")
    assert names(ordered(*files, times=[9, 0, 5])) == [files[1], files[2], files[0]]
    (group,) = ordered(*files, times=[9, 5, 0])
    assert group.why.startswith("report.csv has no time in its name, and file times contradict")


def test_times_and_numbers_in_one_column_have_no_order() -> None:
    deliveries = [
        Delivery("a.csv", 1, "2026-11-01 10:00:00+00"),
        Delivery("b.csv", 2, 1793527200.0),
    ]
    with pytest.raises(OrderError, match="column sent holds times in some deliveries and numbers"):
        in_order(deliveries, DeliveryOrder(column="sent"))


@pytest.mark.parametrize(
    ("pattern", "lacks"),
    [
        ("%d-%m", "year"),
        ("%H%M", "year"),
        ("%Y-%d", "month"),
        ("%Y-%m %H", "day"),
        ("%Y%j %M", "hour"),
    ],
)
def test_a_pattern_has_all_that_an_order_needs(pattern: str, lacks: str) -> None:
    with pytest.raises(ValueError, match=f"without the {lacks}"):
        DeliveryOrder(pattern=pattern)


@pytest.mark.parametrize("pattern", ["%Y", "%b %Y", "%Y%j", "%d.%m.%y", "%Y%m%d-%H%M%S"])
def test_a_pattern_may_end_with_any_part_of_a_time(pattern: str) -> None:
    assert DeliveryOrder(pattern=pattern).pattern == pattern
