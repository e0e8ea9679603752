"""Keep every request to the service, and its answer as it came: `lake/<client>/_ihc/`.

A request is a Parquet file of one row in `requests/`, written before it is sent; so is each answer,
in `answers/`, before it is read. Files are written whole and never changed. Each names its journeys
by a digest of all that is asked: where there is an answer to a digest, nobody asks again.
"""

import uuid
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.files import replacing
from pipelines.home import lake_folder
from pipelines.ihc.packing import Journey
from pipelines.sql import literal

_JOURNEYS = pa.list_(
    pa.struct({"conversion_id": pa.string(), "digest": pa.string(), "sessions": pa.int64()})
)
_STAMP = "%Y%m%dT%H%M%S%f"
_VALUES = (
    '[{"conversion_id": "VARCHAR", "session_id": "VARCHAR",'
    ' "initializer": "DOUBLE", "holder": "DOUBLE", "closer": "DOUBLE", "ihc": "DOUBLE"}]'
)

# An error is about the conversion that it names; how errors are laid out is not documented.
_NAMED = "'(^|[^A-Za-z0-9_-])' || REGEXP_ESCAPE(conversion_id) || '($|[^A-Za-z0-9_-])'"


def log_folder(client: str) -> Path:
    """Return the folder of what the service was asked and answered for a client."""
    return lake_folder() / client / "_ihc"


def keep_request(folder: Path, journeys: Iterable[Journey], body: str, now: datetime) -> str:
    """Write a request down before it is sent; return its name. `now` is UTC."""
    name = f"{now:{_STAMP}}-{uuid.uuid4().hex[:8]}"
    _write(folder / "requests" / f"{name}.parquet", journeys, {"body": body})
    return name


def keep_answer(
    folder: Path, name: str, journeys: Iterable[Journey], status: int, answer: str
) -> None:
    """Keep an answer, good or bad; `status` is HTTP's."""
    columns = {"request": name, "status": status, "answer": answer}
    file = f"{name}-{uuid.uuid4().hex[:8]}.parquet"
    _write(folder / "answers" / file, journeys, columns)


def calls(folder: Path, now: datetime) -> int:
    """Return how many requests were written down in the calendar month of `now`, UTC."""
    return len(list((folder / "requests").glob(f"{now:%Y%m}*.parquet")))


def read(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Fill `answered` and `refused` from the answers to the digests in `journeys`.

    `answered` has `digest`, `session_id`, `initializer`, `holder`, `closer` and `ihc`, as answered;
    `refused` has `digest` and `problem`. The first whole answer to a journey counts: one that lacks
    a session, or whose values are not all there, is none, and refuses the journey.
    """
    found = connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE asked AS
        SELECT file, journey.conversion_id, journey.digest, journey.sessions
        FROM (SELECT filename AS file, UNNEST(journeys) AS journey FROM {_files(folder)})
        WHERE journey.digest IN (SELECT digest FROM journeys);
        SELECT DISTINCT file FROM asked"""
    ).fetchall()
    answers = _reading([file for (file,) in found])
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE answers AS
        SELECT filename AS file, TRY_CAST(answer AS JSON) AS answer FROM {answers}
        WHERE status < 300
          AND COALESCE((TRY_CAST(answer AS JSON)->>'$.statusCode')::INT, 200) IN (200, 206)
          AND JSON_TYPE(TRY_CAST(answer AS JSON), '$.value') = 'ARRAY';
        CREATE OR REPLACE TEMP TABLE values_by_session AS
        SELECT asked.file, asked.digest, asked.sessions, value.* EXCLUDE conversion_id
        FROM (
          SELECT file, UNNEST(JSON_TRANSFORM(answer->'$.value', '{_VALUES}')) AS value FROM answers
        ) AS found
        JOIN asked ON found.file = asked.file AND value.conversion_id = asked.conversion_id;
        CREATE OR REPLACE TEMP TABLE whole AS
        SELECT digest, MIN(file) AS file FROM (
          SELECT digest, file FROM values_by_session GROUP BY digest, file, sessions
          HAVING COUNT(*) = sessions AND COUNT(DISTINCT session_id) = sessions
            AND COUNT(ihc) = sessions AND MIN(ihc) >= 0 AND SUM(ihc) > 0
        ) GROUP BY digest;
        CREATE OR REPLACE TEMP TABLE answered AS
        SELECT values_by_session.* EXCLUDE (file, sessions)
        FROM values_by_session JOIN whole USING (digest, file);
        CREATE OR REPLACE TEMP TABLE refused AS
        SELECT digest, COALESCE(
          MIN(error) FILTER (REGEXP_MATCHES(error, {_NAMED})),
          CONCAT_WS('; the service says ', 'its answer is not whole', LEFT(MIN(error), 300))
        ) AS problem
        FROM asked JOIN answers USING (file) LEFT JOIN (
          SELECT file, UNNEST((answer->'$.partialFailureErrors')::JSON[])::TEXT AS error FROM answers
        ) AS errors USING (file)
        WHERE digest NOT IN (SELECT digest FROM whole)
        GROUP BY digest"""
    )


def _files(folder: Path) -> str:
    return _reading(sorted(str(file) for file in (folder / "answers").glob("*.parquet")))


def _reading(files: list[str]) -> str:
    if not files:
        return (
            "(SELECT NULL::STRUCT(conversion_id TEXT, digest TEXT, sessions BIGINT)[] AS journeys,"
            " NULL::INT AS status, NULL::TEXT AS answer, NULL::TEXT AS filename WHERE FALSE)"
        )
    return f"read_parquet([{', '.join(map(literal, files))}], filename = TRUE)"


def _write(file: Path, journeys: Iterable[Journey], columns: dict) -> None:
    """Write a file of one row, all of it or nothing."""
    named = [
        {"conversion_id": one.conversion_id, "digest": one.digest, "sessions": one.sessions}
        for one in journeys
    ]
    table = pa.table(
        {"journeys": pa.array([named], _JOURNEYS)}
        | {name: pa.array([value]) for name, value in columns.items()}
    )
    with replacing(file, sync=True) as unfinished:  # an answer was paid for
        pq.write_table(table, unfinished, compression="zstd")
