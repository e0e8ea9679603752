"""Notice torn blocks in the middle of a warehouse file, which opens as if it were whole.

DuckDB finds such a block when a model reads it: it says so, or dies of it. Either leaves a doubt: a
file beside the warehouse file. The next morning reads the whole file before anybody is run.
"""

import signal
import subprocess
import sys
from pathlib import Path

from pipelines.warehouse_files import TornWarehouse, file_of, why_unusable

_DIES_OF_IT = (-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS)
_READ_ALL = """
import duckdb, sys
with duckdb.connect(sys.argv[1], read_only=True) as warehouse:
    found = "SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT temporary"
    for names in warehouse.execute(found).fetchall():
        table = ".".join('"' + name.replace('"', '""') + '"' for name in names)
        warehouse.execute(f"SELECT BIT_XOR(HASH(rows)) FROM {table} AS rows").fetchall()
"""


def doubt(shard: str) -> None:
    """Let the next morning read a warehouse file before it is used."""
    if file_of(shard).exists():
        _mark(shard).touch()


def is_doubted(shard: str) -> bool:
    """Return whether a warehouse file is to be read before it is used."""
    return _mark(shard).exists()


def settle(shard: str) -> None:
    """Read a warehouse file that is doubted, in a process of its own. Raise TornWarehouse if it is torn.

    One that cannot be read now, as another process holds it, stays doubted.
    """
    if not is_doubted(shard):
        return
    read = subprocess.run(
        [sys.executable, "-c", _READ_ALL, str(file_of(shard))], capture_output=True, text=True
    )
    found = why_unusable(shard, Exception((read.stderr.strip().splitlines() or [""])[-1]))
    if read.returncode in _DIES_OF_IT:
        found = why_unusable(shard, Exception("Corrupt database: DuckDB dies of it"))
    if isinstance(found, TornWarehouse):
        raise found
    if not read.returncode:
        trust(shard)


def trust(shard: str) -> None:
    """Let a warehouse file be used as it is."""
    _mark(shard).unlink(missing_ok=True)


def _mark(shard: str) -> Path:
    return file_of(shard).with_suffix(".duckdb.doubted")
