"""Remove what has come of age: copies of refused files, bad rows' content, the ledger, what the killed left."""

import os
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import duckdb

from pipelines.home import lake_folder, published_folder, runs_folder, warehouse_folder
from pipelines.lake.append import alone_at_once, source_folder
from pipelines.lake.loads import committed_files, committed_loads, rows_with_load
from pipelines.lake.rewriting import rewrite, sources_in_lake
from pipelines.published.old_versions import clear_leftovers, prune, prune_provisional
from pipelines.published.version_folders import alone, versions_of
from pipelines.settings.client import Client
from pipelines.sql import literal, only_row

_LEFT_BEHIND = timedelta(days=1)  # what is half written and so old has nobody who writes it


def remove_refused(client: Client, now: datetime) -> int:
    """Remove copies of files that were refused last so long ago, and the reasons; return how many."""
    until, count = now - timedelta(days=client.kept_days.refused), 0
    for reason in (lake_folder() / client.id / "_refused").glob("*/*.reason"):
        if _written(reason) <= until:
            reason.with_suffix("").unlink(
                missing_ok=True
            )  # first: without its reason nobody finds it
            reason.unlink()
            count += 1
    return count


def empty_quarantine(client: Client, now: datetime) -> int:
    """Empty the content of bad rows that came so long ago; return how many. Their reasons stay."""
    until = now.replace(tzinfo=None) - timedelta(days=client.kept_days.quarantine)
    count = 0
    for source in sources_in_lake(client.id):
        folder = str(source_folder(client.id, source))
        loads = committed_loads(folder)
        old = {load: at for load, at in loads.items() if at <= until}
        with alone_at_once(client.id, source) as is_free, duckdb.connect() as connection:
            for file in committed_files(folder, "quarantine", old) if is_free else ():
                count += _emptied(connection, file, old)
    return count


def _emptied(connection: duckdb.DuckDBPyConnection, file: str, old: Iterable[str]) -> int:
    rows = f"({rows_with_load([file])}) AS log"
    is_old = f"content IS NOT NULL AND _dlt_load_id IN ({', '.join(map(literal, old))})"
    (count,) = only_row(connection.execute(f"SELECT COUNT(*) FROM {rows} WHERE {is_old}"))
    if count:
        emptied = f"CASE WHEN {is_old} THEN NULL ELSE content END AS content"
        rewrite(connection, Path(file), f"SELECT * REPLACE ({emptied}) FROM {rows}")
    return count


def remove_versions(client: Client) -> int:
    """Remove versions of the published files that are kept no longer, and what was begun of them."""
    if not versions_of(client.id).exists():
        return 0
    with alone(client.id):
        before = _versions(client)
        clear_leftovers(client.id)
        prune(client.id, client.published_files)
        prune_provisional(client.id)
        return before - _versions(client)


def _versions(client: Client) -> int:
    return len([*versions_of(client.id).glob("[0-9]*")])


def remove_leftovers(client: Client, now: datetime) -> int:
    """Remove what killed processes left half written in a client's lake; return how many files."""
    return _remove(
        file
        for above, _, names in os.walk(lake_folder() / client.id)
        for file in (Path(above, name) for name in names if _is_half_written(name))
        if _written(file) <= now - _LEFT_BEHIND
    )


def remove_days(clients: Iterable[Client], now: datetime) -> int:
    """Remove days of the ledger that no client keeps; return how many."""
    longest = max((client.kept_days.ledger for client in clients), default=None)
    if longest is None:
        return 0
    until = (now - timedelta(days=longest)).date().isoformat()
    return _remove(day for day in sorted(runs_folder().glob("*.jsonl")) if day.stem < until)


def remove_torn(clients: Iterable[Client], now: datetime) -> int:
    """Remove torn warehouse files that were set aside so long ago; return how many."""
    longest: dict[str, float] = {}
    for client in clients:
        days = client.kept_days.torn_warehouse
        longest[client.shard] = max(days, longest.get(client.shard, 0))
    return _remove(
        file
        for shard, days in longest.items()
        for file in warehouse_folder().glob(f"{shard}.duckdb.torn-*")
        if _written(file) <= now - timedelta(days=days)
    )


def remove_shared_leftovers(now: datetime) -> int:
    """Remove what killed processes left half written in the folders that clients share."""
    folders = (warehouse_folder(), published_folder(), runs_folder())
    spilled = warehouse_folder().glob("*.duckdb.tmp/*")  # what DuckDB had no memory for
    half_written = (each for folder in folders for each in folder.glob(".*.new*"))
    return _remove(
        file
        for file in (*half_written, *spilled)
        if file.is_file() and _written(file) <= now - _LEFT_BEHIND
    )


def _remove(files: Iterable[Path]) -> int:
    count = 0
    for file in list(files):
        file.unlink(missing_ok=True)
        count += 1
    return count


def _is_half_written(name: str) -> bool:
    return name.startswith(".") and name.endswith(".new")


def _written(file: Path) -> datetime:
    """Return when a file was written last, UTC; one that went meanwhile is not old."""
    try:
        return datetime.fromtimestamp(file.stat().st_mtime, timezone.utc)
    except FileNotFoundError:
        return datetime.max.replace(tzinfo=timezone.utc)
