"""Published numbers that are far off their weekday's usual are found, and ordinary ones are not."""

from datetime import date, datetime, timedelta, timezone

import pytest

from pipelines.settings.client import Client
from pipelines.watch.daily_numbers import DailyNumbers
from pipelines.watch.facts import Facts
from pipelines.watch.findings import Finding
from pipelines.watch.judgement import OF_NUMBERS, judge

NOW = datetime(2026, 11, 27, 6, tzinfo=timezone.utc)
LAST = date(2026, 11, 26)
# Noise that no chance should make odd: a weekly shape, and a little up and down.
WEEK = [1.0, 1.1, 1.0, 0.9, 1.2, 0.5, 0.4]
NOISE = [0, 3, -2, 5, -4, 1, -5, 2, 4, -1, -3]


def client(**settings: object) -> Client:
    least = {"id": "one", "name": "One", "currency": "EUR", "sources": {}}
    return Client.model_validate(least | settings)


def days(level: float, noise: float = 1, count: int = 64, **instead: float) -> dict[str, float]:
    """Return a number for each of the last days, with a weekly shape; of some days, others."""
    found = {}
    for number in range(count):
        day = LAST - timedelta(days=number)
        found[str(day)] = round(level * WEEK[day.weekday()] + noise * NOISE[number % 11])
    return found | {day.replace("_", "-").removeprefix("d"): n for day, n in instead.items()}


def numbers(**others: object) -> DailyNumbers:
    """Return ordinary weeks, and what differs."""
    ordinary = {
        "last": str(LAST),
        "spend": {"Paid Search": days(800, 10), "Display": days(200, 5)},
        "sessions": {"Paid Search": days(300, 5), "Email": days(80)},
        "claims": {},
        "ours": {},
        "conversions": days(60),
        "unattributed": days(6, 0),
        "revenue": days(6000, 100),
        "partial": [],
        "currency": "EUR",
    }
    return DailyNumbers(**(ordinary | others))


def found(said: DailyNumbers, **settings: object) -> list[Finding]:
    facts = Facts(client(**settings), NOW, NOW, numbers=said)
    return [each for each in judge(facts) if each.cause in OF_NUMBERS]


def test_ordinary_weeks_are_not_odd() -> None:
    assert found(numbers()) == []


def test_weekends_are_compared_with_weekends() -> None:
    sunday = date(2026, 11, 22)
    assert (
        found(
            numbers(last=str(sunday)),
        )
        == []
    )


ODD = {
    "odd_spend": (
        {"spend": {"Paid Search": days(800, 10, d2026_11_26=8000), "Display": days(200, 5)}},
        "spend on 2026-11-26: 8,",
        "Paid Search: 8,000 EUR, usually ",
    ),
    "odd_sessions": (
        {"sessions": {"Paid Search": days(300, 5, d2026_11_26=60), "Email": days(80)}},
        "sessions on 2026-11-26: 132, usually 3",
        "Paid Search: 60, usually ",
    ),
    "odd_conversions": (
        {"conversions": days(60, d2026_11_26=9)},
        "conversions on 2026-11-26: 9, usually 5",
        "median of 8",
    ),
    "odd_revenue": (
        {"revenue": days(6000, 100, d2026_11_26=90000)},
        "revenue on 2026-11-26: 90,000 EUR, usually 5,",
        "",
    ),
}


@pytest.mark.parametrize("cause", ODD)
def test_a_number_far_off_its_weekday_is_named_with_its_usual(cause: str) -> None:
    others, *texts = ODD[cause]
    (finding,) = found(numbers(**others))
    assert finding.cause == cause
    assert all(text in finding.what for text in texts), finding.what
    assert "make export CLIENT=one TABLE=" in finding.remedy


def test_spend_that_lacks_a_platform_is_known_to_be_low() -> None:
    spend = {"Paid Search": days(800, 10, d2026_11_26=5)}
    assert [each.cause for each in found(numbers(spend=spend))] == ["odd_spend"]
    assert found(numbers(spend=spend, partial=[str(LAST)])) == []


def test_too_few_weeks_tell_nothing() -> None:
    sessions = {"Email": days(80, count=25, d2026_11_26=900)}
    assert found(numbers(sessions=sessions)) == []
    sessions = {"Email": days(80, count=36, d2026_11_26=900)}
    assert [each.cause for each in found(numbers(sessions=sessions))] == ["odd_sessions"]


