"""A full export: the newest delivery is what there is, and one that lacks too much waits for a word."""

import json
import os
import random
import signal
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pipelines.ingest import known_rows
from pipelines.ingest.acceptance import waiting_of
from pipelines.ingest.load_counts import Counts
from pipelines.ingest.run import Outcome, ingest
from pipelines.ingest.source_status import statuses
from pipelines.settings.reader import read
from tests.builders.tenant import Tenant
from tests.conftest import House

CONFIRM = "confirm it: make accept CLIENT=one SOURCE=google_ads"


@pytest.fixture
def tenant(house: House) -> Tenant:
    """A client whose spend is exported in full."""
    return Tenant(house.home, delivery="full")


def rows(first: int, last: int) -> list[str]:
    """Return lines of spend, of campaigns with these numbers."""
    return [f"01,c{number},1" for number in range(first, last + 1)]


def live(tenant: Tenant) -> set[str]:
    """Return the campaigns that are live in the lake."""
    return {campaign for (campaign,) in tenant.newest("campaign_id")}


def campaigns(first: int, last: int) -> set[str]:
    """Return the names of the campaigns with these numbers."""
    return {f"c{number}" for number in range(first, last + 1)}


def accepted(house: House) -> str:
    """Confirm what is held by the line that tells it, as typed; return what is printed."""
    typed = CONFIRM.partition(": make ")[2]
    done = house.run("make", "-o", "install", *typed.split())
    assert done.returncode == 0, done.stdout
    return done.stdout


# What lacks too much is held.


@pytest.mark.parametrize(
    "known, delivered, is_held",
    [
        ((1, 100), (1, 80), False),
        ((1, 100), (1, 79), True),
        ((1, 40), (1, 31), False),  # nine rows of forty
        ((1, 3), (1, 1), True),  # two of three
        ((1, 4), (1, 2), False),
        ((1, 2), (1, 1), False),
        ((1, 2), (3, 4), True),  # all ids are new
        ((1, 30), (31, 60), True),
        ((1, 30), (16, 60), True),  # half, though there are more rows than before
    ],
)
def test_a_full_export_that_lacks_too_much_is_held(
    tenant: Tenant, known: tuple[int, int], delivered: tuple[int, int], is_held: bool
) -> None:
    tenant.spend("spend.csv", *rows(*known))
    assert not tenant.ingest().problem  # nothing is known before the first load
    tenant.spend("spend.csv", *rows(*delivered))
    outcome = tenant.ingest()
    assert bool(outcome.problem) == is_held
    assert live(tenant) == campaigns(*(known if is_held else delivered))


def test_a_held_export_says_what_goes_and_how_to_confirm_it(tenant: Tenant, house: House) -> None:
    tenant.spend("spend.csv", *rows(1, 40))
    tenant.ingest()
    cut = tenant.spend("spend.csv", *rows(1, 3))
    outcome = tenant.ingest()
    assert outcome.status.holds and outcome.counts == Counts()
    assert outcome.problem.startswith(
        "spend.csv: it lacks 37 of 40 known rows, such as 2026-10-01 c"
    )
    assert "3 would be left (quality.deletion_limit is 0.2)" in outcome.problem
    assert outcome.problem.endswith(CONFIRM)
    (copy,) = (tenant.home / "lake/one/_refused/google_ads").glob("*-spend.csv")
    assert copy.read_bytes() == cut.read_bytes()
    tenant.spend("spend.csv", *rows(1, 41))  # delivered whole, it needs no word
    assert tenant.ingest().counts == Counts(41, 1, 40)
    refused = house.pipelines("accept", "one", "--source", "google_ads")
    assert refused.returncode == 1 and "nothing of google_ads waits" in refused.stdout


def test_the_limit_is_a_setting(house: House) -> None:
    for limit, is_held in ((0.0, True), (0.9, False), (1.0, False)):
        tenant = Tenant(house.home, f"limit{limit * 10:.0f}", delivery="full", deletion_limit=limit)
        tenant.spend("spend.csv", *rows(1, 100))
        tenant.ingest()
        tenant.spend("spend.csv", *rows(1, 90 if is_held else 12))
        assert bool(tenant.ingest().problem) == is_held
    tenant.spend("spend.csv", *rows(101, 120))
    assert not tenant.ingest().problem  # with 1, not even if every id is new


