"""Keep readers open on a client's published file while everything else goes on."""

from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Self

import duckdb

_OPEN = 4  # readers at once; the oldest leaves when another comes
_PAUSE = 1.0  # seconds between two looks

# What the rows say of themselves must hold in every version: one that is half old does not sum up.
_CREDIT = """
SELECT COUNT(DISTINCT conversion_id), SUM(attributed_revenue), BOOL_AND(is_whole) FROM (
  SELECT conversion_id, SUM(attributed_revenue) AS attributed_revenue,
    SUM(attributed_revenue) = ANY_VALUE(revenue) AND ABS(SUM(credit) - 1) < 1e-6 AS is_whole
  FROM {client}_publish.attribution_v1 GROUP BY conversion_id
)
"""
_TOTAL = "SELECT SUM(revenue) FROM {client}_publish.campaigns_v1"


class Readers:
    """Readers of one client's file: what each saw first it sees always, and all of it fits together."""

    def __init__(self, home: Path, client: str) -> None:
        self._file, self._client = home / f"published/{client}.duckdb", client
        self._open: list[tuple[duckdb.DuckDBPyConnection, tuple]] = []
        self._over = Event()
        self._thread = Thread(target=self._read, daemon=True)
        self.wrong: list[str] = []
        self.looks = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        for reader, _ in self._open:
            reader.close()

    def _read(self) -> None:
        while not self._over.wait(_PAUSE):
            try:
                self._look()
            except duckdb.Error as error:
                self.wrong.append(str(error))

    def _look(self) -> None:
        for reader, before in self._open:
            if (now := self._seen(reader)) != before:
                self.wrong.append(f"an open reader saw {before}, and then {now}")
        if len(self._open) == _OPEN:
            self._open.pop(0)[0].close()
        reader = duckdb.connect()
        reader.execute(f"ATTACH '{self._file}' AS files (READ_ONLY); USE files")
        seen = self._seen(reader)
        if not seen[2] or seen[1] != seen[3]:
            self.wrong.append(f"one version does not fit together: {seen}")
        self._open.append((reader, seen))
        self.looks += 1

    def _seen(self, reader: duckdb.DuckDBPyConnection) -> tuple:
        found: list = []
        for query in (_CREDIT, _TOTAL):
            found += reader.execute(query.format(client=self._client)).fetchall()[0]
        return tuple(found)


def shown(home: Path, client: str, columns: str) -> list[tuple]:
    """Return columns of a client's credit as they are shown now."""
    with duckdb.connect() as reader, suppress(duckdb.Error):
        reader.execute(f"ATTACH '{home}/published/{client}.duckdb' AS files (READ_ONLY)")
        return reader.execute(
            f"SELECT {columns} FROM files.{client}_publish.attribution_v1 ORDER BY ALL"
        ).fetchall()
    return []
