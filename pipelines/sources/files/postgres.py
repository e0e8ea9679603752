"""Read a table of a client's Postgres by ADBC, in one snapshot, every column as text.

With a cursor, a column of times, only rows at or after the newest time seen are read, less an
overlap for what was committed late; the load counts keep that time. Otherwise the table is read as
a whole, and ingest finds what changed.
"""

import difflib
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from math import ceil
from typing import Any
from urllib.parse import unquote, urlsplit

import duckdb
import pyarrow as pa

from pipelines.contracts.contract import Contract
from pipelines.settings.export_places import Postgres
from pipelines.settings.exports import Export
from pipelines.sources.batches import (
    Batch,
    Coverage,
    ExportError,
    FetchRequest,
    Open,
    Remedy,
    Rows,
    typed,
)
from pipelines.sources.credentials import conceal, credentials, keep_secret
from pipelines.sources.files.adbc import streamed
from pipelines.sources.files.column_mapping import shaped
from pipelines.sources.files.names_to_read import wanted
from pipelines.sources.files.postgres_errors import Asked, no_right, server_error, unreached
from pipelines.sources.files.status_names import may_say
from pipelines.sources.rest import patient
from pipelines.sources.yaml_texts import scalar
from pipelines.sql import identifier, literal

BATCH = {"adbc.postgresql.batch_size_hint_bytes": 1 << 20}  # more cost memory, and save no time

_SECONDS_TO_CONNECT = "20"  # where neither its URL nor the environment says it

_NUMBERS = re.compile("(smallint|integer|bigint|numeric|real|double precision)$")

_SESSION = """
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;
SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL IntervalStyle = 'postgres';
SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1; SET LOCAL client_encoding = 'UTF8';
SET LOCAL statement_timeout = '{minutes}min'
"""

_COLUMNS = """
SELECT attname::TEXT, format_type(atttypid, NULL), has_column_privilege(attrelid, attnum, 'SELECT')
FROM pg_attribute
WHERE attrelid = to_regclass({table}) AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""

_TABLES = """
SELECT nspname || '.' || relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND nspname !~ '^(pg_|information_schema)'
AND has_schema_privilege(nspname, 'USAGE') AND has_table_privilege(pg_class.oid, 'SELECT')
ORDER BY 1 LIMIT 20
"""


def batches(
    request: FetchRequest,
    source: str,
    table: str,
    export: Export,
    settings: Postgres,
    contract: Contract,
) -> list[Batch]:
    """Return a table as a batch, always to be looked at."""
    covers = Coverage()
    if settings.cursor:
        account = f"{settings.table}.{settings.cursor}"
        seen = [one.last for one in request.coverage.get(table, []) if one.account == account]
        last = _newest(request, source, settings)
        covers = Coverage(account, max(seen, default="-infinity"), max([*seen, last or ""]))
    name = f"{settings.table} until {covers.last}" if covers.last else settings.table
    read_from = covers.first if covers.last else ""
    covers = covers if covers.last else Coverage()

    def opening(by: Export) -> Open:
        return partial(_opened, request, source, by, settings, contract, read_from)

    return [Batch(table, name, "", None, opening(export), covers, opening=opening)]


@contextmanager
def _opened(
    request: FetchRequest,
    source: str,
    export: Export,
    settings: Postgres,
    contract: Contract,
    read_from: str,
    connection: duckdb.DuckDBPyConnection,
) -> Iterator[Rows]:
    failures: list[Exception] = []
    refused = partial(ExportError, name=settings.table)
    try:
        with ExitStack() as open_files:
            cursor = open_files.enter_context(_connected(request, source, settings))
            present, hidden = _columns(cursor, settings)
            cursor.adbc_statement.set_options(**BATCH)
            named = wanted(export, contract).held(present)
            read = {name for name in present if name in named or may_say(name)}
            if unreadable := sorted(read & hidden):
                asked = _asked(request, source, settings)
                raise no_right(asked, unreadable, present.keys() - hidden)
            columns = {
                name: f"CAST({identifier(name)} AS TEXT)" if name in read else "NULL"
                for name in present
            }
            where = _since(settings, present, read_from)
            rows = streamed(
                connection, cursor, _quoted(settings), columns, open_files, where, failures
            )
            rows = rows._replace(
                typed=typed(name for name, kind in present.items() if _NUMBERS.match(kind))
            )
            yield shaped(connection, rows, export, contract, refused, open_files)
    except (duckdb.Error, pa.ArrowInvalid) as error:
        if failures and (found := server_error(failures[0], _asked(request, source, settings))):
            raise found from None
        line = str(failures[0] if failures else error).strip().splitlines()[0]
        raise refused(
            f"not readable: {conceal(line)}; correct the table or the view there, and run it again"
        ) from None


def _newest(request: FetchRequest, source: str, settings: Postgres) -> str | None:
    """Return the newest time of the cursor, none that is still to come."""
    with _connected(request, source, settings) as cursor:
        present, hidden = _columns(cursor, settings)
        name, _ = _cursor(settings, present)
        if name in hidden:
            raise no_right(_asked(request, source, settings), [name], present.keys() - hidden)
        column = identifier(name)
        cursor.execute(
            f"SELECT CAST(MAX({column}) AS TEXT) FROM {_quoted(settings)} WHERE {column} <= NOW()"
        )
        return cursor.fetchone()[0]


def _since(settings: Postgres, present: dict[str, str], read_from: str) -> str:
    """Return the condition for the rows that are read; one without a time is always read."""
    if not settings.cursor or not read_from:
        return ""
    name, kind = _cursor(settings, present)
    column, overlap = identifier(name), f"INTERVAL '{settings.overlap_minutes} minutes'"
    return f"WHERE {column} >= {literal(read_from)}::{kind} - {overlap} OR {column} IS NULL"


def _cursor(settings: Postgres, present: dict[str, str]) -> tuple[str, str]:
    """Return the cursor's name and type. Raise ExportError if there is none, or it is no time."""
    name = settings.cursor or ""
    kind = present.get(name, "missing")
    if kind != "date" and not kind.startswith("timestamp"):
        times = [one for one, type_ in present.items() if type_.startswith(("timestamp", "date"))]
        raise ExportError(
            f"cursor {name} is {kind}; name a column of times ({', '.join(times) or 'it has none'}),"
            " or leave it out",
            name=settings.table,
            remedies=_cursors(times),
        )
    return name, kind


