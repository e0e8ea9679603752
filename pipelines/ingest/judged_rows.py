"""Hold a batch whose rows were judged, and say in SQL which are bad, and which a setting would mend."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import duckdb

from pipelines.contracts.contract import Contract
from pipelines.ingest import compared_values
from pipelines.ingest.bad_rows import ROW_LINES
from pipelines.ingest.row_faults import Fault, faults, reason
from pipelines.settings.apis import Api
from pipelines.settings.client import Client
from pipelines.settings.conditions import Condition, Value
from pipelines.settings.exports import Export
from pipelines.settings.written_numbers import Numbers
from pipelines.sources.batches import Batch
from pipelines.sources.numbers import Reading, currency_of_row, kept_beside, read
from pipelines.sql import literal, only_row


class Judged(NamedTuple):
    """A batch whose rows were judged: by which faults, and the files of its rows and rejects.

    `judged_file` has also the rows that do not count, by `where`, the `values` that SQL reads, and the delivered
    texts of what counts in another unit. `reading` says how its numbers are read.
    """

    contract: Contract
    client: Client
    feed: Export | Api
    batch: Batch
    faults: list[Fault]
    rows_file: Path
    rejects_file: Path
    judged_file: Path
    reading: Reading
    where: Condition | None = None
    values: Sequence[Value] = ()
    has_others: bool = False

    @property
    def rows(self) -> str:
        """Return SQL for its rows; bad ones are as they were delivered."""
        return f"read_parquet({literal(str(self.rows_file))})"

    @property
    def everything(self) -> str:
        """Return SQL for its rows, those that do not count included."""
        return f"read_parquet({literal(str(self.judged_file))})"

    @property
    def bad(self) -> str:
        """Return SQL for its bad rows, as they were judged."""
        return read(self.contract, self.reading, self._all("reason IS NOT NULL"))

    def _all(self, condition: str) -> str:
        counts = " AND counts" if self.where else ""
        counts += " AND NOT is_apart" if self.has_others else ""
        texts = ["is_deleted::TEXT AS is_deleted"] * ("is_deleted" in self.contract.columns)
        if kept := kept_beside(self.contract, self.reading):
            texts += [f"{was} AS {name}" for name, was in kept.items()]
        left_out = f"EXCLUDE ({', '.join(kept.values())})" if kept else ""
        replaced = f"REPLACE ({', '.join(texts)})" if texts else ""
        rows = f"read_parquet({literal(str(self.judged_file))})"
        return f"(SELECT * {left_out} {replaced} FROM {rows} AS judged WHERE {condition}{counts})"

    @property
    def delivered(self) -> str:
        """Return SQL for its rows, good and bad, with numbers as they were delivered, where no setting reads them."""
        return self._all("TRUE")

    def others(self, connection: duckdb.DuckDBPyConnection) -> int:
        """Return how many rows are another table's."""
        if not self.has_others:
            return 0
        rows = f"read_parquet({literal(str(self.judged_file))})"
        (count,) = only_row(connection.execute(f"SELECT COUNT(*) FROM {rows} WHERE is_apart"))
        return int(count)

    @property
    def compared_numbers(self) -> Mapping[str, str]:
        """Return relations of the numbers that SQL reads, by what they are called."""
        return compared_values.numbers_in(
            self.values, f"read_parquet({literal(str(self.judged_file))})"
        )

    def still_bad(self, numbers: Numbers | None) -> tuple[str, str]:
        """Return SQL for what is bad if the numbers are written so, and `row_lines:` reads long rows."""
        rejects = f"(FROM {self.rejects} WHERE NOT REGEXP_MATCHES(reason, {literal(ROW_LINES)}))"
        if not numbers:
            return self.bad, rejects
        reading = self.reading._replace(numbers=numbers)
        wrong = compared_values.spared(faults(self.contract, self.client, reading), self.values)
        wrong += compared_values.faults(
            self.values, numbers, currency_of_row(self.contract, reading)
        )
        rows = read(self.contract, reading, self._all("TRUE"))
        return f"(FROM {rows} WHERE {reason(wrong)} IS NOT NULL)", rejects

    @property
    def rejects(self) -> str:
        """Return SQL for what is no row."""
        return f"read_parquet({literal(str(self.rejects_file))})"

    @property
    def place(self) -> str:
        """Return what the number of a row counts: lines in a text, else rows."""
        name = self.batch.name.lower().removesuffix(".gz")
        return "line" if name.endswith((".csv", ".jsonl", ".tsv")) else "row"
