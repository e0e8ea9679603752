"""Tell refunds from orders where one export has both: they are taken off the revenue of their order."""

from typing import Any

from pipelines.settings.column_expressions import is_expression
from pipelines.settings.exports import Export
from pipelines.sql import identifier

_OF_REFUNDS = {"conversion_id": "conversion_id", "refunded_at": "converted_at", "amount": "revenue"}


def is_refund(export: Export) -> str:
    """Return the condition for a row of an export of conversions to be a refund: its amount is below 0."""
    amounts = [
        f"({name})" if is_expression(name) else identifier(name) for name in export.names("revenue")
    ]
    return f"{amounts[0]} < 0"


def with_refunds(feeds: list[tuple[str, str, Any]]) -> list[tuple[str, str, Any]]:
    """Return feeds with that of refunds, where an export of conversions has them as rows of their own.

    It is of the same files: by `grain: refunds`, a row of an amount below 0, or what `where:` of
    `web.refunds` says. Such rows are no conversions.
    """
    found = {(source, table): feed for source, table, feed in feeds}
    orders, refunds = found.get(("web", "conversions")), found.get(("web", "refunds"))
    if not isinstance(orders, Export):
        return feeds
    if orders.grain == "refunds":
        found["web", "conversions"] = orders.without(is_refund(orders))
        found["web", "refunds"] = _of_rows(orders)
    elif isinstance(refunds, Export) and refunds.where and _is_same(orders, refunds):
        found["web", "conversions"] = orders.without(refunds.where)
    return [(source, table, feed) for (source, table), feed in found.items()]


def _is_same(orders: Export, refunds: Export) -> bool:
    return (orders.files, orders.postgres) == (refunds.files, refunds.postgres)


def _of_rows(orders: Export) -> Export:
    """Return the export of refunds in one of conversions: the same rows, read by our names of a refund."""
    columns = {column: orders.names(of) for column, of in _OF_REFUNDS.items()}
    if orders.names("currency"):
        columns["currency"] = orders.names("currency")
    named = {of: column for column, of in _OF_REFUNDS.items()} | {"currency": "currency"}
    settings = {
        "columns": columns | {"refund_id": ()},
        "where": is_refund(orders),
        "grain": None,
        "unit": {named[name]: unit for name, unit in orders.unit.items() if name in named},
        "zones": {named[name]: zone for name, zone in orders.zones.items() if name in named},
        "expected_every": "never",
    }
    return orders.model_copy(update=settings)