def test_a_word_takes_that_delivery_and_no_other(tenant: Tenant, house: House) -> None:
    tenant.spend("spend.csv", *rows(1, 40))
    tenant.ingest()
    tenant.spend("spend.csv", *rows(1, 5))
    tenant.ingest()
    printed = accepted(house)
    assert all(word in printed for word in ("spend", "40", "5", "35", "2026-10-01 c"))
    assert "accepted; the next make daily deletes them" in printed
    tenant.spend("spend.csv", *rows(1, 4))
    assert tenant.ingest().problem.endswith(CONFIRM)  # another file asks again
    tenant.spend("spend.csv", *rows(1, 5))
    assert tenant.ingest().counts == Counts(5, 0, 5, 35)
    assert live(tenant) == campaigns(1, 5)
    tenant.spend("spend.csv", *rows(1, 40))
    tenant.ingest()
    tenant.spend("spend.csv", *rows(1, 5))
    assert tenant.ingest().problem.endswith(CONFIRM)  # the word was for the rows known then


def test_words_are_kept_with_their_time(tenant: Tenant, house: House) -> None:
    tenant.spend("spend.csv", *rows(1, 40))
    tenant.ingest()
    for last in (5, 1):
        tenant.spend("spend.csv", *rows(1, last))
        tenant.ingest()
        accepted(house)
        assert not tenant.ingest().problem
    said = [
        json.loads(file.read_text())
        for file in sorted((tenant.home / "lake/one/_accepted/google_ads").iterdir())
    ]
    assert [(word["before"], word["after"], word["deleted"]) for word in said] == [
        (40, 5, 35),
        (5, 1, 4),
    ]
    assert said[0]["accepted_at"] <= said[1]["accepted_at"]


def test_an_export_that_shrinks_slowly_is_held_and_a_word_begins_anew(
    tenant: Tenant, house: House
) -> None:
    for last in (100, 85):
        tenant.spend("spend.csv", *rows(1, last))
        assert not tenant.ingest().problem
    tenant.spend("spend.csv", *rows(1, 72))
    problem = tenant.ingest().problem
    assert "72 rows would be left of the 100 that were known on" in problem
    assert "This one lacks 13 of 85 known rows, such as" in problem
    assert problem.endswith(CONFIRM)
    accepted(house)
    assert tenant.ingest().counts.deleted == 13
    tenant.spend("spend.csv", *rows(1, 62))
    assert tenant.ingest().counts.deleted == 10  # of the 72 that are known since the word


@pytest.mark.parametrize(
    "known, days, most",
    [
        ([], 1, None),
        ([100, 95, 90, 85, 81], 1, 100),
        ([100, 99, 98, 97, 96, 95, 94, 93], 7, 99),  # a weekly one: seven deliveries count
        ([100, 99, 98, 97, 96, 95, 94, 93], 0.25, 100),  # of more in a day, seven days do
        ([100, 120, 110], 1, 120),
        ([100, 70, 65], 1, 70),  # what somebody confirmed is where it begins anew
        ([100, 85, 72, 65], 1, 72),
    ],
)
def test_what_was_known_in_the_last_days_counts(
    monkeypatch: pytest.MonkeyPatch,
    known: list[int],
    days: float,
    most: int | None,
) -> None:
    first = datetime(2026, 11, 1, 5)
    history = [(first + timedelta(days=days * number), rows) for number, rows in enumerate(known)]
    monkeypatch.setattr(known_rows, "_history", lambda table: history)
    found = known_rows.most_known(None, 0.2)  # type: ignore[arg-type]
    assert (found and found[1]) == most


def test_rows_that_come_make_up_for_rows_that_go(tenant: Tenant) -> None:
    """An export of the last days loses a sixth of its rows each day, and gets as many."""
    for first in (1, 17, 33):
        tenant.spend("spend.csv", *rows(first, first + 99))
        assert not tenant.ingest().problem


