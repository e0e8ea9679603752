"""Whether a client makes its deadline is told by its own history, in its own zone."""

from datetime import datetime, timedelta, timezone

import pytest
import time_machine

from pipelines.ingest.source_status import Status
from pipelines.ledger.day_files import append
from pipelines.ledger.processes_alive import this_process
from pipelines.ledger.run_events import Run, event
from pipelines.settings.client import Client
from pipelines.watch.deadline_causes import at_risk, late
from pipelines.watch.facts import Facts, Shown, Source
from pipelines.watch.findings import Finding
from pipelines.watch.holding_causes import held
from pipelines.watch.judgement import unjudged
from pipelines.watch.ledger_mornings import mornings_of_clients
from pipelines.watch.moments import deadline_before, morning_of, next_deadline, span
from pipelines.watch.mornings import Morning, left, usual
from tests.conftest import House

UTC = timezone.utc
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def client(zone: str = "UTC", deadline: str = "08:00") -> Client:
    return Client.model_validate(
        {"id": "one", "name": "One", "currency": "EUR", "sources": {}}
        | {"timezone": zone, "deadline": deadline}
    )


def at(clock: str, day: int = 27) -> datetime:
    hour, minute = map(int, clock.split(":"))
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def served(*minutes: int, ingest: int = 5) -> list[Morning]:
    """Return mornings that took so many minutes, one a day, the last one yesterday."""
    days = [at("05:30") - timedelta(days=len(minutes) - number) for number in range(len(minutes))]
    return [
        Morning(day, day + timedelta(minutes=ingest), day + timedelta(minutes=each), "published")
        for day, each in zip(days, minutes, strict=True)
    ]


def judged(now: datetime, mornings: list[Morning], **facts: object) -> list[Finding]:
    all_facts = Facts(client(), now, LONG_AGO, mornings=mornings)._replace(**facts)
    return [*late(all_facts), *at_risk(all_facts)]


TWENTY = served(*[40] * 17, 90, 100, 300)


def test_nine_of_ten_mornings_took_no_longer() -> None:
    takes = usual(TWENTY)
    assert (takes.whole, takes.run, takes.mornings) == (
        timedelta(minutes=90),
        timedelta(minutes=85),
        20,
    )
    assert usual(served(1, 2)).mornings == 0, "two tell nothing"
    assert usual([*served(*[600] * 20), *TWENTY]).whole == timedelta(minutes=90), "only the last 20"


def test_mornings_that_brought_nothing_new_tell_no_duration() -> None:
    short = [each._replace(result="nothing new") for each in served(*[1] * 30)]
    assert usual([*TWENTY, *short]).whole == timedelta(minutes=90)


@pytest.mark.parametrize(
    "clock, is_at_risk", [("06:29", False), ("06:31", True), ("07:59", True), ("08:01", False)]
)
def test_one_that_has_not_begun_needs_all_of_its_usual_time(clock: str, is_at_risk: bool) -> None:
    yesterday_on_time = TWENTY[-1]._replace(began=at("05:30", 26), ended=at("07:10", 26))
    found = judged(at(clock), [*TWENTY[:-1], yesterday_on_time])
    assert ("at_risk" in {each.cause for each in found}) == is_at_risk
    assert ("late" in {each.cause for each in found}) == (clock == "08:01")


def test_one_that_is_under_way_needs_what_is_left() -> None:
    computing = Morning(at("06:00"), at("06:30"))
    takes = usual(TWENTY)
    assert left(computing, takes, at("07:00")) == timedelta(minutes=55)
    assert left(Morning(at("06:00")), takes, at("07:00")) == timedelta(minutes=85)
    assert [each.cause for each in judged(at("06:31"), [*TWENTY, computing])] == []
    (found,) = judged(at("06:36"), [*TWENTY, Morning(at("06:00"))])
    assert found.cause == "at_risk"
    assert found.what == (
        "its run began at 06:00 UTC, 36 min ago, and waits for its ingest or its turn; it needs 1 h 25 min more"
        " (nine of its last 20 mornings took no longer) and has 1 h 24 min"
    )


def test_one_that_was_cut_off_is_said_to_be() -> None:
    cut_off = Morning(at("05:30"), None, at("05:30"), "interrupted")
    (found,) = judged(at("07:00"), [*TWENTY, cut_off])
    assert "its run began at 05:30 UTC and ended as interrupted; it needs 1 h 30 min" in found.what


def test_one_that_nobody_has_started_is_at_risk_while_somebody_can() -> None:
    short = served(*[1] * 20, ingest=0)
    assert judged(at("07:49"), short, shown=Shown("v", at("05:31", 26), {}, at("05:31", 26))) == []
    (found,) = judged(at("07:51"), short)
    assert found.cause == "at_risk" and "its run has not begun; it needs 1 min more" in found.what
    assert judged(at("07:51"), [*short, Morning(at("07:50"))]) == []


def test_the_day_of_a_deadline_is_the_clients() -> None:
    """Eight in Tokyo on the 28th is 23:00 UTC on the 27th."""
    facts = Facts(client("Asia/Tokyo"), at("23:10"), LONG_AGO)
    (found,) = late(facts)
    assert "due at 08:00 Asia/Tokyo on 2026-11-28 are not published" in found.what


def test_what_is_published_is_at_no_risk_and_what_came_last_night_is_not_this_mornings() -> None:
    shown = Shown("v", at("05:50"), {}, at("05:50"))
    assert judged(at("07:55"), TWENTY, shown=shown) == []
    shown = shown._replace(run_wrote_at=at("23:50", 26))  # and a promotion at 05:50
    assert [each.cause for each in judged(at("07:55"), TWENTY, shown=shown)] == ["at_risk"]
    nothing_new = Morning(at("05:30"), None, at("05:31"), "nothing new")
    assert judged(at("07:55"), [*TWENTY, nothing_new], shown=shown) == []


