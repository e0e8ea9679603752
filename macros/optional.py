"""Read a table that only some clients have."""

from sqlmesh import macro

_SPAN = {"valid_from": "TIMESTAMP", "valid_until": "TIMESTAMP"}
COLUMNS = {
    "staging.stg_campaign_members": {
        "campaign_member_id": "TEXT",
        "person_id": "TEXT",
        "responded_at": "TIMESTAMP",
        "campaign_type": "TEXT",
        "campaign": "TEXT",
        "has_responded": "BOOLEAN",
        "is_deleted": "BOOLEAN",
        "loaded_at": "TIMESTAMP",
    },
    "journeys.deal_contacts": {"conversion_id": "TEXT", "contact_id": "TEXT", **_SPAN},
    "journeys.members": {"conversion_id": "TEXT", "customer_id": "TEXT", **_SPAN},
    "journeys.deal_leads": {"conversion_id": "TEXT", "created_at": "TIMESTAMP", **_SPAN},
    "journeys.crm_changes": {"conversion_id": "TEXT", "loaded_at": "TIMESTAMP"},
    "staging.stg_conversions": {
        "conversion_id": "TEXT",
        "customer_id": "TEXT",
        "converted_at": "TIMESTAMP",
        "revenue": "DECIMAL(18, 6)",
        "currency": "TEXT",
        "is_deleted": "BOOLEAN",
        "loaded_at": "TIMESTAMP",
    },
    "staging.stg_session_costs": {
        "session_id": "TEXT",
        "cost": "DECIMAL(18, 6)",
        "currency": "TEXT",
        "is_deleted": "BOOLEAN",
        "loaded_at": "TIMESTAMP",
    },
    "journeys.prices": {
        "currency": "TEXT",
        "date": "DATE",
        "rate": "DECIMAL(18, 9)",
        "loaded_at": "TIMESTAMP",
    },
    "journeys.repricings": {
        "conversion_id": "TEXT",
        "loaded_at": "TIMESTAMP",
        "priced_at": "TIMESTAMP",
    },
    "marts.day_rates": {"currency": "TEXT", "date": "DATE", "rate": "DECIMAL(18, 9)"},
    "marts.fct_session_costs": {
        "session_id": "TEXT",
        "date": "DATE",
        "channel": "TEXT",
        "campaign": "TEXT",
        "currency": "TEXT",
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
