"""Read the batches of a table in one way, and as those before them: by what their values prove, which is remembered.

What one file proves holds for all of its export. One whose numbers can be read in two ways is read so, and that
is said; one that proves the other way is refused. Without a proof it is asked for.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import duckdb

from pipelines.ingest import readings
from pipelines.ingest.found_readings import Found, read_by_values, remembered
from pipelines.ingest.number_marks import Marks, decides
from pipelines.ingest.refused_rows import refused_as_unsure
from pipelines.ingest.table import Table
from pipelines.ingest.validation import Validated
from pipelines.settings.apis import Api
from pipelines.settings.exports import Export
from pipelines.settings.written_numbers import Numbers
from pipelines.sources.batches import Batch, ExportError, Remedy
from pipelines.sources.numbers import PLAIN, reading_of, setting
from pipelines.sql import literal

Validate = Callable[[Export | Api, Batch, Found], Validated]


class _Open(NamedTuple):
    """A batch whose numbers can be read in two ways, and how."""

    batch: Batch
    marks: Marks


class RoundReadings:
    """How the batches of a round are read, as far as the client's file does not say it: `found`, by name."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._memory = _memory(table)
        self.found: dict[str, Found] = {}
        self._open: list[_Open] = []
        self._plain: list[str] = []

    def validated(self, validate: Validate, batch: Batch) -> Validated:
        """Return a batch that is validated as its values and those before it say. Raise ExportError."""
        export = self._table.export
        if not export:
            return validate(self._table.feed, batch, Found())

        def by(found: Found) -> Validated:
            settings = found.settings(export)
            return validate(settings, batch.by(settings), found)

        if known := self.found.get(batch.name):
            return read_by_values(by, known)[0]
        done, found = self._first(by, batch)
        if done.unsure:
            self._open.append(_Open(batch, done.unsure))
        elif not found.numbers:
            self._plain.append(batch.name)
        self.found[batch.name] = found
        return done

    def _first(self, by: Callable[[Found], Validated], batch: Batch) -> tuple[Validated, Found]:
        """Return a batch as those before it are read; if it is written otherwise, as it proves itself."""
        memory = self._memory
        if not memory.numbers:
            return read_by_values(by, memory)
        try:
            return read_by_values(by, memory)
        except ExportError as error:
            done, found = read_by_values(by, memory._replace(numbers=None, decimal=""))
            mark = found.decimal or ("" if done.unsure or found.numbers else PLAIN.decimal)
            if mark != memory.decimal:
                raise _contradiction(batch, memory, found, error) from None
            return done, found

    def settle(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """Decide how the numbers are read that allow two ways; return whether batches are to be read again.

        It reads `delivered`. Raise ExportError if two files prove two ways, or nothing decides.
        """
        proofs = {
            each.decimal: each for each in [*self.found.values(), self._memory] if each.decimal
        }
        if (self._open or "," in proofs) and self._plain_decides(connection):
            proofs.setdefault(PLAIN.decimal, Found(decimal=PLAIN.decimal, by="others"))
        if len(proofs) > 1:
            raise self._two_ways(proofs)
        if self._open and not proofs:
            raise refused_as_unsure(*self._open[0])
        again = False
        for batch, marks in self._open:
            (proof,) = proofs.values()
            numbers = marks.by_decimal(proof.decimal)
            if numbers and (numbers != PLAIN or marks.examples):
                self.found[batch.name] = self.found[batch.name]._replace(
                    numbers=numbers, decimal=proof.decimal, is_open=False, by=proof.by
                )
                again = True
        self._open = []
        return again

    def _two_ways(self, proofs: dict[str, Found]) -> ExportError:
        """Return the error for files of one round, or one and what is loaded, that are written in two ways."""
        proof = proofs[","]
        return ExportError(
            f"by its values its numbers are written as `{setting(proof.numbers or PLAIN)}`, and those of"
            f" {'other files of this export' if proofs['.'].by == 'others' else proofs['.'].by} have a point"
            " before their decimals: one export writes its numbers in one way. Export them alike",
            name=proof.by,
            remedies=[_alike(proof.numbers or PLAIN)],
        )

    def _plain_decides(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """Return whether what is read as it is, here or in loads before, has a point before its decimals."""
        table = self._table
        relations = [f"(FROM delivered WHERE export_file IN ({_listed(self._plain)}))"]
        if table.is_stored:
            others = [*_read_otherwise(table), *self.found]
            relations.append(
                f"(FROM {table.stored} AS log WHERE export_file NOT IN ({_listed(others)})"
                f" AND NOT is_deleted AND load_id NOT IN ({_listed(table.log.withdrawn)}))"
            )
        contract = table.delivery.contract
        reading = reading_of(table.feed, contract, table.client)
        return any(decides(connection, contract, reading, rows) for rows in relations)

    def notes(self, batches: Iterable[Batch]) -> list[str]:
        """Say which batches are read by what was found, and why."""
        known = ((batch.shown, self.found.get(batch.name)) for batch in batches)
        return [said for shown, found in known if found and (said := found.said(shown))]

    def proved(self) -> Numbers | None:
        """Return how the numbers of a batch prove that they are written, if one does."""
        found = (each.numbers for each in self.found.values() if each.decimal)
        return next(filter(None, found), None)

    def kept(self) -> dict[str, str | None]:
        """Return what is kept of each batch, for those that follow."""
        return {name: found.kept() for name, found in self.found.items()}


def _memory(table: Table) -> Found:
    """Return what the newest loads prove of how the table is written; of numbers, if no setting says it."""
    if not table.export:
        return Found()
    kept = [remembered(each) for each in table.log.found(table.name).values() if each]
    numbers = next((each for each in kept if each.numbers), Found())
    words = next((each.words for each in kept if each.words), {})
    return Found(words=words) if table.export.numbers else numbers._replace(words=words)


def _read_otherwise(table: Table) -> list[str]:
    """Return the loaded batches whose numbers the lake has in another form than they were delivered in."""
    found = [name for name, each in table.log.found(table.name).items() if each]
    before = readings.known(table.log, table.name).items()
    return found + [name for name, reading in before if readings.has_numbers(reading)]


def _contradiction(batch: Batch, memory: Found, found: Found, error: ExportError) -> ExportError:
    """Return the error for a batch that is not written as those before it."""
    own = found.numbers or PLAIN
    return batch.refused(
        f"its numbers are not written as those of {memory.by}, by which this export is read:"
        f" `{setting(memory.numbers or PLAIN)}`; by it, {error.reason.partition('. ')[0]}. Export it as before",
        [_alike(own)],
    )


def _alike(numbers: Numbers) -> Remedy:
    return Remedy(setting(numbers), meaning="all files of it that are there are written so")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(literal, names)) or "''"