def test_a_deal_that_closed_at_night_is_no_morning() -> None:
    shown = Shown("20261127T023000.000000Z-provisional", at("02:30"), {})
    (found,) = judged(at("07:55"), TWENTY, shown=shown)
    assert found.cause == "at_risk"
    (found,) = judged(at("08:01"), TWENTY, shown=shown)
    assert found.cause == "late"
    assert found.what.endswith("provisional credit was published last at 2026-11-27 02:30 UTC")
    served_today = Morning(at("05:30"), at("05:35"), at("05:40"), "published")
    assert judged(at("08:01"), [*TWENTY, served_today], shown=shown) == []


def test_one_that_is_held_is_not_at_risk_but_late() -> None:
    refused = [Source(Status("one", "web", "refused", "bad"), at("05:40"))]
    mornings = [*TWENTY, Morning(at("05:30"), None, at("05:40"), "held")]
    assert judged(at("07:55"), mornings, sources=refused) == []
    (found,) = judged(at("08:05"), mornings, sources=refused)
    assert found.cause == "late" and "are not published: it is held" in found.what


def test_what_the_last_morning_says_stands_until_the_next_has_ended() -> None:
    source = Source(Status("one", "web"), at("06:00"))
    facts = Facts(client(), at("06:05"), LONG_AGO, [source], TWENTY, ["gate: web: line 7 is bad"])
    (found,) = held(facts)
    assert (found.key, found.what) == ("held web", "gate: web: line 7 is bad")
    assert found.remedy == "the source is well since: `make daily` serves the client"
    at_work = facts._replace(mornings=[*TWENTY, Morning(at("06:01"))])
    assert list(held(at_work)) == [] and unjudged(at_work) >= {"held", "shrunk"}
    (found,) = held(facts._replace(held_for=["credit_sums_to_one: 3 rows"]))
    assert found.key == "held"


def test_a_client_that_is_new_is_not_late_for_a_deadline_before_it() -> None:
    assert judged(at("09:00"), [], known_since=at("08:30")) == []
    for first_run in (Morning(at("08:40")), Morning(at("08:40"), None, at("08:40"), "interrupted")):
        assert judged(at("09:00"), [first_run], known_since=at("08:30")) == []
        (found,) = judged(at("09:00", 28), [first_run], known_since=at("09:00", 28))
        assert "nothing of it was ever published" in found.what
    (found,) = judged(at("09:00", 28), [], known_since=at("08:30"))
    assert "nothing of it was ever published" in found.what


@pytest.mark.parametrize(
    "zone, deadline, now, before, after, begins",
    [
        ("Asia/Tokyo", "08:00", "22:00", (26, 23), (27, 23), (27, 15)),
        ("America/New_York", "08:00", "12:00", (26, 13), (27, 13), (27, 5)),
        ("UTC", "00:00", "12:00", (27, 0), (28, 0), (27, 0)),
    ],
)
def test_deadlines_are_those_of_the_clients_zone(
    zone: str, deadline: str, now: str, before: tuple, after: tuple, begins: tuple
) -> None:
    one, moment = client(zone, deadline), at(now)
    assert deadline_before(one, moment) == datetime(2026, 11, *before, tzinfo=UTC)
    following = next_deadline(one, moment)
    assert following == datetime(2026, 11, *after, tzinfo=UTC)
    assert morning_of(one, following) == datetime(2026, 11, *begins, tzinfo=UTC)


def test_a_day_of_25_hours_has_one_deadline() -> None:
    berlin = client("Europe/Berlin")
    sunday = datetime(2026, 10, 25, 7, tzinfo=UTC)  # 08:00 after the clocks went back
    assert deadline_before(berlin, sunday) == sunday
    assert deadline_before(berlin, sunday - timedelta(minutes=1)) == sunday - timedelta(hours=25)


def test_lengths_of_time_are_said_as_people_do() -> None:
    said = [span(timedelta(minutes=each)) for each in (0.2, 59, 60, 80, 2880, 4400)]
    assert said == ["1 min", "59 min", "1 h", "1 h 20 min", "2 days", "3 days 1 h"]


def test_mornings_are_taken_from_the_ledger(house: House) -> None:
    process = this_process()

    def record(run: Run, began: datetime, ended: datetime | None) -> None:
        append(event(run, "START", began, "code", process), began)
        if ended:
            append(event(run, "COMPLETE", ended, "code", process), ended)

    whole, cut, now = Run("one", "daily"), Run("one", "daily"), Run("one", "daily")
    whole.outcome = "published"
    record(Run("one", "ingest", "web", within=whole), at("05:30", 25), at("05:40", 25))
    record(Run("one", "compute", within=whole), at("05:41", 25), at("05:50", 25))
    record(whole, at("05:30", 25), at("05:51", 25))
    append(event(cut, "START", at("05:30", 26), "code", process + 1), at("05:30", 26))
    record(now, at("05:30"), None)
    record(Run("two", "daily"), at("05:30"), None)
    with time_machine.travel(at("06:00"), tick=False):
        found = mornings_of_clients(at("06:00"))
    assert found["one"] == [
        Morning(at("05:30", 25), at("05:41", 25), at("05:51", 25), "published"),
        Morning(at("05:30", 26), None, at("05:30", 26), "interrupted"),
        Morning(at("05:30")),
    ]
    assert found["two"] == [Morning(at("05:30"))]
