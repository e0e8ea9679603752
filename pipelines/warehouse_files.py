"""Look at a shard's warehouse file: who holds it open, whether it is torn, whether it was replaced."""

import hashlib
import re
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from time import sleep

import duckdb

from pipelines.disk import disk_problem
from pipelines.home import warehouse_folder

_HELD = re.compile(r"held in (?:\S*/)?(\S+) \(PID (\d+)\)")
_TORN = re.compile("not a valid DuckDB database|Corrupt database|Could not read enough bytes")
_HEADERS = 3 * 4096  # bytes at its beginning, in which DuckDB counts what was written


class WarehouseError(Exception):
    """A warehouse file that cannot be used now; the text names it, why, and the remedy."""


class TornWarehouse(WarehouseError):
    """A warehouse file that DuckDB cannot read, and will not be able to."""


def file_of(shard: str) -> Path:
    """Return the warehouse file of a shard."""
    return warehouse_folder() / f"{shard}.duckdb"


def stamp(shard: str) -> str:
    """Return a digest that changes with every change of a warehouse file, by whomever."""
    digest = hashlib.sha256()
    for file in (file_of(shard), file_of(shard).with_suffix(".duckdb.wal")):
        if file.exists():
            status = file.stat()
            digest.update(repr((file.name, status.st_size, status.st_mtime_ns)).encode())
            with file.open("rb") as opened:
                digest.update(opened.read(_HEADERS))
    return digest.hexdigest()


def age(shard: str) -> tuple[int, int] | None:
    """Return which file a warehouse file is, and how often DuckDB has written it whole; None without one.

    The second number stands in both of its headers, after their checksum; it only ever grows.
    """
    if not file_of(shard).exists():
        return None
    with file_of(shard).open("rb") as opened:
        headers = opened.read(_HEADERS)
    counts = [int.from_bytes(headers[start + 8 : start + 16], "little") for start in (4096, 8192)]
    return file_of(shard).stat().st_ino, max(counts)


def wait_until_free(shard: str, until: datetime, tell: Callable[[str], None]) -> None:
    """Wait until nobody holds a warehouse file open, and say whom is waited for.

    Raise WarehouseError if it is still open by then, or not readable.
    """
    told = ""
    while held := _who_holds(shard):
        if datetime.now(timezone.utc) >= until:
            raise WarehouseError(f"{held}: close it, and run it again")
        if held != told:
            tell(f"{held}: waiting for it until {until:%H:%M} UTC at most")
            told = held
        sleep(0.5)


def why_unusable(shard: str, error: Exception) -> WarehouseError | None:
    """Return what an error says of a warehouse file; None if it is about something else."""
    name, text = f"warehouse/{file_of(shard).name}", " ".join(str(error).split())
    if "lock on file" in text:
        holder = _HELD.search(text)
        by = f"process {holder[2]} ({holder[1]})" if holder else "another process"
        return WarehouseError(f"{name} is open in {by}")
    if _TORN.search(text):
        return TornWarehouse(
            f"{name} is torn ({text}): put a backup of it back, or remove it and run make daily,"
            " which builds it from the lake by the clients' files as they are now"
        )
    if problem := disk_problem(error):
        return WarehouseError(problem)
    return None


def set_aside(shard: str) -> Path:
    """Rename a torn warehouse file, and what belongs to it; return its new name."""
    now = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%S")
    file = file_of(shard)
    torn = file.with_name(f"{file.name}.torn-{now}")
    file.replace(torn)
    wal = file.with_suffix(".duckdb.wal")
    if wal.exists():
        wal.replace(torn.with_name(f"{torn.name}.wal"))
    return torn


def half_built(shard: str, client: str) -> Path:
    """Return the file that lies beside a warehouse while its tables of a client are built from the lake.

    As long as it is there, they have not all rows, and nothing is to be learnt from them.
    """
    return file_of(shard).with_suffix(f".{client}.half_built")


def _who_holds(shard: str) -> str:
    """Return who holds a warehouse file open; nothing if nobody does, or there is none.

    Raise WarehouseError if it is not readable.
    """
    if not file_of(shard).exists():
        return ""
    try:
        duckdb.connect(str(file_of(shard))).close()
    except duckdb.Error as error:
        problem = why_unusable(shard, error)
        if problem and " is open in " in str(problem):
            return str(problem)
        raise problem or error from None
    return ""
