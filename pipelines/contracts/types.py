"""Say what type a column has: the same in every table, as one name stands for one thing."""

from pipelines.contracts.catalog import tables
from pipelines.contracts.contract import SQL_TYPES, Type

MADE: dict[str, Type] = {  # by ingest and by models, beside what sources deliver
    "load_id": "text",
    "person_id": "text",
    "date": "date",
    "loaded_at": "timestamp",
    "faulty_weights": "text",
    "responded_at": "timestamp",
    "rows_in_load": "integer",
    "priced_at": "timestamp",
    "first_of": "text",
    "conversion_type": "text",
    "conversion_before": "text",
    "rule": "text",
    "warnings": "text",
    "left_out": "text",
    "rows_left_out": "integer",
    "rows_in_all": "integer",
    "given_back": "money",
    "is_whole": "boolean",
    "same_as": "text",
    "valid_from": "timestamp",
    "valid_until": "timestamp",
}


def sql_type(column: str) -> str:
    """Return the SQL type of a column, by its name: of `revenue`, `DECIMAL(18, 6)`."""
    delivered = {
        name: one.type for _, _, contract in tables() for name, one in contract.columns.items()
    }
    types = delivered | MADE
    if column not in types:
        raise ValueError(f"the type of the column {column} is not known; add it in {__file__}")
    return SQL_TYPES[types[column]]
