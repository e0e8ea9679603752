"""Each line that a message tells to paste is pasted as it stands there, and the right rows are read.

No place in the product that writes such a line is left out: they are found in its source.
"""

import ast
import gzip
import os
import re
import sqlite3
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from openpyxl import Workbook

from pipelines.ingest.bounds import exceeded
from pipelines.processes import Exceeded
from pipelines.sources.batches import Remedy
from tests.builders.pasting import lines_in, paste
from tests.builders.tenant import Tenant
from tests.conftest import PROJECT, House

HEAD = "spend_date,campaign_id,campaign,cost,currency,clicks,impressions"
ORDER = "conversion_id,customer_id,converted_at,revenue"
DEALS = "opportunity_id,account_id,stage,is_won,amount,opened_at"


class Case(NamedTuple):
    """What is delivered, returns what is said of it, and which rows are right after pasting."""

    deliver: Callable[[Tenant], str]
    right: set[tuple]
    columns: str = "campaign_id, cost"
    choice: int = 0
    source: str = "google_ads"
    table: str = "spend"


def spend(*rows: str, file: str = "spend.csv", head: str = HEAD) -> Callable[[Tenant], str]:
    """Deliver rows of spend, and ingest them."""

    def deliver(tenant: Tenant) -> str:
        tenant.deliver(file, "\n".join([head, *rows, ""]))
        return tenant.ingest().problem

    return deliver


def columns(tenant: Tenant, **mapped: str | None) -> None:
    """Map columns of the spend's export."""
    tenant.setting(f"columns: {yaml.safe_dump(mapped, default_flow_style=True).strip()}")


def days(*campaigns: str, cost: str = "2") -> list[str]:
    return [f"2026-10-01,{each},Brand,{cost},EUR,1,1" for each in campaigns]


def in_files(**files: list[str]) -> Callable[[Tenant], str]:
    """Deliver several files of spend in one moment, called `spend-…`."""

    def deliver(tenant: Tenant) -> str:
        for name, rows in files.items():
            path = tenant.deliver(
                f"spend-{name.replace('_', '-')}.csv", "\n".join([HEAD, *rows, ""])
            )
            os.utime(path, (1_790_000_000, 1_790_000_000))
        return tenant.ingest().problem

    return deliver


def full(deliver: Callable[[Tenant], str]) -> Callable[[Tenant], str]:
    """Do the same with exports that are whole deliveries."""

    def delivered(tenant: Tenant) -> str:
        tenant.settings.write_text(tenant.settings.read_text().replace("increment", "full"))
        return deliver(tenant)

    return delivered


def together_before(tenant: Tenant) -> str:
    tenant.setting("parts: true")
    in_files(**{"1": days("a"), "2": days("b")})(tenant)
    tenant.settings.write_text(tenant.settings.read_text().replace("      parts: true\n", ""))
    return tenant.ingest().problem


def fewer_in_the_second(tenant: Tenant) -> str:
    numbers = [f"c{number}" for number in range(12)]
    in_files(**{"2026_10_01": days(*numbers)})(tenant)
    return in_files(**{"2026_10_02": days("d")})(tenant)


def two_in_one_moment(tenant: Tenant) -> str:
    return in_files(north=days("a"), south=days("b"))(tenant)


def mixed_names(tenant: Tenant) -> str:
    files = {"spend-2026-10-01.csv": 5, "spend-2026-10-02.csv": 1, "spend-late.csv": 9}
    for (name, second), cost in zip(files.items(), (1, 2, 3)):
        path = tenant.deliver(name, "\n".join([HEAD, *days("a", cost=str(cost)), ""]))
        os.utime(path, (1_790_000_000 + 60 * second,) * 2)
    return tenant.ingest().problem


def ordered_by(column: str) -> Callable[[Tenant], str]:
    """Deliver two files, of which the first was exported later, and order them by a column."""

    def deliver(tenant: Tenant) -> str:
        tenant.setting(f"ordered_by: {{column: {column}}}")
        for name, day in (("one", "02"), ("two", "01")):
            rows = [f"{HEAD},exported_at", f"{days('a', cost=day)[0]},2026-10-{day}", ""]
            tenant.deliver(f"spend-{name}.csv", "\n".join(rows))
        return tenant.ingest().problem

    return deliver


