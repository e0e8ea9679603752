"""What models read from outside the warehouse, as tables of the schema `raw` of a test.

Each function here takes the place of the macro of its name, which reads files or the clock. A model that is
rendered with them reads `raw.web_sessions`, where the product would read the committed loads of
`lake/<client>/web/sessions`.
"""

import re

from sqlmesh.core.model import SqlModel
from sqlmesh.utils.metaprogramming import Executable

from pipelines.contracts.catalog import CONTRACTS

LEDGER = """source TEXT, table_name TEXT, export_file TEXT, rows_read BIGINT, rows_quarantined BIGINT,
rows_unchanged BIGINT, rows_appended BIGINT, rows_superseded BIGINT, rows_deleted BIGINT, loaded_at TIMESTAMP,
rows_nobody BIGINT DEFAULT 0, rows_erased BIGINT DEFAULT 0"""
STATUSES = """source TEXT, code TEXT, problem TEXT, retry_at TIMESTAMP, days_missing INT, missing_from DATE,
newest_day DATE, warnings TEXT"""
MISSING_SPEND = "platform TEXT, date DATE"
NO_LOAD = """NULL::TEXT AS row_key, NULL::TEXT AS load_id, NULL::BIGINT AS ordinal,
NULL::BOOLEAN AS is_deleted, NULL::TIMESTAMP AS loaded_at"""
VERSIONED = {"version": "TEXT", "valid_from": "TIMESTAMP", "valid_until": "TIMESTAMP"}


def raw(evaluator, client, source, table, columns):
    """Read a contract's table: `@raw(@client, web, sessions, (session_id))` is `raw.web_sessions`.

    A table of no contract is that of a client without the source, and has no rows.
    """
    names = ", ".join(column.name for column in columns.expressions)
    if table.name not in CONTRACTS.get(source.name, {}):
        texts = ", ".join(f"NULL::TEXT AS {name}" for name in names.split(", "))
        return f"(SELECT {texts}, {NO_LOAD} WHERE FALSE)"
    return (
        f"(SELECT {names}, row_key, load_id, ordinal, is_deleted, loaded_at"
        f" FROM raw.{source.name}_{table.name})"
    )


def run_began(evaluator):
    """Return what comes after the interval: here no load is committed while a run goes on."""
    return "GETVARIABLE('end_ts') + INTERVAL '1' MICROSECOND"


def ledger(evaluator, client):
    """Read the accounts of the loads: `raw.ledger`."""
    return "(SELECT * FROM raw.ledger)"


def statuses(evaluator, client):
    """Read how each source stands: `raw.statuses`."""
    return "(SELECT * FROM raw.statuses)"


def missing_spend(evaluator, client, platforms):
    """Read which days of spend are not there: `raw.missing_spend`."""
    return "(SELECT *, REPLACE(platform, '_ads', '') AS ad_network FROM raw.missing_spend)"


def learned(evaluator, client, learners, columns):
    """Read what models have learnt: `markov=markov_order_1/…` is the table `raw.markov_order_1`.

    Its columns are written into `learned_tables`, which the renderer hands in: table → column → type.
    """
    typed = {item.this.name: item.expression.sql("duckdb") for item in columns.expressions}
    typed |= VERSIONED
    empty = ", ".join(f"NULL::{type_} AS {name}" for name, type_ in typed.items())
    selects = [f"SELECT NULL::TEXT AS model, {empty} WHERE FALSE"]
    for model, folder in re.findall(r"(\w+)=(\w+)/", learners.name):
        evaluator.locals["learned_tables"].setdefault(f"raw.{folder}", {}).update(typed)
        selects.append(f"SELECT '{model}' AS model, {', '.join(typed)} FROM raw.{folder}")
    return f"({' UNION ALL '.join(selects)})"


def from_tables(model: SqlModel) -> SqlModel:
    """Return a model that reads the tables of the schema `raw` instead of files."""
    ours = {
        function.__name__: Executable(payload=f"from {__name__} import {function.__name__}")
        for function in (raw, run_began, ledger, statuses, missing_spend, learned)
    }
    mine = {name: ours.get(name, executable) for name, executable in model.python_env.items()}
    return model.copy(update={"python_env": mine})
