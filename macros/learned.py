"""The only way to what models have learnt: every version, and when it is in force."""

from sqlmesh import macro

from pipelines.home import home
from pipelines.lake.loads import READING_STAGES
from pipelines.learning.versions import read_versions


@macro()
def learned(evaluator, client, learners, columns):
    """Return the rows of all versions of what some models have learnt.

    `FROM @learned(@client, @channel_learners, (channel := TEXT, value := DOUBLE))`. The learners are a
    text: `markov=markov_order_1/20261101T060000000000 shapley=shapley_conversions/` names each model,
    the folder of its versions, and its first version if there is one. With each row come its `model`,
    `version`, `valid_from` and `valid_until` (UTC, excluded). Without a version there are no rows.

    The text is part of the query, so that SQLMesh sees a first version once training has made it, and
    rebuilds this model and those downstream of it. A model that was planned before that goes on
    reading none: what the first version changes waits for its promotion.
    """
    selects = []
    typed = {item.this.name: item.expression.sql("duckdb") for item in columns.expressions}
    typed |= {"version": "TEXT", "valid_from": "TIMESTAMP", "valid_until": "TIMESTAMP"}
    values = ", ".join(f"{name}::{type_} AS {name}" for name, type_ in typed.items())
    for learner in learners.name.split():
        model, _, versions = learner.partition("=")
        folder, _, first = versions.partition("/")
        reads = first and evaluator.runtime_stage in READING_STAGES
        if reads and (rows := read_versions(str(home()), client.name, folder)):
            selects.append(f"SELECT '{model}' AS model, {values} FROM {rows} AS versions")
    if not selects:
        empty = ", ".join(f"NULL::{type_} AS {name}" for name, type_ in typed.items())
        selects = [f"SELECT NULL::TEXT AS model, {empty} WHERE '{learners.name}' IS NULL"]
    return f"({' UNION ALL '.join(selects)})"
