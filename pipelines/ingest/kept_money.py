"""Keep the money of an erased person's new orders, without the person.

An order or a deal that is delivered later under their id has an amount that is in the totals. So its row stays,
under its own id, by which it is known again when it is delivered again, changed or cancelled. The person's
id becomes one that stands for nobody, and for this row alone: nothing links it with another order of theirs.
An old order of theirs is known by its mark, and left out: it is in the lake, and has another id there.
"""

from pipelines.contracts.people import ADDRESSES, CLICK_IDS, NAMING, PEOPLE, TOUCHPOINT, UNREAD
from pipelines.ingest.table import HAS_AMOUNT, Table
from pipelines.lake.tombstones import ERASED
from pipelines.settings.exclusions import excluded_customers
from pipelines.sql import literal


def has_money(table: Table) -> str:
    """Return SQL for whether a row has an amount of its own that no rule of the client's leaves out."""
    has_amount = HAS_AMOUNT.get((table.log.source, table.name), "FALSE")
    people = [name for name, kinds in _named(table).items() if kinds[0] in PEOPLE]
    rule = excluded_customers(table.client.exclude, people)
    return f"{has_amount} AND reason IS NULL AND {rule} IS NULL"


def nobody_instead(
    table: Table, salt: str, is_kept: str, otherwise: dict[str, str]
) -> dict[str, str]:
    """Return SQL by column for what a row that is kept says instead of the person; what others say `otherwise`.

    A deal that was loaded while the person was known keeps the name that it got then, so that its
    credit stays where it was.
    """
    values = {}
    for name, kinds in _named(table).items():
        if kinds[0] in PEOPLE or kinds == (TOUCHPOINT,):
            new = f"'{ERASED}' || LEFT(SHA256({literal(f'{salt} {name} ')} || row_key), 20)"
            values[name] = f"COALESCE({_known_as(table, name)}, {new})"
    for name in {*CLICK_IDS, *ADDRESSES, *UNREAD} & {*table.columns}:
        values[name] = "'erased'" if name in CLICK_IDS else "NULL"
        if name in ADDRESSES:
            values[name] = f"REGEXP_REPLACE({otherwise.get(name, name)}, '[?#].*', '')"
    return {
        name: f"IF({is_kept} AND {name} IS NOT NULL, {new}, {otherwise.get(name, name)})"
        for name, new in values.items()
    }


def _known_as(table: Table, name: str) -> str:
    if not table.is_stored:
        return "NULL"
    return (
        f"(SELECT MIN(log.{name}) FROM {table.stored} AS log"
        f" WHERE log.row_key = rows.row_key AND STARTS_WITH(log.{name}, '{ERASED}'))"
    )


def _named(table: Table) -> dict[str, tuple[str, ...]]:
    return NAMING.get((table.log.source, table.name), {})
