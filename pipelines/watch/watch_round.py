"""Watch clients: judge each, tell its channels, ping its health check."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from pipelines.serving.disk_use import Disk
from pipelines.settings.alerts import CAUSES
from pipelines.settings.client import Client
from pipelines.settings.reader import Problem
from pipelines.watch.alert_channels import Sender, channels_of, on_call_channels
from pipelines.watch.alert_state import State, alone_with, recall, remember
from pipelines.watch.disk_cause import SHARED, nearly_full
from pipelines.watch.disk_cause import unjudged as unjudged_disk
from pipelines.watch.facts import Facts
from pipelines.watch.findings import Finding
from pipelines.watch.gathering import gather
from pipelines.watch.health_checks import ping
from pipelines.watch.holding_causes import settings_wrong
from pipelines.watch.judgement import judge, unjudged
from pipelines.watch.mornings import Morning
from pipelines.watch.telling import Told, tell
from pipelines.watch.wording import short_text, text


class Watched(NamedTuple):
    """What was found of a client, what was told to whom, what was not taken; the facts, if it has any."""

    client: str
    findings: list[Finding] = []
    told: list[str] = []
    failed: list[str] = []
    facts: Facts | None = None


class Watch:
    """One look at every client, at one moment."""

    def __init__(self, mornings: dict[str, list[Morning]], now: datetime) -> None:
        self._mornings, self._now = mornings, now
        self._sender, self._on_call = Sender(), on_call_channels()

    def over(self, clients: list[Client], problems: list[Problem]) -> Iterator[Watched]:
        """Watch the clients, and the files that cannot be used; what goes wrong concerns one alone."""
        wrong: dict[str, list[str]] = {}
        for problem in problems:
            wrong.setdefault(problem.client, []).append(f"{problem.message}; {problem.fallback}")
        usable = {client.id: client for client in clients}
        for name in sorted(usable.keys() | wrong.keys()):
            try:
                with alone_with(name):
                    state = recall(name, self._now)
                    if client := usable.get(name):
                        yield self._client(client, state, wrong.get(name, []))
                    else:
                        yield self._without_settings(name, state, wrong[name])
            except Exception as error:
                why = f"cannot be judged: {type(error).__name__}: {' '.join(str(error).split())}"
                yield Watched(name, failed=[why])

    def disk(self, found: Disk) -> Watched:
        """Watch the disk that all clients share; the on-call alone is told."""
        with alone_with("_disk"):  # no client can have this name
            state = recall("_disk", self._now)
            findings = nearly_full(found)
            state.take(findings, unjudged_disk(found), self._now)
            remember("_disk", state)
            told = tell(
                "_disk",
                state,
                self._on_call,
                self._sender,
                lambda alert: short_text(SHARED, alert),
                SHARED,
            )
            return _watched(SHARED, findings, told)

    def _client(self, client: Client, state: State, wrong: list[str]) -> Watched:
        known_since, mornings = datetime.fromisoformat(state.known_since), self._mornings
        facts = gather(client, self._now, known_since, mornings.get(client.id, []), wrong)
        findings = judge(facts)
        state.take(findings, unjudged(facts), self._now)
        remember(
            client.id, state
        )  # on a full disk nothing is told, or it were told again and again
        channels = [*self._on_call, *channels_of(client)]
        told = tell(client.id, state, channels, self._sender, lambda alert: text(facts, alert))
        if problem := ping(facts, state):
            told.failed[problem] = None
        remember(client.id, state)
        return _watched(client.id, findings, told, facts)

    def _without_settings(self, name: str, state: State, wrong: list[str]) -> Watched:
        """Tell the on-call of a client whose file cannot be used at all: no more is known of it."""
        findings = [settings_wrong(wrong)]
        state.take(findings, frozenset(CAUSES) - {"settings"}, self._now)
        remember(name, state)
        told = tell(name, state, self._on_call, self._sender, lambda alert: short_text(name, alert))
        return _watched(name, findings, told)


def _watched(
    client: str, findings: list[Finding], told: Told, facts: Facts | None = None
) -> Watched:
    return Watched(client, findings, told.lines, list(told.failed), facts)
