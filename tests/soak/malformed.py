"""Deliver malformed exports: whatever is taken is right, and a neighbour's lake stays as it is."""

import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path

from pipelines.ingest.run import Outcome, ingest
from pipelines.settings.reader import parse
from tests.builders.tenant import Tenant
from tests.soak.account import Result, Trial
from tests.soak.corpus import GOOD, HEADER, LINES, TRUTH, Case
from tests.soak.twin import lake_bytes

Row = tuple[str, str]


def deliver(cases: Iterable[Case], home: Path) -> Iterator[Trial]:
    """Deliver each case to a client of its own, beside a neighbour who delivers the good export."""
    neighbour = Tenant(home, "neighbour", limit=0.05)
    neighbour.deliver("spend.csv", GOOD)
    list(ingest([parse(neighbour.settings)]))
    before = lake_bytes(home, "neighbour")
    for number, case in enumerate(cases):
        client = Tenant(home, f"victim{number}", limit=0.05)
        client.deliver(case.file, case.content)
        done = list(ingest([parse(client.settings), parse(neighbour.settings)]))
        crossed = lake_bytes(home, "neighbour") != before
        outcome = next(
            each
            for outcomes in done
            for each in outcomes
            if (each.client, each.source) == (client.name, "google_ads")
        )
        result, what = ("crossed", "its lake changed") if crossed else judged(case, client, outcome)
        yield Trial(f"export: {case.fault}", f"{case.file} {case.name}", result, what)


def judged(case: Case, client: Tenant, outcome: Outcome) -> tuple[Result, str]:
    """Return what became of a case: refused by name, or taken with every line accounted for."""
    if outcome.status.code != "ok":
        is_named = outcome.status.code == "refused" and case.file in outcome.problem
        is_clear = is_named and "Traceback" not in outcome.problem
        return ("survived" if is_clear else "unclear", outcome.problem)
    live = _live(client)
    intact = _intact(case)
    truth = {key: _truth(case, key) for key in TRUTH}
    missing = [key for key in intact if live.get(key) != truth[key]]
    wrong = [key for key in live if live[key] != truth.get(key)]
    quarantined = sum(lines or 1 for (lines,) in client.log("lines", table="quarantine"))
    if len(missing) > quarantined:
        return "lost", f"{len(missing)} intact rows missing, {quarantined} in quarantine"
    if len(wrong) > _allowed(case, intact):
        return "lost", f"{len(wrong)} rows with other numbers, such as {wrong[0]}: {live[wrong[0]]}"
    is_delivered = len(case.content.split()) > 1  # a header alone holds no row
    if not intact and is_delivered and len(live) + quarantined < len(TRUTH):
        return "lost", f"{len(live)} of {len(TRUTH)} rows, {quarantined} in quarantine"
    return "survived", ""


def _truth(case: Case, key: Row) -> tuple:
    cost, clicks = _numbers(TRUTH[key])
    return cost, clicks if case.has_clicks else None


def _allowed(case: Case, intact: set[Row]) -> int:
    """Return how many rows may have other numbers: a digit may be changed within a line, or cut off."""
    altered = len(TRUTH) - len(intact)
    return altered if altered <= 2 else 0


def _intact(case: Case) -> set[Row]:
    """Return the keys of the lines that are as in the good export."""
    lines = {line.strip(b"\r") for line in case.content.split(b"\n")}
    if case.file.endswith(".jsonl"):
        return {key for key in TRUTH if _json_line(key) in lines}
    if HEADER.encode() not in lines:
        return set()
    return {key for key, line in zip(TRUTH, LINES) if line.encode() in lines}


def _json_line(key: Row) -> bytes:
    values = (*key, "Brand", *TRUTH[key], "9")
    return json.dumps(dict(zip(HEADER.split(","), values))).encode()


def _live(client: Tenant) -> dict[Row, tuple]:
    """Return the newest numbers of each day and campaign in a client's lake."""
    rows = client.log(
        "loaded_at, ordinal, CAST(spend_date AS TIMESTAMP)::DATE::TEXT, campaign_id, cost, clicks,"
        " is_deleted",
        "google_ads",
    )
    newest = {(day, campaign): rest for *_, day, campaign, cost, clicks, gone in sorted(rows)
              for rest in [(cost, clicks, gone)]}  # fmt: skip
    return {
        key: _numbers((cost, clicks)) for key, (cost, clicks, gone) in newest.items() if not gone
    }


def _numbers(values: tuple) -> tuple:
    """Return a cost and clicks as numbers, however they are written; None for nothing."""
    return tuple(Decimal(value) if value else None for value in values)
