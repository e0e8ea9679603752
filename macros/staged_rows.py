"""Count what of the log is staged."""

from sqlmesh import macro

MODELS = {"spend": "stg_ad_spend"}


@macro()
def staged_rows(evaluator, client, tables):
    """Return `loaded_at` of every staged row of the log's tables in a list.

    `FROM @staged_rows(@client, @staged_tables)`, with names as `sessions events spend`.
    """
    staged = (
        f"SELECT loaded_at FROM {client.name}_staging.{MODELS.get(table, f'stg_{table}')}"
        for table in tables.name.split()
    )
    return f"({' UNION ALL '.join(staged)})"
