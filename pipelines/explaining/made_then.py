"""Say of what the numbers were made that were published at a time, as far as the ledger and the lake still know."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from pipelines.code import running_code
from pipelines.explaining.bringing_loads import Load, loads_by_moment
from pipelines.explaining.shown_then import shown_then
from pipelines.explaining.steps import GoneVersion
from pipelines.ledger.runs import Recorded
from pipelines.settings.client import Client
from pipelines.settings.reader import ClientError, parse, promoted_text
from pipelines.settings.settings_versions import version_file, version_of


class MadeThen(NamedTuple):
    """What is to be computed to get the numbers of a time, and what of then could not be had.

    `models` are the learnt versions of then, by model: None where all that there are count. `statuses`
    are what was known of each source.
    """

    version: str  # as it was published then; empty where the ledger does not know it
    loads: list[Load]
    settings: bytes  # a client's file
    settings_version: str
    models: dict[str, str] | None
    statuses: list[dict[str, Any]]
    lacks: list[str]


def made_then(client: Client, moment: datetime, by_now: bool = False) -> MadeThen:
    """Return what the numbers of a UTC time were made of; `by_now`, their loads by today's settings.

    Raise GoneVersion if no load was committed by then.
    """
    moment = moment.replace(tzinfo=None)
    shown = shown_then(client.id, moment)
    published = shown.run if shown else None
    loads, lacks = _loads(client.id, moment, published)
    if not loads:
        raise GoneVersion(f"{client.id}: no load was committed by {moment:%Y-%m-%d %H:%M} UTC")
    settings, without = _settings(client, published, by_now)
    lacks += [*without, *_others(published, by_now)]
    return MadeThen(
        shown.version if shown else "",
        loads,
        settings,
        version_of(settings),
        published.learnt_versions if published and not by_now else None,
        published.statuses if published else [],
        lacks,
    )


def _loads(
    client: str, moment: datetime, published: Recorded | None
) -> tuple[list[Load], list[str]]:
    """Return the loads that were read then, and what is not known of them."""
    found = sorted(loads_by_moment(client).values(), key=lambda load: load.committed_at)
    if not published or not published.loads_read:
        return [load for load in found if load.committed_at <= moment], [_ALL_LOADS]
    committed = {(load.source, load.load_id): load.committed_at for load in found}
    last = {
        source: committed.get((source, load), moment)
        for source, load in published.loads_read.items()
    }
    lacks = [
        f"the load {load} of {source} is no longer in the lake"
        for source, load in published.loads_read.items()
        if (source, load) not in committed
    ]
    read = [
        load for load in found if load.source in last and load.committed_at <= last[load.source]
    ]
    return read, lacks


_ALL_LOADS = (
    "the ledger does not say which loads were read then: taken are all that were committed by then"
)


def _settings(client: Client, published: Recorded | None, by_now: bool) -> tuple[bytes, list[str]]:
    """Return the settings of then, or today's; and why these, where they were not asked for."""
    today = promoted_text(client.id)
    if today is None:
        raise GoneVersion(f"{client.id}: nothing was ever published of it; run make daily")
    if by_now:
        return today, []
    name = published.settings_version if published else ""
    if not name or not (file := version_file(client.id, name)).exists():
        return today, ["the settings of then were not kept: taken are those of today"]
    try:
        parse(file)
    except ClientError as error:
        return today, [f"the settings of then are no longer valid ({error}): taken are today's"]
    return file.read_bytes(), []


def _others(published: Recorded | None, by_now: bool) -> Iterable[str]:
    """Yield what else of then could not be had: learnt versions, days of spend that were missing, code."""
    if not published or not published.loads_read:
        yield "which learnt versions were in force then is not known: taken are those of before each revision"
        yield "which sources lacked data then is not known: taken is that none did"
    if published and published.code_version != running_code()[:12] and not by_now:
        yield (
            f"the code of then was {published.code_version}: it is computed by today's,"
            f" {running_code()[:12]}"
        )
