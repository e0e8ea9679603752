"""Provisional credit in the published files: shown within minutes, corrected, settled, and never in the way."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from random import Random

import duckdb
import pytest
import time_machine

from pipelines.commands.client_states import state_of
from pipelines.explaining.causes import Cause
from pipelines.explaining.conversion import explain
from pipelines.explaining.number_changes import changes
from pipelines.fastpath.computing import why_not_ahead
from pipelines.fastpath.interval import Interval
from pipelines.fastpath.publishing import publish_changes, publish_provisional
from pipelines.fastpath.rendered_models import not_rendered
from pipelines.home import lake_folder
from pipelines.lake.loads import seen_from
from pipelines.published import old_versions
from pipelines.published.models_file import write_models
from pipelines.published.old_versions import prune, prune_provisional
from pipelines.published.opening import published
from pipelines.published.rolling_back import show_version
from pipelines.published.staleness import why_behind
from pipelines.published.version_folders import (
    current,
    provisional_versions,
    settled_of,
    shows_provisional,
    versions_of,
    view_file,
    whole_versions,
    written_at,
)
from pipelines.settings.kept_versions import PublishedFiles
from tests.builders.crm_writer import CrmWorld
from tests.builders.histories import DAY, deal, mornings, session
from tests.builders.lake_writer import START, Load, invent
from tests.builders.prepared_clients import CLOSED, CRM, WEB, Prepared, loaded, run, seen, write
from tests.builders.settling import settle

pytestmark = pytest.mark.xdist_group("fast_path")  # its models are rendered once

NIGHT, NOON = START + timedelta(hours=22), START + DAY + timedelta(hours=12)
WON = loaded(deal(3, "bob", CLOSED), NOON)
CREDIT = "deals_publish.attribution_v1"


@pytest.fixture
def deals(fresh: Callable[[str], Prepared]) -> Prepared:
    """A client whose night is settled: deals 1 and 2 are won, deal 3 is open."""
    prepared = fresh("deals")
    write("deals", [WEB, CRM])
    settle(run(prepared, seen([WEB, CRM]), NIGHT), "deals", prepared.text)
    return prepared


def rows(query: str) -> list[tuple]:
    """Return what an outsider reads."""
    with duckdb.connect() as reader:
        reader.execute(f"ATTACH '{view_file('deals')}' AS deals (READ_ONLY); USE deals")
        return reader.execute(query).fetchall()


def tables(but: str = "('')") -> dict[str, list[tuple]]:
    """Return all published rows by table, but for some columns."""
    with published("deals") as opened:
        names = opened.execute(
            "SELECT view_name FROM duckdb_views() WHERE schema_name = 'deals_publish'"
        ).fetchall()
        return {
            name: opened.execute(
                f"SELECT COLUMNS(name -> NOT name IN {but}) FROM deals_publish.{name} ORDER BY ALL"
            ).fetchall()
            for (name,) in names
        }


def batch(prepared: Prepared, history: list[Load], but: str = "('')") -> dict[str, list[tuple]]:
    """Return the same as a run alone publishes it."""
    warehouse = run(prepared, seen(history), NOON + DAY)
    return {
        name.removeprefix("publish."): warehouse.execute(
            f"SELECT COLUMNS(name -> NOT name IN {but}) FROM deals_{name} ORDER BY ALL"
        ).fetchall()
        for name in prepared.models.queries
        if name.startswith("publish.")
    }


def test_a_deal_that_was_won_is_in_every_published_table(deals: Prepared) -> None:
    (settled,) = whole_versions("deals")
    assert publish_provisional(deals.client).version is None  # nothing is new
    write("deals", [WON])

    done = publish_provisional(deals.client)

    assert (done.conversions, done.problems) == (1, ()) and done.version == current("deals").version
    assert done.version.endswith("-provisional") and whole_versions("deals") == [settled]
    flagged = "SELECT DISTINCT conversion_id, is_provisional, provisional_since"
    assert rows(f"{flagged} FROM {CREDIT} ORDER BY ALL") == [
        ("deal-1", False, None),
        ("deal-2", False, None),
        ("deal-3", True, seen_from(NOON)),
    ]
    fresh = "SELECT provisional_conversions, provisional_since, loaded_until, revenue"
    assert rows(f"{fresh} FROM deals_publish.freshness_v1") == [
        (1, seen_from(NOON), seen_from(NOON), 300)
    ]
    assert rows("SELECT SUM(revenue) FROM deals_publish.campaigns_v1") == [(300,)]
    flags = "('is_provisional', 'provisional_since', 'provisional_conversions')"
    assert tables(flags) == batch(deals, [WEB, CRM, WON], flags)
    state = state_of(deals.client, [], {}, [], datetime.now(timezone.utc))
    since = f"since {seen_from(NOON):%Y-%m-%d %H:%M} UTC"
    said = f"1 conversion is provisional {since}: the next run settles them"
    assert said in {each.what for each in state.waiting}
    assert state.published.provisional_conversions == 1
    assert publish_provisional(deals.client).version is None  # it is shown already
    assert publish_provisional(deals.client).conversions == 1
    assert why_behind("deals") == ""


CORRECTIONS = {
    "reopened": deal(3, "bob", CLOSED) | {"is_won": "false", "closed_at": None},
    "lost": deal(3, "bob", CLOSED) | {"is_won": "false", "stage": "Closed Lost"},
    "deleted": deal(3, "bob", CLOSED) | {"is_deleted": True},
    "another's": deal(3, "ann", CLOSED),
    "amount": deal(3, "bob", CLOSED) | {"amount": "0.01"},
    "date": deal(3, "bob", "2026-08-30 14:30:00"),
    "a late session": session(9, "2026-08-31 09:00:00", customer_id="bob"),
}


@pytest.mark.parametrize("news", CORRECTIONS)
def test_credit_is_corrected_before_a_run_settles_it(deals: Prepared, news: str) -> None:
    (settled,) = whole_versions("deals")
    write("deals", [WON])
    first = publish_provisional(deals.client).version
    correction = loaded(CORRECTIONS[news], NOON + timedelta(minutes=3))
    write("deals", [correction])

    done = publish_provisional(deals.client)

    is_taken_back = news in ("reopened", "lost", "deleted")
    assert done.version == settled if is_taken_back else done.version > first
    but = "('is_provisional', 'provisional_since', 'provisional_conversions', 'loaded_until')"
    assert tables(but) == batch(deals, [WEB, CRM, WON, correction], but)
    assert shows_provisional("deals") is not is_taken_back


def test_a_load_that_changes_no_number_makes_no_version(deals: Prepared) -> None:
    write("deals", [WON])
    publish_provisional(deals.client)
    write("deals", [loaded(deal(4, "bob", CLOSED) | {"is_won": "false"}, NOON + DAY)])

    assert publish_provisional(deals.client).version is None
    assert len(provisional_versions("deals")) == 1


def test_a_run_settles_what_it_has_seen_and_the_rest_stays_shown(deals: Prepared) -> None:
    write("deals", [WON])
    publish_provisional(deals.client)
    later = loaded(deal(2, "bob", CLOSED) | {"amount": "50"}, NOON - timedelta(hours=5))
    write("deals", [later])

    # The run began before the deal was won, and ends after its credit was shown.
    settle(run(deals, seen([WEB, CRM, later]), NOON - timedelta(hours=1)), "deals", deals.text)
    assert len(whole_versions("deals")) == 2 and shows_provisional("deals")
    assert rows(f"SELECT COUNT(*) FROM {CREDIT} WHERE is_provisional") == [(1,)]
    done = publish_provisional(deals.client)
    assert (done.conversions, done.problems) == (1, ()) and shows_provisional("deals")
    earned = f"SELECT SUM(attributed_revenue), BOOL_OR(is_provisional) FROM {CREDIT} GROUP BY conversion_id"
    assert rows(f"{earned} ORDER BY conversion_id") == [(100, False), (50, False), (100, True)]

    settle(run(deals, seen([WEB, CRM, later, WON]), NOON + DAY), "deals", deals.text)
    done = publish_provisional(deals.client)
    assert (done.version, done.conversions) == (whole_versions("deals")[-1], 0)
    assert done.replaced == 0
    assert tables() == batch(deals, [WEB, CRM, later, WON])


def test_models_that_say_of_no_row_that_it_is_provisional_are_told_with_the_remedy(
    deals: Prepared,
) -> None:
    """As those of a client that was promoted before there was provisional credit."""
    remedy = "make preview CLIENT=deals, then make promote CLIENT=deals"
    (version,) = whole_versions("deals")
    assert why_not_ahead("deals") == ""
    write_models(settled_of("deals") / version, not_rendered(f"no column is_provisional: {remedy}"))
    write("deals", [WON])

    (problem,) = publish_provisional(deals.client).problems
    assert problem == f"deals: {why_not_ahead('deals')}" and remedy in problem
    assert problem.endswith("make daily credits all deals meanwhile")


def test_what_a_run_settles_otherwise_is_counted(deals: Prepared) -> None:
    fifty = loaded(deal(2, "bob", CLOSED) | {"amount": "50"}, NOON + timedelta(minutes=1))
    write("deals", [WON, fifty])
    assert publish_provisional(deals.client).conversions == 2
    late = loaded(deal(3, "bob", CLOSED) | {"amount": "7"}, NOON + timedelta(minutes=2))
    ahead = loaded(deal(1, "ann", CLOSED) | {"amount": "8"}, NOON + timedelta(hours=6))
    write("deals", [late, ahead])
    settled = run(deals, seen([WEB, CRM, WON, fifty, late]), NOON + timedelta(hours=1))
    settle(settled, "deals", deals.text)

    # The run says that it has read all loads up to its own moment: deal 1 is ahead of that.
    done = publish_changes("deals", read_before=seen_from(NOON + timedelta(hours=1)))

    assert (done.conversions, done.replaced) == (1, 1)  # deal 3 was shown over 100


def test_where_a_run_has_read_all_loads_nothing_is_computed_once_more(
    deals: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("deals", [WON])
    publish_provisional(deals.client)
    late = loaded(deal(3, "bob", CLOSED) | {"amount": "7"}, NOON + timedelta(minutes=2))
    write("deals", [late])
    settle(run(deals, seen([WEB, CRM, WON, late]), NOON + DAY), "deals", deals.text)
    monkeypatch.delattr(Interval, "compute")

    done = publish_changes("deals", read_before=seen_from(NOON + DAY))

    assert (done.version, done.conversions) == (whole_versions("deals")[-1], 0)
    assert (done.problems, done.replaced) == ((), 1)
    assert tables() == batch(deals, [WEB, CRM, WON, late])


def test_what_a_run_would_hold_keeps_what_is_shown(deals: Prepared) -> None:
    write("deals", [WON])
    shown = publish_provisional(deals.client).version
    abroad = loaded(deal(4, "ann", CLOSED) | {"currency": "USD"}, NOON + timedelta(hours=1))
    write("deals", [abroad])

    done = publish_provisional(deals.client)

    (problem,) = done.problems
    assert problem.startswith("deals: deals_marts.gate: audit money_priced failed, 1 row(s)")
    assert done.version is None and current("deals").version == shown

    # Of a newer settled version, the rows that failed are not shown, and the others are.
    settle(run(deals, seen([WEB, CRM, WON]), NOON + timedelta(minutes=5)), "deals", deals.text)
    done = publish_provisional(deals.client)
    assert done.problems == (problem,) and done.version == whole_versions("deals")[-1]
    assert rows(f"SELECT COUNT(DISTINCT conversion_id) FROM {CREDIT}") == [(3,)]


@pytest.mark.parametrize(
    "source, waits", {"salesforce": True, "web": True, "google_ads": False}.items()
)
def test_credit_waits_for_a_source_that_it_is_computed_from(
    deals: Prepared, source: str, waits: bool
) -> None:
    write("deals", [WON])
    status = {"source": source, "code": "refused", "problem": "sessions.csv: deliver it whole"}
    file = lake_folder() / "deals" / source / "status.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(status))

    done = publish_provisional(deals.client)

    said = (f"deals: {source}: sessions.csv: deliver it whole",)
    assert done.problems == (said if waits else ()) and (done.version is None) is waits


def test_versions_with_provisional_rows_are_in_nobodys_way(
    deals: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = lambda: publish_provisional(deals.client)  # noqa: E731
    settle(run(deals, seen([WEB, CRM]), NIGHT), "deals", deals.text)
    write("deals", [WON])
    settle(run(deals, seen([WEB, CRM, WON]), NOON + timedelta(hours=1)), "deals", deals.text)
    first, second = whole_versions("deals")
    for minute in range(3):
        amount = {"amount": f"{minute}.01"}
        write(
            "deals", [loaded(deal(3, "bob", CLOSED) | amount, NOON + timedelta(hours=2 + minute))]
        )
        publish()
    assert len(provisional_versions("deals")) == 3 and whole_versions("deals") == [first, second]

    with time_machine.travel(datetime.now(timezone.utc) + timedelta(hours=2), tick=True):
        write(
            "deals", [loaded(deal(3, "bob", CLOSED) | {"amount": "7"}, NOON + timedelta(hours=8))]
        )
        shown = publish().version
    assert provisional_versions("deals")[-1] == shown and len(provisional_versions("deals")) == 2
    with time_machine.travel(datetime.now(timezone.utc) + timedelta(days=90), tick=True):
        prune("deals", PublishedFiles())
    assert whole_versions("deals") == [first, second] and current("deals").version == shown

    monkeypatch.setattr(old_versions, "_MOST_PROVISIONAL", 1)
    prune_provisional("deals")
    assert provisional_versions("deals") == [shown]

    show_version("deals", first)  # what stands on the second would follow it again
    (problem,) = publish().problems
    assert f"deals.duckdb shows the version {first}, and there is a newer one" in problem
    assert problem.endswith(f"make rollback CLIENT=deals VERSION={second}")
    show_version("deals", second)
    assert publish().conversions == 1


def test_a_file_that_did_not_change_is_a_link_and_a_reader_keeps_its_version(
    deals: Prepared,
) -> None:
    (settled,) = whole_versions("deals")
    with duckdb.connect(str(view_file("deals")), read_only=True) as reader:
        write("deals", [WON])
        shown = publish_provisional(deals.client).version
        same = "channel_values_v1.parquet"  # by what was learnt; nobody earned by it
        assert (versions_of("deals") / settled / same).samefile(versions_of("deals") / shown / same)
        for minute in range(3):
            amount = {"amount": f"{minute}.01"}
            write(
                "deals",
                [loaded(deal(3, "bob", CLOSED) | amount, NOON + timedelta(hours=1 + minute))],
            )
            publish_provisional(deals.client)
            count = f"SELECT COUNT(DISTINCT conversion_id) FROM {CREDIT}"
            assert reader.execute(count).fetchall() == [(2,)] and rows(count) == [(3,)]


def test_provisional_numbers_are_explained_as_such(deals: Prepared) -> None:
    (settled,) = whole_versions("deals")
    write("deals", [WON])
    publish_provisional(deals.client)

    found = explain(deals.client, "deal-3")

    assert found.version == current("deals").version and found.credit[0]["is_provisional"]
    assert {row.key for row in found.rows} >= {"deal-3"}  # by the load that no run has settled
    moved = changes(deals.client, written_at(settled))
    assert [(row.cause, row.revenue) for row in moved.causes] == [(Cause.PROVISIONAL, 100)]
    assert (moved.before, moved.after) == (settled, found.version)


@pytest.mark.parametrize("name", ["accounts", "shop"])
def test_every_conversion_of_a_history_is_explained(
    fresh: Callable[[str], Prepared], name: str
) -> None:
    random, prepared = Random(0), fresh(name)
    history = invent(random, prepared.client, 20, 12, CrmWorld if name == "accounts" else None)
    write(name, history)
    until = max(load.at for load in history) + timedelta(minutes=5)
    warehouse = run(prepared, seen(history), until)
    settle(warehouse, name, prepared.text)
    conversions = warehouse.execute(
        f"SELECT DISTINCT conversion_id FROM {name}_journeys.conversions"
    ).fetchall()

    found = {each: explain(prepared.client, each) for (each,) in conversions}

    assert len(found) > 5
    for conversion, explained in found.items():
        earned = [touch.credit for touch in explained.touches]
        assert explained.rows and any(row.key[:15] == conversion[:15] for row in explained.rows)
        assert bool(earned) != bool(explained.reasons) or not explained.credit[0]["is_counted"]
        assert not earned or sum(earned) == pytest.approx(1)
        weights = [touch.weight for touch in explained.touches if touch.weight is not None]
        assert name == "accounts" or len(weights) == len(earned)
        for weight, credit in zip(weights, earned):
            assert weight / sum(weights) == pytest.approx(credit)


def test_causes_tell_all_of_the_deals_of_accounts(fresh: Callable[[str], Prepared]) -> None:
    """Leads, contacts and milestones move credit without a touchpoint or a deal that changed."""
    random, prepared = Random("accounts1"), fresh("accounts")
    history = seen(invent(random, prepared.client, 24, 14, CrmWorld))
    for until in mornings(random, history, 3):
        until = until.replace(microsecond=0)
        known = [load for load in history if load.at < until]
        settle(run(prepared, known, until), "accounts", prepared.text)

    found = changes(prepared.client, written_at(whole_versions("accounts")[0]))

    causes = {row.cause for row in found.causes}
    assert causes and Cause.OTHER not in causes
