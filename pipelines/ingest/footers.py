"""Find the footers of a batch among its rows and the lines that are none, and the rows without any value."""

from collections.abc import Sequence

import duckdb

from pipelines.ingest import raw_lines
from pipelines.ingest.footer_lines import Fits, Table, fits_code, fits_number, fits_time
from pipelines.ingest.judged_rows import Judged
from pipelines.settings.exports import Export
from pipelines.sources.batches import Rows
from pipelines.sources.files.line_beginnings import begins_in_sql
from pipelines.sources.files.names_to_read import wanted
from pipelines.sources.files.second_headers import Line
from pipelines.sql import literal, only_row

_MOST = 5_000  # lines that are looked at, from the end
_FEW = 2  # columns of which one that a row must have suffices to make it a good one


def empty_rows(
    connection: duckdb.DuckDBPyConnection, judged: Judged, rows: Rows, ordinals_used: int
) -> list[int]:
    """Return the ordinals of bad rows that have no value at all, as lines of nothing but marks."""
    read = [
        name for name in judged.contract.columns if name in rows.columns and name != "is_deleted"
    ]
    nothing = f"reason IS NOT NULL AND COALESCE({', '.join(read)}) IS NULL"
    if not connection.execute(
        f"SELECT 1 FROM {judged.rows} AS rows WHERE {nothing} LIMIT 1"
    ).fetchall():
        return []
    value = " OR ".join(f"TRIM(c{place}) <> ''" for place in range(len(rows.header)))
    found = connection.execute(
        f"""SELECT ordinal FROM {judged.rows} AS judged WHERE {nothing}
        AND ordinal NOT IN (
          SELECT {ordinals_used} + number FROM (
            SELECT {rows.number} AS number, COALESCE({value}, FALSE) AS has_value FROM {rows.relation}
          ) WHERE has_value
        ) ORDER BY ordinal"""
    )
    return [ordinal for (ordinal,) in found.fetchall()]


def by_their_beginnings(
    connection: duckdb.DuckDBPyConnection, judged: Judged, rows: Rows, beginnings: Sequence[str]
) -> list[Line]:
    """Return the lines that begin as the client's file says that no data do."""
    values = ", ".join(f"COALESCE(c{place}, '')" for place in range(len(rows.header)))
    text = f"CONCAT_WS({literal(rows.mark)}, {values})"
    found = connection.execute(
        f"""SELECT line, number FROM (
          SELECT {rows.number} AS number, {rows.line} AS line, {text} AS text FROM {rows.relation}
        ) WHERE {begins_in_sql("text", beginnings)} ORDER BY number
        """
    ).fetchall()
    torn = connection.execute(
        f"""SELECT line FROM read_parquet({literal(str(judged.rejects_file))})
        WHERE {begins_in_sql("content", beginnings)} ORDER BY line"""
    ).fetchall()
    lines = [Line(line, [], number) for line, number in found]
    return lines + [Line(line, []) for (line,) in torn]


def footers(
    connection: duckdb.DuckDBPyConnection,
    judged: Judged,
    rows: Rows,
    headers: Sequence[int],
    ordinals_used: int,
) -> list[Line]:
    """Return the lines that are footers: at the end, and before each of the `headers` further down."""
    table = _table(judged, rows)
    suspects = dict(_suspects(connection, judged, rows, ordinals_used))
    torn = raw_lines.of_rejects(connection, rows, judged.rejects_file, _MOST)
    lines = [
        line for line, reason in torn if "never closed" not in reason and table.is_sparse(line)
    ]
    if not torn and not suspects:
        return []
    but_for = [number + ordinals_used for number in suspects]
    table = table._replace(fits=_fits(connection, judged, rows, but_for))
    for line in raw_lines.of_rows(connection, rows, [*suspects]):
        is_single = len([*filter(str.strip, line.values)]) == 1
        is_good = suspects[line.row or 0] and not is_single and not table.is_no_row(line)
        if table.is_sparse(line) and not is_good:
            lines.append(line)
    if not lines:
        return []
    lines.sort(key=lambda line: line.number)
    others = _other_rejects(connection, judged, [line.number for line in lines if not line.row])
    found: list[Line] = []
    for end in [*headers, None]:
        numbers = [line.row for line in lines if line.row]
        last, count = raw_lines.last_line_before(connection, rows, end, numbers)
        above = [(first, until) for first, until in others if end is None or first < end]
        torn_above = sum(first < last for first, _ in above)
        torn_above += sum(line.number < last for line in lines if not line.row)
        has_blanks = last != rows.header_line + count + torn_above
        last = max([last, *(until for _, until in above)])
        block = [
            line for line in lines if line.number > last and (end is None or line.number < end)
        ]
        found += table.footer(block, last, has_blanks, end is None)
    return found