def _cursors(times: list[str]) -> list[Remedy]:
    """Return the lines that would name a cursor; none reads every row."""
    named = [
        Remedy(f"cursor: {scalar(name)}", "postgres", f"{name} changes with each row")
        for name in times
    ]
    return [*named, Remedy("cursor: null", "postgres", "every row is to be read each time")]


def _columns(cursor: Any, settings: Postgres) -> tuple[dict[str, str], set[str]]:
    """Return the table's columns with their types, and those that may not be read.

    Raise ExportError if there is no such table.
    """
    cursor.execute(_COLUMNS.format(table=literal(_quoted(settings))))
    if found := cursor.fetchall():
        hidden = {name for name, _, is_readable in found if not is_readable}
        return {name: kind for name, kind, _ in found}, hidden
    cursor.execute(_TABLES)
    tables = [name for (name,) in cursor.fetchall()]
    near = difflib.get_close_matches(settings.table, tables, 3) or tables[:3]
    meaning = "it is that one" if len(near) > 1 else ""
    raise ExportError(
        f"there is no such table; its user may read {', '.join(tables) or 'none: grant it one'}",
        name=settings.table,
        remedies=[Remedy(f"table: {scalar(name)}", "postgres", meaning) for name in near],
    )


def _quoted(settings: Postgres) -> str:
    return ".".join(map(identifier, settings.table.split(".")))


@contextmanager
def _connected(request: FetchRequest, source: str, settings: Postgres) -> Iterator[Any]:
    """Yield a cursor in a read-only snapshot. Raise PlatformError if there is no answer."""
    import adbc_driver_postgresql.dbapi as driver  # here, as few clients need it

    os.environ.setdefault("PGCONNECT_TIMEOUT", _SECONDS_TO_CONNECT)
    asked = _asked(request, source, settings)
    url = asked.url
    if password := urlsplit(url).password:
        keep_secret(password)
        keep_secret(unquote(password))

    def connect() -> Any:
        try:
            return driver.connect(url)
        except driver.Error as error:
            raise unreached(error, asked) from None

    try:
        with patient(request.until)(connect) as database, database.cursor() as cursor:
            minutes = ceil(request.client.limits.minutes)  # or the server goes on without us
            for statement in _SESSION.format(minutes=minutes).split(";"):
                cursor.execute(statement)
            yield cursor
    except driver.Error as error:
        if found := server_error(error, asked):
            raise found from None
        line = str(error).strip().splitlines()[0]
        raise ExportError(
            f"its Postgres says: {conceal(line)}; correct the table or the view there, and run it again",
            name=settings.table,
        ) from None


def _asked(request: FetchRequest, source: str, settings: Postgres) -> Asked:
    url = credentials(request.client.id, source, "url")["url"]
    return Asked(request, source, settings.table, url)
