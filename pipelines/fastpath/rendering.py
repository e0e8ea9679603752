"""Render a client's promoted models once, for the fast path: it computes without SQLMesh."""

import hashlib
from collections.abc import Callable, Iterator
from graphlib import TopologicalSorter
from typing import Any

from sqlglot import exp
from sqlmesh.core.constants import SQLMESH_BLUEPRINT_VARS
from sqlmesh.core.context import GenericContext
from sqlmesh.core.model import Model, SqlModel
from sqlmesh.core.snapshot import Snapshot
from sqlmesh.utils.metaprogramming import prepare_env

from pipelines.code import running_code
from pipelines.fastpath.raw_tables import reading_tables
from pipelines.fastpath.read_history import read_history
from pipelines.fastpath.rendered_models import (
    RESULTS,
    Kind,
    RenderedAudit,
    RenderedModel,
    RenderedModels,
    key_of,
    not_rendered,
)

# A model is rendered once; its interval stands in variables of the connection that runs it.
_INTERVAL: dict[str, Any] = {
    name: exp.func("GETVARIABLE", exp.convert(name)) for name in ("start_ts", "end_ts")
}

# What the gate's audits say of all conversions, of those that are computed: it reads more than they.
_OF_THE_GATE = (
    RenderedAudit(
        "money_priced",
        "marts.fct_credit",
        """SELECT DISTINCT conversion_id, original_currency,
        'deliver sources.rates, of the day or the seven before' AS remedy
        FROM {this_model} WHERE revenue IS NULL""",
    ),
    RenderedAudit(
        "weights_are_numbers",
        "marts.faulty_weights",
        "SELECT faulty_weights FROM {this_model} WHERE NOT faulty_weights IS NULL",
    ),
)


class RenderError(Exception):
    """A model that cannot be run without SQLMesh; the text names it and says why."""


def promoted_models(context: GenericContext) -> Callable[[str, str | None], str]:
    """Return a function that renders the models that a client's `prod` is made by.

    It takes the client and the text that was rendered before, and returns that one again where the
    models and the code are the same. Where a model cannot be rendered, the text says why, and the
    fast path tells it: the numbers of the run are published all the same.
    """

    def text(client: str, before: str | None) -> str:
        try:
            snapshots = _promoted(context, client)
            names = sorted(f"{each.name} {each.identifier}" for each in snapshots)
            key = hashlib.sha256("\n".join([running_code(), *names]).encode()).hexdigest()
            if before and key_of(before) == key:
                return before
            return render(client, [each.model for each in snapshots], key).dumped()
        except Exception as error:
            return not_rendered(" ".join(str(error).split()))

    return text


def render(client: str, models: list[Model], key: str = "") -> RenderedModels:
    """Render those of a client's models that its credit is made by. Raise RenderError if one cannot be."""
    reads: dict[str, dict[str, str]] = {}
    own = {_own_name(model): model for model in models}
    judged = {audit.model for audit in _OF_THE_GATE}
    queries: dict[str, exp.Query] = {}
    read_by: dict[str, set[str]] = {}
    waiting = [name for name in (*RESULTS, *judged) if name in own]
    while waiting:
        name = waiting.pop()
        if name in read_by:
            continue
        read_by[name] = set()
        if isinstance(model := own[name], SqlModel):
            queries[name] = _query(model, reads)
            read_by[name] = _tables_read(queries[name], client)
        elif name == "attribution.ihc_answers":
            read_by[name] = {"journeys.paths", "attribution.ihc_local"}
        waiting += sorted(read_by[name])
    ordered = TopologicalSorter(read_by).static_order()
    rendered = tuple(_rendered(name, own[name], queries.get(name)) for name in ordered)
    asks = own.get("attribution.ihc_answers")
    return RenderedModels(
        key=key,
        start=min(
            (str(model.start) for model in own.values() if model.start), default="1970-01-01"
        ),
        ihc_request=_ihc_request(asks) if asks else "",
        models=rendered,
        audits=tuple(_audits(client, {name: own[name] for name in read_by})),
        reads=reads,
        history=read_history(client, rendered, reads),
    )


def _query(model: SqlModel, reads: dict[str, dict[str, str]]) -> exp.Query:
    return _without_catalog(reading_tables(model).render_query_or_raise(reads=reads, **_INTERVAL))


def _without_catalog(query: exp.Query) -> exp.Query:
    """Return a query that names no warehouse: its tables are elsewhere."""
    for table in query.find_all(exp.Table):
        table.set("catalog", None)
    return query


def _tables_read(query: exp.Query, client: str) -> set[str]:
    """Return the client's tables that a query reads, by layer and name."""
    prefix = f"{client}_"
    return {
        f"{table.db.removeprefix(prefix)}.{table.name}"
        for table in query.find_all(exp.Table)
        if table.db.startswith(prefix)
    }


def _rendered(name: str, model: Model, query: exp.Query | None) -> RenderedModel:
    if query is None:
        typed = {
            column: kind.sql("duckdb") for column, kind in (model.columns_to_types or {}).items()
        }
        return RenderedModel(name, Kind.ASKED, "", "", typed)
    sql = query.sql("duckdb", comments=False)
    if "1970-01-01" in sql:
        raise RenderError(f"{model.name}: an interval is @start_ts to @end_ts, and nothing else")
    if model.kind.is_incremental_by_time_range and model.time_column:
        return RenderedModel(name, Kind.INTERVAL, model.time_column.column.name, sql, {})
    is_stored = model.kind.is_materialized
    return RenderedModel(name, Kind.FULL if is_stored else Kind.VIEW, "", sql, {})


def _audits(client: str, models: dict[str, Model]) -> Iterator[RenderedAudit]:
    """Return the audits of the models that are made whole, and the gate's of the same rows."""
    for name, model in models.items():
        whole = isinstance(model, SqlModel) and not model.time_column
        for audit, given in model.audits_with_args if whole else ():
            arguments: dict[str, Any] = given
            query = _without_catalog(model.render_audit_query(audit, **arguments))
            yield RenderedAudit(audit.name, name, query.sql("duckdb", comments=False))
    for truth in _OF_THE_GATE:
        if truth.model in models:
            yield truth._replace(sql=truth.sql.format(this_model=f"{client}_{truth.model}"))


def _ihc_request(model: Model) -> str:
    """Return what a client's service is asked with; nothing where the local model computes all."""
    variables = prepare_env(model.python_env)[SQLMESH_BLUEPRINT_VARS]
    by, request = (exp.maybe_parse(variables[name].sql).name for name in ("ihc_by", "ihc_request"))
    return request if by == "service" else ""


def _own_name(model: Model) -> str:
    table = exp.to_table(model.name)
    return f"{table.db.partition('_')[2]}.{table.name}"


def _promoted(context: GenericContext, client: str) -> list[Snapshot]:
    record = context.state_reader.get_environment("prod")
    own = [
        each
        for each in (record.snapshots if record else [])
        if exp.to_table(each.name).db.partition("_")[0] == client
    ]
    return list(context.state_reader.get_snapshots(own).values())
