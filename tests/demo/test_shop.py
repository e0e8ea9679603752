"""The three tables of a shop, worked out again in plain Python from its exports."""

import csv
from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.serving.warehouse import Warehouse
from tests.builders.lake_writer import row_key
from tests.conftest import PROJECT, House

pytestmark = pytest.mark.xdist_group("shop")  # its house is furnished once

WINDOW = timedelta(days=30)
HEAD = (
    "client_id,event_type,event_time,session_id,channel,campaign_id,utm_source,utm_medium,page_url,"
    "referrer_url,revenue,product_id,product_category"
)

# Client, event, time, channel, revenue.
EDGES = """
window page_view 2026-05-01T12:00:00 email -
window purchase 2026-05-31T12:00:00 direct 10.00
late page_view 2026-05-01T11:59:59 email -
late purchase 2026-05-31T12:00:00 direct 11.00
same page_view 2026-06-01T10:00:00 email -
same page_view 2026-06-02T10:00:00 social -
same purchase 2026-06-02T10:00:00 social 12.00
after purchase 2026-06-02T10:00:00 social 13.00
after page_view 2026-06-02T10:00:01 social -
direct page_view 2026-06-01T10:00:00 direct -
direct page_view 2026-06-02T10:00:00 direct -
direct purchase 2026-06-02T11:00:00 direct 14.00
mixed page_view 2026-06-01T10:00:00 direct -
mixed page_view 2026-06-01T11:00:00 paid_search -
mixed page_view 2026-06-01T12:00:00 email -
mixed page_view 2026-06-01T13:00:00 direct -
mixed purchase 2026-06-01T14:00:00 direct 15.00
faded page_view 2026-05-01T10:00:00 email -
faded page_view 2026-06-20T10:00:00 direct -
faded purchase 2026-06-20T11:00:00 direct 16.00
twice page_view 2026-06-01T10:00:00 email -
twice purchase 2026-06-01T11:00:00 email 17.00
twice page_view 2026-06-02T10:00:00 social -
twice purchase 2026-06-02T11:00:00 social 18.00
tied page_view 2026-06-01T10:00:00 email -
tied page_view 2026-06-01T10:00:00 social -
tied page_view 2026-06-01T10:00:00 paid_search -
tied purchase 2026-06-01T11:00:00 email 19.00
midnight page_view 2026-06-01T23:59:59 email -
midnight purchase 2026-06-02T00:00:00 email 20.00
silent page_view 2026-06-01T10:00:00 - -
silent purchase 2026-06-01T11:00:00 - 21.00
refund page_view 2026-06-01T10:00:00 email -
refund purchase 2026-06-01T11:00:00 email -22.00
nobody purchase 2026-06-01T11:00:00 direct 0.00
resent purchase 2026-06-01T11:00:00 direct 23.00
resent purchase 2026-06-01T11:00:00 direct 23.00
"""


def oracle(events: Path) -> dict[str, list[tuple]]:
    """Return the three tables, from an export."""
    with events.open(newline="") as file:
        rows = [
            {key: text.strip() or None for key, text in row.items()} for row in csv.DictReader(file)
        ]
    rows = list({tuple(row.items()): row for row in rows}.values())  # a row sent twice is one event
    first, last, reached = [], [], defaultdict(list)
    for purchase in rows:
        if purchase["event_type"] != "purchase":
            continue
        bought_at, revenue = _time(purchase), Decimal(purchase["revenue"])
        views = sorted(
            (_time(row), row_key("web", "events", row), row["channel"] or "direct")
            for row in rows
            if row["event_type"] == "page_view"
            and row["client_id"] == purchase["client_id"]
            and bought_at - WINDOW <= _time(row) <= bought_at
        )
        path = [view for view in views if view[2] != "direct"] or views
        for table, end in ((first, 0), (last, -1)):
            touched_at, _, channel = path[end] if path else (None, None, "unattributed")
            days = (bought_at.date() - touched_at.date()).days if touched_at else None
            row = (purchase["client_id"], bought_at, channel, revenue, touched_at, days)
            table.append((*row, False, None))  # a run settles what it publishes
        reached[first[-1][2]].append((purchase, revenue, 0))
        if last[-1][2] == first[-1][2]:
            reached[first[-1][2]][-1] = (purchase, revenue, revenue)
        else:
            reached[last[-1][2]].append((purchase, 0, revenue))
    performance = [
        (
            channel,
            sum(opened for _, opened, _ in purchases),
            sum(closed for _, _, closed in purchases),
            len(purchases),
            len({purchase["client_id"] for purchase, _, _ in purchases}),
        )
        for channel, purchases in reached.items()
    ]
    return {
        "first_touch_attribution": sorted(first, key=repr),
        "last_touch_attribution": sorted(last, key=repr),
        "channel_performance": sorted(performance),
    }


