"""Read a table that only some clients have."""

from sqlmesh import macro


@macro()
def optional(evaluator, is_there, client, table):
    """Return a client's table, or no rows of its columns where the client does not have the table.

    `FROM @optional(@has_conversions, @client, staging.stg_conversions) AS conversions`.
    """
    from pipelines.blueprints.absent import no_rows  # here, or the model would carry its source

    layer, _, name = table.sql("duckdb").partition(".")
    return f"{client.name}_{layer}.{name}" if is_there.this is True else no_rows(layer, name)
