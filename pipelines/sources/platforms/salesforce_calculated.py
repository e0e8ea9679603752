"""Say which values of a record change without its SystemModstamp: those that come from elsewhere.

A formula, or a roll-up of other records, is calculated as it is read; `Campaign.Name` is a field of
another record, its parent, and is marked there.
"""

from dlt.sources.helpers.rest_client import RESTClient

from pipelines.sources.platforms.salesforce_objects import Query
from pipelines.sources.platforms.salesforce_rest import malformed


def parents(query: Query) -> list[str]:
    """Return the related records that a query reads fields of, other than by fields of the org's own."""
    names = (field.rpartition(".")[0] for field in query.fields if field not in query.own)
    return [*filter(None, dict.fromkeys(names))]


def has_calculated(org: RESTClient, query: Query) -> bool:
    """Return whether the org calculates a field that a query reads; of its own ones, it says so itself.

    A field of the org's own that lies in a related record may be calculated there.
    """
    if any("." in field for field in query.own):
        return True
    return bool(query.own) and not _calculated(org, query.entity).isdisjoint(query.own)


def _calculated(org: RESTClient, entity: str) -> set[str]:
    answer = org.get(f"sobjects/{entity}/describe").json()
    try:
        return {field["name"] for field in answer["fields"] if field["calculated"]}
    except (LookupError, TypeError):
        raise malformed(f"a description of {entity} without its fields") from None
