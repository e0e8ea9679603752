"""Write one client's data in many ways, as different programs would."""

import csv
import io
import json
import sqlite3
import zipfile
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

from tests.builders import written_exports

Rows = list[dict[str, Any]]
Cell = Callable[[Any], str]

NAMES = ["Brand Lamps", "Ceiling, Küche", 'Desk, "small"', "Total Light", "Sale; now", "0042"]
BERLIN = ZoneInfo("Europe/Berlin")


def invented(seed: int) -> dict[str, Rows]:
    """Return spend, sessions and conversions of a client: some days of a few campaigns."""
    random = Random(seed)
    names = random.sample(NAMES, 4)
    days = [date(2026, 10, 1) + timedelta(days=number) for number in range(20)]
    spend = [
        {
            "spend_date": day,
            "campaign_id": f"9{place}0{place}",
            "campaign": name,
            "cost": Decimal(random.choice([0, 5, 99_999, random.randrange(500_000)])) / 100,
            "clicks": random.randrange(3_000),
            "impressions": random.randrange(1_000, 90_000),
        }
        for day in days
        for place, name in enumerate(names)
    ]
    moments = [
        datetime(2026, 10, random.randint(1, 19), random.randrange(24), random.randrange(60))
        for _ in range(40)
    ]
    sessions = [
        {
            "session_id": f"s{number}",
            "visitor_id": f"v{number % 12}",
            "customer_id": f"u{number % 12}",
            "started_at": moment,
            "source": random.choice(["google", "facebook", None]),
            "medium": random.choice(["cpc", "email", None]),
            "campaign": random.choice([*names, None]),
        }
        for number, moment in enumerate(moments)
    ]
    conversions = [
        {
            "conversion_id": f"c{number}",
            "customer_id": f"u{number % 12}",
            "converted_at": datetime(2026, 10, 20, number, random.randrange(60)),
            "revenue": Decimal(random.randrange(1, 900_000)) / 100,
        }
        for number in range(20)
    ]
    return {"spend": spend, "sessions": sessions, "conversions": conversions}


class Style(NamedTuple):
    """How a program writes a text file: its marks, its numbers, its times, and what else stands there."""

    mark: str = ","
    end: str = "\n"
    encoding: str = "utf-8"
    quoting: int = csv.QUOTE_MINIMAL
    number: Cell = str
    day: Cell = str
    time: Cell = lambda moment: f"{moment.isoformat()}Z"
    name: Cell = str
    above: str = ""
    below: str = ""

    def cell(self, value: Any) -> str:
        """Return a value as it is written."""
        if isinstance(value, datetime):
            return self.time(value)
        if isinstance(value, date):
            return self.day(value)
        return self.number(value) if isinstance(value, Decimal | int) else value or ""

    def written(self, rows: Rows) -> bytes:
        """Return a file's content."""
        text = io.StringIO(newline="")
        writer = csv.writer(
            text, delimiter=self.mark, lineterminator=self.end, quoting=self.quoting
        )
        writer.writerow(map(self.name, rows[0]))
        writer.writerows([map(self.cell, row.values()) for row in rows])
        return f"{self.above}{text.getvalue()}{self.below}".encode(self.encoding)


def german(value: Decimal | int) -> str:
    """Return a number as Germans write it: 1.234,50."""
    return f"{value:,}".translate(str.maketrans(",.", ".,"))


def local(moment: datetime) -> str:
    """Return a time as clocks in Berlin show it: 5.10.2026 11:00."""
    return f"{moment.replace(tzinfo=timezone.utc).astimezone(BERLIN):%d.%m.%Y %H:%M:%S}"


def zoned(row: dict[str, Any], zone: tzinfo | None) -> dict[str, Any]:
    """Return a row with its times as moments, or as what clocks show then in a zone."""
    moments = {
        name: value.replace(tzinfo=timezone.utc)
        for name, value in row.items()
        if isinstance(value, datetime)
    }
    if zone:
        moments = {
            name: value.astimezone(zone).replace(tzinfo=None) for name, value in moments.items()
        }
    return row | moments


def epoch(moment: datetime) -> int:
    """Return a time as milliseconds since 1970."""
    return int(moment.replace(tzinfo=timezone.utc).timestamp() * 1000)


STYLES: dict[str, tuple[Style, dict[str, Any]]] = {
    "plain": (Style(), {}),
    "in quotes": (Style(quoting=csv.QUOTE_ALL, end="\r\n", encoding="utf-8-sig"), {}),
    "german": (Style(mark=";", number=german, day=lambda day: f"{day:%d.%m.%Y}", time=local), {}),
    "german excel": (
        Style(mark=";", number=german, time=local, encoding="cp1252", end="\r\n"),
        {"encoding": "cp1252"},
    ),
    "tabs in UTF-16": (Style(mark="\t", encoding="utf-16", number=lambda n: f"{n:,}"), {}),
    "a hint for Excel": (Style(mark=";", above="sep=;\n"), {}),
    "titles": (Style(above="Report of Lumen\n\nOctober 2026\n"), {}),
    "a footer": (Style(below='\n"Copyright of the platform"\n"Generated by: K. Stone"\n'), {}),
    "capitals": (Style(name=lambda name: name.upper().replace("_", " ")), {}),
    "thousands": (Style(number=lambda n: f"{n:,}"), {}),
    "blanks between thousands": (Style(number=lambda n: f"{n:,}".replace(",", " ")), {}),
    "swiss": (Style(mark="|", number=lambda n: f"{n:,}".replace(",", "'")), {}),
    "days in one": (
        Style(day=lambda day: f"{day:%Y%m%d}", time=lambda moment: str(epoch(moment))),
        {},
    ),
    "american": (
        Style(
            day=lambda day: f"{day:%m/%d/%Y}",
            time=lambda moment: f"{moment:%m/%d/%Y %I:%M:%S %p} UTC",
        ),
        {"date_format": "%m/%d/%Y"},
    ),
    "month names": (Style(day=lambda day: f"{day:%b %d, %Y}"), {}),
    "an offset": (Style(time=lambda moment: f"{moment:%Y-%m-%d %H:%M:%S} +0000"), {}),
}


