"""Write rows as a file of each format that exports come in."""

import json
import sqlite3
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
from openpyxl import Workbook

from tests.builders.tenant import SPEND


def as_csv(path: Path, rows: list[tuple], delimiter: str = ",", head: tuple = SPEND) -> None:
    """Write rows as CSV, every value in quotes, NULL as nothing."""
    lines = [
        delimiter.join(
            "" if value is None else '"' + value.replace('"', '""') + '"' for value in row
        )
        for row in [head, *rows]
    ]
    path.write_text("\n".join(lines) + "\n", "utf-8")


def as_jsonl(path: Path, rows: list[tuple], head: tuple = SPEND) -> None:
    """Write rows as JSON lines; a NULL is left out, as many exporters do."""
    rows = [{key: value for key, value in zip(head, row) if value is not None} for row in rows]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")


def as_parquet(path: Path, rows: list[tuple], head: tuple = SPEND) -> None:
    """Write rows as Parquet."""
    columns = dict(zip(head, map(list, zip(*rows)))) if rows else {name: [] for name in head}
    pyarrow.parquet.write_table(
        pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()}), path
    )


def as_sqlite(path: Path, rows: list[tuple], head: tuple = SPEND, table: str = "spend") -> None:
    """Write rows as a table in a SQLite file."""
    path.unlink(missing_ok=True)
    database = sqlite3.connect(path)
    database.execute(f"CREATE TABLE {table} ({', '.join(f'{name!r}' for name in head)})")
    database.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(head))})", rows)
    database.commit()
    database.close()


def as_workbook(path: Path, rows: list[tuple], head: tuple = SPEND) -> None:
    """Write rows as a sheet of an Excel workbook, between two others."""
    book = Workbook()
    book.active.append(["Notes"])
    sheet = book.create_sheet("spend")
    for row in (head, *rows):
        sheet.append(row)
    book.create_sheet("Empty")
    book.save(path)


FORMATS = {
    "csv": as_csv,
    "jsonl": as_jsonl,
    "parquet": as_parquet,
    "sqlite": as_sqlite,
    "xlsx": as_workbook,
}
