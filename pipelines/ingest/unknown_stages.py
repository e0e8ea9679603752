"""Name the stages of deals that a ready-made format does not know, as it takes them for not won.

`Closed Won` is known to be won, `Closed Lost` and the platform's own stages to be not. An org that calls its won
deals `Signed` is told so; where no deal of a whole export is won, it is asked which stage says it.
"""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

import duckdb

from pipelines.ingest.table import Table
from pipelines.settings.exports import Export
from pipelines.sources.batches import Batch, Remedy
from pipelines.sources.yaml_texts import scalar
from pipelines.sql import identifier, literal

_NOT_WON = "lost|verloren|dead|open|offen|rejected|abgelehnt|cancel|storniert|disqualif"
_SHOWN = 8


class Stages(NamedTuple):
    """The stages of one batch: how many deals are won, by which, and what is not known, with its deals."""

    batch: Batch
    export: Export
    won: Sequence[str]
    unknown: Sequence[tuple[str, int]]

    @property
    def said(self) -> str:
        """Return what is to be said of those that are not known."""
        return (
            f"{self.batch.shown}: {_deals(sum(count for _, count in self.unknown))} in stages that its format does"
            f" not know, taken for not won: {self.listed}. If one of them is won, write under `columns:`, such as"
            f" `{self.line(self.unknown[0][0])}`"
        )

    @property
    def listed(self) -> str:
        """Return the stages that are not known, with how many deals each has."""
        shown = ", ".join(f"'{stage[:40]}' {count}" for stage, count in self.unknown[:_SHOWN])
        others = len(self.unknown) - _SHOWN
        return f"{shown} and {others} other stages" if others > 0 else shown

    def line(self, stage: str) -> str:
        """Return the line by which a stage is won, too, beside those that are."""
        name = identifier(self.export.columns["stage"][0])
        stages = [literal(each) for each in dict.fromkeys([*self.won, stage])]
        text = f"{name} = {stages[0]}" if len(stages) == 1 else f"{name} IN ({', '.join(stages)})"
        return f"is_won: {scalar(text)}"


def stages_of(
    connection: duckdb.DuckDBPyConnection,
    batch: Batch,
    export: Export,
    rows: Path,
    known: Collection[str],
) -> Stages:
    """Return the stages of a batch's good rows, by what is known to be open; HubSpot adds `(pipeline)` to each."""
    plain = "LOWER(TRIM(REGEXP_REPLACE(stage, '[(][^()]*[)]$', '')))"
    listed = ", ".join(literal(name.lower()) for name in known)
    is_known = f"REGEXP_MATCHES(LOWER(stage), '{_NOT_WON}') OR {plain} IN ({listed or 'NULL'})"
    found = connection.execute(
        f"""SELECT stage, is_won, COUNT(*) FROM (
          SELECT stage, COALESCE(TRY_CAST(is_won::TEXT AS BOOLEAN), FALSE) AS is_won
          FROM read_parquet({literal(str(rows))})
          WHERE reason IS NULL AND stage IS NOT NULL AND NOT is_deleted
        ) WHERE is_won OR NOT COALESCE({is_known}, FALSE) GROUP BY ALL ORDER BY 3 DESC, 1"""
    ).fetchall()
    won = [stage for stage, is_won, _ in found if is_won]
    return Stages(batch, export, won, [(stage, n) for stage, is_won, n in found if not is_won])


def judge(table: Table, found: Sequence[Stages], is_reread: bool) -> list[str]:
    """Return what is to be said of unknown stages. Raise ExportError if no deal of whole exports is won.

    A small delivery of what is new may well have none that is won.
    """
    unknown = [each for each in found if each.unknown]
    is_whole = not table.is_stored or table.delivery.mode == "full" or is_reread
    if unknown and is_whole and not any(each.won for each in found):
        stages = unknown[-1]
        asked = stages.unknown[:_SHOWN]
        remedies = [
            Remedy(stages.line(stage), "columns", f"deals in '{stage[:40]}' are won")
            for stage, _ in asked
        ]
        (none,) = stages.export.columns["is_won"]
        remedies.append(Remedy(f"is_won: {scalar(none)}", "columns", "none of them is won yet"))
        raise stages.batch.refused(
            f"none of its deals is won by its format, which does not know the stages of"
            f" {_deals(sum(count for _, count in stages.unknown))}: {stages.listed}. Say which stage is won",
            remedies,
        )
    return [each.said for each in unknown]


def _deals(count: int) -> str:
    return "1 deal" if count == 1 else f"{count} deals"
