"""Read a table that only some clients have."""

from sqlmesh import macro

COLUMNS = {
    "staging.stg_clients": {"loaded_at": "TIMESTAMP"},
    "staging.stg_conversions": {
        "conversion_id": "TEXT",
        "customer_id": "TEXT",
        "converted_at": "TIMESTAMP",
        "revenue": "DECIMAL(9, 0)",  # takes the currency's own digits in a union
        "is_deleted": "BOOLEAN",
        "loaded_at": "TIMESTAMP",
    },
    "staging.stg_session_costs": {
        "session_id": "TEXT",
        "cost": "DECIMAL(18, 6)",
        "is_deleted": "BOOLEAN",
        "loaded_at": "TIMESTAMP",
    },
    "marts.fct_session_costs": {
        "date": "DATE",
        "channel": "TEXT",
        "campaign": "TEXT",
        "cost": "DECIMAL(18, 6)",
    },
}


@macro()
def optional(evaluator, is_there, client, table):
    """Return the rows of a client's table, or none where the client does not have the table.

    `FROM @optional(@has_conversions, @client, staging.stg_conversions) AS conversions`.
    """
    name = table.sql("duckdb")
    if is_there.this is True:
        layer, _, own = name.partition(".")
        return f"(SELECT {', '.join(COLUMNS[name])} FROM {client.name}_{layer}.{own})"
    empty = ", ".join(f"NULL::{type_} AS {column}" for column, type_ in COLUMNS[name].items())
    return f"(SELECT {empty} WHERE FALSE)"
