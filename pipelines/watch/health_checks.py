"""Ping a client's health check, where it has one: that its morning began, that it is there, that it is not.

A check of healthchecks.io, or of any service that takes its pings, also tells when no ping comes: then
the watch itself, or its machine, is down.
"""

import requests

from pipelines.settings.base import secure
from pipelines.settings.client import Client
from pipelines.sources.credentials import conceal, known_credentials
from pipelines.sources.errors import PlatformError
from pipelines.watch.alert_state import State
from pipelines.watch.facts import Facts

_KEY = "healthcheck_url"
_TIMEOUT = 10  # seconds
_FAILING = ("late", "held", "shrunk")


def ping(facts: Facts, state: State) -> str:
    """Ping once for each change of a morning; return why the ping was not taken, nothing if it was.

    What was not taken is pinged again by the next watch.
    """
    try:
        address = known_credentials(facts.client.id, "alerts", _KEY).get(_KEY)
        if not address or not (signal := _signal(facts, state)):
            return ""
        said = f"{signal} {facts.next_deadline:%Y-%m-%d}"
        if said == state.pinged:
            return ""
        _send(secure(address), signal, facts.client)
        state.pinged = said
    except (PlatformError, ValueError, requests.RequestException) as error:
        return f"{_KEY}: it did not take the ping: {_without_address(error)}"
    return ""


def _signal(facts: Facts, state: State) -> str:
    """Return what is to be said of the client now: start, success or fail; nothing if nothing is."""
    if any(alert.is_open and alert.cause in _FAILING for alert in state.alerts.values()):
        return "fail"
    if facts.has_numbers_for(facts.next_deadline) or state.pinged.startswith("fail"):
        return "success"
    return "start" if facts.under_way(facts.next_deadline) else ""


def _send(address: str, signal: str, client: Client) -> None:
    suffix = "" if signal == "success" else f"/{signal}"
    answer = requests.post(f"{address}{suffix}", data=client.id, timeout=_TIMEOUT)
    if not answer.ok:
        raise requests.RequestException(f"it answered {answer.status_code}")


def _without_address(error: Exception) -> str:
    """Return what went wrong; an error of the network quotes the address, which is secret."""
    if isinstance(error, requests.ConnectionError):
        return "it cannot be reached"
    if isinstance(error, requests.Timeout):
        return f"it did not answer within {_TIMEOUT} s"
    return conceal(str(error))
