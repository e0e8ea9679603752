"""An id of Salesforce's is one id, of 15 characters or of 18."""

from sqlmesh import macro

from pipelines.contracts.salesforce_ids import whole_id


@macro()
def salesforce_id(evaluator, text):
    """Return an id in the form of 18 characters if it is one of Salesforce's, else as it is.

    `@salesforce_id(contact_id)`: 001A0000006Vm9r, as in reports, is 001A0000006Vm9rIAC.
    """
    return whole_id(text.sql("duckdb"))
