"""Read text files into DuckDB: CSV, Snowplow's TSV, and JSON lines.

A file in which each line is a row is read as it is. Any other, or one in which a line turns out to
be none, is copied first: see `numbered_copy`. Either way it is known how many rows there must be.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from uuid import uuid4

import duckdb
import pyarrow as pa

from pipelines.sources.batches import NO_REJECTS, ExportError, Reading, Rows, typed
from pipelines.sources.files import snowplow_columns
from pipelines.sources.files.backslash_quotes import with_doubled_quotes
from pipelines.sources.files.csv_header import Header, each_once
from pipelines.sources.files.header_lines import Head
from pipelines.sources.files.numbered_copy import (
    CR,
    CUT,
    LF,
    LONGEST,
    Copied,
    Layout,
    copy_numbered,
)
from pipelines.sources.files.physical_lines import Survey, survey
from pipelines.sources.files.records import grammar
from pipelines.sources.files.repeated_json_keys import fault, keys_of_lines
from pipelines.sources.files.short_rows import filling
from pipelines.sources.files.status_names import may_say
from pipelines.sources.files.unreadable import no_objects
from pipelines.sql import file_literal, literal, only_row


def read_csv(reading: Reading) -> Rows:
    """Read by RFC 4180, in UTF-8; of the dialect only the delimiter is guessed, by the header."""
    header = Header(reading.path, reading.wanted, reading.export.skip)
    head = header.found()
    if reading.export.quotes == "backslash":
        reading = with_doubled_quotes(reading, head.mark)
        header = header._replace(path=reading.path)
        head = header.found()
    path = reading.path
    found = survey(path, is_quoted=True)
    again = partial(_read_numbered_csv, reading, head, found)
    if not found.is_plain:
        return again()
    names = header.names(head.line, head)
    columns = [f"c{place}" for place in range(len(names))]
    rows = Rows(
        _parsed(path, columns, head.mark, '"', header=True, skip=head.above),
        dict(zip(each_once(names, reading.wanted), columns)),
        line=f"number + {head.above + 1}",
        lines_read=found.lines,
        records=found.lines - head.above - 1,
        again=again,
    )
    return _headed(reading, rows, names, head, found)


def _headed(reading: Reading, rows: Rows, names: Sequence[str], head: Head, found: Survey) -> Rows:
    """Return rows with what is known of the header, and of the file's end."""
    return rows._replace(
        header=tuple(names),
        typed=typed(names[place] for place in sorted(reading.number_places) if place < len(names)),
        header_line=head.above + 1,
        mark=head.mark,
        is_ended=found.is_ended,
        skipped=head.titles,
    )


def _read_numbered_csv(reading: Reading, head: Head, found: Survey) -> Rows:
    header = Header(reading.path, reading.wanted, reading.export.skip)
    names = partial(header.names, head=head)
    mark = head.mark
    fill = partial(filling, mark, wanted=reading.wanted)
    layout = Layout(mark, grammar(mark), names, reading.export.row_lines, head.above, fill)
    copy, copied = _copy(reading, layout, found)
    columns = [f"c{place}" for place in range(len(copied.names))]
    value = f"REPLACE(REPLACE({{}}, '{LF}', CHR(10)), '{CR}', CHR(13))"
    value = value if copied.has_breaks else "{}"
    named = each_once(copied.names, reading.wanted)
    rows = _numbered(
        _parsed(copy, ["place", *columns], mark, '"'),
        {name: value.format(column) for name, column in zip(named, columns)},
        copied,
        _rejects(mark, len(columns)),
    )
    return _headed(reading, rows, copied.names, head, found)._replace(filled=copied.filled)


def read_tsv(reading: Reading) -> Rows:
    """Read Snowplow's enriched events, a tab between values, no header, no quotes; else what CSV is."""
    if reading.export.format != "snowplow":
        return read_csv(reading)
    found = survey(reading.path, is_quoted=False)
    again = partial(_read_numbered_tsv, reading, found)
    if not found.is_plain:
        return again()
    return Rows(
        _parsed(reading.path, list(snowplow_columns.COLUMNS), "\t"),
        {name: name for name in snowplow_columns.COLUMNS},
        lines_read=found.lines,
        records=found.lines,
        again=again,
    )


