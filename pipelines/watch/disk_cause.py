"""Judge the disk that all clients share: a nearly full one stops every morning, so the on-call is told before."""

from pipelines.serving.disk_use import Disk
from pipelines.watch.findings import Finding, HomeCause

SHARED = "all clients"  # in the place of a client's name
CAUSE: HomeCause = "disk_nearly_full"
_SHARE, _BYTES = 0.05, 10e9  # free: less than both is too little
_RECOVERED = 1.5  # times as much: else the alert would come and go with each morning's own files


def nearly_full(disk: Disk) -> list[Finding]:
    """Find a disk of which a twentieth and 10 GB are more than what is free."""
    if disk.free >= _least(disk):
        return []
    what = f"{disk.free / 1e9:.1f} of {disk.total / 1e9:.0f} GB are free on the disk that holds the data"
    remedy = (
        "`make status ALL=1` shows what each client takes; shorten `kept_days:` and `published_files:`, or"
        " give the disk more room: a full one holds every client"
    )
    return [Finding(CAUSE, what, remedy)]


def unjudged(disk: Disk) -> frozenset[str]:
    """Return the cause where there is hardly more room than too little: what was found stands."""
    return frozenset([CAUSE] if disk.free < _RECOVERED * _least(disk) else [])


def _least(disk: Disk) -> float:
    return min(_SHARE * disk.total, _BYTES)