def test_few_conversions_vary_by_chance() -> None:
    few = {str(LAST - timedelta(days=n)): (2, 0, 1, 5, 3)[n % 5] for n in range(64)}
    few = {day: count for day, count in few.items() if count}
    assert found(numbers(conversions=few, unattributed={}, revenue={})) == []


def test_sessions_that_collapse_are_broken_tracking_and_no_channel_has_vanished() -> None:
    sessions = {"Paid Search": days(300, 5, d2026_11_26=11), "Email": days(80, d2026_11_26=0)}
    sessions["Email"].pop("2026-11-26")
    (finding,) = found(numbers(sessions=sessions))
    assert finding.cause == "tracking_broken"
    assert "sessions on 2026-11-26: 11, usually 3" in finding.what
    assert "tag" in finding.remedy and "consent" in finding.remedy


def test_conversions_without_touchpoints_are_broken_tracking() -> None:
    (finding,) = found(numbers(unattributed=days(6, 0, d2026_11_26=40)))
    assert finding.cause == "tracking_broken"
    assert "40 of 54 conversions of 2026-11-26 have no touchpoint: 74%, usually 9%" in finding.what


def test_few_conversions_are_judged_by_the_week() -> None:
    week = {f"d2026_11_{day}": 4.0 for day in range(20, 27)}
    few = {"conversions": days(5, 0), "revenue": {}}
    assert found(numbers(**few, unattributed=days(1, 0))) == []
    (finding,) = found(numbers(**few, unattributed=days(1, 0, **week)))
    assert "of the 7 days up to 2026-11-26 have no touchpoint" in finding.what.replace(
        "conversions ", ""
    )


def test_a_channel_that_vanishes_is_named() -> None:
    sessions = {"Paid Search": days(300, 5), "Email": days(80)}
    sessions["Email"].pop("2026-11-26")
    spend = {"Paid Search": days(800, 10), "Display": days(200, 5)}
    spend["Display"].pop("2026-11-26")
    told = found(numbers(sessions=sessions, spend=spend))
    assert [(each.cause, each.source) for each in told] == [
        ("channel_vanished", "Email"),
        ("channel_vanished", "Display"),
    ]
    assert told[0].what == "Email has no sessions on 2026-11-26, usually 72"
    assert "Display has no spend on 2026-11-26, usually " in told[1].what


def test_a_channel_that_comes_and_goes_has_not_vanished() -> None:
    rare = {day: n for day, n in days(80).items() if date.fromisoformat(day).isocalendar().week % 2}
    sessions = {"Paid Search": days(300, 5), "Events": rare}
    sessions["Events"].pop("2026-11-26", None)
    assert found(numbers(sessions=sessions)) == []


def test_a_platform_that_claims_five_times_what_is_ours_is_named() -> None:
    claims, ours = {"google_ads": days(60, 0)}, {"google_ads": days(40, 0)}
    assert found(numbers(claims=claims, ours=ours)) == []
    (finding,) = found(numbers(claims={"google_ads": days(260, 0)}, ours=ours))
    assert (finding.cause, finding.source) == ("claims_far", "google_ads")
    assert "in the 28 days up to 2026-11-26 google_ads claims 6,344 conversions" in finding.what
    assert "its campaigns earned 976 here: 6.5 times" in finding.what


def test_a_platform_whose_claims_leap_up_is_named() -> None:
    week = {f"d2026_11_{day}": 150.0 for day in range(20, 27)}
    (finding,) = found(
        numbers(claims={"google_ads": days(40, 0, **week)}, ours={"google_ads": days(40, 0)})
    )
    assert "last week 4.3 times, usually 1.0" in finding.what


@pytest.mark.parametrize("last, is_judged", [("2026-11-19", True), ("2026-11-18", False)])
def test_an_export_that_ended_while_others_go_on_is_no_longer_judged(
    last: str, is_judged: bool
) -> None:
    spend = {day: cost for day, cost in days(200, 5).items() if day <= last} | {last: 9000}
    assert bool(found(numbers(spend={"Display": spend}))) == is_judged


def test_where_all_data_ends_its_last_day_is_judged() -> None:
    spend = {"Display": days(200, 5, d2026_11_26=9000)}
    assert [each.cause for each in found(numbers(spend=spend, last="2026-12-10"))] == ["odd_spend"]


def test_a_client_may_leave_out_a_cause() -> None:
    others = ODD["odd_spend"][0]
    assert found(numbers(**others), alerts={"without": ["odd_spend"]}) == []