def orders(tenant: Tenant, column: str = "state", good: str = "paid", bad: str = "voided") -> str:
    web = {"conversions": {"files": "exports/one/orders*", "expected_every": "never"}}
    House(tenant.home).change("one", sources={"web": web})
    tenant.deliver(
        "orders.csv",
        f"{ORDER},currency,{column}\n1,kim,2026-10-01,10,EUR,{good}\n2,kim,2026-10-01,10,EUR,{bad}\n",
    )
    return tenant.ingest("web").problem


def items(*rows: str) -> Callable[[Tenant], str]:
    """Deliver conversions, each with the item that it is of."""

    def deliver(tenant: Tenant) -> str:
        web = {"conversions": {"files": "exports/one/orders*", "expected_every": "never"}}
        House(tenant.home).change("one", sources={"web": web})
        tenant.deliver("orders.csv", "\n".join([f"{ORDER},currency,Item", *rows, ""]))
        return tenant.ingest("web").problem

    return deliver


def equal_purchases(tenant: Tenant) -> str:
    lacks = ("session_id", "channel", "campaign_id", "utm_source", "utm_medium", "page_url")
    absent = dict.fromkeys([*lacks, "referrer_url", "product_id", "product_category"])
    files = {"files": "exports/one/events*", "expected_every": "never", "columns": absent}
    House(tenant.home).change("one", sources={"web": {"events": files}})
    row = "kim,purchase,2026-10-01 10:00:00,10,EUR"
    head = "client_id,event_type,event_time,revenue,currency,Order ID"
    tenant.deliver("events.csv", f"{head}\n{row},o1\n{row},o2\n")
    return tenant.ingest("web").problem


def told_by_a_column(tenant: Tenant) -> str:
    web = {"conversions": {"files": "exports/one/orders*", "expected_every": "never"}}
    rates = {"rates": {"files": "exports/one/rates*", "expected_every": "never"}}
    House(tenant.home).change("one", sources={"web": web, "rates": rates})
    tenant.deliver("rates.csv", "rate_date,currency,rate\n2026-10-01,USD,0.9\n")
    rows = "1,kim,2026-10-01,10,EUR\n2,kim,2026-10-01,10,USD\n"
    tenant.deliver("orders.csv", f"{ORDER},Money (currency)\n{rows}")
    return tenant.ingest("web").problem


def with_another_mark(tenant: Tenant) -> str:
    web = {"sessions": {"files": "exports/one/visits*", "expected_every": "never"}}
    House(tenant.home).change("one", sources={"web": web})
    head = "session_id,visitor_id,customer_id,started_at,source,medium,campaign,gcl-id"
    tenant.deliver("visits.csv", f"{head}\n1,v,kim,2026-10-01 10:00:00,google,,,abc\n")
    return tenant.ingest("web").problem


def refunded(tenant: Tenant) -> str:
    return orders(tenant, "Refund Amount", "0.00", "4.50")


def paid_in_capitals(tenant: Tenant) -> str:
    orders(tenant)
    House(tenant.home).change("one", sources={"web": {"conversions": {"where": "state = 'PAID'"}}})
    return tenant.ingest("web").problem


def in_a_zone(tenant: Tenant) -> str:
    columns = {"converted_at": "Booked (PST)", "currency": None}
    web = {"conversions": {"files": "exports/one/orders*", "columns": columns}}
    web["conversions"] |= {"expected_every": "never"}
    House(tenant.home).change("one", sources={"web": web})
    head = ORDER.replace("converted_at", "Booked (PST)")
    tenant.deliver("orders.csv", f"{head}\n1,kim,2026-10-01 10:00:00,10\n")
    return tenant.ingest("web").problem


def versions_of_a_deal(tenant: Tenant) -> str:
    deal = "customer_id,closed_at,currency,opportunity_id,is_won,amount,opened_at,stage"
    rows = "7,,EUR,d1,false,5,2026-10-01,Open\n7,2026-10-02,EUR,d1,true,6,2026-10-01,Won\n"
    tenant.deliver("deals.csv", f"{deal}\n{rows}")
    return tenant.ingest("salesforce").problem


def in_cents(tenant: Tenant) -> str:
    columns(tenant, cost="cost_cents")
    return spend("2026-10-01,a,Brand,150,EUR,1,1", head=HEAD.replace("cost", "cost_cents"))(tenant)


