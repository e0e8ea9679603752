"""Read text files into DuckDB: CSV, Snowplow's TSV, and JSON lines."""

import csv
import gzip

import duckdb

from pipelines.sources.batches import ExportError, Reading, Rows
from pipelines.sources.files import header_lines, snowplow_columns
from pipelines.sources.files.unreadable import no_objects, not_a_text, unknown_format
from pipelines.sql import BLANKS, file_literal, literal


def read_csv(reading: Reading) -> Rows:
    """Read by RFC 4180, in UTF-8; of the dialect only the delimiter is guessed, by the header."""
    path = reading.path
    with (gzip.open if path.suffix.lower() == ".gz" else open)(path, "rb") as file:
        head = (file.readline(1_000_000).splitlines() or [b""])[0]
    try:
        if b"\0" in head:
            raise UnicodeError("it holds NULs")
        text = head.decode("utf-8-sig")
        mark = header_lines.mark_of(text, reading.wanted)
        header = header_lines.values(text, mark)
    except (UnicodeError, csv.Error) as error:
        raise not_a_text(path, head, error) from None
    header_lines.refuse_titles(path, header, reading.wanted)
    if twice := {name for name in header if name in reading.wanted and header.count(name) > 1}:
        raise ExportError(
            f"column {', '.join(sorted(twice))} is there twice, and it is read; have the export call"
            " one of them otherwise, or leave it out",
            path,
        )
    types = ", ".join(f"c{place}: 'TEXT'" for place in range(len(header)))
    reading.open_files.callback(_forget_rejects, reading.connection)
    return Rows(
        f"""read_csv({file_literal(path)}, header = true, delim = '{mark}', quote = '"', escape = '"',
        columns = {{{types}}}, auto_detect = false, store_rejects = true)""",
        {name: f"c{place}" for place, name in enumerate(header)},
        line="number + 1",
        rejects=_REJECTS,
    )


def read_tsv(reading: Reading) -> Rows:
    """Read Snowplow's enriched events: a tab between values, no header, no quotes."""
    if reading.export.format != "snowplow":
        raise unknown_format(reading.path, [".csv, .jsonl"])
    types = ", ".join(f"{name}: 'TEXT'" for name in snowplow_columns.COLUMNS)
    reading.open_files.callback(_forget_rejects, reading.connection)
    return Rows(
        f"""read_csv({file_literal(reading.path)}, header = false, delim = '\t', quote = '', escape = '',
        columns = {{{types}}}, auto_detect = false, store_rejects = true)""",
        {name: name for name in snowplow_columns.COLUMNS},
        rejects=_REJECTS,
    )


def read_jsonl(reading: Reading) -> Rows:
    """Read a line at a time: where one holds no JSON object, its neighbours still do."""
    connection, path = reading.connection, reading.path
    reading.open_files.callback(_forget_rejects, connection)
    lines = f"""read_csv({file_literal(path)}, header = false, delim = '\x01', quote = '', escape = '',
        columns = {{text: 'TEXT'}}, auto_detect = false, store_rejects = true, strict_mode = false)"""
    is_object = "(json_valid(text) AND STARTS_WITH(LTRIM(text), '{'))"
    is_blank = f"TRIM(text, {literal(BLANKS)}) = ''"
    found = connection.execute(
        f"""SELECT DISTINCT UNNEST(COALESCE(
          TRY(IF(STARTS_WITH(LTRIM(text), '{{'), json_keys(text), NULL)), IF(text = '', [], [NULL])
        )) FROM {lines}"""
    ).fetchall()
    _forget_rejects(connection)
    keys = {key for (key,) in found if key is not None}
    if not keys:
        raise no_objects(path)
    read = sorted(reading.wanted & keys)
    paths = ", ".join(map(_pointer, read)) or "''"
    numbered = f"SELECT text, ROW_NUMBER() OVER () AS line FROM {lines}"
    torn = f"""UNION ALL SELECT line, text, 'the line holds no JSON object', 1 FROM ({numbered})
        WHERE NOT {is_object} AND NOT {is_blank}"""
    has_torn = (None,) in found  # few have: looking for them again takes as long as reading
    return Rows(
        f"""(SELECT line, json_extract_string(text, [{paths}]) AS fields
        FROM ({numbered}) WHERE {is_object if has_torn else "text <> ''"})""",
        dict.fromkeys(keys, "NULL")
        | {key: f"fields[{place}]" for place, key in enumerate(read, 1)},
        line="line",
        typed=_numbers(lines, is_object, read),
        rejects=f"{_REJECTS} {torn if has_torn else ''}",
    )


def _numbers(lines: str, is_object: str, keys: list[str]) -> str:
    """Return the query for the keys that hold numbers: not texts, which stand in quotes."""
    found = [
        f"SELECT {literal(key)} FROM {lines} WHERE {is_object}"
        f" AND json_type(text, {_pointer(key)}) IN ('DOUBLE', 'BIGINT', 'UBIGINT')"
        for key in keys
    ]
    return " UNION ".join(found) or Rows._field_defaults["typed"]


def _pointer(key: str) -> str:
    """Return where a key's value is in a JSON object, as SQL."""
    return literal("/" + key.replace("~", "~0").replace("/", "~1"))


_REJECTS = "SELECT line, MIN(csv_line), MIN(error_message), 1 FROM reject_errors GROUP BY line"


def _forget_rejects(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans")
