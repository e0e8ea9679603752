"""Measure what ingest costs: `python benchmarks/ingest.py --rows 1000000`, or `--clients 100`.

Rows of web sessions from each kind of source to the lake, beside DuckDB's own copy of the same
source to Parquet: CPU seconds and peak memory, each in a process of its own, start-up left out.
DuckDB's readers of SQLite and Postgres are downloads; here both sides read by ADBC.

With `--clients`: a morning on which nobody has anything new, of exports, and of platforms that
are asked over HTTP and answer the same again.
"""

import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated

import duckdb
import typer
import yaml
from rich.console import Console
from rich.table import Table

PROJECT = Path(__file__).parent.parent
sys.path.insert(0, str(PROJECT))

SESSIONS = """
SELECT
  printf('session-%09d', i) AS session_id, md5(concat('v', i % ({rows} // 3)))[:16] AS visitor_id,
  CASE WHEN i % 4 = 0 THEN printf('customer-%07d', i % ({rows} // 20)) END AS customer_id,
  (TIMESTAMP '2026-01-01' + to_seconds(i % 20000000))::TEXT AS started_at,
  ['google', 'facebook', 'bing', NULL][1 + i % 4] AS source,
  ['cpc', 'paid_social', 'organic', NULL][1 + i % 4] AS medium,
  CASE WHEN i % 3 = 0 THEN concat('campaign ', i % 50) END AS campaign,
  concat('https://www.example.org/', i % 1000) AS referrer,
  CASE WHEN i % 4 = 0 THEN concat('Cj0K', md5(i::TEXT)) END AS gclid, NULL::TEXT AS fbclid
FROM range({rows}) AS numbers(i)
"""
COLUMNS = (
    "session_id visitor_id customer_id started_at source medium campaign referrer gclid fbclid"
)

# A process of its own: it prints the CPU seconds of its work, and its peak memory in MiB.
PROCESS = """
import duckdb, json, resource
import pipelines.ingest.run, pipelines.settings.reader
def seconds():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
duckdb.execute("SELECT ?", [1])  # it loads pandas
start = seconds()
%s
print()
peak = next(line for line in open('/proc/self/status') if line.startswith('VmHWM'))
print(json.dumps([seconds() - start, int(peak.split()[1]) / 1024]))
"""
OURS = """
(client,), _ = pipelines.settings.reader.read()
outcome = pipelines.ingest.run.ingest_source(client, 'web')
assert outcome.counts.appended, outcome
"""
COPY = """
connection = duckdb.connect(config={'memory_limit': '1GB'})
connection.execute("COPY (FROM %s) TO 'copy.parquet'")
"""
COPY_BY_ADBC = """
import adbc_driver_%s.dbapi as adbc
cursor = adbc.connect('%s').cursor()
cursor.adbc_statement.set_options(**%s)
cursor.execute('SELECT * FROM sessions')
rows = cursor.fetch_record_batch()
duckdb.connect().execute("COPY (FROM rows) TO 'copy.parquet'")
"""


def main(
    rows: Annotated[int, typer.Option(help="Rows of sessions.")] = 1_000_000,
    clients: Annotated[int, typer.Option(help="Measure so many clients with nothing new.")] = 0,
    runs: Annotated[int, typer.Option(help="Runs of each side, in turn; the fastest counts.")] = 3,
) -> None:
    """Print what ingest costs."""
    Console(width=110).print(_idle(clients) if clients else _rows(rows, runs))


def _rows(count: int, runs: int) -> Table:
    table = Table(
        "source", "rows", "rows per CPU-s", "peak MiB", "DuckDB's own", "its MiB", "ratio"
    )
    for kind, prepare in KINDS.items():
        with tempfile.TemporaryDirectory() as folder:
            export, baseline = prepare(Path(folder), count)
            Path(folder, "clients").mkdir()
            sources = {"web": {"sessions": export}}
            client = {"name": "Big", "currency": "EUR", "folders": ["."], "sources": sources}
            Path(folder, "clients/big.yaml").write_text(yaml.safe_dump(client))
            measured = []
            for _ in range(runs):
                shutil.rmtree(Path(folder, "lake"), ignore_errors=True)
                measured.append((_measured(folder, OURS), _measured(folder, baseline)))
        ours, theirs = (min(side) for side in zip(*measured))
        speeds = [f"{count / seconds:,.0f}" for seconds, _ in (ours, theirs)]
        shown = (f"{ours[1]:.0f}", speeds[1], f"{theirs[1]:.0f}", f"{ours[0] / theirs[0]:.2f}")
        table.add_row(kind, f"{count:,}", speeds[0], *shown)
    return table