def write(folder: Path, way: str, tables: dict[str, Rows]) -> dict[str, dict[str, Any]]:
    """Write the tables in a way; return each one's export: its files and what must be said of them."""
    return {
        table: {"files": _write(folder, way, table, rows), **_settings(way, table)}
        for table, rows in tables.items()
    }


def _settings(way: str, table: str) -> dict[str, Any]:
    if way == "nested":
        names = {"spend": ["campaign_id", "campaign"], "sessions": ["source", "medium", "campaign"]}
        return {"columns": {name: f"utm.{name}" for name in names.get(table, [])}}
    if way == "micros" and table == "spend":
        return {"columns": {"cost": "cost_micros"}}
    if way == "calculated" and table == "spend":
        return {"columns": {"cost": '"net" + "fee"'}}
    if way == "SQLite":
        return {"table": "rows"}
    return STYLES[way][1] if way in STYLES else {}


def _write(folder: Path, way: str, table: str, rows: Rows) -> str:
    path = folder / f"{table}.csv"
    if way in STYLES:
        path.write_bytes(STYLES[way][0].written(rows))
    elif way in ("gzip", "zstd"):
        path = folder / f"{table}.csv.{'gz' if way == 'gzip' else 'zst'}"
        written_exports.write(path, {"packed": way, "text": Style().written(rows).decode()})
    elif way == "zip":
        path = folder / f"{table}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for part, half in enumerate((rows[::2], rows[1::2])):
                archive.writestr(f"{table}-{part}.csv", Style().written(half))
    elif way == "a file each":
        for part in range(3):
            (folder / f"{table}-{part}.csv").write_bytes(Style().written(rows[part::3]))
        return f"{table}-*.csv"
    elif way in _WRITERS:
        suffix, writer = _WRITERS[way]
        path = folder / f"{table}.{suffix}"
        writer(path, rows)
    else:
        changed = [_otherwise(way, table, row) for row in rows]
        path.write_bytes(Style().written(changed))
    return path.name


def _otherwise(way: str, table: str, row: dict[str, Any]) -> dict[str, Any]:
    if table != "spend":
        return row
    cost = row["cost"]
    if way == "micros":
        return {**row, "cost_micros": int(cost * 1_000_000)} | {"cost": None}
    if way == "calculated":
        fee = round(cost / 7, 2)
        return {**row, "net": cost - fee, "fee": fee} | {"cost": None}
    if way == "signs":
        return row | {"cost": f"€{cost:,}"}
    if way == "more columns":
        return {"note": "", **row, "reach": 5, "more": ""}
    raise AssertionError(way)


def _texts(row: dict[str, Any]) -> dict[str, Any]:
    plain = Style()
    return {name: None if value is None else plain.cell(value) for name, value in row.items()}


def _values(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row as JSON has it: numbers are numbers."""
    texts = _texts(row)
    numbers = {name: value for name, value in row.items() if isinstance(value, int)}
    return texts | numbers


def _nested(row: dict[str, Any]) -> dict[str, Any]:
    inner = {
        name: row[name] for name in ("campaign_id", "campaign", "source", "medium") if name in row
    }
    outer = {name: value for name, value in _values(row).items() if name not in inner}
    return outer | {"utm": inner}


def _sqlite(path: Path, rows: Rows) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(f"CREATE TABLE rows ({', '.join(rows[0])})")
        marks = ", ".join("?" * len(rows[0]))
        texts = [tuple(_texts(row).values()) for row in rows]
        connection.executemany(f"INSERT INTO rows VALUES ({marks})", texts)
    connection.close()


_WRITERS: dict[str, tuple[str, Callable[[Path, Rows], Any]]] = {
    "JSON lines": (
        "jsonl",
        lambda path, rows: path.write_text(
            "".join(f"{json.dumps(_values(row))}\n" for row in rows)
        ),
    ),
    "JSON array": (
        "json",
        lambda path, rows: path.write_text(json.dumps([_values(row) for row in rows], indent=1)),
    ),
    "nested": (
        "jsonl",
        lambda path, rows: path.write_text(
            "".join(f"{json.dumps(_nested(row))}\n" for row in rows)
        ),
    ),
    "Parquet": (
        "parquet",
        lambda path, rows: pq.write_table(
            pa.Table.from_pylist([zoned(row, None) for row in rows]), path
        ),
    ),
    "Parquet of texts": (
        "parquet",
        lambda path, rows: pq.write_table(pa.Table.from_pylist([*map(_texts, rows)]), path),
    ),
    "workbook": (
        "xlsx",
        lambda path, rows: written_exports.write(
            path,
            {"workbook": [list(rows[0]), *(list(zoned(row, BERLIN).values()) for row in rows)]},
        ),
    ),
    "SQLite": ("sqlite", _sqlite),
}
WAYS = [
    *STYLES,
    *_WRITERS,
    *("gzip", "zstd", "zip", "a file each", "micros", "calculated", "signs", "more columns"),
]