def written_otherwise_since(tenant: Tenant) -> str:
    spend(*days("b", cost='"12,5"'))(tenant)
    return spend(*days("b", cost="12.5"))(tenant)


def with_stages(tenant: Tenant) -> str:
    deal = "opportunity_id,customer_id,stage,Deal stage,closed_at,amount,currency"
    mapped = {"is_won": "Deal stage"}
    opportunities = {"files": "exports/one/deals*", "expected_every": "never", "columns": mapped}
    House(tenant.home).change("one", sources={"salesforce": {"opportunities": opportunities}})
    rows = "d1,kim,,Closed - got it,2026-10-01,5,\nd2,kim,,Closed - lost it,2026-10-01,5,\n"
    tenant.deliver("deals.csv", f"{deal}\n{rows}")
    return tenant.ingest("salesforce").problem


def in_marked_dollars(tenant: Tenant) -> str:
    rates = {"rates": {"files": "exports/one/rates*", "expected_every": "never"}}
    House(tenant.home).change("one", sources={"rates": rates})
    columns(tenant, currency=None)
    return spend(*days("a", cost="US$ 2.50"))(tenant)


def in_dollars(tenant: Tenant) -> str:
    tenant.deliver("rates.csv", "rate_date,currency,rate\n2026-10-01,USD,0.9\n")
    return spend("2026-10-01,a,Brand,2,USD,1,1", *days("b"))(tenant)


def by_other_names(tenant: Tenant) -> str:
    head = "spend_date,Campaign-Id,cost,currency,clicks"
    return spend("2026-10-01,a,2,EUR,1", head=head)(tenant)


def twice_alike(tenant: Tenant) -> str:
    head = HEAD.replace("campaign_id", "Campaign Id").replace("clicks", "CAMPAIGN_ID,clicks")
    return spend("2026-10-01,x,Brand,2,EUR,a,1,1", head=head)(tenant)


def with_a_note(tenant: Tenant) -> str:
    head = "campaign,spend_date,campaign_id,cost,currency,clicks,impressions"
    rows = [f"Brand,2026-10-01,{name},2,EUR,1,1" for name in "ab"]
    return spend(*rows, "All of it is preliminary", head=head)(tenant)


def by_backslash(tenant: Tenant) -> str:
    return spend('2026-10-01,a,"Brand \\"DE\\", exact",2,EUR,1,1')(tenant)


def behind_a_link(tenant: Tenant) -> str:
    (place := tenant.home / "drop: box").mkdir()
    (place / "spend.csv").write_text("\n".join([HEAD, *days("a"), ""]))
    (tenant.exports / "spend.csv").symlink_to(place / "spend.csv")
    return tenant.ingest().problem


def in_sqlite(tenant: Tenant) -> str:
    with sqlite3.connect(tenant.exports / "spend.sqlite") as database:
        for table in ("Ad spend: daily", "other"):
            names = HEAD if table != "other" else "day"
            database.execute(f'CREATE TABLE "{table}" ({names})')
        database.execute(
            'INSERT INTO "Ad spend: daily" VALUES (?, ?, ?, ?, ?, ?, ?)', days("a")[0].split(",")
        )
    database.close()
    return tenant.ingest().problem


def in_sheets(tenant: Tenant) -> str:
    book = Workbook()
    for campaign in ("a", "b"):
        sheet = book.create_sheet(f"North, {campaign}")
        for line in (HEAD, *days(campaign)):
            sheet.append(line.split(","))
    book.save(tenant.exports / "spend.xlsx")
    return tenant.ingest().problem


def with_umlauts(file: str) -> Callable[[Tenant], str]:
    """Deliver a text in another encoding; its header has an umlaut, too, in one file."""

    def deliver(tenant: Tenant) -> str:
        columns(tenant, campaign="Straße" if "header" in file else "campaign")
        head = HEAD.replace("campaign,", "Straße,") if "header" in file else HEAD
        tenant.deliver(file, f"{head}\n2026-10-01,a,Größe,2,EUR,1,1\n".encode("cp1252"))
        return tenant.ingest().problem

    return deliver


def on_days(first: str, second: str) -> Callable[[Tenant], str]:
    """Deliver spend of two days, written as they are."""
    rows = [f"{first},a,Brand,2,EUR,1,1", f"{second},b,Brand,2,EUR,1,1"]
    return spend(*rows)


