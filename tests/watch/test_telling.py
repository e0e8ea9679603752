"""Channels that fail are named and told later; two watches tell nothing twice; health checks and metrics."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import time_machine
from prometheus_client.parser import text_string_to_metric_families
from typer.testing import CliRunner, Result

from pipelines.__main__ import app
from pipelines.ingest.source_status import Status
from pipelines.ledger.day_files import append
from pipelines.ledger.processes_alive import this_process
from pipelines.ledger.run_events import Run, event
from pipelines.serving import disk_use
from pipelines.serving.disk_use import Disk
from tests.builders.listeners import Mailbox, Webhooks
from tests.builders.watched import History, ok, settle
from tests.conftest import PROJECT, House

DAWN = datetime(2026, 11, 27, 5, 45, tzinfo=ZoneInfo("Europe/Berlin"))
HELD = Status("one", "google_ads", "refused", "line 7: cost 'abc' is no number")


@pytest.fixture
def home(house: House, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the client `one`, which is held."""
    for file in (house.home / "clients").iterdir():
        file.unlink()
    settle(house.home, "one", alerts={"channels": ["hook"]})
    ok("one", HELD)
    return house.home


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhooks]:
    with Webhooks() as hooks:
        monkeypatch.setenv("CLIENTS__ONE__ALERTS__HOOK", hooks.address("s3cr3t-token"))
        yield hooks


def publish(dawn: datetime) -> None:
    History(dawn.date() - timedelta(days=1)).publish("one", datetime.now(timezone.utc))


def watch() -> Result:
    return CliRunner().invoke(app, ["watch"])


