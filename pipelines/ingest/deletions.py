"""Judge what a full export takes away: one that lacks too much is held, not believed.

A full export deletes what it lacks. One that was cut at the end of a line, thinned, or exported with
other keys looks whole, so what lacks more than a share of the known rows waits for a person's word:
`make accept`. Each delivery is compared with what is known before it, and with the most that was known
of late: see `known_rows`. The column `deleted` counts the rows that go. Days that a platform is asked for again are not judged:
a platform says itself that it has answered them whole.
"""

import hashlib
from datetime import datetime
from typing import NamedTuple

import duckdb

from pipelines.ingest import acceptance, gone_parts
from pipelines.ingest.acceptance import Waiting
from pipelines.ingest.gone_parts import Kept
from pipelines.ingest.known_rows import most_known
from pipelines.ingest.pending import Round
from pipelines.ingest.shrinkage import AT_LEAST, Shrinkage
from pipelines.ingest.table import Table
from pipelines.sources.batches import Batch, ExportError, Remedy
from pipelines.sql import only_row

EXAMPLES = 3


class Judged(NamedTuple):
    """How many rows are known after a full delivery, and what of it is kept though it is lacking."""

    known: int
    kept: Kept = Kept()


def judge(connection: duckdb.DuckDBPyConnection, table: Table, round_: Round) -> Judged:
    """Judge a full delivery: how many rows are known after it, and which of a part that is gone are kept.

    Raise Held if it lacks too much, by itself or with those before it, and nobody has confirmed that. It
    reads the tables of a delta, `stored`, `delivered` and `deleted`, and takes out of the last what is kept.
    """
    found = shrinkage(connection, table, _lacking(table, round_))
    if not found.deleted or round_.is_settled:
        return Judged(found.after)
    parts = gone_parts.gone(connection, table)
    if reason := _suspicion(table, found):
        reason = _left_out(connection, table) + reason
        waiting = _waiting(table, round_.batches, found)
        if acceptance.is_accepted(table.client.id, table.log.source, waiting):
            return Judged(found.after)
        missing = "".join(f"{part.said}: " for part in parts)
        raise Held(missing + reason, round_.batches[-1], waiting, _parts(table, round_))
    kept = gone_parts.keep(connection, table, parts, found.after)
    return Judged(found.after + kept.rows, kept)


def _left_out(connection: duckdb.DuckDBPyConnection, table: Table) -> str:
    """Return how many rows are there and left out by `where:`, of what may be lacking for that alone."""
    (rows,) = only_row(connection.execute("SELECT COALESCE(SUM(rows_left_out), 0) FROM batches"))
    if not rows or not (table.export and table.export.where):
        return ""
    return f"{rows} of its rows are left out by `where:` (is a value written otherwise?), and "


def judge_uncounted(connection: duckdb.DuckDBPyConnection, table: Table, round_: Round) -> None:
    """Raise Held if by `where:` an increment takes back too much of what counted, and nobody confirmed it.

    A status that is written otherwise from one day on would take back all that the files have.
    """
    if table.delivery.mode != "increment" or not (table.export and table.export.where):
        return
    named = _named(table)
    taken_back = f"""(
      SELECT row_key, {named} AS shown FROM delivered
      WHERE reason IS NULL AND is_deleted AND row_key IN (SELECT row_key FROM stored WHERE NOT is_deleted)
      AND row_key NOT IN (SELECT row_key FROM delivered WHERE reason IS NULL AND NOT is_deleted)
    )"""
    (gone,) = only_row(connection.execute(f"SELECT COUNT(*) FROM {taken_back}"))
    if gone < AT_LEAST:
        return
    alive = f"""SELECT row_key FROM {table.stored} AS log GROUP BY row_key
      HAVING NOT ARG_MAX(is_deleted, (loaded_at, ordinal))"""
    before, digest, examples = only_row(
        connection.execute(
            f"""SELECT (SELECT COUNT(*) FROM ({alive})), MD5(STRING_AGG(row_key, ' ' ORDER BY row_key)),
            LIST(shown ORDER BY row_key)[:{EXAMPLES}] FROM {taken_back}"""
        )
    )
    found = Shrinkage(before, before - gone, gone, digest, examples)
    if not found.is_suspicious(table.client.quality.deletion_limit):
        return
    waiting = _waiting(table, round_.batches, found)
    if not acceptance.is_accepted(table.client.id, table.log.source, waiting):
        raise Held(
            f"`where:` leaves out {gone} of the {before} known rows, such as {', '.join(examples)}: they counted"
            f" until now. Is a value written otherwise, correct `where:`; or, if they count no more,"
            f" {_confirm(table)}",
            round_.batches[-1],
            waiting,
            [],
        )


def _suspicion(table: Table, found: Shrinkage) -> str:
    """Return why a delivery lacks too much, by itself or with those before it; nothing if it does not."""
    limit = table.client.quality.deletion_limit
    if found.is_suspicious(limit):
        return _reason(table, found, limit)
    if not (most := most_known(table, limit)):
        return ""
    slowly = Shrinkage(most[1], found.after, most[1] - found.after)
    return _slowly(table, found, most, limit) if slowly.is_suspicious(limit) else ""


