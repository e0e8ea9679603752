"""Remember what was told of each client, and to whom: an alert and its recovery are told once.

One file a client, `watch/<client>.json`. Whoever judges the client locks it until all is told, so two
watches at once tell nothing twice; what is told is noted as it is told, so a watch that is killed
tells at most its last message again.
"""

import fcntl
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from pipelines.files import write_atomically
from pipelines.home import home
from pipelines.settings.alerts import Cause
from pipelines.watch.findings import Finding

ALERT, RECOVERY = "alert", "recovery"

# What a cause becomes, of the same source: nothing has recovered then.
_UNANSWERED: tuple[Cause, ...] = ("rate_limited", "source_late")
_HELD: tuple[Cause, ...] = ("held", "shrunk")
_BECOMES: dict[str, tuple[Cause, ...]] = {
    "at_risk": ("late", *_HELD),
    "unreadable": ("unreadable",),
    "stale": (*_UNANSWERED, *_HELD),
    **dict.fromkeys((*_UNANSWERED, *_HELD), (*_UNANSWERED, *_HELD)),
}


@dataclass
class Alert:
    """What is wrong with a client, or was, and what each channel was told of it last."""

    cause: str
    source: str
    title: str
    what: str
    remedy: str
    since: str
    is_open: bool = True
    told: dict[str, str] = field(default_factory=dict)

    def untold(self, channels: list[str]) -> list[str]:
        """Return the channels that are still to be told how it stands.

        Of a recovery hears only who heard of the alert.
        """
        if self.is_open:
            return [each for each in channels if self.told.get(each) != ALERT]
        return [each for each in channels if self.told.get(each) == ALERT]


@dataclass
class State:
    """What the watch remembers of a client: since when it knows it, its alerts, its last ping."""

    known_since: str
    alerts: dict[str, Alert] = field(default_factory=dict)
    pinged: str = ""

    def take(self, findings: list[Finding], unjudged: frozenset[str], now: datetime) -> None:
        """Open an alert for each finding, and close those that are found no more and were judged.

        One that became another is dropped: who was at risk and is late now has not recovered.
        """
        found = {each.key: each for each in findings if not each.is_note}
        for key, alert in self.alerts.items():
            if key not in found and alert.cause not in unjudged:
                alert.is_open = False
        self.alerts = {
            key: alert
            for key, alert in self.alerts.items()
            if alert.is_open or not _goes_on(alert, found.values())
        }
        for key, each in found.items():
            known = self.alerts.get(key)
            since = known.since if known and known.is_open else now.isoformat()
            told = known.told if known else {}
            said = (each.cause, each.source, each.title, each.what, each.remedy)
            self.alerts[key] = Alert(*said, since, told=told)

    def forget_told(self, channels: list[str]) -> None:
        """Forget what has recovered, once everybody who heard of it knows."""
        self.alerts = {
            key: alert
            for key, alert in self.alerts.items()
            if alert.is_open or alert.untold(channels)
        }


def _goes_on(alert: Alert, findings: Iterable[Finding]) -> bool:
    """Return whether what an alert was about goes on under another name."""
    becomes = _BECOMES.get(alert.cause, ())
    return any(each.cause in becomes and alert.source in ("", each.source) for each in findings)


def watch_folder() -> Path:
    """Return the folder of what the watch remembers and writes."""
    return home() / "watch"


@contextmanager
def alone_with(client: str) -> Iterator[None]:
    """Wait until no other watch judges the client."""
    watch_folder().mkdir(parents=True, exist_ok=True)
    with (watch_folder() / f"{client}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def recall(client: str, now: datetime) -> State:
    """Return what is remembered of a client; of one that is new, or whose file is torn, nothing."""
    try:
        kept = json.loads(_file(client).read_text(encoding="utf-8"))
        alerts = {key: Alert(**each) for key, each in kept["alerts"].items()}
        return State(kept["known_since"], alerts, kept["pinged"])
    except (OSError, ValueError, TypeError, LookupError, AttributeError):
        return State(now.isoformat())


def remember(client: str, state: State) -> None:
    """Keep what is to be remembered of a client."""
    write_atomically(_file(client), json.dumps(asdict(state), indent=1) + "\n")


def _file(client: str) -> Path:
    return watch_folder() / f"{client}.json"