def _table(judged: Judged, rows: Rows) -> Table:
    assert isinstance(judged.feed, Export)
    needed = wanted(judged.feed, judged.contract)
    return Table([], needed.answered(rows.header), rows.header_line, rows.is_ended)


def _suspects(
    connection: duckdb.DuckDBPyConnection, judged: Judged, rows: Rows, ordinals_used: int
) -> list[tuple[int, bool]]:
    """Return the numbers of the rows that may be lines of a footer, and whether they are good nevertheless.

    A row that must have one value or two may be good though it has none beside.
    """
    read = [
        name for name in judged.contract.columns if name in rows.columns and name != "is_deleted"
    ]
    required = [name for name in read if judged.contract.columns[name].required]
    sparse = " + ".join(f"({name} IS NOT NULL)::INT" for name in read)
    is_suspect = "reason IS NOT NULL"
    if len(required) <= _FEW:
        is_suspect += f" OR {sparse} <= {len(required)}"
    found = connection.execute(
        f"""SELECT ordinal - {ordinals_used}, reason IS NULL FROM {judged.everything} AS rows
        WHERE {is_suspect} ORDER BY ordinal DESC LIMIT {_MOST}"""
    ).fetchall()
    return [(number, is_good) for number, is_good in found]


def _fits(
    connection: duckdb.DuckDBPyConnection, judged: Judged, rows: Rows, but_for: Sequence[int]
) -> list[Fits | None]:
    """Return for each column of the file which values it takes; None where it takes any, or nobody reads it.

    Ids are judged by those that there are, but for some rows.
    """
    feed, contract = judged.feed, judged.contract
    assert isinstance(feed, Export)
    fits: list[Fits | None] = [None] * len(rows.header)
    for name, column in contract.columns.items():
        names = [rows.called.get(each, each) for each in feed.names(name)]
        if len(names) != 1 or names[0] not in rows.header:
            continue
        place = rows.header.index(names[0])
        if column.type in ("timestamp", "date"):
            fits[place] = fits_time
        elif column.is_number:
            fits[place] = fits_number
        elif name in contract.identity and column.required:
            fits[place] = fits[place] or _of_ids(connection, judged, name, but_for)
    return fits


def _of_ids(
    connection: duckdb.DuckDBPyConnection, judged: Judged, name: str, but_for: Sequence[int]
) -> Fits | None:
    """Return what takes a value for an id, if each that there is has a digit and no blank."""
    are_codes, longest = only_row(
        connection.execute(
            f"""SELECT BOOL_AND(REGEXP_MATCHES({name}, '[0-9]') AND NOT CONTAINS({name}, ' ')),
            MAX(LENGTH({name})) FROM {judged.everything} AS rows
            WHERE reason IS NULL AND ordinal NOT IN ({", ".join(map(str, but_for)) or "-1"})"""
        )
    )
    return fits_code(longest) if are_codes else None


def _other_rejects(
    connection: duckdb.DuckDBPyConnection, judged: Judged, lines: Sequence[int]
) -> list[tuple[int, int]]:
    """Return the first and the last line of what is no row, but for the lines that may be a footer."""
    query = f"""SELECT line, line + COALESCE(lines, 1) - 1 FROM read_parquet({literal(str(judged.rejects_file))})
      ORDER BY line DESC LIMIT {2 * _MOST}"""
    return [each for each in connection.execute(query).fetchall() if each[0] not in {*lines}]
