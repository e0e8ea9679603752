"""One client of five is broken in every way: it and the on-call are told, once, and of its recovery."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
import time_machine
from typer.testing import CliRunner

from pipelines.__main__ import app
from pipelines.ingest.acceptance import Waiting, wait_for_word
from pipelines.ingest.source_status import Status
from pipelines.stream.follow_status import FollowStatus, utc_text, write_status
from tests.builders.listeners import Mailbox, Message, Webhooks
from tests.builders.watched import History, ok, settle
from tests.conftest import House

pytestmark = pytest.mark.xdist_group("alerts")  # its clients are published once

CLIENTS = ("alder", "birch", "cedar", "dogwood", "elm")
BROKEN = "cedar"
BERLIN = ZoneInfo("Europe/Berlin")
DAWN = datetime(2026, 11, 27, 5, 45, tzinfo=BERLIN)  # a Friday
YESTERDAY = date(2026, 11, 26)


def at(clock: str, day: int = 27) -> datetime:
    """Return a time in Berlin, in November: one hour ahead of UTC."""
    hour, minute = map(int, clock.split(":"))
    return datetime(2026, 11, day, hour, minute, tzinfo=BERLIN)


class Agency:
    """Five clients with their channels, an on-call, and a clock to move."""

    def __init__(self, home: Path, mail: Mailbox, hooks: Webhooks, clock: Any):
        self.home, self.mail, self.hooks, self.clock = home, mail, hooks, clock

    def publish(self, name: str, history: History | None = None) -> None:
        """Publish a client's numbers up to yesterday, as of now."""
        now = datetime.now(timezone.utc)
        yesterday = now.astimezone(BERLIN).date() - timedelta(days=1)
        (history or History(yesterday)).publish(name, now)

    def watch(self, *arguments: str) -> str:
        """Run the watch; return what it shows, and fail if a channel failed."""
        done = CliRunner().invoke(app, ["watch", *arguments])
        assert done.exit_code == 0, done.output
        return done.output

    def told(self) -> tuple[list[Message], list[Message]]:
        """Return what the on-call and the clients were told since the last time."""
        mails, hooks = self.mail.messages[:], self.hooks.messages[:]
        self.mail.messages.clear()
        self.hooks.messages.clear()
        return mails, hooks


