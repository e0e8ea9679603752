"""Write what the watch knows as Prometheus reads it: a text file that is swapped at once.

node_exporter's textfile collector reads such a file, `--collector.textfile.directory=…/watch`.
"""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from pipelines.files import write_atomically
from pipelines.serving.disk_use import Disk
from pipelines.watch.deadline_causes import late
from pipelines.watch.facts import Facts
from pipelines.watch.findings import Finding

Judged = tuple[Facts, list[Finding]]

_NOT_LATE = ("ok", "refused", "failed")  # every other code is that of a source that is late


def write_metrics(file: Path, judged: Iterable[Judged], disk: Disk, now: datetime) -> None:
    """Write the metrics of all clients; whoever reads sees those of one watch, never half of them."""
    registry = CollectorRegistry()
    clients = _Gauges(registry)
    for facts, findings in judged:
        clients.set(facts, [each for each in findings if not each.is_note])
    for name, meaning, count in (
        ("disk_size_bytes", "The size of the disk that holds the data", disk.total),
        ("disk_free_bytes", "What is free of it", disk.free),
    ):
        Gauge(f"attribution_{name}", meaning, registry=registry).set(count)
    watched = Gauge("attribution_watch_timestamp_seconds", _WATCHED, registry=registry)
    watched.set(now.timestamp())
    write_atomically(file, generate_latest(registry))


_WATCHED = "When the watch judged the clients last, Unix time"


class _Gauges:
    """The gauges of all clients, each with the client's name for a label."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, meaning: str, *labels: str) -> Gauge:
            return Gauge(f"attribution_{name}", meaning, ["client", *labels], registry=registry)

        self._published = gauge(
            "published_timestamp_seconds", "When the shown version was written, Unix time"
        )
        self._deadline = gauge("deadline_timestamp_seconds", "The next deadline, Unix time")
        self._late = gauge("late", "1 if the last deadline passed without the numbers, else 0")
        self._held = gauge("held", "1 if the published tables wait for something, else 0")
        self._sources = gauge("sources", "Sources that were ever asked")
        self._late_sources = gauge("late_sources", "Sources that are stale, or did not answer")
        self._rows = gauge("published_rows", "Rows of a published table", "table")
        self._duration = gauge(
            "morning_duration_seconds", "How long the last morning took that served the client"
        )
        self._disk = gauge("client_disk_bytes", "What a client takes of the disk", "part")
        self._files = gauge("lake_files", "Files of a client's lake")
        self._alerts = gauge("alerts", "Alerts that are open", "cause")

    def set(self, facts: Facts, findings: list[Finding]) -> None:
        """Set what is known of a client; what is not known has no sample."""
        client = facts.client.id
        causes = [each.cause for each in findings]
        self._deadline.labels(client).set(facts.next_deadline.timestamp())
        self._late.labels(client).set(any(late(facts)))
        self._held.labels(client).set(facts.is_held)
        self._sources.labels(client).set(len(facts.sources))
        is_late = [each.status.code not in _NOT_LATE for each in facts.sources]
        self._late_sources.labels(client).set(sum(is_late))
        for cause in dict.fromkeys(causes):
            self._alerts.labels(client, cause).set(causes.count(cause))
        if facts.disk:
            self._files.labels(client).set(facts.disk.lake_files)
            for part, count in facts.disk.by_part.items():
                self._disk.labels(client, part).set(count)
        if facts.shown:
            self._published.labels(client).set(facts.shown.written_at.timestamp())
            for table, count in facts.shown.rows.items():
                self._rows.labels(client, table).set(count)
        served = [each for each in facts.mornings if each.is_done and each.ended]
        if served and (ended := served[-1].ended):
            self._duration.labels(client).set((ended - served[-1].began).total_seconds())