def _read_numbered_tsv(reading: Reading, found: Survey) -> Rows:
    copy, copied = _copy(reading, Layout("\t"), found)
    columns = list(snowplow_columns.COLUMNS)
    parsed = _parsed(copy, ["place", *columns], "\t")
    return _numbered(parsed, {name: name for name in columns}, copied, _rejects("\t", len(columns)))


def read_jsonl(reading: Reading) -> Rows:
    """Read a line at a time: where one holds no JSON object, its neighbours still do."""
    found = survey(reading.path, is_quoted=False)
    again = partial(_read_numbered_jsonl, reading, found)
    if not found.is_plain:
        return again()
    parsed = _parsed(reading.path, ["text"], _NO_MARK)
    rows = _objects(reading, f"SELECT text, ROW_NUMBER() OVER () AS line FROM {parsed}")
    if rows.rejects != NO_REJECTS:
        return again()
    return rows._replace(lines_read=found.lines, records=found.lines, again=again)


def _read_numbered_jsonl(reading: Reading, found: Survey) -> Rows:
    copy, copied = _copy(reading, Layout(_NO_MARK), found)
    parsed = _parsed(copy, ["place", "text"], _NO_MARK)
    rows = _objects(reading, f"SELECT text, {_LINE} AS line FROM {parsed}")
    rejects = f"{rows.rejects} UNION ALL {_rejects(_NO_MARK, 1)}"
    found_lines = _numbered(rows.relation, rows.columns, copied, rejects)
    return found_lines._replace(line="line", lines="1", typed=rows.typed)


def _objects(reading: Reading, numbered: str) -> Rows:
    """Return the rows of lines that hold a JSON object each; the others are rejects."""
    is_object = "(json_valid(text) AND STARTS_WITH(LTRIM(text), '{'))"
    times, has_torn = keys_of_lines(reading.connection, numbered)
    _forget_rejects(reading.connection)
    if not times:
        raise no_objects(reading.path)
    read = sorted(reading.wanted.held(times) | {key for key in times if may_say(key)})
    twice = [key for key in read if times[key] > 1]
    repeated = fault(reading.connection, numbered, twice, reading.export.is_of_events)
    wrong = f"CASE WHEN {is_object} IS NOT TRUE THEN '{_NO_OBJECT}' ELSE {repeated or 'NULL'} END"
    has_bad = has_torn or repeated  # few have: looking for them again takes as long as reading
    rejects = f"SELECT line, text, reason, 1 FROM (SELECT *, {wrong} AS reason FROM ({numbered}))"
    paths = ", ".join(map(_pointer, read)) or "''"
    return Rows(
        f"""(SELECT line, json_extract_string(text, [{paths}]) AS fields
        FROM ({numbered}) {f"WHERE {wrong} IS NULL" if has_bad else ""})""",
        dict.fromkeys(times, "NULL")
        | {key: f"fields[{place}]" for place, key in enumerate(read, 1)},
        line="line",
        typed=_numbers(numbered, is_object, read),
        rejects=f"{rejects} WHERE reason IS NOT NULL" if has_bad else NO_REJECTS,
    )


def _numbers(numbered: str, is_object: str, keys: list[str]) -> str:
    """Return the query for the keys that hold numbers, and no texts, which stand in quotes."""
    found = []
    for key in keys:
        kind = f"json_type(text, {_pointer(key)})"
        text = f"REGEXP_MATCHES(json_extract_string(text, {_pointer(key)}), '[0-9]')"
        is_number = f"BOOL_OR({kind} IN ('DOUBLE', 'BIGINT', 'UBIGINT'))"
        is_text = f"BOOL_OR({kind} = 'VARCHAR' AND {text})"
        found.append(f"IF({is_number} AND NOT {is_text}, {literal(key)}, NULL)")
    if not found:
        return str(Rows._field_defaults["typed"])
    numbers = f"SELECT UNNEST([{', '.join(found)}]) AS key FROM ({numbered}) WHERE {is_object}"
    return f"SELECT key FROM ({numbers}) WHERE key IS NOT NULL"


def _pointer(key: str) -> str:
    """Return where a key's value is in a JSON object, as SQL."""
    return literal("/" + key.replace("~", "~0").replace("/", "~1"))


_NO_MARK = "\x01"  # in no JSON: there it is written as \u0001
_NO_OBJECT = "the line holds no JSON object"