@pytest.fixture(scope="module")
def published_at_dawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of five clients that are published, and well."""
    house = House(tmp_path_factory.mktemp("agency") / "home").enter()
    (house.home / "clients").mkdir(parents=True)
    with time_machine.travel(DAWN, tick=False):
        for name in CLIENTS:
            settle(house.home, name, alerts={"channels": ["hook"]})
            ok(name)
            History(YESTERDAY).publish(name, datetime.now(timezone.utc))
    return house.home


@pytest.fixture
def agency(
    published_at_dawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Agency]:
    shutil.copytree(published_at_dawn, tmp_path / "home")
    house = House(tmp_path / "home").enter()
    with time_machine.travel(DAWN, tick=False) as clock, Mailbox() as mail, Webhooks() as hooks:
        monkeypatch.setenv("ON_CALL__MAIL", mail.address("oncall@agency.example"))
        for name in CLIENTS:
            monkeypatch.setenv(f"CLIENTS__{name.upper()}__ALERTS__HOOK", hooks.address(name))
        agency = Agency(house.home, mail, hooks, clock)
        assert "nothing is wrong" in agency.watch()
        assert agency.told() == ([], [])
        yield agency


class Way(NamedTuple):
    """A way to break a client: what is done at a time, what is said, and what mends it."""

    clock: str
    day: int
    break_it: Callable[[Agency], None]
    title: str
    texts: tuple[str, ...]
    mend_it: Callable[[Agency], None]


def others_publish(agency: Agency) -> None:
    for name in CLIENTS:
        if name != BROKEN:
            agency.publish(name)


def says(*status: Status) -> Callable[[Agency], None]:
    return lambda agency: ok(BROKEN, *status)


def well(agency: Agency) -> None:
    ok(BROKEN)
    wait_for_word(BROKEN, "google_ads", [])


def shrinks(agency: Agency) -> None:
    says(Status(BROKEN, "google_ads", "refused", "spend.csv deletes too much"))(agency)
    waiting = Waiting("spend", "spend.csv", "hash", "load", 200, 90, 110, ["2026-11-01, brand"])
    wait_for_word(BROKEN, "google_ads", [waiting])


def publishes(**numbers: object) -> Callable[[Agency], None]:
    return lambda agency: agency.publish(BROKEN, History(YESTERDAY).differs(YESTERDAY, **numbers))


def goes_silent(agency: Agency) -> None:
    for name in CLIENTS:
        followed(name, alive_at=at("05:40" if name == BROKEN else "05:58"))


def followed(name: str, alive_at: datetime) -> None:
    said = FollowStatus(how="events", followed_since=utc_text(at("05:00").astimezone(timezone.utc)))
    said.alive_at = said.changed_at = utc_text(alive_at.astimezone(timezone.utc))
    write_status(name, said)


def is_alive(agency: Agency) -> None:
    followed(BROKEN, alive_at=at("06:01"))


def published(agency: Agency) -> None:
    agency.publish(BROKEN)


def misspell(agency: Agency) -> None:
    file = agency.home / f"clients/{BROKEN}.yaml"
    file.write_text(file.read_text().replace("currency:", "curency:"))


def spell(agency: Agency) -> None:
    file = agency.home / f"clients/{BROKEN}.yaml"
    file.write_text(file.read_text().replace("curency:", "currency:"))


def tear(agency: Agency) -> None:
    (agency.home / f"published/{BROKEN}.duckdb").write_bytes(b"torn")


def rewrite(agency: Agency) -> None:
    (agency.home / f"published/{BROKEN}.duckdb").unlink()
    agency.publish(BROKEN)


REFUSED = "spend-27.csv: 6 of 100 rows are bad, line 7: cost 'abc' is no number. Deliver it again"
OLD = {"newest": {"spend": "2026-11-24"}, "stale_from": {"spend": "2026-11-27"}}
LIMITED = ("rate_limited", "15,000 operations of today are used up")
BUSY = Status(BROKEN, "google_ads", *LIMITED, "2026-11-27 08:40")
MICROS = "spend.csv: cost is 1,000,000 times what is usual; is it in micros?"

WAYS = {
    "at risk": Way(
        *("07:35", 28, others_publish),
        "at risk of missing its deadline",
        (
            "its run has not begun; it needs 30 min more",
            "remedy: `.venv/bin/python -m pipelines daily --client cedar`",
            "time left: 25 min until the deadline of 08:00 Europe/Berlin",
        ),
        published,
    ),
    "late": Way(
        *("08:02", 28, others_publish),
        "late",
        (
            "the numbers due at 08:00 Europe/Berlin on 2026-11-28 are not published",
            "published last at 2026-11-27 04:45 UTC",
            "time left: none: the deadline of 08:00 Europe/Berlin passed 2 min ago",
        ),
        published,
    ),
    "held": Way(
        *("06:00", 27, says(Status(BROKEN, "google_ads", "refused", REFUSED))),
        "held (google_ads)",
        ("source: google_ads", f"what: {REFUSED}", "remedy: correct what the reason says"),
        well,
    ),
    "shrunk": Way(
        *("06:00", 27, shrinks),
        "held, a full export shrank (google_ads)",
        (
            "spend.csv of spend has 90 rows where 200 are known: 110 would be deleted",
            "such as 2026-11-01, brand",
            "`make accept CLIENT=cedar SOURCE=google_ads` and then `make daily`",
        ),
        well,
    ),
    "stale": Way(
        *("06:00", 27, says(Status(BROKEN, "google_ads", **OLD))),
        "stale source (google_ads)",
        ("spend: newest day of data 2026-11-24, stale since 2026-11-27", "newer data"),
        well,
    ),
    "rate limited": Way(
        *("06:00", 27, says(BUSY)),
        "rate limited past its deadline (google_ads)",
        (
            "15,000 operations of today are used up",
            "it may be asked again from 2026-11-27 08:40 UTC, after the deadline of 08:00 Europe/Berlin",
            "`make daily` asks again",
        ),
        well,
    ),
    "credentials": Way(
        *("06:00", 27, says(Status(BROKEN, "google_ads", "credentials_expired", "renew them"))),
        "source did not answer (google_ads)",
        ("credentials_expired: renew them", "remedy: correct what the reason says"),
        well,
    ),
    "stream silent": Way(
        *("06:00", 27, goes_silent),
        "stream silent (salesforce)",
        (
            "make stream gave its last sign of life at 05:40 Europe/Berlin, 20 min ago",
            "`make stream` follows it again",
        ),
        is_alive,
    ),
    "odd sums": Way(
        *("06:00", 27, says(Status(BROKEN, "google_ads", warnings=[MICROS]))),
        "odd sums (google_ads)",
        (f"what: {MICROS}", "remedy: it is published as delivered"),
        well,
    ),
    "odd spend": Way(
        *("06:00", 27, publishes(cost=6000)),
        "odd spend",
        (
            "spend on 2026-11-26: 6,000 EUR, usually 500 EUR on this weekday (median of 8)",
            "furthest off is Paid Search",
            "`make export CLIENT=cedar TABLE=campaigns_v1 SINCE=2026-11-26 UNTIL=2026-11-26`",
        ),
        published,
    ),
    "odd sessions": Way(
        *("06:00", 27, publishes(sessions={"Email": 400})),
        "odd sessions",
        ("sessions on 2026-11-26: 500, usually 140", "furthest off is Email: 400, usually 40"),
        published,
    ),
    "odd conversions": Way(
        *("06:00", 27, publishes(conversions=5, unattributed=0, revenue=300)),
        "odd conversions",
        ("conversions on 2026-11-26: 5, usually 30",),
        published,
    ),
    "odd revenue": Way(
        *("06:00", 27, publishes(revenue=5000)),
        "odd revenue",
        ("revenue on 2026-11-26: 150,000 EUR, usually 1,500 EUR",),
        published,
    ),
    "a channel vanished": Way(
        *("06:00", 27, publishes(sessions={"Email": 0})),
        "a channel vanished (Email)",
        ("Email has no sessions on 2026-11-26, usually 40",),
        published,
    ),
    "sessions collapsed": Way(
        *("06:00", 27, publishes(sessions={"Email": 0, "Paid Search": 6})),
        "tracking may be broken",
        ("sessions on 2026-11-26: 6, usually 140", "check the site's tag"),
        published,
    ),
    "unattributed": Way(
        *("06:00", 27, publishes(unattributed=24)),
        "tracking may be broken",
        ("24 of 30 conversions of 2026-11-26 have no touchpoint: 80%, usually 10%",),
        published,
    ),
    "settings": Way(
        *("06:00", 27, misspell),
        "settings cannot be used",
        ("clients/cedar.yaml: currency: it is required", "nothing was promoted yet"),
        spell,
    ),
    "torn": Way(
        *("08:30", 27, tear),
        "published files not readable",
        ("published/cedar.duckdb is not readable", "`make daily`, which writes them anew"),
        rewrite,
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_one_is_broken_and_it_and_the_on_call_alone_are_told(agency: Agency, way: str) -> None:
    clock, day, break_it, title, texts, mend_it = WAYS[way]
    agency.clock.move_to(at(clock, day))
    break_it(agency)
    agency.watch()
    mails, hooks = agency.told()
    assert [(each.to, each.subject) for each in mails] == [
        ("oncall@agency.example", f"{BROKEN}: {title}")
    ]
    assert [(each.to, each.subject) for each in hooks] == [(BROKEN, f"{BROKEN}: {title}")]
    assert mails[0].text.splitlines() == hooks[0].text.splitlines()
    assert mails[0].text.startswith(f"client: cedar (Cedar Ltd)\ncause: {title}\n")
    for text in (*texts, "\nwhat: ", "\nremedy: ", "\ntime left: "):
        assert text in mails[0].text, mails[0].text
    assert not re.search("alder|birch|dogwood|elm", mails[0].text, re.IGNORECASE)

    agency.clock.shift(60)
    agency.watch()
    assert agency.told() == ([], []), "it is told once"

    mend_it(agency)
    agency.watch()
    mails, hooks = agency.told()
    assert {each.subject for each in (*mails, *hooks)} == {f"{BROKEN}: recovered: {title}"}
    assert [each.to for each in (*mails, *hooks)] == ["oncall@agency.example", BROKEN]
    assert hooks[0].kind == "success", "Apprise's word for good news"
    assert f"cause: {title}\n" in mails[0].text and "\nit was: " in mails[0].text
    agency.watch()
    assert agency.told() == ([], []), "so is its recovery"


def test_what_went_over_into_something_else_has_not_recovered(agency: Agency) -> None:
    """Who was at risk is late, and a source that was refused lacks rows now: nobody is told that it is well."""
    agency.clock.move_to(at("07:40", 28))
    others_publish(agency)
    agency.watch()
    (mail,), (hook,) = agency.told()
    assert (mail.subject, hook.kind) == ("cedar: at risk of missing its deadline", "warning")
    agency.clock.move_to(at("08:01", 28))
    agency.watch()
    (mail,), _ = agency.told()
    assert mail.subject == "cedar: late"
    says(Status(BROKEN, "google_ads", "refused", REFUSED))(agency)
    agency.watch()
    shrinks(agency)
    agency.watch()
    mails, _ = agency.told()
    assert [each.subject for each in mails] == [
        "cedar: held (google_ads)",
        "cedar: held, a full export shrank (google_ads)",
    ]
    well(agency)
    published(agency)
    agency.watch()
    mails, _ = agency.told()
    assert sorted(each.subject for each in mails) == [
        "cedar: recovered: held, a full export shrank (google_ads)",
        "cedar: recovered: late",
    ]


def test_a_limit_of_requests_is_a_note_until_the_deadline_has_passed(agency: Agency) -> None:
    agency.clock.move_to(at("06:00"))
    ok("cedar", BUSY._replace(retry_at="2026-11-27 06:30"))
    shown = agency.watch()
    assert (
        "cedar: google_ads: 15,000 operations of today are used up; it may be asked again from 2026-11-27 06:30 UTC, before the deadline of 08:00"
        in shown
    )
    assert agency.told() == ([], [])
    agency.clock.move_to(at("08:01"))
    agency.watch()
    (mail,), (hook,) = agency.told()
    assert hook.subject == mail.subject == "cedar: rate limited past its deadline (google_ads)"
    assert "which passed 1 min ago without an answer" in mail.text


def test_a_published_file_that_somebody_writes_to_is_whole(agency: Agency) -> None:
    """Another process has it open: which version it shows cannot be read, and nothing is wrong."""
    agency.clock.move_to(at("08:30"))
    program = "import duckdb, sys; opened = duckdb.connect(sys.argv[1]); print(flush=True); input()"
    file = agency.home / f"published/{BROKEN}.duckdb"
    with subprocess.Popen(
        [sys.executable, "-c", program, file], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        other.stdout.readline()
        assert "nothing is wrong" in agency.watch()
        other.stdin.close()
