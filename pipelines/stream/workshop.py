"""Do what is heavy, each work in a process of its own; the process that has them forked ends when idle.

It imports dlt and DuckDB once, so that each work has them at no cost, and the process that listens
stays small.
"""

import math
import os
from multiprocessing.connection import Connection

import duckdb

from pipelines.fastpath.publishing import publish_provisional
from pipelines.ingest.bounds import bounds
from pipelines.ingest.source_status import printable
from pipelines.lake.append import clear
from pipelines.processes import Exceeded, Pool, Process, heard
from pipelines.sources.batches import ExportError
from pipelines.sources.errors import PlatformError
from pipelines.stream.changed_deals import bring
from pipelines.stream.process_messages import Done, Failure, Work
from pipelines.stream.ways import SOURCE, api_of

YIELDS = 5  # of niceness: where processors are scarce, a morning beside it comes first
WAITING = 3  # works for each processor: most of the time of one it waits for an org


class _Orders:
    """The connection by which works come, to be waited for beside the processes."""

    seconds_left = math.inf

    def __init__(self, connection: Connection) -> None:
        self.connection = connection


def do_works(talk: Connection) -> None:
    """Do the works that come, and send what became of each, until the one who sends them ends."""
    os.nice(YIELDS)
    with duckdb.connect() as connection:
        connection.execute("SELECT ?", [1])  # loads pandas: here once, not in every process
    at_once = WAITING * (os.cpu_count() or 1)
    pool: Pool[Work, Done] = Pool(_do, [], lambda work: bounds(work.client), at_once)
    orders = _Orders(talk)
    while True:
        talkers: list[Process | _Orders] = [orders, *pool.running()]
        for process in heard(talkers, pool.next_start()):
            if isinstance(process, _Orders):
                try:
                    pool.add(talk.recv())
                except EOFError:
                    return
            elif ended := pool.answer(process):
                talk.send(_told(*ended))


def _told(work: Work, answer: Done | Exceeded | None) -> Done:
    """Return what became of a work, also where its process died or was ended."""
    if isinstance(answer, Done):
        return answer
    if work.kind == "bring":
        clear(work.client.id, SOURCE)
    if answer is None:
        return Done(work, failure=Failure("its process died"))
    limits = work.client.limits
    most = {
        Exceeded.TIME: f"did not end in its time ({limits.minutes:g} minutes, limits.minutes)",
        Exceeded.MEMORY: f"took more than {limits.memory_mb} MB of memory (limits.memory_mb)",
    }
    return Done(work, failure=Failure(f"its process {most[answer]}", passes=False))


def _do(work: Work) -> Done:
    """Do a work, in this process."""
    try:
        if work.kind == "bring":
            return Done(work, bring(work.client, api_of(work.client), work.notice))
        return _publish(work)
    except PlatformError as error:
        failure = Failure(printable(str(error)), error.passes, error.retry_after)
    except ExportError as error:
        failure = Failure(printable(str(error)), passes=False)
    except Exception as error:
        failure = Failure(printable(f"{type(error).__name__}: {error}"))
    return Done(work, failure=failure)


def _publish(work: Work) -> Done:
    """Publish what changed since the last run."""
    done = publish_provisional(work.client)
    if done and done.problems:
        problems = (problem.removeprefix(f"{done.client}: ") for problem in done.problems)
        return Done(work, failure=Failure(printable("; ".join(problems))))
    if not done or not done.version:
        return Done(work)
    if not done.conversions:
        return Done(work, said="published: nothing is provisional any more")
    are = "conversion is" if done.conversions == 1 else "conversions are"
    return Done(work, said=f"published: {done.conversions} {are} provisional until the next run")
