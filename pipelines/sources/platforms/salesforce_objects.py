"""Say which of Salesforce's objects and fields each table is made of."""

from typing import NamedTuple

from pipelines.settings.apis import SalesforceApi
from pipelines.sources.platforms.responses import text

# By table: the object's name, and the field of each of the contract's columns.
OBJECTS: dict[str, tuple[str, dict[str, str]]] = {
    "opportunities": (
        "Opportunity",
        {
            "opportunity_id": "Id",
            "customer_id": "AccountId",
            "stage": "StageName",
            "is_won": "IsWon",
            "closed_at": "LastStageChangeDate",
            "amount": "Amount",
            "account_id": "AccountId",
            "opened_at": "CreatedDate",
            "is_deleted": "IsDeleted",
        },
    ),
    "contacts": (
        "Contact",
        {
            "contact_id": "Id",
            "account_id": "AccountId",
            "email": "Email",
            "name": "Name",
            "created_at": "CreatedDate",
            "is_deleted": "IsDeleted",
        },
    ),
    "contact_roles": (
        "OpportunityContactRole",
        {
            "contact_role_id": "Id",
            "opportunity_id": "OpportunityId",
            "contact_id": "ContactId",
            "role": "Role",
            "is_primary": "IsPrimary",
            "is_deleted": "IsDeleted",
        },
    ),
    "leads": (
        "Lead",
        {
            "lead_id": "Id",
            "created_at": "CreatedDate",
            "email": "Email",
            "company": "Company",
            "converted_date": "ConvertedDate",
            "converted_account_id": "ConvertedAccountId",
            "converted_contact_id": "ConvertedContactId",
            "converted_opportunity_id": "ConvertedOpportunityId",
            "is_deleted": "IsDeleted",
        },
    ),
    "campaign_members": (
        "CampaignMember",
        {
            "campaign_member_id": "Id",
            "campaign_id": "CampaignId",
            "campaign": "Campaign.Name",
            "campaign_type": "Campaign.Type",
            "lead_id": "LeadId",
            "contact_id": "ContactId",
            "status": "Status",
            "has_responded": "HasResponded",
            "first_responded_date": "FirstRespondedDate",
            "created_at": "CreatedDate",
            "is_deleted": "IsDeleted",
        },
    ),
}


class Query(NamedTuple):
    """What is asked of an object: its fields, the contract's columns over them in SQL.

    `account` names the fields that differ from the usual ones, which are `own`: with other fields,
    history is fetched anew.
    """

    entity: str
    fields: list[str]
    columns: dict[str, str]
    account: str
    own: tuple[str, ...] = ()

    def soql(self, condition: str, order: str) -> str:
        """Return the query in Salesforce's language."""
        return (
            f"SELECT {', '.join(self.fields)} FROM {self.entity} WHERE {condition}"
            f" ORDER BY SystemModstamp {order}, Id {order}"
        )


def query_of(table: str, api: SalesforceApi) -> Query:
    """Return what is asked of a table's object."""
    entity, usual = OBJECTS[table]
    own = api.columns if table == "opportunities" else {}
    own = {column: field for column, field in own.items() if usual.get(column) != field}
    fields = dict.fromkeys(["Id", "SystemModstamp", *(usual | own).values()])
    columns = {column: text(field) for column, field in (usual | own).items()}
    if table == "opportunities" and "closed_at" not in own:
        # A stage that never changed has no date of its change: it was won as it was created.
        columns["closed_at"] = (
            f"COALESCE({columns['closed_at']},"
            f" CASE WHEN {text('IsWon')} = 'true' THEN {text('CreatedDate')} END)"
        )
        fields |= dict.fromkeys(["IsWon", "CreatedDate"])
    account = ",".join(f"{column}={field}" for column, field in sorted(own.items()))
    return Query(entity, list(fields), columns, account, tuple(own.values()))
