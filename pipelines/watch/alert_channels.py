"""Send alerts through Apprise to named channels: the on-call's, and each client's own."""

import re
from typing import NamedTuple
from urllib.parse import unquote

import apprise

from pipelines.settings.client import Client
from pipelines.sources.credentials import conceal, credentials, on_call_addresses
from pipelines.sources.errors import PlatformError

ON_CALL = "on-call"
_LEVEL = re.compile(r"^.*?\b(WARNING|ERROR|CRITICAL) - ")
_PIECES = re.compile(r"[/:@?&=,#+]+")


class Channel(NamedTuple):
    """Where alerts go: whose it is, what it is called, and its address, which is secret.

    `problem` says why there is no address.
    """

    owner: str
    name: str
    address: str = ""
    problem: str = ""

    @property
    def shown(self) -> str:
        """Return what it is called on the screen: `on-call mail`, `acme slack`."""
        return f"{self.owner} {self.name}"


def on_call_channels() -> list[Channel]:
    """Return the channels of the on-call, who gets the alerts of every client."""
    try:
        return [Channel(ON_CALL, *each) for each in sorted(on_call_addresses().items())]
    except PlatformError as error:
        return [Channel(ON_CALL, "channels", problem=str(error))]


def channels_of(client: Client) -> list[Channel]:
    """Return the channels that a client's file names, which get its own alerts alone."""
    return [_channel(client, name) for name in dict.fromkeys(client.alerts.channels)]


def _channel(client: Client, name: str) -> Channel:
    try:
        address = credentials(client.id, "alerts", name)[name]
        return Channel(client.id, name, address)
    except PlatformError as error:
        return Channel(client.id, name, problem=str(error))


class Sender:
    """Sends to channels; one that failed is not tried again by this run: the next one does."""

    def __init__(self) -> None:
        self.failed: dict[str, str] = {}  # why, by channel

    def send(self, channel: Channel, title: str, text: str, is_open: bool) -> bool:
        """Send an alert, or that it is over; return whether the channel has taken it."""
        if channel.shown in self.failed:
            return False
        problem = channel.problem or _send(channel, conceal(title), conceal(text), is_open)
        if problem:
            self.failed[channel.shown] = problem
        return not problem


def _send(channel: Channel, title: str, text: str, is_open: bool) -> str:
    """Send a message; return why it was not taken, without a word of the address."""
    asset = apprise.AppriseAsset(app_id="Attribution", app_desc="Attribution alerts")
    to = apprise.Apprise(asset=asset)
    kind = apprise.NotifyType.WARNING if is_open else apprise.NotifyType.SUCCESS
    with apprise.LogCapture(level=apprise.logging.WARNING) as said:
        try:
            if not to.add(channel.address):
                return "its address is none that Apprise knows: docs/alerts.md says how they look"
            plain = apprise.NotifyFormat.TEXT
            if to.notify(title=title, body=text, body_format=plain, notify_type=kind):
                return ""
            reasons = said.getvalue().splitlines()
        except Exception as error:  # a plugin may raise what it likes
            reasons = [f"{type(error).__name__}: {error}"]
    why = _LEVEL.sub("", reasons[-1]) if reasons else "it gave no reason"
    return f"it did not take the alert: {_without(channel.address, why)}"


def _without(address: str, text: str) -> str:
    """Return a text without any piece of an address: a token may be anywhere in it."""
    pieces = {address, *_PIECES.split(address)}
    for piece in sorted(pieces | {unquote(each) for each in pieces}, key=len, reverse=True):
        if len(piece) >= 4:
            text = text.replace(piece, "***")
    return " ".join(conceal(text).split())
