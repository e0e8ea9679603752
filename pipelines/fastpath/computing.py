"""Compute the credit of what changed since a client's last settled run: in memory, without the warehouse.

The client's own models are run, as they were rendered when its files were written, for one interval: from
a little before the newest settled load until now. They read the settled rows from before it, and
the raw rows of its loads. The interval may begin within a day: a model's rows are those of each
load, or of a conversion's newest revision, however many loads are computed together.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import NamedTuple

import duckdb

from pipelines.fastpath.interval import Interval
from pipelines.fastpath.judging import failures
from pipelines.fastpath.newer_loads import are_newer_loads
from pipelines.fastpath.rendered_models import RenderedModels, UnrenderedError, loaded
from pipelines.home import lake_folder
from pipelines.ihc.asking_bounds import Bounds
from pipelines.lake.commit_clock import wait_for_commits
from pipelines.published.models_file import models_text
from pipelines.published.opening import define_settled
from pipelines.published.version_folders import current, make_private, settled_beneath
from pipelines.sql import identifier

_MEMORY = "1GB"  # right after a first load of a million sessions, all of them are computed again


class FastPathError(Exception):
    """Credit that cannot be computed on the fast path; the text names the client and the remedy."""


class Provisional(NamedTuple):
    """What changed of a client since a settled version, as tables of a connection in memory."""

    client: str
    version: str  # the settled version that it stands beside
    since: datetime  # loads from then on were computed, UTC
    until: datetime  # and before this moment
    loaded_until: datetime | None  # when the newest of these loads was committed; None without any
    connection: duckdb.DuckDBPyConnection
    conversions: int  # that changed; if none, everything is as it is settled
    failures: tuple[
        str, ...
    ]  # audits that fail, as a run tells them: then nothing is to be published

    @property
    def changed(self) -> str:
        """Return the name of the table of conversions whose numbers are not the settled ones.

        Columns: `conversion_id`, `provisional_since`. A conversion that was taken back is one of them.
        """
        return "changed"

    @property
    def credit(self) -> str:
        """Return the name of the table of all conversions' credit, by models to compare too."""
        return f"{self.client}_marts.fct_credit"

    def rows(self, table: str) -> str:
        """Return the name of a published table with all its rows, as the next run would publish them."""
        catalog = "fast" if self.conversions else "memory"
        return f"{catalog}.{self.client}_publish.{identifier(table)}"

    def settled(self, table: str) -> str:
        """Return the name of a published table as the settled version has it."""
        return f"memory.{self.client}_publish.{identifier(table)}"


@contextmanager
def provisional(
    client: str,
    until: datetime | None = None,
    ihc_bounds: Bounds | None = None,
    read_before: datetime | None = None,
) -> Iterator[Provisional | None]:
    """Compute what changed of a client since its settled version; None before there is one.

    Reads the version's files, the committed loads of the client's lake that are seen before `until`
    (UTC; now, if it is not given), and the versions of what its models have learnt. Takes no lock but
    that of the lake's clock, for a moment. The IHC service is asked for so many minutes, up to such a
    share of the month's requests, as `ihc_bounds` say; without them, nobody is asked. Where the run that
    settled the version has `read` all loads that are seen `before` a moment, and there are no others,
    nothing is computed: all is as it is settled. The same files,
    loads and answers give the same rows, so a caller that was killed computes them again. The rows are
    judged by the audits of all models that made them, the gate's among them; whether sources stand
    well is the caller's to judge. Example:

        with provisional("acme") as new:  # None before the first morning
            if new and not new.failures:
                new.connection.execute(f"FROM {new.rows('attribution_v1')}")

    Raise FastPathError if the version lies there without models that this release can run, or if one
    of them fails; PublishedFileError if its files are not whole.
    """
    if not (shown := current(client)):
        yield None
        return
    version = settled_beneath(client, shown.version)
    models = _models(client, version)
    with _spilling(client) as connection:
        define_settled(connection, client, version)
        wait_for_commits(lake_folder() / client)
        until = until or datetime.now(timezone.utc).replace(tzinfo=None)
        interval = Interval(connection, client, models, until, ihc_bounds)
        is_settled = read_before and not are_newer_loads(client, read_before, until)
        try:
            interval.begin()
            if not is_settled:
                interval.compute()
            failed = tuple(failures(connection, client, models)) if interval.changed else ()
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            raise FastPathError(
                f"{client}: {interval.computes} cannot be computed on the fast path: {reason};"
                " make daily credits all deals meanwhile"
            ) from error
        yield Provisional(
            client,
            version,
            interval.start,
            until,
            interval.loaded_until,
            connection,
            interval.changed,
            failed,
        )


@contextmanager
def _spilling(client: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database in memory that does not take more than its share: the rest lies in a private folder.

    It works on one processor: a morning beside it has the others, and small tables are not faster on more.
    """
    folder = make_private(client) / f".spilled-{os.getpid()}.new"
    share: dict[str, str | bool | int | float | list[str]]
    share = {"memory_limit": _MEMORY, "threads": 1, "temp_directory": str(folder)}
    with duckdb.connect(config=share) as opened:
        yield opened
    shutil.rmtree(folder, ignore_errors=True)


def why_not_ahead(client: str) -> str:
    """Return why credit cannot be computed ahead of the next run, and the remedy; nothing if it can be.

    Before the first morning it cannot, and that is nobody's mistake. Raise PublishedFileError if the
    client's published files are not whole.
    """
    if not (shown := current(client)):
        return ""
    try:
        _models(client, settled_beneath(client, shown.version))
    except FastPathError as error:
        return str(error).removeprefix(f"{client}: ")
    return ""


def _models(client: str, version: str) -> RenderedModels:
    text = models_text(client, version)
    try:
        if text is not None:
            return loaded(text)
        remedy = _WRITES.format("it was written without them")
    except UnrenderedError as error:
        remedy = f"{error}; make daily credits all deals meanwhile"
    except ValueError as error:
        remedy = _WRITES.format(error)
    raise FastPathError(f"{client}: the fast path cannot run the models of {version}: {remedy}")


_WRITES = "{}: make daily writes them, and credits all deals meanwhile"
