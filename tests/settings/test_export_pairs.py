"""Any two settings of an export, ingested: files are written as the settings say, and all of their money is found."""

import csv
import os
import sqlite3
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.settings.exports import Export
from pipelines.settings.ordered_by import DeliveryOrder
from tests.builders.setting_rows import TABLE, Sample, Samples
from tests.builders.tenant import Tenant
from tests.conftest import House

SAMPLES = Samples(TABLE.read_text())
EXPORT = "sources.google_ads.spend."
ELSEWHERE = ("files", "bucket", "postgres")


def rows(*left_out: str) -> list[list[Sample]]:
    """Return samples of an export in which all pairs are together, but of some keys."""
    without = tuple(f"{EXPORT}{name}" for name in left_out)
    own = (n for n, each in enumerate(SAMPLES.every) if each.key.startswith(EXPORT))
    return SAMPLES.rows({n for n in own if not SAMPLES.every[n].key.startswith(without)})


DRAWN = {f"csv {n}": row for n, row in enumerate(rows(*ELSEWHERE, "table"))}
DRAWN |= {f"sqlite {n}": row for n, row in enumerate(rows(*ELSEWHERE, "row_lines")[:5])}
Row = dict[str, Any]


def spend(day: int, campaign: str, cost: str, status: str = "Paid") -> Row:
    """Return a row of spend as the contract names its columns, beside a column of the export's own."""
    return {
        "spend_date": f"2026-10-{day:02}",
        "campaign_id": campaign,
        "campaign": "Größe",
        "cost": Decimal(cost),
        "clicks": "4",
        "impressions": "100",
        "Status": status,
    }


FIRST, RESTATED, SECOND = spend(1, "7", "1234.5"), spend(1, "8", "20"), spend(2, "7", "3.25")
BEFORE, GONE = spend(1, "8", "99"), spend(3, "9", "7")  # in the older delivery only
VOID = spend(4, "6", "50", "Void")  # counts only where no `where:` asks for Paid


def deliveries(export: Export) -> tuple[list[Row], list[Row]]:
    """Return the rows of the older and of the newer file."""
    if export.parts:
        return [FIRST, RESTATED], [SECOND, VOID]
    newer = [RESTATED, SECOND, VOID] + [FIRST] * (export.delivery == "full")
    return [FIRST, BEFORE] + [GONE] * (export.delivery == "full"), newer


def names(export: Export) -> tuple[str, str]:
    """Return names of both files, which tell the order only where the settings take it from them."""
    if isinstance(export.ordered_by, DeliveryOrder) and export.ordered_by.pattern:
        return "spend-30-10-2026", "spend-02-11-2026"
    if export.ordered_by in (None, "name"):
        return "spend-2026-10-30", "spend-2026-11-02"
    return "spend-b", "spend-a"


def written(row: Row, export: Export, exported_at: str) -> list[Row]:
    """Return a row as the export has it: its names, its numbers, its several rows of one key."""
    parts = [row]
    if export.grain == "sum":
        parts = [row | {"cost": row["cost"] / 2, "clicks": "2", "impressions": "50"}] * 2
    if export.grain == "newest":
        parts = [row | {"cost": Decimal(1)}, row]
    read = {"spend_date": day(row["spend_date"], export)}
    texts = [part | read | {"cost": number(part["cost"], export)} for part in parts]
    if (export.row_lines or 1) > 1 and not export.table:
        texts = [text | {"campaign": "Größe\nin zwei Zeilen"} for text in texts]
    for text in texts:
        for column, own in export.columns.items():
            value = text.pop(column)
            text |= {name: value for name in own}
        text["exported_at"] = exported_at
    return texts


def day(written: str, export: Export) -> str:
    """Return a day as the export writes its days."""
    moment = datetime.fromisoformat(written)
    if export.date_format == "excel":
        return str((moment - datetime(1899, 12, 30)).days)
    return moment.strftime(export.date_format or "%Y-%m-%d")


def number(cost: Decimal, export: Export) -> str:
    """Return a cost as the export writes its numbers."""
    cost *= {"cents": 100, "micros": 10**6}.get(export.unit.get("cost", ""), 1)
    marks = export.numbers
    text = f"{cost.normalize():,f}" if marks and marks.thousands else f"{cost.normalize():f}"
    if not marks:
        return text
    return text.translate(str.maketrans({",": marks.thousands or "", ".": marks.decimal}))


def write(path: Path, export: Export, rows: list[Row]) -> None:
    head = list(rows[0])
    if export.table:
        columns = ", ".join(f'"{name}" TEXT' for name in head)
        with sqlite3.connect(path) as database:
            database.execute(f'CREATE TABLE "{export.table}" ({columns})')
            places = ", ".join("?" * len(head))
            values = [list(row.values()) for row in rows]
            database.executemany(f'INSERT INTO "{export.table}" VALUES ({places})', values)
        return
    with path.open("w", encoding=export.encoding or "utf-8", newline="") as file:
        table = csv.DictWriter(file, head)
        table.writeheader()
        table.writerows(rows)


@pytest.mark.parametrize("drawn", DRAWN)
def test_files_as_the_settings_say_are_read_as_they_mean(drawn: str, house: House) -> None:
    tenant = Tenant(house.home, "pairs")
    settings = SAMPLES.file(*DRAWN[drawn])
    own = settings["sources"]["google_ads"]["spend"]
    suffix = "db" if "table" in own else "csv"
    own["files"] = f"exports/pairs/spend-*.{suffix}"
    tenant.settings.write_text(yaml.safe_dump(settings))
    export = Export.model_validate(own)
    for age, (name, delivered) in enumerate(zip(names(export), deliveries(export))):
        path = tenant.exports / f"{name}.{suffix}"
        day = datetime(2026, 11, 1 + age, tzinfo=timezone.utc)
        texts = [
            text for row in delivered for text in written(row, export, f"{day:%Y-%m-%d %H:%M}")
        ]
        write(path, export, texts)
        seconds = day.timestamp() if export.ordered_by == "file time" else 10**9 - age
        os.utime(path, (seconds, seconds))

    outcome = tenant.ingest("google_ads")

    assert outcome.status.code == "ok", f"{outcome.problem}\n{own}"
    meant = [FIRST, RESTATED, SECOND] + [VOID] * (export.where == "true")
    found = tenant.newest("spend_date, campaign_id, cost::DECIMAL(18, 6)")
    assert found == {(row["spend_date"], row["campaign_id"], row["cost"]) for row in meant}, own
