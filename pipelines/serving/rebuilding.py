"""Make everything of one client from its lake alone: staging, journeys, credit, settled and published files.

What is rebuilt is the version in force, by the settings that were promoted, with what its models have
learnt. What others of the same warehouse have computed is not touched. The files that were published stay
until the new ones have passed the gate.
"""

from collections.abc import Callable
from contextlib import closing, suppress
from datetime import datetime, timezone
from typing import NamedTuple

import duckdb

from pipelines.explaining.number_changes import Changes, changes_between
from pipelines.files import write_atomically
from pipelines.ledger.recording import begin, end, parts_of
from pipelines.published.version_folders import (
    PublishedFileError,
    base_of,
    current,
    whole_versions,
)
from pipelines.serving import memory
from pipelines.serving.report import Report, held
from pipelines.serving.shard_run import computed, reported
from pipelines.serving.warehouse import Computed, Warehouse
from pipelines.settings.client import Client
from pipelines.settings.reader import read_as_promoted
from pipelines.torn_blocks import trust
from pipelines.warehouse_files import (
    TornWarehouse,
    half_built,
    set_aside,
    wait_until_free,
    why_unusable,
)


class Rebuilt(NamedTuple):
    """How a client's rebuild went, and by what its numbers differ from those published before."""

    report: Report
    before: str  # the settled version that was shown; empty where there was none
    after: str  # the one that was written
    changes: (
        Changes | None
    )  # None where there is nothing to compare: no version before, or it is torn


def rebuild(
    client: Client, tell: Callable[[str], None], watch: Callable[[Computed], None]
) -> Rebuilt:
    """Rebuild a client; `tell` is told what is waited for or set aside, `watch` of each model computed.

    One that fails the gate is held, and keeps the files that were published. Raise WarehouseError if
    another process has the warehouse open, ClientError if the promoted settings are no longer valid.
    """
    _free(client.shard, tell)
    memory.take_up(client.shard)
    memory.doubt(client.id, client.shard)
    state, mark = memory.state(client), half_built(client.shard, client.id)
    stamp, run = memory.begin(client.shard), begin(client.id, "rebuild")
    before = mark.read_text(encoding="utf-8") if mark.exists() else _shown(client.id)
    write_atomically(mark, before)  # one that is killed compares with this, too, as it is run again
    try:
        with parts_of(run):
            report = _rebuilt(client, watch)
        report = memory.remember(client.shard, stamp, {client.id: state}, report)
        run.outcome, run.reason = report.result, "; ".join(report.reasons)
        run.has_failed = report.result == "held"
    except BaseException as error:
        run.fails("failed", f"{type(error).__name__}: {' '.join(str(error).split())}")
        raise
    finally:
        end(run)
    if report.result == "held":
        return Rebuilt(report, before, "", None)
    after = whole_versions(client.id)[-1]
    rebuilt = Rebuilt(report, before, after, _difference(client, before, after))
    mark.unlink()
    return rebuilt


def _free(shard: str, tell: Callable[[str], None]) -> None:
    """Set a warehouse aside that cannot be opened: who else was in it is built by the next morning."""
    try:
        wait_until_free(shard, datetime.now(timezone.utc), tell)
    except TornWarehouse:
        torn = set_aside(shard)
        trust(shard)
        tell(
            f"warehouse/{shard}.duckdb is torn: kept as {torn.name}; the next make daily builds its other"
            " clients from their lakes, and what is published of them stays until then"
        )


def _rebuilt(client: Client, watch: Callable[[Computed], None]) -> Report:
    with read_as_promoted(client.id) as promoted:
        in_force = promoted or client
        try:
            with closing(Warehouse(client.shard)) as warehouse:
                warehouse.tell_progress(watch)
                report = _computed_anew(warehouse, in_force)
        except Exception as error:
            return held(client.id, why_unusable(client.shard, error) or error)
    waits = [_WAITS.format(client=client.id)] if in_force != client else []
    return report._replace(reasons=report.reasons + waits)


_WAITS = (
    "rebuilt by the settings that are promoted; its file says otherwise: make preview CLIENT={client}, then"
    " make promote CLIENT={client}"
)


def _computed_anew(warehouse: Warehouse, client: Client) -> Report:
    warehouse.empty(client.id)
    failures = computed(warehouse, client)
    if not failures:
        warehouse.show_again(client.id)
        if problem := warehouse.write_files([client], afresh=True).get(client.id):
            failures.append(f"published files: {problem}")
    return reported(warehouse, client, failures, [])


def _shown(client: str) -> str:
    """Return the settled version that is shown of a client, or beneath what is; else the newest there is."""
    with suppress(PublishedFileError):
        if shown := current(client):
            return base_of(client, shown.version)
    return next(reversed(whole_versions(client)), "")


def _difference(client: Client, before: str, after: str) -> Changes | None:
    """Return what moved; None where nothing was there to compare with, or can be read of it."""
    with suppress(PublishedFileError, duckdb.Error):
        if before and before in whole_versions(client.id):
            return changes_between(client, before, after)
    return None
