"""Note which model is computed, so that it can be named where the process dies of it.

DuckDB may die of what one client's model computes, and takes with it the process that runs the clients
of its warehouse. The note lies beside the warehouse file while a model is computed; what dies leaves it.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipelines.warehouse_files import file_of


@contextmanager
def at_work(shard: str, what: str) -> Iterator[None]:
    """Note what is done, as long as it takes; where the disk takes nothing, do not."""
    with suppress(OSError):
        _file(shard).write_text(what, encoding="utf-8")
    try:
        yield
    finally:
        forget(shard)


def was_at(shard: str) -> str:
    """Return what the process of a warehouse was at as it died; nothing if that was not noted."""
    with suppress(OSError, ValueError):
        return _file(shard).read_text(encoding="utf-8")
    return ""


def forget(shard: str) -> None:
    """Forget what is noted: it is done, or begins anew."""
    with suppress(OSError):
        _file(shard).unlink(missing_ok=True)


def _file(shard: str) -> Path:
    return file_of(shard).with_suffix(".duckdb.at_work")
