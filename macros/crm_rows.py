"""Count the CRM's tables that a client has a use for."""

from sqlmesh import macro


@macro()
def crm_rows(evaluator, client, tables):
    """Return `loaded_at` of every staged row of the tables in a list: `@crm_rows(@client, @crm_tables)`."""
    staged = (
        f"SELECT loaded_at FROM {client.name}_staging.stg_{table}" for table in tables.name.split()
    )
    return f"({' UNION ALL '.join(staged) or 'SELECT NULL::TIMESTAMP AS loaded_at WHERE FALSE'})"
