"""Fetch the service's answer to every journey: from the log of requests, or by one request."""

import json
from contextlib import suppress
from difflib import get_close_matches
from typing import TYPE_CHECKING

import duckdb

from pipelines.ihc import request_log
from pipelines.ihc.asking_bounds import Bounds
from pipelines.ihc.packing import Journey, pack
from pipelines.ihc.service import Service
from pipelines.lake import append as lake
from pipelines.settings.client import Client
from pipelines.settings.reader import last_settings, read
from pipelines.sources.errors import PlatformError

if TYPE_CHECKING:
    import pandas as pd

# A journey above the cap is cut at its last restart: what is before it earns next to nothing.
_SESSIONS = """
CREATE TEMP TABLE sessions AS
SELECT *, path_length > $cap AS is_long, path_length <= $cap OR is_current AS is_sent
FROM touchpoints
"""

# The last session is the one that converts. The digest is of the very text that is sent.
_JOURNEYS = """
CREATE TEMP TABLE journeys AS
SELECT *, SHA256(CONCAT($asked, CHR(10), body)) AS digest FROM (
  SELECT conversion_id, revised_at, COUNT(*) AS sessions,
    STRING_AGG(TO_JSON({
      'conversion_id': conversion_id,
      'session_id': touchpoint_id,
      'timestamp': STRFTIME(touched_at, '%Y-%m-%d %H:%M:%S'),
      'channel_label': channel,
      'holder_engagement': holder_engagement::INT,
      'closer_engagement': closer_engagement::INT,
      'conversion': (position = path_length)::INT
    })::TEXT, ', ' ORDER BY position) AS body
  FROM sessions WHERE is_sent GROUP BY conversion_id, revised_at
)
"""

# Of a conversion that was revised several times since it was last looked at, the newest is asked for.
_UNANSWERED = """
SELECT conversion_id, digest, sessions, body FROM journeys
WHERE sessions <= $cap
QUALIFY ROW_NUMBER() OVER (PARTITION BY conversion_id ORDER BY revised_at DESC) = 1
  AND digest NOT IN (SELECT digest FROM answered UNION ALL SELECT digest FROM refused)
ORDER BY digest
"""

_SUPERSEDED = "local: revised before it was asked for"
_UNHEARD = "local: no answer yet"

_ANSWERS = f"""
SELECT sessions.conversion_id, sessions.touchpoint_id, sessions.revised_at,
  answered.initializer, answered.holder, answered.closer, answered.ihc,
  CASE
    WHEN replies.digest IS NOT NULL AND is_long THEN 'service: cut at its last restart'
    WHEN replies.digest IS NOT NULL THEN 'service'
    WHEN journeys.sessions > $cap THEN 'local: journey above the cap'
    WHEN refused.digest IS NOT NULL THEN 'local: the service could not read it'
    ELSE '{_SUPERSEDED}'
  END AS method,
  refused.problem
FROM sessions
JOIN journeys USING (conversion_id, revised_at)
LEFT JOIN (SELECT DISTINCT digest FROM answered) AS replies ON journeys.digest = replies.digest
LEFT JOIN answered
  ON journeys.digest = answered.digest AND sessions.touchpoint_id = answered.session_id
LEFT JOIN refused ON journeys.digest = refused.digest
ORDER BY sessions.revised_at, sessions.conversion_id, sessions.position
"""


_asks = True


def ask_nobody() -> None:
    """Take answers from the log alone in this process: what it computes is of another time, and not paid for."""
    global _asks
    _asks = False


def answers(
    client: str, request: str, touchpoints: "pd.DataFrame", labels: list[str]
) -> "pd.DataFrame":
    """Return the service's answer for each touchpoint of the journeys in `touchpoints`.

    `request` is JSON of what the service is asked with, and of its caps; `labels` are the channels
    that the client has. Columns: `conversion_id`, `touchpoint_id`, `revised_at`, the phases and
    `ihc` as answered, `method`, and the `problem` of a journey that the service could not read.
    Raise PlatformError if the service does not answer, with all that it did answer kept; LookupError for
    a channel that is not there.
    """
    asked = json.loads(request)
    cap = asked["sessions_per_request"]
    with duckdb.connect() as connection:
        connection.register("touchpoints", touchpoints)
        key = {name: asked[name] for name in ("base_url", "conv_type_id", "redistribution")}
        connection.execute(_SESSIONS, {"cap": cap})
        connection.execute(_JOURNEYS, {"asked": json.dumps(key, sort_keys=True)})
        with lake.alone(client, "ihc"):  # two at a time would both ask, and pay
            folder = request_log.log_folder(client)
            request_log.read(connection, folder)
            rows = connection.execute(_UNANSWERED, {"cap": cap}).fetchall()
            if rows and _asks:
                check_labels(client, asked["redistribution"], labels)
                requests = pack(map(Journey._make, rows), asked["journeys_per_request"], cap)
                Service(_settings(client), asked).ask(requests)
                request_log.read(connection, folder)
        query = _ANSWERS if _asks else _ANSWERS.replace(_SUPERSEDED, _UNHEARD)
        return connection.execute(query, {"cap": cap}).df()


def answers_at_once(
    connection: duckdb.DuckDBPyConnection, client: str, request: str, bounds: Bounds | None
) -> str:
    """Return a query for what the service has answered already, or answers within bounds; without, nobody is asked.

    The connection has the journeys in `touchpoints`, with the columns that `answers` takes and returns.
    A journey without an answer says so in its `method`, and that the local model stands in: this
    waits for no other that asks the service, and raises no error of it.
    """
    asked = json.loads(request)
    cap = asked["sessions_per_request"]
    key = {name: asked[name] for name in ("base_url", "conv_type_id", "redistribution")}
    connection.execute(_SESSIONS, {"cap": cap})
    connection.execute(_JOURNEYS, {"asked": json.dumps(key, sort_keys=True)})
    folder = request_log.log_folder(client)
    request_log.read(connection, folder)
    if bounds:
        _ask_at_once(connection, client, asked, bounds)
        request_log.read(connection, folder)
    return _ANSWERS.replace("$cap", str(cap)).replace(_SUPERSEDED, _UNHEARD)


def _ask_at_once(
    connection: duckdb.DuckDBPyConnection, client: str, asked: dict, bounds: Bounds
) -> None:
    settings, cap = last_settings(client), asked["sessions_per_request"]
    with lake.alone_at_once(client, "ihc") as is_alone:
        rows = connection.execute(_UNANSWERED, {"cap": cap}).fetchall()
        if settings and rows and is_alone:
            requests = pack(map(Journey._make, rows), asked["journeys_per_request"], cap)
            with suppress(PlatformError):
                Service(settings, asked, bounds).ask(requests)


def check_labels(client: str, redistribution: dict, labels: list[str]) -> None:
    """Raise LookupError, with what is near, for a channel that the client does not have.

    The service would pass over it in silence.
    """
    for phase, block in redistribution.items():
        for label in block["redistribution_channel_labels"]:
            if label not in labels:
                near = get_close_matches(label, labels, 1, cutoff=0)
                raise LookupError(
                    f"clients/{client}.yaml: attribution.ihc.redistribution.{phase}: no channel is"
                    f" called '{label}'; the nearest is '{near[0] if near else ''}'"
                )


def _settings(client: str) -> Client:
    return next(one for one in read()[0] if one.id == client)
