"""An id is one id: of Salesforce's in 15 characters or 18, of a number as 12 or as 12.0."""

from sqlmesh import macro

from pipelines.contracts.salesforce_ids import staged_id


@macro()
def salesforce_id(evaluator, text):
    """Return an id in the form of 18 characters if it is one of Salesforce's, a number without decimals.

    `@salesforce_id(contact_id)`: 001A0000006Vm9r, as in reports, is 001A0000006Vm9rIAC. Of 12.0, which older
    versions loaded as it was delivered, it is 12, so that it matches the 12 of another table.
    """
    return staged_id(text.sql("duckdb"))