class Held(ExportError):
    """A full delivery that lacks too much: it is `waiting` for `make accept`."""

    def __init__(self, reason: str, batch: Batch, waiting: Waiting, parts: list[Remedy]) -> None:
        super().__init__(reason, batch.path, batch.shown, parts)
        self.waiting = waiting


class HeldTogether(ExportError):
    """Full deliveries of several tables of one source that lack too much."""

    def __init__(self, held: list[Held]) -> None:
        super().__init__(" And ".join(str(each) for each in held))


def _waiting(table: Table, batches: list[Batch], found: Shrinkage) -> Waiting:
    """Return what waits: a file's content, or of a table in Postgres the keys that are gone."""
    content = "\n".join(sorted(batch.fingerprint for batch in batches)) or found.digest
    return Waiting(
        table.name,
        ", ".join(batch.shown for batch in batches),
        hashlib.sha256(content.encode()).hexdigest(),
        table.log.loaded(table.name).last_load,
        found.before,
        found.after,
        found.deleted,
        found.examples,
    )


def _reason(table: Table, found: Shrinkage, limit: float) -> str:
    lacks = (
        f"it has none of the {found.before} known rows"
        if found.deleted == found.before
        else f"it lacks {found.deleted} of {found.before} known rows"
    )
    return (
        f"{lacks}, such as {', '.join(found.examples)}; {found.after} would be left"
        f" (quality.deletion_limit is {limit:g}). {_remedy(table)}"
    )


def _slowly(table: Table, found: Shrinkage, most: tuple[datetime, int], limit: float) -> str:
    at, known = most
    return (
        f"{found.after} rows would be left of the {known} that were known on {at:%Y-%m-%d %H:%M} UTC: no"
        f" delivery since then lacked more than quality.deletion_limit ({limit:g}), all together do. This one"
        f" lacks {found.deleted} of {found.before} known rows, such as {', '.join(found.examples)}. {_remedy(table)}"
    )


def _remedy(table: Table) -> str:
    return f"Deliver it whole; or, if they are gone, {_confirm(table)}"


def _confirm(table: Table) -> str:
    return f"confirm it: make accept CLIENT={table.client.id} SOURCE={table.log.source}"


def _named(table: Table) -> str:
    """Return SQL for what a row is called in examples, by what identifies it."""
    identity = [name for name in table.delivery.contract.identifying if name in table.columns]
    return f"CONCAT_WS(' ', {', '.join(identity)})"


def _parts(table: Table, round_: Round) -> list[Remedy]:
    """Return what to write if a file is not a whole delivery, where it may be a part of one."""
    if round_.file_count < 2 or not table.export or table.export.parts is not None:
        return []
    meaning = f"the {round_.file_count} files are parts of one delivery"
    return [Remedy("parts: true", meaning=meaning)]


def _lacking(table: Table, round_: Round) -> str:
    """Return SQL for the rows that a delivery lacks.

    A row that comes with an id of its own from now on, one of those `renamed`, is not lacking. Of a
    table in Postgres that other settings read, neither is what it has as it was read before: what such
    rows are called now, the client's file has decided.
    """
    lacking = "FROM deleted ANTI JOIN renamed USING (row_key)"
    is_reread = round_.again and table.export and table.export.postgres
    return f"({lacking}{' ANTI JOIN had USING (row_key)' if is_reread else ''})"


def shrinkage(connection: duckdb.DuckDBPyConnection, table: Table, lacking: str) -> Shrinkage:
    """Return what a full delivery changes, of `stored`, `delivered` and what is `lacking`."""
    before, deleted, digest, renamed, flagged, new = only_row(
        connection.execute(
            f"""SELECT
            (SELECT COUNT(*) FROM stored WHERE NOT is_deleted),
            (SELECT COUNT(*) FROM {lacking}),
            (SELECT COALESCE(MD5(STRING_AGG(row_key, '\n' ORDER BY row_key)), '') FROM {lacking}),
            (SELECT COUNT(*) FROM renamed),
            (SELECT COUNT(DISTINCT row_key) FROM stored JOIN delivered USING (row_key)
             WHERE reason IS NULL AND delivered.is_deleted AND NOT stored.is_deleted),
            (SELECT COUNT(DISTINCT row_key) FROM delivered
             ANTI JOIN (FROM stored WHERE NOT is_deleted) AS known USING (row_key)
             WHERE reason IS NULL AND NOT is_deleted)"""
        )
    )
    found = connection.execute(
        f"SELECT {_named(table)} FROM {lacking} ORDER BY row_key LIMIT {EXAMPLES}"
    ).fetchall()
    examples = [text for (text,) in found]
    after = before - deleted - renamed - flagged + new
    return Shrinkage(before, after, deleted, digest, examples)
