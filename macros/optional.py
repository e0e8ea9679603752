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
}


@macro()
def optional(evaluator, is_there, client, table):
    """Return the rows of a client's table, or none where the client does not have the table.

    `JOIN @optional(@by_account, @client, journeys.members) AS members`.
    """
    name = table.sql("duckdb")
    if is_there.this is True:
        layer, _, own = name.partition(".")
        return f"(SELECT {', '.join(COLUMNS[name])} FROM {client.name}_{layer}.{own})"
    empty = ", ".join(f"NULL::{type_} AS {column}" for column, type_ in COLUMNS[name].items())
    return f"(SELECT {empty} WHERE FALSE)"