def packed(tenant: Tenant) -> str:
    tenant.settings.write_text(tenant.settings.read_text() + "limits: {unpacked_mb: 1}\n")
    content = "\n".join([HEAD, *(row + " " * 70_000 for row in days(*map(str, range(17)))), ""])
    tenant.deliver("spend.csv.gz", gzip.compress(content.encode(), 0))
    return tenant.ingest().problem


def much_dearer(tenant: Tenant) -> str:
    tenant.spend("spend.csv", "01,a,2500000")
    return " ".join(tenant.ingest().status.warnings)


def grown_old(tenant: Tenant) -> str:
    text = tenant.settings.read_text()
    tenant.settings.write_text(text.replace("expected_every: never\n      delivery", "delivery"))
    return spend("2025-10-01,a,Brand,2,EUR,1,1")(tenant)


def bounded(by: Exceeded) -> Callable[[Tenant], str]:
    def deliver(tenant: Tenant) -> str:
        House(tenant.home).change("one", limits={"minutes": 5, "memory_mb": 700})
        spend(*days("a"))(tenant)
        return exceeded(House(tenant.home).client("one"), "google_ads", by).problem

    return deliver


A, B = ("a", "2"), ("b", "2")
TWINS = [f"1,kim,2026-10-01,10,EUR,{item}" for item in ("shoe", "sock")]
GOOD = [f"c{number}" for number in range(30)]
MANY = [f"c{number}" for number in range(120)]
CASES = {
    "number_marks.remedies 1": Case(
        spend(*days(*MANY, cost='"1.234,50"'), *days("x", cost="12.5")),
        {(each, "1234.50") for each in MANY},
    ),
    "flag_remedies._remedy 1": Case(
        with_stages,
        {("d1", "true"), ("d2", "false")},
        "opportunity_id, is_won",
        source="salesforce",
        table="opportunities",
    ),
    "remembered_readings._alike 1": Case(written_otherwise_since, {("b", "12.5")}),
    "other_marks.all_in 1": Case(
        in_marked_dollars, {("a", "2.50", "USD")}, "campaign_id, cost, currency"
    ),
    "number_marks._alternatives 1": Case(spend(*days("a", cost="1.250")), {("a", "1250")}),
    "refused_rows._refused 1": Case(
        spend(*days(*GOOD), *days("x", cost="?")), {(each, "2") for each in GOOD}
    ),
    "rows_of_no_data.sums 1": Case(spend(*days("a", "b"), "Others, --,,5,,2,2"), {A, B}),
    "line_beginnings.skipping 1": Case(with_a_note, {A, B}),
    "bad_rows._torn 2": Case(by_backslash, {A}),
    "row_faults._unpriced_currency 1": Case(in_dollars, {A, B}),
    "repeats._remedies 1": Case(
        spend(*days("a"), "2026-10-01,a,Brand,3.5,EUR,1,1"), {("a", "5.500000")}
    ),
    "repeats._remedies 2": Case(
        items("1,kim,2026-10-01,10,EUR,shoe", "1,kim,2026-10-01,7,EUR,sock"),
        {("1", "17.000000")},
        "conversion_id, revenue",
        source="web",
        table="conversions",
    ),
    "same_rows._refusal 1": Case(
        items(*TWINS), {("1", "10")}, "conversion_id, revenue", 1, "web", "conversions"
    ),
    "same_rows._refusal 2": Case(
        items(*TWINS), {("1", "20.000000")}, "conversion_id, revenue", 0, "web", "conversions"
    ),
    "same_rows._refusal 3": Case(
        equal_purchases, {("o1", "10"), ("o2", "10")}, "event_id, revenue", 0, "web", "events"
    ),
    "repeats._remedies 3": Case(
        versions_of_a_deal,
        {("d1", "Won", "6")},
        "opportunity_id, stage, amount",
        source="salesforce",
        table="opportunities",
    ),
    "bad_rows._torn 1": Case(
        spend(*days("b"), '2026-10-01,a,"' + "note\n" * 1200 + 'end",2,EUR,1,1'), {A, B}
    ),
    "numbered_copy._header_refused 1": Case(
        spend("2026-10-01,a,Brand,2,EUR,1,1,x", head=f'{HEAD},"of\nwhom"'), {A}
    ),
    "both_readings.both_readings 1": Case(full(together_before), {A, B}),
    "both_readings.both_readings 2": Case(full(together_before), {B}, choice=1),
    "deletions._parts 1": Case(
        full(fewer_in_the_second), {(f"c{number}", "2") for number in range(12)} | {("d", "2")}
    ),
    "pending._untold 1": Case(full(two_in_one_moment), {A, B}, choice=1),
    "delivery_groups.by_names 1": Case(
        full(in_files(north=days("a"), south=days("a", cost="9"))), {("a", "9")}
    ),
    "delivery_order._in_two_ways 1": Case(
        in_files(**{"01_11_2026": days("a"), "11_01_2026": days("a", cost="9")}), {A}
    ),
    "delivery_order._in_two_ways 2": Case(
        in_files(**{"01_11_2026": days("a"), "11_01_2026": days("a", cost="9")}),
        {("a", "9")},
        choice=1,
    ),
    "delivery_groups.by_file_times 1": Case(mixed_names, {("a", "3")}),
    "missing_columns._missing_time 1": Case(full(ordered_by("exported_on")), {("a", "02")}),
    "name_numbers._unsure 1": Case(
        in_files(**{"311026": days("a"), "011126": days("a", cost="9")}), {("a", "9")}
    ),
    "uncounting._refusal 1": Case(
        orders, {("1", "10")}, "conversion_id, revenue", source="web", table="conversions"
    ),
    "uncounting._refusal 2": Case(
        orders, {("1", "10"), ("2", "10")}, "conversion_id, revenue", 1, "web", "conversions"
    ),
    "refunds.ask_about_refunds 1": Case(
        refunded, {("1", "10")}, "conversion_id, revenue", source="web", table="conversions"
    ),
    "refunds.ask_about_refunds 2": Case(
        refunded, {("1", "10"), ("2", "10")}, "conversion_id, revenue", 1, "web", "conversions"
    ),
    "other_currencies.ask_about_currency 1": Case(
        told_by_a_column,
        {("1", "EUR"), ("2", "USD")},
        "conversion_id, currency",
        source="web",
        table="conversions",
    ),
    "other_currencies.ask_about_currency 2": Case(
        told_by_a_column,
        {("1", None), ("2", None)},
        "conversion_id, currency",
        1,
        "web",
        "conversions",
    ),
    "overlooked.ask_for_overlooked 1": Case(
        with_another_mark, {("1", "abc")}, "session_id, gclid", source="web", table="sessions"
    ),
    "header_zones._remedy 1": Case(
        in_a_zone,
        {("1", "2026-10-01 17:00:00+00:00")},
        "conversion_id, converted_at",
        source="web",
        table="conversions",
    ),
    "asked_units.remedies 1": Case(in_cents, {("a", "150")}, choice=1),
    "asked_units.remedies 2": Case(in_cents, {("a", "1.5")}),
    "summary_rows._refusal 1": Case(spend(*days("a", "b"), *days("Total", cost="4")), {A, B}),
    "summary_rows._refusal 2": Case(
        spend(*days("a", "b"), *days("Total", cost="4")), {A, B, ("Total", "4")}, choice=1
    ),
    "uncounted._refusal 1": Case(
        paid_in_capitals,
        {("1", "10"), ("2", "10")},
        "conversion_id, revenue",
        1,
        "web",
        "conversions",
    ),
    "uncounted._refusal 2": Case(
        paid_in_capitals, {("1", "10")}, "conversion_id, revenue", 0, "web", "conversions"
    ),
    "called_columns._which 1": Case(twice_alike, {A}, choice=1),
    "missing_columns.missing_columns 1": Case(by_other_names, {A}),
    "missing_columns.missing_columns 2": Case(by_other_names, {A}),
    "places._elsewhere 1": Case(behind_a_link, {A}),
    "sqlite._tables 1": Case(in_sqlite, {A}),
    "workbooks._remedies 1": Case(in_sheets, {("b", "2")}, choice=1),
    "unreadable.not_a_text 1": Case(with_umlauts("spend-header.csv"), {A}),
    "date_marks.remedies 1": Case(on_days("46296", "46297"), {A, B}),
    "date_marks.remedies 2": Case(on_days("1/10/2026", "2/10/2026"), {A, B}, choice=0),
    "date_marks.remedies 3": Case(on_days("10/31/26", "10/2/26"), {A, B}),
    "bad_rows._torn 3": Case(with_umlauts("spend.csv"), {A}),
    "unpacking._too_large 1": Case(packed, {(str(number), "2") for number in range(17)}),
    "standing_notes._with_remedy 1": Case(much_dearer, {("a", "2.5")}),
    "source_status._rarer 1": Case(grown_old, {A}),
    "bounds._said 1": Case(bounded(Exceeded.MEMORY), {A}),
    "bounds._said 2": Case(bounded(Exceeded.TIME), {A}),
}
ELSEWHERE = {
    "model_time._said 1": "tests/serving/test_model_time.py",
    "postgres._cursors 1": "tests/sources/test_postgres.py",
    "postgres._cursors 2": "tests/sources/test_postgres.py",
    "postgres._columns 1": "tests/sources/test_postgres.py",
    "listed_ids._first 1": "tests/ingest/test_further_lines.py",
    "unknown_stages.judge 1": "tests/ingest/test_unknown_stages.py",
    "unknown_stages.judge 2": "tests/ingest/test_unknown_stages.py",
    "refunds._net_of 1": "tests/ingest/test_refund_rows.py",
    "refund_remedies.as_refunds 1": "tests/ingest/test_refund_rows.py",
    "later_refunds.refuse_later_refunds 1": "tests/ingest/test_refund_rows.py",
}