def _csv(folder: Path, count: int) -> tuple[dict, str]:
    duckdb.execute(f"COPY ({SESSIONS.format(rows=count)}) TO '{folder}/s.csv' (HEADER)")
    columns = ", ".join(f"'{name}': 'TEXT'" for name in COLUMNS.split())
    reading = f"read_csv('s.csv', header = true, auto_detect = false, columns = {{{columns}}})"
    return {"files": "s.csv"}, COPY % reading


def _parquet(folder: Path, count: int) -> tuple[dict, str]:
    duckdb.execute(f"COPY ({SESSIONS.format(rows=count)}) TO '{folder}/s.parquet'")
    return {"files": "s.parquet"}, COPY % "'s.parquet'"


def _sqlite(folder: Path, count: int) -> tuple[dict, str]:
    rows = duckdb.execute(SESSIONS.format(rows=count))
    with closing(sqlite3.connect(folder / "s.sqlite")) as database, database:
        database.execute(f"CREATE TABLE sessions ({COLUMNS.replace(' ', ' TEXT, ')} TEXT)")
        while batch := rows.fetchmany(100_000):
            database.executemany(f"INSERT INTO sessions VALUES ({', '.join('?' * 10)})", batch)
    batches = {"adbc.sqlite.query.batch_rows": "65536"}
    return {"files": "s.sqlite", "table": "sessions"}, COPY_BY_ADBC % (
        "sqlite",
        "s.sqlite",
        batches,
    )


def _postgres(folder: Path, count: int) -> tuple[dict, str]:
    import adbc_driver_postgresql.dbapi as adbc
    import pgserver

    server = pgserver.get_server(folder / "postgres", cleanup_mode="stop")
    os.environ["CLIENTS__BIG__WEB__URL"] = server.get_uri()
    with adbc.connect(server.get_uri()) as database, database.cursor() as cursor:
        rows = duckdb.execute(SESSIONS.format(rows=count)).to_arrow_reader(100_000)
        cursor.adbc_ingest("sessions", rows)
        database.commit()
    export = {"postgres": {"table": "public.sessions"}}
    return export, COPY_BY_ADBC % ("postgresql", server.get_uri(), {})


KINDS = {"CSV": _csv, "Parquet": _parquet, "SQLite": _sqlite, "Postgres": _postgres}


def _measured(folder: str, work: str) -> list[float]:
    """Run Python code in a folder; return the CPU seconds and MiB that it prints."""
    done = subprocess.run(
        [sys.executable, "-c", PROCESS % work],
        cwd=folder,
        env=os.environ | {"ATTRIBUTION_HOME": folder, "PYTHONPATH": str(PROJECT)},
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def _idle(count: int) -> Table:
    from demo.servers.platform_world import Platforms

    table = Table("sources of each client", "clients", "CPU-s a source", "CPU-s in all")
    yesterday = datetime.now(timezone.utc).date() - timedelta(days=1)
    with tempfile.TemporaryDirectory() as folder, Platforms(day_0=yesterday) as platforms:
        home = Path(folder)
        (home / "clients").mkdir()
        for number in range(count):
            name = f"bench{number:03}"
            (home / f"clients/{name}.yaml").write_text(platforms.settings(name, yesterday))
            os.environ |= platforms.credentials(name)
        _pipelines(folder, "pipelines", "ingest")
        seconds = _pipelines(folder, "pipelines", "ingest")
        table.add_row("APIs, bucket", str(count), f"{seconds / count / 4:.3f}", f"{seconds:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        _pipelines(folder, "demo", "--copies", str(count))
        _pipelines(folder, "pipelines", "ingest")
        seconds = _pipelines(folder, "pipelines", "ingest")
        table.add_row("exports", str(count), f"{seconds / count / 4:.3f}", f"{seconds:.1f}")
    return table


def _pipelines(home: str, *command: str) -> float:
    """Run a Python module on a home; return its CPU seconds, its children's included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-m", *command],
        cwd=PROJECT,
        env=os.environ | {"ATTRIBUTION_HOME": home},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    typer.run(main)
