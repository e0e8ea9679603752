"""The only way to what models have learnt: every version, and when it is in force."""

import os

from sqlmesh import macro

from pipelines.lake.loads import READING_STAGES
from pipelines.learning.versions import read_versions


@macro()
def learned(evaluator, client, model, columns, first_versions):
    """Return the rows of all versions of what a model has learnt.

    `FROM @learned(@client, markov, (channel := TEXT, value := DOUBLE), @first_versions)`; with each
    row come `version`, `valid_from` and `valid_until` (UTC, excluded). Without a version there are
    no rows. `first_versions` makes the query another one when the first is there: a change that does
    not show in the query would rebuild this model, and nothing downstream of it. A model that was made
    before its first version reads none: what changes with it waits for its promotion.
    """
    found = None
    if evaluator.runtime_stage in READING_STAGES and f"{model.name}=" in first_versions.name:
        found = read_versions(os.environ.get("ATTRIBUTION_HOME", "."), client.name, model.name)
    typed = {item.this.name: item.expression.sql("duckdb") for item in columns.expressions}
    typed |= {"version": "TEXT", "valid_from": "TIMESTAMP", "valid_until": "TIMESTAMP"}
    if found:
        values = ", ".join(f"{name}::{type_} AS {name}" for name, type_ in typed.items())
        return f"(SELECT {values} FROM {found} AS versions)"
    values = ", ".join(f"NULL::{type_} AS {name}" for name, type_ in typed.items())
    return f"(SELECT {values} WHERE '{first_versions.name}' IS NULL)"
