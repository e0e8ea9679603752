"""Say what a contract is: the columns of one table, their types, and the key."""

from typing import Literal, NamedTuple

Type = Literal["text", "timestamp", "date", "money", "rate", "integer", "boolean"]

SQL_TYPES: dict[str, str] = {
    "text": "TEXT",
    "timestamp": "TIMESTAMP",
    "date": "DATE",
    "money": "DECIMAL(18, 6)",
    "rate": "DECIMAL(18, 9)",
    "integer": "BIGINT",
    "boolean": "BOOLEAN",
}


class Column(NamedTuple):
    """One column of a contract.

    A row without a `required` value goes to quarantine; an export may lack an `optional` column.
    `meaning` is what docs/clients.md says of it.
    """

    type: Type
    meaning: str
    required: bool = False
    optional: bool = False


class Contract(NamedTuple):
    """The columns of one table, and the key whose newest version counts.

    Without a key every column together is the key: a row is its content.
    `bad_if` holds what a row must not be: a reason for quarantine, and its SQL condition.
    """

    columns: dict[str, Column]
    key: tuple[str, ...] = ()
    bad_if: dict[str, str] = {}

    @property
    def identity(self) -> tuple[str, ...]:
        """Return the columns that tell one row from another."""
        return self.key or tuple(self.columns)