def killed(function: object, after: bool) -> object:
    """Return a function that kills its process, before or after what it does."""

    def dying(*arguments: object, **options: object) -> None:
        if after:
            function(*arguments, **options)  # type: ignore[operator]
        os.kill(os.getpid(), signal.SIGKILL)

    return dying


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_kill_around_the_word_and_the_load_loses_nothing(
    tenant: Tenant, house: House, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    tenant.spend("spend.csv", *rows(1, 40))
    tenant.ingest()
    tenant.spend("spend.csv", *rows(1, 5))
    tenant.ingest()
    child = os.fork()
    if not child:
        from pipelines.ingest import acceptance

        os.replace = killed(os.replace, after)  # type: ignore[assignment]
        acceptance.accept("one", "google_ads", waiting_of("one", "google_ads")[0])
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    assert bool(tenant.ingest().problem) is not after  # the word was said, or it was not
    if not after:
        accepted(house)
        from pipelines.lake import append

        monkeypatch.setattr(append.dlt.Pipeline, "load", killed(None, after=False))
        list(ingest([client for client in read()[0] if client.id == "one"]))
        monkeypatch.undo()
        assert tenant.ingest().counts.deleted == 35
    assert live(tenant) == campaigns(1, 5)


def test_two_tables_that_lack_too_much_are_told_and_accepted_together(house: House) -> None:
    house.export()
    assert not any(outcome.problem for outcome in house.ingest().values())
    for name in ("events", "clients"):
        file = house.home / f"exports/shop/{name}.csv"
        file.write_text("".join(file.read_text().splitlines(keepends=True)[:3]))
    problem = house.ingest()["shop", "web"].problem
    assert "events.csv: it lacks" in problem and "clients.csv: it lacks" in problem
    assert house.pipelines("accept", "shop", "--source", "web").returncode == 0
    assert house.ingest()["shop", "web"].counts.deleted > 100


# Each file is a whole delivery, or all are parts of one.


def test_the_newest_of_several_files_is_what_there_is(tenant: Tenant) -> None:
    tenant.spend("spend-Nov-1-2026.csv", *rows(2, 12))
    tenant.spend("spend-Oct-31-2026.csv", *rows(1, 10))
    assert tenant.ingest().counts == Counts(21, 12, 9, 1)
    assert live(tenant) == campaigns(2, 12)
    assert tenant.log("rows_deleted", table="exports") == [(0,), (1,)]
    assert tenant.ingest().counts == Counts()


@pytest.mark.slow
def test_any_order_of_arrival_ends_in_the_state_of_the_newest(house: House) -> None:
    dice = random.Random(3)
    for number in range(12):
        tenant = Tenant(house.home, f"order{number}", delivery="full", deletion_limit=1)
        days = {day: rows(dice.randrange(1, 5), dice.randrange(5, 9)) for day in range(27, 32)}
        arrivals = dice.sample(list(days), len(days))
        for day in arrivals:
            tenant.spend(f"spend-Oct-{day}-2026.csv", *days[day])
            if dice.random() < 0.6:
                assert not tenant.ingest().problem
                if dice.random() < 0.3:  # whoever delivers may clean up
                    (tenant.exports / f"spend-Oct-{day}-2026.csv").unlink()
        if not any(tenant.exports.iterdir()):
            tenant.spend("spend-Oct-31-2026.csv", *days[31])
        tenant.ingest()
        assert live(tenant) == {row.split(",")[1] for row in days[31]}, arrivals
        assert tenant.ingest().counts == Counts()


def test_a_delivery_that_comes_late_changes_nothing_and_is_named(tenant: Tenant) -> None:
    newest = tenant.spend("spend-2026-11-02.csv", *rows(1, 10))
    tenant.ingest()
    newest.unlink()
    tenant.spend("spend-2026-11-01.csv", *rows(1, 11))
    outcome = tenant.ingest()
    assert outcome.counts == Counts() and not outcome.problem
    note = "spend-2026-11-01.csv is older than what was loaded, and changes nothing"
    assert outcome.status.notes == [note]
    assert live(tenant) == campaigns(1, 10)


def test_a_newer_delivery_takes_the_place_of_one_that_was_held_or_refused(tenant: Tenant) -> None:
    tenant.spend("spend-2026-11-01.csv", *rows(1, 40))
    tenant.ingest()
    tenant.spend("spend-2026-11-02.csv", *rows(1, 3))
    assert tenant.ingest().status.holds
    tenant.deliver("spend-2026-11-03.csv", "a,b\n1,2\n")
    assert "missing column" in tenant.ingest().problem
    tenant.spend("spend-2026-11-04.csv", *rows(1, 41))
    outcome = tenant.ingest()
    assert outcome.counts == Counts(41, 1, 40) and not outcome.problem
    cut, broken = outcome.status.notes
    assert "newer delivery is there: spend-2026-11-03.csv: missing column" in cut + broken
    assert "newer delivery is there: spend-2026-11-02.csv: it lacks 37 of 40" in cut + broken
    assert tenant.ingest().counts == Counts()


def test_parts_that_are_taken_for_deliveries_are_held_until_they_are_said_to_be_parts(
    tenant: Tenant,
) -> None:
    tenant.spend("spend-1.csv", *rows(1, 10))
    tenant.spend("spend-2.csv", *rows(11, 20))
    problem = tenant.ingest().problem
    assert problem.startswith("spend-2.csv: it has none of the 10 known rows")
    assert problem.endswith(
        "write in clients/one.yaml under sources.google_ads.spend: `parts: true`"
        " if the 2 files are parts of one delivery"
    )
    tenant.setting("parts: true")
    assert not tenant.ingest().problem
    assert live(tenant) == campaigns(1, 20)


def test_a_part_that_is_gone_is_named_and_its_rows_stay_until_a_word(
    tenant: Tenant, house: House
) -> None:
    tenant.setting("parts: true")
    tenant.spend("spend-1.csv", *rows(1, 30))
    half = tenant.spend("spend-2.csv", *rows(31, 60))
    few = tenant.spend("spend-3.csv", "01,few,1.5")
    tenant.ingest()
    half.unlink()
    problem = tenant.ingest().problem
    assert "spend-2.csv, a part of this export, is gone (30 rows, 30.00 of cost)" in problem
    assert "it lacks 30 of 61 known rows" in problem
    tenant.spend("spend-2.csv", *rows(31, 60))
    assert tenant.ingest().counts == Counts()
    few.unlink()
    for counts in (Counts(60, 0, 60), Counts()):
        outcome = tenant.ingest()
        assert (outcome.counts, outcome.problem) == (counts, "")
        (note,) = outcome.status.notes
        assert "spend-3.csv, a part of this export, is gone (1 row, 1.50 of cost)" in note
        assert note.endswith(f"if they are gone, {CONFIRM}")
        assert "few" in live(tenant)
    assert "2026-10-01 few" in accepted(house)
    assert tenant.ingest().counts == Counts(60, 0, 60, 1)
    assert tenant.ingest().counts == Counts() and not waiting_of("one", "google_ads")


def test_parts_with_a_new_name_each_day_delete_what_they_lack(tenant: Tenant) -> None:
    tenant.setting("parts: true")
    for day, (first, last) in {"01": (1, 20), "02": (1, 20), "03": (2, 19)}.items():
        for path in tenant.exports.iterdir():
            path.unlink()
        tenant.spend(f"spend-2026-11-{day}-1.csv", *rows(first, 10))
        tenant.spend(f"spend-2026-11-{day}-2.csv", *rows(11, last))
        assert not tenant.ingest().problem
    assert live(tenant) == campaigns(2, 19)
    (tenant.exports / "spend-2026-11-03-2.csv").unlink()
    problem = tenant.ingest().problem
    assert (
        "spend-2026-11-01-2.csv, a part of this export, is gone (9 rows, 9.00 of cost)" in problem
    )
    assert live(tenant) == campaigns(2, 19)


def taken_together(tenant: Tenant) -> None:
    """Load two files as one delivery, as it was done before there was `parts:`."""
    tenant.setting("parts: true")
    tenant.spend("spend-1.csv", *rows(1, 34))
    tenant.spend("spend-2.csv", *rows(1, 3))
    assert not tenant.ingest().problem
    tenant.settings.write_text(tenant.settings.read_text().replace("      parts: true\n", ""))


def test_files_that_were_taken_together_are_asked_about_once(tenant: Tenant) -> None:
    taken_together(tenant)
    for _ in range(2):
        outcome = tenant.ingest()
        assert outcome.status.holds
        assert "As parts: 34 rows; the newest file alone (spend-2.csv): 3 rows" in outcome.problem
        assert outcome.problem.endswith(
            "under sources.google_ads.spend: `parts: true` if they are parts of one delivery,"
            " or `parts: false` if each is whole"
        )
    tenant.setting("parts: true")
    assert tenant.ingest().counts == Counts() and live(tenant) == campaigns(1, 34)
    tenant.setting("parts: false")
    assert tenant.ingest().counts.deleted == 31  # the line was the word
    assert live(tenant) == campaigns(1, 3)
    assert tenant.ingest().counts == Counts()
    tenant.spend("spend-3.csv", *rows(1, 1))
    assert "it lacks 2 of 3 known rows" in tenant.ingest().problem


def test_a_line_that_decides_takes_nothing_unseen(tenant: Tenant) -> None:
    taken_together(tenant)
    tenant.setting("parts: false")
    tenant.spend("spend-3.csv", "01,c1,1")  # after the counts were shown
    assert "spend-3.csv: it lacks 2 of 3 known rows" in tenant.ingest().problem


def test_whole_deliveries_of_which_the_newest_cannot_be_told_are_refused(tenant: Tenant) -> None:
    for name, last in (("east", 20), ("west", 19)):
        path = tenant.spend(f"spend-{name}.csv", *rows(1, last))
        os.utime(path, (5, 5))
    problem = tenant.ingest().problem
    assert problem.startswith("which of spend-east.csv and spend-west.csv is the newest delivery")
    assert "`ordered_by: name` if the last in the order of names is the newest" in problem
    tenant.setting("ordered_by: name")
    assert not tenant.ingest().problem
    assert live(tenant) == campaigns(1, 19)


# Increments: what is newer wins, whenever it comes.


def cost_of_a(tenant: Tenant) -> str:
    """Return the cost of campaign `a` that holds."""
    ((cost,),) = tenant.newest("cost")
    return cost


@pytest.mark.parametrize("at_once", [True, False])
def test_a_restated_day_wins_by_its_own_time(house: House, at_once: bool) -> None:
    tenant = Tenant(house.home)
    tenant.spend("spend-Nov-1-2026.csv", "31,a,65")
    if not at_once:
        tenant.ingest()
    tenant.spend("spend-Oct-31-2026.csv", "31,a,60")
    tenant.ingest()
    assert cost_of_a(tenant) == "65"
    tenant.spend("spend-Nov-2-2026.csv", "31,a,66")
    assert tenant.ingest().counts == Counts(1, 1)
    assert cost_of_a(tenant) == "66"
    tenant.spend("spend-Oct-31-2026.csv", "31,a,61")  # written over: its content is the newest
    tenant.ingest()
    assert cost_of_a(tenant) == "61"


def test_an_increment_that_comes_after_newer_ones_are_gone_is_named(house: House) -> None:
    tenant = Tenant(house.home)
    gone = tenant.spend("spend-2026-11-01.csv", "31,a,65")
    tenant.ingest()
    gone.unlink()
    tenant.spend("spend-2026-11-03.csv", "31,a,66")
    assert not tenant.ingest().status.notes
    tenant.spend("spend-2026-10-31.csv", "30,a,60")
    assert tenant.ingest().status.notes == [
        "spend-2026-10-31.csv is older than files that were loaded and are gone; where they differ,"
        " it holds"
    ]


def test_files_of_unknown_order_are_refused_only_if_they_contradict(house: House) -> None:
    tenant = Tenant(house.home)
    for name in ("east", "west"):
        os.utime(tenant.spend(f"spend-{name}.csv", f"01,{name},1", "02,both,1"), (5, 5))
    assert tenant.ingest().counts == Counts(4, 3, 1)
    for name, cost in (("north", "1"), ("south", "2")):
        os.utime(tenant.spend(f"spend-{name}.csv", f"03,both,{cost}"), (5, 5))
    problem = tenant.ingest().problem
    assert problem.startswith("which of spend-north.csv and spend-south.csv is newer")
    assert "They differ in 1 rows, such as 2026-10-03 both" in problem
    tenant.setting("ordered_by: name")
    assert not tenant.ingest().problem
    assert ("2026-10-03", "2") in tenant.newest("spend_date, cost")


def test_a_column_may_tell_the_time_of_a_delivery(tenant: Tenant) -> None:
    tenant.setting("ordered_by: {column: exported_at}")
    head = "spend_date,campaign_id,cost,clicks,campaign,impressions,exported_at\n"
    line = "2026-10-01,{},1,1,Brand,100,{}\n"
    newer = head + line.format("c1", "2026-11-02T05:00:00Z")
    older = head + line.format("c1", "2026-11-01T05:00:00Z") + line.format("c2", "2026-10-31")
    tenant.deliver("spend-1.csv", newer)
    tenant.deliver("spend-2.csv", older)
    assert not tenant.ingest().problem
    assert live(tenant) == {"c1"}
    tenant.deliver("spend-3.csv", head + line.format("c1", "some day"))
    assert "not each value of its column exported_at is a time" in tenant.ingest().problem


# A line that is no row.


def torn(tenant: Tenant, *lines: str, end: str = "\n") -> Outcome:
    """Deliver four rows, then two of them with some lines that are no rows; return the second outcome."""
    tenant.spend("spend.csv", *rows(1, 4))
    tenant.ingest()
    path = tenant.spend("spend.csv", *rows(1, 2))
    path.write_text(path.read_text() + "\n".join(lines) + end)
    return tenant.ingest()


def test_a_footer_does_not_switch_deletion_off(tenant: Tenant) -> None:
    outcome = torn(tenant, '"Copyright (c) 2000-2026, all rights reserved."', '"Confidential"')
    assert outcome.counts.deleted == 2
    assert outcome.status.notes == ["spend.csv: skipped 2 lines: footer"]
    assert live(tenant) == campaigns(1, 2)


def test_a_torn_line_keeps_the_row_that_it_names_and_says_so(tenant: Tenant, house: House) -> None:
    outcome = torn(tenant, "2026-10-01,c3,1")
    assert outcome.counts.deleted == 0  # both are of the day that the line names
    said = "nothing was deleted: spend.csv: line 4 is torn and may hold any key (2 rows are kept)"
    assert outcome.status.notes == [said] and outcome.status.code == "ok"
    client = next(client for client in read()[0] if client.id == "one")
    tenant.ingest()  # nothing is read, and it still holds
    assert [status.notes for status in statuses(client)] == [[said]]
    done = house.pipelines("status", "--client", "one")
    assert said in done.stdout and done.returncode == 0
    tenant.spend("spend.csv", "01,c1,costs", "01,c2,costs")
    refused = tenant.ingest().status
    assert refused.code == "refused"
    assert [note.split(" UTC: ")[1] for note in refused.notes] == [said]  # of the load before


def test_a_line_that_the_end_of_its_file_cuts_may_hold_any_key(tenant: Tenant) -> None:
    outcome = torn(tenant, "2026-", end="")
    assert outcome.counts.deleted == 0
    assert outcome.status.notes[0].startswith("nothing was deleted: spend.csv: line 4 is torn")
    assert live(tenant) == campaigns(1, 4)


def test_a_torn_line_keeps_a_deal_by_either_form_of_its_id(house: House) -> None:
    tenant = Tenant(house.home)
    tenant.settings.write_text(f"{tenant.settings.read_text()}      delivery: full\n")
    head = "opportunity_id,customer_id,stage,is_won,closed_at,amount,currency\n"
    deal = "006A0000006Vm9{},,Open,no,2026-10-01,1,EUR\n"
    tenant.deliver("deals.csv", head + "".join(map(deal.format, ("aIAC", "rIAC", "zIAC"))))
    tenant.ingest("salesforce")
    tenant.deliver("deals.csv", head + deal.format("aIAC") + "006A0000006Vm9r,Open\n")
    outcome = tenant.ingest("salesforce")
    assert outcome.counts.deleted == 1
    assert outcome.status.notes == [
        "1 rows were not deleted: deals.csv: line 3 is torn and may hold their keys"
    ]


# One morning.


@pytest.mark.slow
def test_a_cut_export_holds_the_morning_until_it_is_confirmed(served: House) -> None:
    file = served.home / "exports/acme/opportunities.jsonl"
    whole = file.read_text().splitlines(keepends=True)
    before = served.published("acme")
    file.write_text("".join(whole[:3]))
    served.ingest()
    report = served.serve()["acme"]
    assert report.result == "held"
    assert "make accept CLIENT=acme SOURCE=salesforce" in " ".join(report.reasons)
    assert served.published("acme") == before
    assert served.pipelines("accept", "acme", "--source", "salesforce").returncode == 0
    served.ingest()
    report = served.serve()["acme"]
    assert report.result == "published" and report.published
    assert float(report.published.revenue) < 1000
    assert Path(file).exists()
