"""The versions of the platforms' APIs end: who is asked in one of them is warned before."""

from datetime import date, datetime, timedelta, timezone

import pytest
import time_machine

from linter.ending_versions import problems
from pipelines.commands import inspection
from pipelines.settings.api_versions import ENDS, LOOKED_UP, NEWEST, WARNED_BEFORE
from pipelines.settings.reader import parse
from pipelines.sources.platforms.expired_versions import ending_versions
from tests.builders.advertiser import Advertiser
from tests.conftest import House

WAYS_IN: dict[str, dict] = {
    "google_ads": {"customers": ["1"], "version": "v24"},
    "facebook_ads": {"accounts": ["1"], "version": "v25.0"},
}


def warnings(one: Advertiser, today: date) -> list[str]:
    with time_machine.travel(datetime(*today.timetuple()[:3], 7, tzinfo=timezone.utc), tick=False):
        return ending_versions(parse(one.settings))


@pytest.mark.parametrize("source", WAYS_IN)
def test_a_client_is_warned_from_45_days_before_the_end_of_its_version(
    house: House, source: str
) -> None:
    one = Advertiser(house.home, source, WAYS_IN[source])
    end = ENDS[source][WAYS_IN[source]["version"]]
    remedy = f"set sources.{source}.api.version: {NEWEST[source]}"
    assert warnings(one, end - WARNED_BEFORE - timedelta(days=1)) == []
    (soon,) = warnings(one, end - WARNED_BEFORE)
    assert f"ends on {end}" in soon and soon.startswith(source) and remedy in soon
    (over,) = warnings(one, end)
    assert f"ended on {end}" in over and remedy in over


@pytest.mark.parametrize("source", WAYS_IN)
def test_doing_what_the_warning_says_ends_it(house: House, source: str) -> None:
    one = Advertiser(house.home, source, WAYS_IN[source] | {"version": NEWEST[source]})
    assert warnings(one, LOOKED_UP) == []


def test_status_warns_of_versions_and_is_still_all_well(
    house: House, capsys: pytest.CaptureFixture
) -> None:
    Advertiser(house.home, "facebook_ads", WAYS_IN["facebook_ads"])
    with time_machine.travel("2027-02-01 07:00 +0000", tick=False):
        inspection.status()
    assert "facebook_ads: version v25.0 of the API ends on 2027-02-23" in capsys.readouterr().out


def test_maintainers_are_told_to_raise_a_default_and_to_look_again() -> None:
    assert problems(LOOKED_UP) == []
    end = ENDS["google_ads"][NEWEST["google_ads"]]
    late = problems(end - timedelta(days=120))
    assert any("google_ads: the default" in problem and str(end) in problem for problem in late)
    assert any("were looked up on" in problem for problem in late)
