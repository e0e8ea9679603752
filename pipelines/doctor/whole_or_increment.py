"""Tell whether files are whole deliveries or increments: by the keys that one has of the one before it."""

from itertools import pairwise

import duckdb

from pipelines.contracts.catalog import CONTRACTS
from pipelines.doctor.healing import Ask, put_or_ask
from pipelines.doctor.kinds import Kind
from pipelines.doctor.proposal import Choice, Proposal, Question
from pipelines.doctor.reports import Report
from pipelines.ingest.trial import Tried
from pipelines.sql import literal

_MOSTLY = 0.5  # of the rows of a file that the next one has, too: else they are of other days


def add_delivery(proposal: Proposal, report: Report, kind: Kind, done: Tried, ask: Ask) -> bool:
    """Write whether each file of a report is all there is, or an increment; return whether it is to be tried again.

    Rows of what happens once, as sessions and spend of a day, are increments in any case.
    """
    contract = CONTRACTS[kind.source][kind.table]
    if contract.happens_once or kind.makes_sessions:
        return False
    place = (*kind.place, "delivery")
    if len(report.files) == 1:
        if kind.source == "salesforce":
            proposal.put(place, "full", _WHOLE_LIST)
        return False
    shared = _shared(done)
    if not shared or max(shared) < _MOSTLY:
        return False
    if min(shared) == 1:
        proposal.put(place, "full", "each file has all rows of the one before it")
        return True
    full = Choice(place, "full", "each file is all there is: what the newest lacks is deleted")
    increment = Choice(place, "increment", "files hold what is new or changed: nothing is deleted")
    text = f"{kind.name}: newer files lack some rows of older ones. Were these deleted?"
    question = Question(text, [full, increment])
    put_or_ask(proposal, question, ask)
    return True


_WHOLE_LIST = (
    "a list of a CRM holds all there is; increment, if downloads hold what is new or changed"
)


def _shared(done: Tried) -> list[float]:
    """Return, of each file but the last, the share of its keys that the next one has, too."""
    with duckdb.connect() as connection:
        shares = []
        for older, newer in pairwise(done.delivered):
            query = f"""SELECT AVG((row_key IN (SELECT row_key FROM {_keys(newer)}))::INT)
              FROM {_keys(older)}"""
            (share,) = connection.execute(query).fetchall()[0]
            shares += [] if share is None else [share]
    return shares


def _keys(file: object) -> str:
    return f"(SELECT DISTINCT row_key FROM read_parquet({literal(str(file))}) WHERE reason IS NULL)"