def remedies() -> dict[str, ast.Call]:
    """Return each place in the product that makes a line to paste: its module, function, and number."""
    found = {}
    for file in sorted((PROJECT / "pipelines").rglob("*.py")):
        functions = [
            n for n in ast.walk(ast.parse(file.read_text())) if isinstance(n, ast.FunctionDef)
        ]
        for function in functions:
            numbers = count(1)
            calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
            for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
                if isinstance(call.func, ast.Name) and call.func.id == "Remedy":
                    found[f"{file.stem}.{function.name} {next(numbers)}"] = call
    return found


@pytest.mark.parametrize("place", CASES)
def test_what_is_told_to_paste_reads_the_right_rows(
    house: House, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    made, make, call = [], Remedy.__new__, remedies()[place]

    def noted(cls: type, setting: str, *rest: str, **more: str) -> Remedy:
        frame = sys._getframe(1)
        if (Path(frame.f_code.co_filename).stem, frame.f_lineno) == (
            place.split(".")[0],
            call.lineno,
        ):
            made.append(setting)
        return make(cls, setting, *rest, **more)

    monkeypatch.setattr(Remedy, "__new__", noted)
    case, tenant = CASES[place], Tenant(house.home, limit=0)
    problem = case.deliver(tenant)
    told = [line for _, line in lines_in(tenant.settings, problem, case.choice)]
    assert set(made) & set(told), f"{place} made {made}, and it is told to paste {told}"

    paste(tenant.settings, problem, case.choice)
    outcome = tenant.ingest(case.source)

    assert outcome.problem == ""
    newest = {
        key: rows
        for key, *rows in tenant.log(
            f"row_key, is_deleted, {case.columns}", case.source, case.table
        )
    }
    assert {tuple(rows) for is_deleted, *rows in newest.values() if not is_deleted} == case.right


def test_no_line_to_paste_is_left_out() -> None:
    assert remedies().keys() == CASES.keys() | ELSEWHERE.keys()
    for file in ELSEWHERE.values():
        assert "paste(" in (PROJECT / file).read_text()


# What stands in backquotes, `key: value`, where it is no line to paste into this client's file.
NOT_TO_PASTE = {
    "row_lines": "in the reason of a row in quarantine; the refusal has the line to paste",
    "format": "the setting that is there, or that of another source",
    "where": "the condition that is there",
}


def test_no_setting_is_quoted_but_as_a_line_to_paste() -> None:
    quoted: dict[str, list[str]] = {}
    for room in ("sources", "ingest", "serving", "lake"):
        for file in sorted((PROJECT / "pipelines" / room).rglob("*.py")):
            tree = ast.parse(file.read_text())
            for text in _texts(tree):
                for key in re.findall("`([a-z_]+): [^`]*`?", text):
                    quoted.setdefault(key, []).append(file.name)
    assert {key: files for key, files in quoted.items() if key not in NOT_TO_PASTE} == {}


def _texts(tree: ast.Module) -> list[str]:
    """Return the texts of a module, but for its docstrings."""
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and isinstance(node.body[0], ast.Expr)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in docstrings
    ]
