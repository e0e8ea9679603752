"""Put queries with different columns under each other."""

from sqlglot import exp
from sqlmesh import macro


@macro()
def union_all(evaluator, types, *queries):
    """Return the rows of several queries, column by column of the same name, as a plain UNION ALL.

    `@union_all((b := TEXT), (SELECT a, b FROM one), (SELECT a FROM two))` is
    `SELECT a, b FROM one UNION ALL SELECT a, NULL::TEXT AS b FROM two`. The first argument names
    the columns that some query lacks, with their types: they are NULL there. The columns come in
    the order of the first query, then in that of the first argument.
    """
    typed = {item.this.name: item.expression.sql("duckdb") for item in types.unnest().expressions}
    selects = [query.unnest() for query in queries]
    names = list(dict.fromkeys([*selects[0].named_selects, *typed]))
    for select in selects:
        own = {column.alias_or_name: column for column in select.selects}
        for name in typed.keys() - own.keys():
            own[name] = exp.cast(exp.null(), typed[name], dialect="duckdb").as_(name)
        if own.keys() != set(names):
            odd = ", ".join(sorted(own.keys() ^ set(names)))
            raise ValueError(f"@union_all: not every query has {odd}; name its type")
        select.set("expressions", [own[name] for name in names])
    return exp.union(*selects, distinct=False)
