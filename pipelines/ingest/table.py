"""Name one table of a client while it is ingested: its settings, its delivery, its log."""

from typing import NamedTuple

from pipelines.contracts.people import NAMING, PEOPLE
from pipelines.contracts.salesforce_ids import whole_id
from pipelines.ingest.source_log import SourceLog
from pipelines.lake.tombstones import AGED, ERASED, ORDER, has_erased
from pipelines.settings.apis import Api
from pipelines.settings.client import Client
from pipelines.settings.exports import Export
from pipelines.sources.deliveries import TableDelivery, grain_of

# Which rows have an amount that is in the totals: they stay, whosever they were.
HAS_AMOUNT = {
    ("web", "conversions"): "TRUE",
    ("web", "events"): "revenue IS NOT NULL",
    ("salesforce", "opportunities"): "TRUE",
}


def is_order(name: str) -> str:
    """Return SQL for whether an id is that of an erased person's order, which is still delivered."""
    return f"STARTS_WITH({name}, '{ERASED}') AND ENDS_WITH({name}, '{ORDER}')"


class Table(NamedTuple):
    """One table of a client: how it is delivered, and what the lake holds of its source."""

    client: Client
    name: str
    delivery: TableDelivery
    log: SourceLog
    by_header: Export | None = None

    def read_by(self, export: Export | None) -> "Table":
        """Return the table as a file's header says that it is read; as the client's file does, without."""
        if not export:
            return self
        delivery = self.delivery._replace(grain=grain_of(export))
        return self._replace(delivery=delivery, by_header=export)

    @property
    def feed(self) -> Export | Api:
        """Return the table's way in, as the client's file has it, or the header of a file."""
        return self.by_header or self.client.sources.of(self.log.source)[self.name]

    @property
    def export(self) -> Export | None:
        """Return what the table is exported to; None if a platform's API is asked for it."""
        return self.feed if isinstance(self.feed, Export) else None

    @property
    def columns(self) -> list[str]:
        """Return the columns that raw keeps as the text that was delivered."""
        return [name for name in self.delivery.contract.columns if name != "is_deleted"]

    @property
    def is_stored(self) -> bool:
        """Return whether the lake has rows of the table."""
        return self.log.has(self.name)

    @property
    def stored(self) -> str:
        """Return SQL for the rows that the lake has of the table; keys are as those of new rows are.

        The key of a row is kept as it was made when the row was loaded. Where it is the id alone, it
        is made anew of that. Rows that stand for nobody any more are not among them: nothing is
        compared with them. Orders of erased persons are, as their money may change; that a delivery
        lacks one says nothing, as its person is gone there, too.
        """
        rows, identity = self.log.rows(self.name, self.columns), self.delivery.contract.identity
        if stands_for_nobody := self._stands_for_nobody:
            rows = f"(SELECT * FROM {rows} AS log WHERE NOT ({stands_for_nobody}))"
        if len(identity) > 1:
            return rows
        return f"(SELECT * REPLACE ({whole_id(identity[0])} AS row_key) FROM {rows} AS log)"

    @property
    def _stands_for_nobody(self) -> str:
        """Return SQL for whether a row's person was erased; nothing where nobody was.

        What has an amount is still delivered: under its own id, if it kept that, else known by its mark.
        """
        source_table = (self.log.source, self.name)
        named = NAMING.get(source_table, {})
        if not named or not has_erased(self.client.id):
            return ""
        people = [name for name, kinds in named.items() if kinds[0] in PEOPLE]
        columns = {AGED: people, ERASED: [] if source_table in HAS_AMOUNT else people}
        said = " OR ".join(
            f"STARTS_WITH(COALESCE({name}, ''), '{prefix}')"
            for prefix, names in columns.items()
            for name in ("row_key", *names)
        )
        return f"({said}) AND NOT ({is_order('row_key')})"
