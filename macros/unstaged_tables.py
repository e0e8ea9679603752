"""Which tables of the log a client has no staging model for, and need not have."""

from sqlmesh import macro


@macro()
def unstaged_tables(evaluator, models):
    """Return the tables that only some clients stage, where this client does not, as a list.

    `NOT CONCAT(source, '.', table_name) IN @unstaged_tables(@staging_models)`: Salesforce's contacts
    may be delivered to a client whose journeys are not by account.
    """
    from pipelines.contracts.catalog import tables  # here, or the model would carry its source

    names = (
        f"'{source}.{table}'"
        for source, table, contract in tables()
        if contract.is_optional and contract.staged_by not in models.name.split()
    )
    return f"({', '.join(names) or repr('')})"
