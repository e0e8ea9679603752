"""Let models read tables of the schema `raw` where their macros would read files or the clock.

Each function here takes the place of the macro of its name: a model that is rendered with them reads
`raw.web_sessions`, where a run would read the committed loads of `lake/<client>/web/sessions`. Which
tables and columns that are is written into `reads`, which the renderer hands in: table → column → type.
"""

from sqlmesh.core.model import SqlModel
from sqlmesh.utils.metaprogramming import Executable

from pipelines.fastpath.rendered_models import LEARNED, OF_A_LOAD, OF_A_VERSION


def raw(evaluator, client, source, table, columns):
    """Read a source's table: `@raw(@client, web, sessions, (session_id))` is `raw.web_sessions`."""
    typed = {column.name: "TEXT" for column in columns.expressions} | OF_A_LOAD
    evaluator.locals["reads"].setdefault(f"{source.name}.{table.name}", {}).update(typed)
    return f"(SELECT {', '.join(typed)} FROM raw.{source.name}_{table.name})"


def learned(evaluator, client, learners, columns):
    """Read what models have learnt: `markov=markov_order_1/2026…` is the table `raw._models_markov_order_1`.

    One that had learnt nothing when the model was planned has no first version, and is not read.
    """
    typed = {item.this.name: item.expression.sql("duckdb") for item in columns.expressions}
    typed |= OF_A_VERSION
    empty = ", ".join(f"NULL::{type_} AS {name}" for name, type_ in typed.items())
    selects = [f"SELECT NULL::TEXT AS model, {empty} WHERE FALSE"]
    for learner in learners.name.split():
        model, _, versions = learner.partition("=")
        folder, _, first = versions.partition("/")
        if first:
            evaluator.locals["reads"].setdefault(f"{LEARNED}.{folder}", {}).update(typed)
            selects.append(
                f"SELECT '{model}' AS model, {', '.join(typed)} FROM raw.{LEARNED}_{folder}"
            )
    return f"({' UNION ALL '.join(selects)})"


def provisional(evaluator):
    """Read which conversions are not as they were settled: the table `changed`."""
    return "(SELECT conversion_id, provisional_since FROM changed)"


def reading_tables(model: SqlModel) -> SqlModel:
    """Return a model that reads the schema `raw` instead of files."""
    ours = {
        function.__name__: Executable(payload=f"from {__name__} import {function.__name__}")
        for function in (raw, learned, provisional)
    }
    mine = {name: ours.get(name, executable) for name, executable in model.python_env.items()}
    return model.copy(update={"python_env": mine})
