"""Judge provisional rows by the audits that a run would: rows that fail are not to be published."""

from collections.abc import Iterator

import duckdb

from pipelines.fastpath.rendered_models import RenderedAudit, RenderedModels
from pipelines.sql import only_row


def failures(
    connection: duckdb.DuckDBPyConnection, client: str, models: RenderedModels
) -> Iterator[str]:
    """Return the audits that fail, each with how many rows and the first three, as a run tells them."""
    for audit in models.audits:
        (count,) = only_row(connection.execute(f"SELECT COUNT(*) FROM ({audit.sql})"))
        if count:
            yield _failure(connection, client, audit, count)


def _failure(
    connection: duckdb.DuckDBPyConnection, client: str, audit: RenderedAudit, count: int
) -> str:
    found = connection.execute(f"FROM ({audit.sql}) LIMIT 3")
    names = [column[0] for column in found.description or ()]
    examples = "; ".join(
        ", ".join(f"{name} = {value}" for name, value in zip(names, row))
        for row in found.fetchall()
    )
    model = f"{client}_{audit.model}"
    return f"{model}: audit {audit.name} failed, {count} row(s), such as {examples}"
