"""Render a client's promoted models once, for the fast path: it computes without SQLMesh."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from graphlib import TopologicalSorter
from typing import Any

import duckdb
from sqlglot import exp
from sqlmesh.core.constants import SQLMESH_BLUEPRINT_VARS
from sqlmesh.core.context import GenericContext
from sqlmesh.core.model import Model, SqlModel
from sqlmesh.core.snapshot import Snapshot
from sqlmesh.utils.metaprogramming import prepare_env

from pipelines.code import running_code
from pipelines.fastpath.raw_tables import reading_tables
from pipelines.fastpath.read_history import columns_of, create_empty, read_history
from pipelines.fastpath.rendered_models import (
    BY_CONVERSION,
    KEPT,
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
    """Render those of a client's models that its published tables are made by. Raise RenderError if one cannot be."""
    own = {_own_name(model): model for model in models}
    _check_flags(client, own)
    published = [name for name in own if name.startswith("publish.")]
    run = _Rendering(client, own, published, stop=KEPT)
    kept = tuple(sorted(KEPT & run.read_by.keys()))
    _check_intervals(run.queries)
    rendered = tuple(_rendered(name, own[name], run.queries.get(name)) for name in run.ordered())
    history = read_history(client, rendered, run.reads, _types_of_kept(client, own, kept))
    asks = own.get("attribution.ihc_answers")
    return RenderedModels(
        key=key,
        start=min(
            (str(model.start) for model in own.values() if model.start), default="1970-01-01"
        ),
        ihc_request=_ihc_request(asks) if asks else "",
        models=rendered,
        audits=tuple(_audits({name: own[name] for name in run.ordered()})),
        reads=run.reads,
        history=history,
        kept=kept,
        settled=tuple(sorted({*history, *kept, *(name for name in BY_CONVERSION if name in own)})),
    )


def _check_flags(client: str, own: dict[str, Model]) -> None:
    """Raise RenderError if what was promoted cannot say which rows are provisional."""
    credit = own["publish.attribution_v1"]
    if "is_provisional" not in (credit.columns_to_types or {}):
        raise RenderError(
            f"{credit.name} has no column is_provisional yet: make preview CLIENT={client},"
            f" then make promote CLIENT={client}"
        )


def _check_intervals(queries: dict[str, exp.Query]) -> None:
    """Raise RenderError if a model goes by another time than its interval's: it is not known here."""
    for name, query in queries.items():
        if "1970-01-01" in query.sql("duckdb", comments=False):
            raise RenderError(f"{name}: an interval is @start_ts to @end_ts, and nothing else")


class _Rendering:
    """The queries of some of a client's models, and of all that they read."""

    def __init__(
        self, client: str, own: dict[str, Model], names: Iterable[str], stop: set[str]
    ) -> None:
        self.reads: dict[str, dict[str, str]] = {}  # raw table → column → type
        self.queries: dict[str, exp.Query] = {}
        self.read_by: dict[
            str, set[str]
        ] = {}  # model → the models that it reads; of a kept one, none
        self._stop = stop
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name in self.read_by:
                continue
            self.read_by[name] = set()
            if name in stop:
                continue
            if isinstance(model := own[name], SqlModel):
                self.queries[name] = _query(model, self.reads)
                self.read_by[name] = _tables_read(self.queries[name], client)
            elif name == "attribution.ihc_answers":
                self.read_by[name] = {"journeys.paths", "attribution.ihc_local"}
            waiting += sorted(self.read_by[name])

    def ordered(self) -> list[str]:
        """Return the models after those that they read: first those by conversion, and what these read."""
        ordered = [*TopologicalSorter(self.read_by).static_order()]
        first = set()
        for name in reversed(ordered):
            if name in BY_CONVERSION or name in first:
                first |= {name, *self.read_by[name]}
        run = [name for name in ordered if name not in self._stop]
        return sorted(run, key=lambda name: name not in first)


def _types_of_kept(
    client: str, own: dict[str, Model], kept: tuple[str, ...]
) -> dict[str, dict[str, str]]:
    """Return the columns of the tables that stay as they are settled, with their types."""
    upstream = _Rendering(client, own, kept, stop=set())
    with duckdb.connect(config={"threads": 1}) as connection:
        models = [
            _rendered(name, own[name], upstream.queries.get(name)) for name in upstream.ordered()
        ]
        create_empty(connection, client, models, upstream.reads)
        return {name: columns_of(connection, client, name) for name in kept}


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
    if model.kind.is_incremental_by_time_range and model.time_column:
        return RenderedModel(name, Kind.INTERVAL, model.time_column.column.name, sql, {})
    kind = Kind.FULL if model.kind.is_materialized else Kind.VIEW
    return RenderedModel(name, Kind.BY_CONVERSION if name in BY_CONVERSION else kind, "", sql, {})


def _audits(models: dict[str, Model]) -> Iterator[RenderedAudit]:
    """Return the audits of the models that are made whole, the gate's among them."""
    for name, model in models.items():
        whole = isinstance(model, SqlModel) and not model.time_column
        for audit, given in model.audits_with_args if whole else ():
            arguments: dict[str, Any] = given
            query = _without_catalog(model.render_audit_query(audit, **arguments))
            yield RenderedAudit(audit.name, name, query.sql("duckdb", comments=False))


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
