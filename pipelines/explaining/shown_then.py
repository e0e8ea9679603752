"""Say what the ledger of runs knows of which version was shown at a time, and how that was published."""

from datetime import datetime
from typing import NamedTuple

from pipelines.ledger.runs import Recorded, runs
from pipelines.published.version_folders import is_provisional, written_at


class Shown(NamedTuple):
    """A version that was shown, and the run that computed what it says: not the rollback that shows it again."""

    version: str
    run: Recorded


def shown_then(client: str, moment: datetime) -> Shown | None:
    """Return what was shown at a UTC time; None where the ledger does not know it.

    Of provisional credit it is the settled version beneath.
    """
    moment = moment.replace(tzinfo=None)
    published: dict[str, Recorded] = {}
    shown = None
    for run in runs(client, ["publish", "rollback"]):
        version = run.made.get("published", "")
        if not version or is_provisional(version) or _at(run, version) > moment:
            continue
        earlier = run.made.get("shown again", version)
        made = run if run.step == "publish" else published.get(earlier)
        shown = Shown(version, made) if made else None
        published |= {version: made} if made else {}
    return shown


def _at(run: Recorded, version: str) -> datetime:
    """Return from when a version was shown: what is published has the time in its name."""
    if run.step == "publish" or not run.ended_at:
        return written_at(version).replace(tzinfo=None)
    return run.ended_at
