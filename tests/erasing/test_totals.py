"""Money and credit stay to the cent when a person is erased; so does what a rebuild computes of the lake."""

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from pipelines.__main__ import app
from pipelines.contracts.people import CLICK_IDS
from pipelines.ingest.run import ingest_source
from pipelines.learning.training import utc_now
from pipelines.published.opening import published
from pipelines.serving.erased_persons import keep_promises
from pipelines.serving.morning import serve
from tests.builders.searching import traces
from tests.conftest import House

NAMED = (
    *("conversion_id", "touchpoint_id", "customer_id", "conv_id", "session_id"),
    *CLICK_IDS,
)


def tables(nameless: bool) -> dict[str, list[tuple]]:
    """Return the rows of every published table; nameless, without the columns of ids."""
    with published("acme") as opened:
        assert opened
        views = opened.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
        found = {}
        for (view,) in views:
            rows = opened.sql(f"FROM acme_publish.{view}")
            columns = [name for name in rows.columns if not (nameless and name in NAMED)]
            found[view] = rows.select(*columns).order("ALL").fetchall()
        return found


def names_of(house: House, customer: str) -> list[str]:
    """Return what a customer, their browsers, sessions and deals are called."""
    lake = house.home / "lake/acme"
    sessions = f"read_parquet('{lake}/web/sessions/*.parquet', union_by_name = TRUE)"
    deals = f"read_parquet('{lake}/salesforce/opportunities/*.parquet', union_by_name = TRUE)"
    return [
        name
        for (name,) in duckdb.execute(
            f"""WITH mine AS (SELECT DISTINCT visitor_id FROM {sessions} WHERE customer_id = $who)
            SELECT $who UNION SELECT visitor_id FROM mine WHERE visitor_id IS NOT NULL
            UNION SELECT session_id FROM {sessions}
            WHERE customer_id = $who OR visitor_id IN (FROM mine)
            UNION SELECT COALESCE(gclid, fbclid) FROM {sessions} WHERE COALESCE(gclid, fbclid) IS NOT NULL
              AND (customer_id = $who OR visitor_id IN (FROM mine))
            UNION SELECT opportunity_id FROM {deals} WHERE customer_id = $who""",
            {"who": customer},
        ).fetchall()
    ]


def deliver_later_deal(house: House, customer: str, amount: int, refund: int) -> None:
    """Deliver all deals again, with one that a customer won since, and a refund of one that they had."""
    file = house.home / "exports/acme/opportunities.jsonl"
    deals = [json.loads(line) for line in file.read_text().splitlines()]
    won = [deal for deal in deals if deal["IsWon"] and deal["CurrencyIsoCode"] == "EUR"]
    new = won[-1] | {"Id": "deal-later-01", "AccountId": customer, "Amount": amount}
    own = next(deal for deal in won if deal["AccountId"] == customer)
    own["Amount"] -= refund
    file.write_text("\n".join(map(json.dumps, [*deals, new])) + "\n")


@pytest.mark.slow
def test_every_total_stays_and_a_rebuild_says_the_same(served: House) -> None:
    ((customer, revenue),) = served.rows(
        """SELECT customer_id, SUM(revenue) FROM acme_publish.attribution_v1
        WHERE touchpoint_id IS NOT NULL GROUP BY 1 ORDER BY COUNT(*) DESC, 1 LIMIT 1"""
    )
    names, before = names_of(served, customer), tables(nameless=True)
    others = {form for file, form in traces(served.home / "lake", names) if "acme" not in file}
    own = [
        name for name in names if name not in others
    ]  # the demo's clients have some ids in common
    assert len(own) > 1 and traces(served.home, own) and revenue > Decimal(0)
    reader = duckdb.connect(str(served.home / "published/acme.duckdb"), read_only=True)

    done = CliRunner().invoke(app, ["erase", "acme", "--person", customer, "--yes"])

    assert done.exit_code == 0, done.output
    assert traces(served.home, own) == []
    assert not [file for file, _ in traces(served.home, names) if "acme" in file]
    assert tables(nameless=True) == before
    named = "SELECT COUNT(*) FROM acme_publish.attribution_v1 WHERE customer_id LIKE 'erased-%'"
    assert reader.execute(named).fetchone() > (0,)
    reader.close()
    assert {report.result for report in served.serve().values()} == {"nothing new"}

    total = "SELECT SUM(attributed_revenue)::DECIMAL(18, 2) FROM acme_publish.attribution_v1"
    ((credited,),) = served.rows(total)
    deliver_later_deal(served, customer, amount=5000, refund=100)
    assert ingest_source(served.client("acme"), "salesforce").counts.appended == 2
    (report,) = serve([served.client("acme")])
    assert report.result == "published", report.reasons
    assert served.rows(total) == [(credited + 4900,)] and traces(served.home, own) == []
    before = tables(nameless=True)

    client = served.client("acme").model_copy(update={"retention_days": 400})
    later = utc_now() + timedelta(days=500)  # everybody's newest event is too old by then
    (said,) = keep_promises([client], later)
    assert "rows are older than retention_days" in said
    assert tables(nameless=True) == before
    assert served.rows(
        "SELECT COUNT(*) FROM acme_publish.attribution_v1 WHERE customer_id LIKE 'cust%'"
    ) == [(0,)]

    nobody = tables(nameless=False)
    for file in Path(served.home / "warehouse").glob("home.*"):
        file.unlink()
    (report,) = serve([served.client("acme")])
    assert report.result == "published", report.reasons
    rebuilt = tables(nameless=False)
    assert {name: rows for name, rows in rebuilt.items() if name != "freshness_v1"} == {
        name: rows for name, rows in nobody.items() if name != "freshness_v1"
    }