def test_a_channel_that_fails_is_named_and_told_the_next_time(
    home: Path, hooks: Webhooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Mailbox() as mail:
        monkeypatch.setenv("ON_CALL__MAIL", mail.address("oncall@agency.example"))
        hooks.is_down = True
        first = watch()
        assert first.exit_code == 1
        assert "one: one hook: it did not take the alert: " in first.output
        assert "error=503" in first.output and "the next watch tries again" in first.output
        assert "s3cr3t" not in first.output
        assert [each.subject for each in mail.messages] == ["one: held (google_ads)"]

        hooks.is_down = False
        second = watch()
        assert second.exit_code == 0
        assert [each.subject for each in hooks.messages] == ["one: held (google_ads)"]
        assert len(mail.messages) == 1, "the one that took it is not told again"


def test_a_torn_file_that_is_gone_is_told_anew_and_has_not_recovered(
    home: Path, hooks: Webhooks
) -> None:
    ok("one")
    with time_machine.travel(DAWN, tick=True):
        publish(DAWN)
        (home / "published/one.duckdb").write_bytes(b"torn")
        assert watch().exit_code == 0
        (home / "published/one.duckdb").unlink()
        for _ in range(2):
            assert "published/one.duckdb is gone" in watch().output
    told = [each.subject for each in hooks.messages]
    title = "one: published files not readable"
    assert [each for each in told if "readable" in each] == [title, f"{title} (gone)"]


def test_who_never_heard_of_an_alert_hears_of_no_recovery(home: Path, hooks: Webhooks) -> None:
    hooks.is_down = True
    assert watch().exit_code == 1
    ok("one")
    hooks.is_down = False
    watch()
    assert hooks.messages == []


@pytest.mark.parametrize(
    "address, said",
    [
        (None, "one has no hook for alerts; set CLIENTS__ONE__ALERTS__HOOK"),
        ("nonsense://s3cr3t-token", "its address is none that Apprise knows"),
        ("mailto://user:s3cr3t-token@localhost:1?from=a@b.example&to=c@d.example", "did not take"),
    ],
)
def test_an_address_that_cannot_work_is_named_and_never_shown(
    home: Path, monkeypatch: pytest.MonkeyPatch, address: str | None, said: str
) -> None:
    if address:
        monkeypatch.setenv("CLIENTS__ONE__ALERTS__HOOK", address)
    done = watch()
    assert done.exit_code == 1
    assert f"one: one hook: {said}" in done.output.replace("it did not", "did not")
    assert "s3cr3t" not in done.output


def test_addresses_are_read_from_the_file_of_secrets(home: Path) -> None:
    with Webhooks() as hooks:
        (home / ".dlt").mkdir()
        (home / ".dlt/secrets.toml").write_text(
            f'[on_call]\npager = "{hooks.address("pager")}"\n'
            f'[clients.one.alerts]\nhook = "{hooks.address("one")}"\n'
        )
        assert watch().exit_code == 0
        assert sorted(each.to for each in hooks.messages) == ["one", "pager"]
        (home / ".dlt/secrets.toml").write_text("[on_call\n")
        done = watch()
    assert done.exit_code == 1
    assert ".dlt/secrets.toml is not readable as TOML" in done.output


def test_an_alert_that_reaches_nobody_is_said_and_ends_with_1(home: Path) -> None:
    settle(home, "one")
    done = watch()
    assert done.exit_code == 1
    said = "one: held (google_ads): nobody is told: there is no channel; docs/alerts.md says"
    assert said in done.output
    again = watch()
    assert again.exit_code == 0, "cron mails it once"
    assert "held (google_ads)" in again.output and "nobody" not in again.output


def test_two_watches_at_once_tell_once(home: Path, hooks: Webhooks) -> None:
    command = [sys.executable, "-m", "pipelines", "watch"]
    both = [
        subprocess.Popen(command, cwd=PROJECT, env={**os.environ}, stdout=subprocess.DEVNULL)
        for _ in range(2)
    ]
    assert [each.wait() for each in both] == [0, 0]
    assert [each.subject for each in hooks.messages] == ["one: held (google_ads)"]


def test_one_that_cannot_be_judged_stops_nobody_else(home: Path, hooks: Webhooks) -> None:
    settle(home, "two")
    waiting = home / "lake/two/_waiting"
    ok("two")
    waiting.mkdir(parents=True)
    (waiting / "web.json").write_text("[")
    settle(home, "zoe")
    ok("zoe")
    done = watch()
    assert done.exit_code == 1
    assert "two: cannot be judged: JSONDecodeError" in done.output
    assert len(hooks.messages) == 1
    assert json.loads((home / "watch/zoe.json").read_text())["alerts"] == {}


def test_a_client_whose_file_was_never_right_is_told_to_the_on_call(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ok("one")
    settle(home, "one")
    (home / "clients/new.yaml").write_text("name: New\n")
    with Webhooks() as hooks:
        monkeypatch.setenv("ON_CALL__PAGER", hooks.address("pager"))
        watch()
        watch()
        (message,) = hooks.messages
        assert message.subject == "new: settings cannot be used"
        assert message.text.startswith(
            "client: new\ncause: settings cannot be used\nwhat: clients/new"
        )
        assert "the client is skipped until its file is corrected" in message.text


def test_a_health_check_hears_of_fail_once_and_of_success(
    home: Path, hooks: Webhooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, tomorrow = hooks.ping_address("one-uuid"), DAWN + timedelta(days=1)
    monkeypatch.setenv("CLIENTS__ONE__ALERTS__HEALTHCHECK_URL", address)
    with time_machine.travel(DAWN, tick=False) as clock:
        watch()
        watch()
        assert hooks.pings == ["one-uuid/fail"]
        ok("one")
        publish(DAWN)
        watch()
        watch()
        assert hooks.pings == ["one-uuid/fail", "one-uuid"]
        clock.move_to(DAWN + timedelta(days=1))
        append(event(Run("one", "daily"), "START", tomorrow, "code", this_process()), tomorrow)
        watch()
        watch()
        assert hooks.pings[2:] == ["one-uuid/start"], "its morning has begun"
        clock.shift(3 * 3600)
        watch()
        assert hooks.pings[3:] == ["one-uuid/fail"], "it is late"
        hooks.is_down = True
        publish(DAWN + timedelta(days=1))
        done = watch()
        assert done.exit_code == 1
        assert "healthcheck_url: it did not take the ping: it answered 503" in done.output
        assert "one-uuid" not in done.output


def test_the_metrics_are_those_that_prometheus_reads(home: Path, hooks: Webhooks) -> None:
    with time_machine.travel(DAWN, tick=False):
        settle(home, "two", timezone="UTC")
        ok("two", Status("two", "web", "credentials_expired", "renew them"))
        History(DAWN.date() - timedelta(days=1)).publish("two", datetime.now(timezone.utc))
        watch()
    text = (home / "watch/attribution.prom").read_text()
    samples = {
        (each.name, *each.labels.values()): each.value
        for family in text_string_to_metric_families(text)
        for each in family.samples
    }
    assert samples["attribution_held", "one"] == 1 and samples["attribution_held", "two"] == 0
    assert samples["attribution_late_sources", "two"] == 1
    assert samples["attribution_sources", "two"] == 2
    assert samples["attribution_alerts", "held", "one"] == 1
    assert samples["attribution_published_timestamp_seconds", "two"] == DAWN.timestamp()
    assert samples["attribution_published_rows", "two", "campaigns_v1"] == 64
    deadline = DAWN.replace(hour=8, minute=0).timestamp()
    assert samples["attribution_deadline_timestamp_seconds", "one"] == deadline
    assert samples["attribution_deadline_timestamp_seconds", "two"] == deadline + 3600
    assert ("attribution_published_timestamp_seconds", "one") not in samples
    parts = ("lake", "quarantine", "warehouse", "published", "settled")
    sizes = {part: samples["attribution_client_disk_bytes", "two", part] for part in parts}
    assert sizes["lake"] and sizes["published"] and not sizes["warehouse"]
    assert samples["attribution_lake_files", "two"] == 3  # its settings, and how its sources stand
    size = samples["attribution_disk_size_bytes",]
    assert 0 < samples["attribution_disk_free_bytes",] < size


def test_a_disk_that_is_nearly_full_is_told_to_the_on_call_alone(
    home: Path, hooks: Webhooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once for all clients; it has recovered when there is half as much again, lest it come and go."""
    monkeypatch.setenv("ON_CALL__PAGER", hooks.address("pager"))
    watch()
    heard = len(hooks.messages)
    for free, subject in (
        (11e9, ""),
        (9.5e9, "all clients: disk nearly full"),
        (9.4e9, ""),
        (11e9, ""),
        (16e9, "all clients: recovered: disk nearly full"),
    ):
        monkeypatch.setattr(disk_use, "disk", lambda free=free: Disk(400_000_000_000, int(free)))
        done = watch()
        assert [each.subject for each in hooks.messages[heard:]] == [subject] * bool(subject), free
        is_open = subject.endswith("nearly full") and "recovered" not in subject
        assert ("9.5 of 400 GB are free" in done.output) == is_open
        heard = len(hooks.messages)


def test_a_watch_of_one_client_leaves_the_metrics_of_all(home: Path, hooks: Webhooks) -> None:
    watch()
    before = (home / "watch/attribution.prom").read_text()
    assert CliRunner().invoke(app, ["watch", "--client", "one"]).exit_code == 0
    assert (home / "watch/attribution.prom").read_text() == before
