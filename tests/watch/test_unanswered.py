"""A platform that does not answer: what passes by itself alerts nobody before the deadline."""

from datetime import datetime, timezone

import pytest

from pipelines.ingest.source_status import Status
from pipelines.settings.client import Client
from pipelines.watch.facts import Facts, Source
from pipelines.watch.source_causes import odd_sums, stale, unanswered


def client(**settings: object) -> Client:
    least = {"id": "one", "name": "One", "currency": "EUR", "sources": {}, "deadline": "08:00"}
    return Client.model_validate(least | settings)


def at(clock: str) -> datetime:
    hour, minute = map(int, clock.split(":"))
    return datetime(2026, 11, 27, hour, minute, tzinfo=timezone.utc)


def facts(now: str, asked: str, *said: object, **settings: object) -> Facts:
    source = Source(Status("one", "google_ads", *said), at(asked))
    return Facts(client(**settings), at(now), at("00:00"), sources=[source])


@pytest.mark.parametrize(
    "now, asked, retry_at, is_note",
    [
        ("06:00", "05:55", "", True),  # its patience ends at 06:05
        ("07:56", "07:55", "", False),  # at 08:05
        ("08:01", "05:55", "", False),
        ("06:00", "05:55", "2026-11-27 07:59", True),
        ("06:00", "05:55", "2026-11-27 08:01", False),
        ("08:00", "05:55", "2026-11-27 07:59", False),
        ("09:30", "09:20", "2026-11-28 07:00", True),  # the next deadline is tomorrow's
    ],
)
@pytest.mark.parametrize("code", ["rate_limited", "platform_down"])
def test_a_limit_is_an_alert_once_it_lasts_past_the_deadline(
    now: str, asked: str, retry_at: str, is_note: bool, code: str
) -> None:
    (found,) = unanswered(facts(now, asked, code, "too many requests", retry_at))
    assert found.is_note == is_note
    assert found.cause == ("rate_limited" if code == "rate_limited" else "source_late")
    assert (
        f"too many requests; it may be asked again from {retry_at or '2026-11-27 0'}" in found.what
    )


def test_a_longer_patience_lasts_past_the_deadline() -> None:
    said = ("rate_limited", "too many requests")
    (found,) = unanswered(facts("05:56", "05:55", *said, patience_minutes=120))
    assert found.is_note
    (found,) = unanswered(facts("05:56", "05:55", *said, patience_minutes=130))
    assert not found.is_note
    assert "from 2026-11-27 08:05 UTC, after the deadline of 08:00 UTC" in found.what


@pytest.mark.parametrize("code", ["credentials_expired", "consent_revoked", "version_expired"])
def test_what_somebody_has_to_mend_is_an_alert_at_once(code: str) -> None:
    (found,) = unanswered(facts("05:56", "05:55", code, "renew it"))
    assert not found.is_note and f"{code}: renew it" in found.what
    assert "correct what the reason says" in found.remedy


@pytest.mark.parametrize("code", ["ok", "stale", "refused", "failed"])
def test_what_answered_or_holds_is_none_that_did_not_answer(code: str) -> None:
    assert list(unanswered(facts("09:00", "05:55", code, "bad"))) == []


def test_times_that_a_zone_has_twice_are_no_odd_sums() -> None:
    warnings = [
        "a.csv: 3 times come twice in Europe/Berlin",
        "b.csv: cost is 1/1,000 of what is usual",
    ]
    status = Status("one", "web", warnings=warnings)
    said = Facts(client(), at("06:00"), at("00:00"), sources=[Source(status, at("05:55"))])
    (found,) = odd_sums(said)
    assert found.what == warnings[1]
    assert list(stale(said)) == []
