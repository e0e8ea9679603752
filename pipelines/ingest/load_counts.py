"""Count what became of the rows of each batch: the lake's table `exports`, one row a batch."""

from typing import NamedTuple

from pipelines.sql import literal

# Of a load: the rows that were read, but for what is no data; older loads do not say how many that are.
ROWS_THAT_COUNT = "rows_read - COALESCE(TRY_CAST(rows_skipped AS BIGINT), 0)"


class Counts(NamedTuple):
    """What became of the rows that were read; a full export also deletes rows it lacks.

    A row is superseded if a later one of the same load has its key, or if it was added to one. What is
    skipped is no data: a title, a total, a footer.
    """

    read: int = 0
    appended: int = 0
    unchanged: int = 0
    deleted: int = 0
    quarantined: int = 0
    superseded: int = 0
    skipped: int = 0

    def __add__(self, other: tuple[int, ...]) -> "Counts":  # type: ignore[override]
        return Counts(*(mine + theirs for mine, theirs in zip(self, other)))

    @property
    def is_all_new(self) -> bool:
        """Return whether every row is appended as it was read, and nothing else changes."""
        rows = self.read - self.skipped
        return self == Counts(self.read, appended=rows, skipped=self.skipped)

    @property
    def is_all_unchanged(self) -> bool:
        """Return whether every row that was read is in the lake already."""
        alike = {"unchanged": self.unchanged, "superseded": self.superseded}
        return self == Counts(self.read, **alike, skipped=self.skipped)


def load_counts(
    table: str,
    mode: str,
    batches: str,
    *,
    good: str,
    quarantined: str,
    unchanged: str,
    superseded: str,
    deleted: str,
    known: str,
    newest_days: str,
    unusual: list[str],
) -> str:
    """Return SQL for the load counts of a table.

    `batches` is a relation of the batches; each of the others is one of rows, with the
    `export_file` that brought them. A row that is superseded is appended, too: a later row of the
    same load has its key. One that was added to another, or said what another says, `rows_summed`, is
    not, nor is one of a person who was erased, `rows_erased`, or what is no data, `rows_skipped`. After a full delivery so many rows are
    `known`. Of a batch,
    `newest_days` has the newest day of data, if any, and the relations of `unusual` say what looks
    wrong, such as a sum that is far off its usual.
    """
    rows = {
        "good": good,
        "quarantined": quarantined,
        "unchanged": unchanged,
        "superseded": superseded,
        "deleted": deleted,
        "none": batches,  # so that a batch without rows is counted, too
    }
    outcomes = " UNION ALL ".join(
        f"SELECT export_file, '{outcome}' AS outcome FROM {relation}"
        for outcome, relation in rows.items()
    )
    notes = " UNION ALL ".join(f"({relation})" for relation in unusual)
    counted = ", ".join(f"COUNT(*) FILTER (outcome = '{outcome}') AS {outcome}" for outcome in rows)
    return f"""
      WITH counted AS (
        SELECT export_file, {counted} FROM ({outcomes}) GROUP BY export_file
      )
      SELECT
        {literal(table)} AS table_name, export_file, fingerprint, account, covers_from,
        covers_until, {literal(mode)} AS delivery, good + quarantined + rows_summed + rows_erased + rows_aged
        + rows_skipped AS rows_read,
        quarantined AS rows_quarantined, unchanged AS rows_unchanged,
        good - unchanged AS rows_appended, superseded AS rows_superseded,
        deleted AS rows_deleted, rows_left_out, lines_read, file_time, rows_summed,
        rows_erased, rows_aged, rows_skipped,
        {known}::BIGINT AS rows_known, COALESCE(newest_days.newest_day, '') AS newest_day, noted.notes AS unusual
      FROM {batches} AS batches JOIN counted USING (export_file)
      LEFT JOIN ({newest_days}) AS newest_days USING (export_file)
      LEFT JOIN (
        SELECT export_file, STRING_AGG(note, '; ' ORDER BY note) AS notes FROM ({notes}) GROUP BY ALL
      ) AS noted USING (export_file) ORDER BY export_file"""


def summed(load_counts: str) -> str:
    """Return SQL for the sums of load counts, in the order of `Counts`."""
    return f"""
      SELECT
        SUM(rows_read - rows_erased - rows_aged)::BIGINT, SUM(rows_appended - rows_superseded)::BIGINT,
        SUM(rows_unchanged)::BIGINT, SUM(rows_deleted)::BIGINT, SUM(rows_quarantined)::BIGINT,
        SUM(rows_superseded + rows_summed)::BIGINT, SUM(rows_skipped)::BIGINT
      FROM {load_counts}"""
