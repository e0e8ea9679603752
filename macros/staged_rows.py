"""Count what of the log is staged."""

from sqlmesh import macro


@macro()
def staged_rows(evaluator, client, models):
    """Return `source`, `table_name`, `loaded_at` and `row_count` of every row of some staging models.

    `FROM @staged_rows(@client, @staging_models)`, with models as `stg_sessions stg_ad_spend`. A row
    stands for one of the log; of Salesforce's for as many as came in one load under one id.
    """
    from pipelines.contracts.catalog import tables  # here, or the model would carry its source

    selects = []
    for model in models.name.split():
        takes = [(source, table) for source, table, each in tables() if each.staged_by == model]
        source, table = takes[0]
        count = "rows_in_load" if source == "salesforce" else "1"
        source = "platform" if len(takes) > 1 else f"'{source}'"
        selects.append(
            f"SELECT {source} AS source, '{table}' AS table_name, loaded_at, {count} AS row_count"
            f" FROM {client.name}_staging.{model}"
        )
    return f"({' UNION ALL '.join(selects)})"
