"""Say what a contract is: the columns of one table, their types, and the key."""

from typing import Literal, NamedTuple

StagedFor = Literal["all", "delivering", "asking"]
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

UNITS: dict[str, str] = {
    "timestamp": "second, UTC",
    "date": "day",
    "money": "of `currency`",
    "rate": "the client's currency",
    "integer": "count",
}


class Column(NamedTuple):
    """One column of a contract.

    A row without a `required` value goes to quarantine; an export may lack an `optional` column.
    docs/clients.md shows its `meaning` and its `unit`: that of its type, if it has none of its own.
    One that `is_somebody` has the id of a visitor, a customer, a contact or account of a CRM, or an
    event. One that is `gathered` is no column of an export, but holds those that `properties:` names.
    One that `is_address` has the address of a page, which may be long.
    """

    type: Type
    meaning: str
    required: bool = False
    optional: bool = False
    own_unit: str = ""
    is_somebody: bool = False
    gathered: bool = False
    is_address: bool = False

    @property
    def is_money(self) -> bool:
        """Return whether the values are amounts of a currency; a count with fractions is none."""
        return self.type == "money" and not self.own_unit

    @property
    def is_number(self) -> bool:
        """Return whether the values are numbers, whatever they count."""
        return self.type in ("money", "rate", "integer")

    @property
    def unit(self) -> str:
        """Return what the values count; nothing for a name or a flag."""
        return self.own_unit or UNITS.get(self.type, "")


class Contract(NamedTuple):
    """The columns of one table, the key whose newest version counts, and who stages it."""

    columns: dict[str, Column]
    """What an export must deliver: columns of these names, or such as are mapped to them."""
    staged_by: str
    """The staging model that takes the rows, such as `stg_rates`.

    One that takes tables of several sources, as `stg_ad_spend`, names the source in `platform`.
    """
    staged_for: StagedFor = "all"
    """Who has that model: all clients, those delivering the table, or those asking for it."""
    key: tuple[str, ...] = ()
    """What identifies a row; without a key every column together does: a row is its content."""
    own_id: str = ""
    """A column that identifies a row by itself where the row has it; the others go by their key."""
    bad_if: dict[str, str] = {}
    """What a row must not be: a reason for quarantine, and its SQL condition."""
    adds: tuple[str, ...] = ()
    """What adds up where an export is finer than the key: of spend by device, its costs and counts."""
    nothing: tuple[str, ...] = ()
    """What a client writes for nothing, such as `n/a`; `0` stands for ids of zeros only."""
    dated_by: tuple[str, ...] = ()
    """The columns whose newest day is the newest day of data; none where rows are of no day."""
    is_daily: bool = False
    """Whether every day has rows: a delivery without newer ones is old. Deals are not daily."""
    expected_every: str = "1 day"
    """How often newer data is due, where the client's file does not say."""
    compared_by: tuple[str, ...] = ()
    """Rows of these in common have sums alike, so that one row tells; without, it takes several."""

    converts: str = ""
    """Of rows that may be conversions, by which SQL condition they are: all of them, by `TRUE`."""

    @property
    def identity(self) -> tuple[str, ...]:
        """Return the columns that identify a row."""
        return self.key or tuple(self.columns)

    @property
    def identifying(self) -> tuple[str, ...]:
        """Return every column that may identify a row."""
        return (self.own_id, *self.identity) if self.own_id else self.identity

    @property
    def happens_once(self) -> bool:
        """Return whether a row is what happens at a time, as a session is; a deal is changed for weeks."""
        return self.is_daily or self.converts == "TRUE"

    @property
    def happens_rarely(self) -> bool:
        """Return whether a delivery may well have no row of it, as of refunds among orders."""
        return self.staged_by == "stg_refunds"

    @property
    def is_optional(self) -> bool:
        """Return whether only some clients have the staging model."""
        return self.staged_for != "all"

    @property
    def flag(self) -> str:
        """Return the name of the blueprint variable that says who has the model: `has_rates`."""
        return f"has_{self.staged_by.removeprefix('stg_')}"
