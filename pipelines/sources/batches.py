"""Say what a source hands over: batches, each of which is brought in as a whole or not at all."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from pipelines.settings.client import Client
from pipelines.settings.conditions import Condition, Value
from pipelines.settings.exports import Export
from pipelines.sources.files.wanted_names import Wanted
from pipelines.sql import literal


class Remedy(NamedTuple):
    """A line of a client's file, ready to paste, that would read an export: `grain: sum`.

    It goes under the table's export, or deeper, `below` a key of it such as `columns`, or below one
    of the client's own, such as `quality` or `sources.web.events`. Where there are several readings, `meaning` says of each
    what it makes of a value: one is to be chosen.
    """

    setting: str
    below: str = ""
    meaning: str = ""


class ExportError(Exception):
    """A batch that cannot be used as a whole; the text names it, the reason, the remedy.

    `remedies` are the lines of the client's file that would read it, all of them. Whoever knows the
    client and the table adds where a line goes.
    """

    def __init__(
        self,
        reason: str,
        file: Path | None = None,
        name: str = "",
        remedies: Sequence[Remedy] = (),
    ) -> None:
        super().__init__(reason)
        self.reason, self.file, self.table = reason, file, ""
        self.name = name or (file.name if file else "")
        self.remedies = remedies

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}" if self.name else self.reason


class ChangedMeanwhile(ExportError):
    """A file that somebody changed while it was read: it may be whole a moment later."""


NO_REJECTS = "SELECT 0, '', '', 0 WHERE FALSE"


class Rows(NamedTuple):
    """What is read, in SQL: a relation, and for each of the contract's columns an expression.

    `number` is a row's place among the rows, from 1; `line` is its first line in the file, and
    `lines` how many it spans. `rejects` is a query to run afterwards, for what is no row: line,
    text, reason, lines. `left_out`, a query too, counts what is knowingly not read; `typed`, one
    more, names columns of the export that hold numbers by their type, not texts that look like
    some. `native` has the columns that are nested in SQL, too, not JSON alone. `lines_read` are the lines of a text file,
    all of them. `unread` has the export's columns that no column of ours is made of, as far as they
    can be read. `header` has the names in a CSV file's header, of the values c0, c1, …, which is its line
    `header_line`; `mark` stands between values there, and so many lines above it, titles, are `skipped`.
    So many rows that end before their last columns were `filled`. Whether a text `is_ended` tells that
    something ends its last line.

    `called` has what the export calls columns that it names otherwise than they are read by.

    `where` is which rows count, where the client's file says it; `compared` has the export's columns
    that it compares. `export` has the settings by which it is read, where its header decided them: by a
    ready-made format. `days` has where a row's period begins and ends, which must be one day. `notes`
    say what is to be known of how it is read. `open_stages` are the stages of deals that are known to be open, where a
    stage says that a deal is won. `nowhere` has, by column of ours or
    setting, the error for a path into a column that leads nowhere: it is raised unless other deliveries
    have it. `made` are the values that have to be readable as columns of ours are made of them, those
    that are made `by_sql`. Of rows that are another table's, `apart` is the condition.

    `records` is how many rows and rejects there must be, if that is known; `found`, a query,
    counts those rows, where a row here is made of several. `again` reads a text file with more
    care, where they are not as many.
    """

    relation: str
    columns: dict[str, str]
    number: str = "ROW_NUMBER() OVER ()"
    line: str = "number"
    lines: str = "1"
    rejects: str = NO_REJECTS
    left_out: str = "SELECT 0"
    typed: str = "SELECT '' WHERE FALSE"
    native: dict[str, str] = {}
    unread: dict[str, str] = {}
    header: tuple[str, ...] = ()
    header_line: int = 1
    mark: str = ""
    is_ended: bool = True
    skipped: int = 0
    filled: int = 0
    called: dict[str, str] = {}
    where: Condition | None = None
    compared: dict[str, str] = {}
    export: Export | None = None
    days: tuple[str, ...] = ()
    notes: Sequence[str] = ()
    open_stages: Collection[str] | None = None
    nowhere: dict[str, ExportError] = {}
    made: list[Value] = []
    apart: str = ""
    by_sql: frozenset[str] = frozenset()
    lines_read: int | None = None
    records: int | None = None
    found: str = ""
    again: "Callable[[], Rows] | None" = None

    def with_care(self) -> "Rows":
        """Return the rows with their very lines, whatever else is in the file."""
        return self.again() if self.again else self


def typed(names: Iterable[str]) -> str:
    """Return the query of `Rows.typed` for columns whose names are known."""
    listed = ", ".join(literal(name) for name in names)
    return f"SELECT UNNEST([{listed}])" if listed else Rows._field_defaults["typed"]


class Reading(NamedTuple):
    """A file that is read: which of its columns matter, and what is closed or dropped afterwards.

    A text that is made of a sheet notes in `number_places` which of its values, counted from 0, are numbers there.
    """

    connection: duckdb.DuckDBPyConnection
    path: Path
    export: Export
    wanted: Wanted
    open_files: ExitStack
    number_places: set[int]


class Coverage(NamedTuple):
    """What was fetched of an ad account: days or moments in ISO 8601, both included."""

    account: str = ""
    first: str = ""
    last: str = ""


Open = Callable[[duckdb.DuckDBPyConnection], AbstractContextManager[Rows]]


class Batch(NamedTuple):
    """What is taken in one go: an export's file, or what a platform answered.

    `name` is its name in the load counts; `fingerprint` is a hash of its content, empty if every
    run reads it. `open` yields its rows; it raises ExportError if it cannot be read, here or as
    the SQL is run, or lacks a column. `file_time` is when a file was last changed, in nanoseconds;
    `column_time` reads the time that a column of it tells, where the client's file names one; `opening`
    returns what opens it by other settings of its export.
    """

    table: str
    name: str
    fingerprint: str
    path: Path | None
    open: "Open"
    covers: Coverage = Coverage()
    file_time: int | None = None
    column_time: Callable[[], Any] | None = None
    opening: "Callable[[Export], Open] | None" = None

    def by(self, export: Export) -> "Batch":
        """Return the batch as it is read by other settings of its export."""
        return self._replace(open=self.opening(export)) if self.opening else self

    @property
    def shown(self) -> str:
        """Return what messages call it: a file by its name, without its folders."""
        return self.path.name if self.path and not self.covers.first else self.name

    @property
    def content(self) -> str:
        """Return what stands for its content; of what is known by size and time, the name does so, too."""
        is_hash = re.fullmatch("[0-9a-f]{64}", self.fingerprint)
        return self.fingerprint if is_hash else f"{self.name} {self.fingerprint}"

    def refused(self, reason: str, remedies: Sequence[Remedy] = ()) -> ExportError:
        """Return the error that refuses the whole batch, with the lines that would read it."""
        return ExportError(reason, self.path, self.shown, remedies)


class FetchRequest(NamedTuple):
    """What is fetched on behalf of a client, and until when errors that may pass are retried.

    `coverage` is what the lake has, by table; `since` asks for history from that day on, as a
    backfill does. What is fetched lies in `folder` until it is loaded. `warn` is told what looks wrong
    and holds nobody. `known` are the names of the batches of each table's newest load. A poll between
    nights, `is_poll`, asks for no more than what is marked as changed. What is to be asked for `again`,
    by table, is asked for although the lake has it.
    """

    client: Client
    coverage: dict[str, list[Coverage]]
    now: datetime
    until: datetime
    folder: Path
    since: str = ""
    warn: Callable[[str], None] = lambda text: None
    known: Mapping[str, Iterable[str]] = {}
    is_poll: bool = False
    again: Mapping[str, Iterable[Coverage]] = {}