def _time(row: dict) -> datetime:
    return datetime.fromisoformat(row["event_time"])


def _exports(folder: Path) -> None:
    lines = [line.replace("-\n", "\n").split() for line in EDGES.strip().splitlines()]
    events = [
        f"{client},{event},{time},{i},{channel.strip('-')},,,,/,,{revenue if event == 'purchase' else ''},,"
        for i, (client, event, time, channel, revenue) in enumerate(lines)
    ]
    events[-1] = events[-2]
    (folder / "events.csv").write_text("\n".join([HEAD, *events, ""]))
    (folder / "clients.csv").write_text(
        "client_id,registration_date,cohort,customer_segment\nwindow,2026-05-01,2026-Q2,new_customer\n"
    )


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> House:
    """Return a house of two shops: the demo's, and one of edge cases."""
    house = House(tmp_path_factory.mktemp("shops")).enter()
    (house.home / "clients").mkdir()
    settings = (PROJECT / "clients/shop.yaml").read_text()
    names = ["shop", "edges"]
    for name in names:
        (house.home / f"clients/{name}.yaml").write_text(
            settings.replace("exports/shop", f"exports/{name}")
        )
        (house.home / f"exports/{name}").mkdir(parents=True)
    house.export()
    _exports(house.home / "exports/edges")
    outcomes = house.ingest()
    assert not [
        outcome for outcome in outcomes.values() if outcome.problem or outcome.counts.quarantined
    ]
    house.backdate(days=2)
    warehouse = Warehouse("home")
    warehouse.plan("daily", names, backfill=False)
    assert warehouse.run("daily", names) == {}
    warehouse.close()
    return house


@pytest.mark.parametrize("name", ["shop", "edges"])
def test_a_shop_gets_what_its_events_say(shops: House, name: str) -> None:
    expected = oracle(shops.home / f"exports/{name}/events.csv")

    found = {
        table: sorted(shops.rows(f"FROM {name}_publish__daily.{table}"), key=repr)
        for table in expected
    }

    assert found["first_touch_attribution"] == expected["first_touch_attribution"]
    assert found["last_touch_attribution"] == expected["last_touch_attribution"]
    assert sorted(found["channel_performance"]) == expected["channel_performance"]


def test_the_edges_by_eye(shops: House) -> None:
    columns = "client_id, attributed_channel, attributed_revenue::TEXT, days_to_conversion"

    first = shops.rows(
        f"SELECT {columns} FROM edges_publish__daily.first_touch_attribution ORDER BY ALL"
    )
    last = shops.rows(
        f"SELECT {columns} FROM edges_publish__daily.last_touch_attribution ORDER BY ALL"
    )

    untied = [row for row in zip(first, last) if row[0][0] != "tied"]
    assert untied == [
        (("after", "unattributed", "13.00", None),) * 2,
        (("direct", "direct", "14.00", 1), ("direct", "direct", "14.00", 0)),
        (("faded", "direct", "16.00", 0),) * 2,
        (("late", "unattributed", "11.00", None),) * 2,
        (("midnight", "email", "20.00", 1),) * 2,
        (("mixed", "paid_search", "15.00", 0), ("mixed", "email", "15.00", 0)),
        (("nobody", "unattributed", "0.00", None),) * 2,
        (("refund", "email", "-22.00", 0),) * 2,
        (("resent", "unattributed", "23.00", None),) * 2,
        (("same", "email", "12.00", 1), ("same", "social", "12.00", 0)),
        (("silent", "direct", "21.00", 0),) * 2,
        (("twice", "email", "17.00", 0),) * 2,
        (("twice", "email", "18.00", 1), ("twice", "social", "18.00", 0)),
        (("window", "email", "10.00", 30),) * 2,
    ]