# Where a record begins in its file, and how many lines it spans: `0000000012` or `0000000012+3`.
_LINE = "SUBSTR(place, 1, 10)::BIGINT"
_LINES = "COALESCE(TRY_CAST(SUBSTR(place, 12) AS BIGINT), 1)"


def _parsed(
    path: Path,
    columns: list[str],
    mark: str,
    quote: str = "",
    header: bool = False,
    skip: int = 0,
) -> str:
    """Return SQL for what a file holds, every value as text."""
    types = ", ".join(f"{name}: 'TEXT'" for name in columns)
    return f"""read_csv({file_literal(path)}, header = {header}, skip = {skip}, delim = '{mark}', quote = '{quote}',
        escape = '{quote}', columns = {{{types}}}, auto_detect = false, store_rejects = true,
        max_line_size = {_MAX_LINE}, buffer_size = {_BUFFER})"""


_MAX_LINE = LONGEST + 64  # a record with its place
_BUFFER = 32_000_000


def _copy(reading: Reading, layout: Layout, found: Survey) -> tuple[Path, Copied]:
    """Copy a file; return the copy. Raise ExportError if it does not have as many lines as before."""
    connection, open_files = reading.connection, reading.open_files
    _forget_rejects(connection)
    connection.execute(_LINE_REJECTS)
    open_files.callback(connection.execute, "DROP TABLE IF EXISTS line_rejects")
    (folder,) = only_row(connection.execute("SELECT current_setting('temp_directory')"))
    target = Path(folder, f"numbered-{uuid4().hex}")  # of each opening its own
    target.parent.mkdir(parents=True, exist_ok=True)
    open_files.callback(target.unlink, missing_ok=True)
    copied = copy_numbered(reading.path, target, layout, partial(_keep, connection))
    if copied.lines != found.lines:
        reason = f"it has {found.lines} lines, and {copied.lines} are accounted for"
        raise ExportError(
            f"{reason}; run it again, and report it if that does not help", reading.path
        )
    return target, copied


_LINE_REJECTS = """CREATE OR REPLACE TEMP TABLE line_rejects
(line BIGINT, content TEXT, reason TEXT, lines BIGINT)"""


def _keep(connection: duckdb.DuckDBPyConnection, rejects: pa.Table) -> None:
    connection.register("found_rejects", rejects)
    connection.execute("INSERT INTO line_rejects FROM found_rejects")
    connection.unregister("found_rejects")


def _numbered(relation: str, columns: dict[str, str], copied: Copied, rejects: str) -> Rows:
    return Rows(
        relation,
        columns,
        line=_LINE,
        lines=_LINES,
        rejects=rejects,
        notes=[_NULS.format(copied.nuls)] if copied.nuls else [],
        lines_read=copied.lines,
        records=copied.records + copied.rejects,
    )


_NULS = "NULs, the byte 0, are left out of {} of its rows"


def _rejects(mark: str, width: int) -> str:
    """Return SQL for what is no record, and for the records that have too few values, or too many.

    The parser keeps the first 10,000 bytes of a record.
    """
    count = "REGEXP_EXTRACT(error_message, 'Found: ([0-9]+)', 1)::BIGINT - 1"
    found = f"IF(MIN(error_type) = 'MISSING COLUMNS', MIN({count}), MAX({count}))"
    has_wrong_count = "BOOL_OR(error_type IN ('MISSING COLUMNS', 'TOO MANY COLUMNS'))"
    reason = f"""CASE WHEN {has_wrong_count} AND {width} = 1 THEN '{_NO_OBJECT}'
      WHEN {has_wrong_count} THEN CONCAT('it has ', {found}, ' values, not {width}')
      ELSE MIN(error_message) END"""
    text = f"SUBSTR(content, STRPOS(content, '{mark}') + 1)"
    return f"""FROM line_rejects UNION ALL
      SELECT {_LINE}, CONCAT(REPLACE(REPLACE({text}, '{LF}', CHR(10)), '{CR}', CHR(13)), cut),
      reason, {_LINES} FROM (
        SELECT MIN(csv_line) AS content, SUBSTR(content, 1, STRPOS(content, '{mark}') - 1) AS place,
        IF(STRLEN(content) < 10000, '', ' {CUT})') AS cut, {reason} AS reason
        FROM reject_errors GROUP BY line
      )"""


def _forget_rejects(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans")
