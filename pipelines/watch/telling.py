"""Tell channels what began and what is over, each of them once."""

from collections.abc import Callable

from pipelines.watch.alert_channels import Channel, Sender
from pipelines.watch.alert_state import ALERT, RECOVERY, Alert, State, remember
from pipelines.watch.wording import subject

_NO_CHANNEL = "no channel"
_NOBODY = "nobody is told: there is no channel; docs/alerts.md says how to write one"


class Told:
    """What was told of one client, to which channel, and what no channel took."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.failed: dict[str, None] = {}


def tell(
    client: str,
    state: State,
    channels: list[Channel],
    sender: Sender,
    worded: Callable[[Alert], str],
    called: str = "",
) -> Told:
    """Tell what each channel does not know yet of a client's alerts, and note it as it is told.

    What concerns all clients is `called` otherwise than what is remembered of it.
    """
    told, by_name = Told(), {each.shown: each for each in channels}
    for alert in state.alerts.values():
        line = subject(called or client, alert)
        for name in alert.untold(list(by_name)):
            if sender.send(by_name[name], line, worded(alert), alert.is_open):
                alert.told[name] = ALERT if alert.is_open else RECOVERY
                remember(client, state)
                told.lines.append(f"{name}: {line}")
            else:
                told.failed[f"{name}: {sender.failed[name]}; the next watch tries again"] = None
        if not by_name and alert.untold([_NO_CHANNEL]):
            alert.told[_NO_CHANNEL] = ALERT if alert.is_open else RECOVERY
            told.failed[f"{line.removeprefix(called or client)[2:]}: {_NOBODY}"] = None
    state.forget_told(list(by_name))
    remember(client, state)
    return told
