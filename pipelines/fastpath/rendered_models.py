"""What a client's models are on the fast path: queries that plain DuckDB runs, kept as one file.

The file lies beside the settled tables of a version, because these were made by the same models.
"""

import json
from enum import StrEnum
from typing import NamedTuple

# Tables whose rows belong to one conversion each: those of the conversions that did not change stay.
BY_CONVERSION = ("marts.fct_credit", "marts.fct_milestones", "marts.fct_path_ends")
# What no conversion changes, or what costs more than it tells: it stays as the last run left it.
KEPT = {
    "staging.stg_ad_spend",
    "staging.stg_session_costs",
    "staging.stg_load_counts",
    "marts.fct_session_costs",
    "marts.spend_gaps",
    "marts.source_status",
    "marts.consent",
}
BY_REVISION = "revised_at"
CHANGED = "changed (conversion_id TEXT, provisional_since TIMESTAMP)"
LEARNED = "_models"  # stands for a source in names of raw tables, as its folder does
OF_A_LOAD = {  # what each raw row has beside its own columns
    "row_key": "TEXT",
    "ordinal": "BIGINT",
    "is_deleted": "BOOLEAN",
    "load_id": "TEXT",
    "loaded_at": "TIMESTAMP",
}
OF_A_VERSION = {"version": "TEXT", "valid_from": "TIMESTAMP", "valid_until": "TIMESTAMP"}


class UnrenderedError(ValueError):
    """Models that could not be rendered; the text names the one and the remedy."""


class Kind(StrEnum):
    """How a model's rows are made."""

    INTERVAL = "interval"  # those of the interval, in place of what the table held of it
    VIEW = "view"
    FULL = "full"
    BY_CONVERSION = (
        "by conversion"  # those of the conversions that changed, beside the settled others
    )
    ASKED = "asked"  # by code, of what a service has answered


class RenderedModel(NamedTuple):
    """One model: its query reads the interval from variables, and raw tables of the schema `raw`."""

    name: str  # layer and table, such as journeys.touchpoints
    kind: Kind
    time: str  # the column of an interval's table that says to which interval a row belongs
    sql: str
    columns: dict[str, str]  # of a model that is asked: column → type


class RenderedAudit(NamedTuple):
    """What must be true of a model's rows: its query returns those that break it."""

    name: str
    model: str
    sql: str


class RenderedModels(NamedTuple):
    """The models that a client's numbers are made by, each after those that it reads.

    Those by conversion, and what they read, come before all that sums them up.
    """

    key: str  # changes with the promoted models, and with the code
    start: str  # the client's first day: loads of earlier days are not read
    ihc_request: str  # what the IHC service is asked with, as JSON; empty where nobody is asked
    models: tuple[RenderedModel, ...]
    audits: tuple[RenderedAudit, ...]
    reads: dict[str, dict[str, str]]  # raw table, such as web.sessions → column → type
    history: tuple[str, ...]  # tables that are read from before the interval, too
    kept: tuple[str, ...]  # tables that stay as they are settled
    settled: tuple[str, ...]  # all tables that are read as they were settled: more than the history

    def dumped(self) -> str:
        """Return the file's text."""
        parts = {
            "models": [each._asdict() for each in self.models],
            "audits": [each._asdict() for each in self.audits],
        }
        return json.dumps(self._asdict() | parts)


def not_rendered(problem: str) -> str:
    """Return the file's text where the models could not be rendered."""
    return json.dumps({"key": "", "settled": [], "problem": problem})


def key_of(text: str) -> str:
    """Return what the models were rendered for; nothing if the text is not such a file's."""
    try:
        return json.loads(text)["key"]
    except (ValueError, KeyError, TypeError):
        return ""


def loaded(text: str) -> RenderedModels:
    """Return what a file's text says. Raise UnrenderedError if it has no models, ValueError if another release's."""
    held = json.loads(text)
    if problem := held.get("problem"):
        raise UnrenderedError(problem)
    try:
        models = [RenderedModel(**each) for each in held["models"]]
        parts = {
            "models": tuple(each._replace(kind=Kind(each.kind)) for each in models),
            "audits": tuple(RenderedAudit(**each) for each in held["audits"]),
        }
        return RenderedModels(**held | parts)
    except (TypeError, KeyError) as error:
        raise ValueError(f"another release wrote it: {error}") from None
