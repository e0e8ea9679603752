"""Measure how many files a lake has after a year: `python benchmarks/lake_files.py --clients 30 --days 365`.

Each day each source of each client gets a load, in the shape that dlt leaves: a file of rows, one of load counts,
one of readings, and a marker. Beside it, what `make daily` makes of them, once a day; how long that takes, and
how long it takes to read all rows of a source from the files before and after. Clients are alike, so one is
measured and counted so many times.
"""

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from time import process_time
from typing import Annotated

import duckdb
import typer
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent.parent))

START = datetime(2026, 1, 1, 6)
SOURCES = {
    "web": ("sessions", 300),
    "google_ads": ("spend", 50),
    "salesforce": ("opportunities", 20),
}
ROWS = """
SELECT
  i AS ordinal, 'exports/acme/file.csv' AS export_file, i AS line, FALSE AS is_deleted,
  concat('{day}-', i) AS row_key, md5(concat('{day}', i)) AS visitor_id, concat(i % 97, '.50') AS cost
FROM range({count}) AS numbers(i)
"""


def main(
    clients: Annotated[int, typer.Option(help="Clients, all alike.")] = 30,
    days: Annotated[int, typer.Option(help="Days, with a load of each source.")] = 365,
) -> None:
    """Print the files of so many clients after so many days, merged and not."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["ATTRIBUTION_HOME"] = home
        table = Table(title=f"{clients} clients after {days} days")
        for column in ("", "files", "MB", "CPU s a client-day", "ms to read"):
            table.add_column(column)
        for name, is_merged in (("as loads leave them", False), ("merged", True)):
            table.add_row(name, *_year(name.split()[0], days, clients, is_merged))
        Console().print(table)


def _year(client: str, days: int, clients: int, is_merged: bool) -> Iterator[str]:
    from pipelines.home import lake_folder
    from pipelines.lake.merging import merge

    seconds = 0.0
    for day in range(days):
        at = START + timedelta(days=day)
        for source, (table, count) in SOURCES.items():
            _load(lake_folder() / client / source, table, count, at)
        if is_merged:
            began = process_time()
            merge(client, at)
            seconds += process_time() - began
    files = [each for each in (lake_folder() / client).rglob("*") if each.is_file()]
    size = sum(each.stat().st_blocks * 512 for each in files)
    yield f"{clients * len(files):,}"
    yield f"{clients * size / 1e6:,.0f}"
    yield f"{seconds / days:.3f}"
    yield f"{1000 * _reading(lake_folder() / client / 'web'):.0f}"


def _load(folder: Path, table: str, count: int, at: datetime) -> None:
    moment = at.replace(tzinfo=timezone.utc)
    load = f"{moment.timestamp():.6f}"
    for name, rows in ((table, count), ("exports", 1), ("readings", 1)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        file = folder / name / f"{load}.0a1b2c3d4e.parquet"
        duckdb.sql(ROWS.format(day=at.date(), count=rows)).write_parquet(str(file))
    marker = folder / f"_dlt_loads/{folder.name}__{load}.jsonl"
    marker.parent.mkdir(exist_ok=True)
    marker.write_text(json.dumps({"load_id": load, "status": 0, "inserted_at": moment.isoformat()}))


def _reading(folder: Path) -> float:
    """Return the CPU seconds that it takes to read all rows of a source."""
    from pipelines.lake.loads import committed_files, committed_loads, read_loads

    began = process_time()
    loads = committed_loads(str(folder))
    files = committed_files(str(folder), "sessions", loads)
    duckdb.sql(
        f"SELECT COUNT(*), MAX(visitor_id) FROM {read_loads(files, loads)} AS log"
    ).fetchall()
    return process_time() - began


if __name__ == "__main__":
    typer.run(main)
