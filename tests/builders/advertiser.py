"""A client that buys ads on a platform: its settings, and what it asks, loads and leaves behind."""

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import yaml

from demo.servers import Cut, Html, Status, Truncated
from demo.servers.http_server import Fault
from pipelines.ingest.run import Outcome, ingest_source
from pipelines.settings.reader import parse
from tests.builders.tenant import Tenant

ONCE: dict[str, Fault] = {
    "500": Status(500, b"oops"),
    "reset": Cut(0),
    "cut": Cut(10),
    "truncated": Truncated(0.5),
    "html": Html(),
}
NAMED = {
    "500": "platform_down",
    "reset": "connection_cut",
    "cut": "connection_cut",
    "truncated": "malformed_answer",
    "html": "malformed_answer",
}


def day(ago: int) -> str:
    """Return the day so many days before today, in UTC."""
    return str(date_of(ago))


def date_of(ago: int) -> date:
    """Return the date so many days before today, in UTC."""
    return datetime.now(timezone.utc).date() - timedelta(days=ago)


class Advertiser(Tenant):
    """A client whose spend comes from a platform's API, and whose deals are exported.

    Troubles are waited out for a second, or not at all: `patience_minutes=0`.
    """

    def __init__(
        self, home: Path, source: str, api: dict, name: str = "one", limit: float = 0.5, **more
    ) -> None:
        self.home, self.source, self.name = home, source, name
        self.settings = home / f"clients/{name}.yaml"
        self.exports = home / "exports" / name
        self.exports.mkdir(parents=True)
        deals = {"opportunities": {"files": f"exports/{name}/deals*", "expected_every": "never"}}
        said = {"name": name, "currency": "EUR", "patience_minutes": 0.02} | more
        said |= {"quality": {"quarantine_limit": limit}}
        said |= {"sources": {source: {"api": api}, "salesforce": deals}}
        self.settings.write_text(yaml.safe_dump(said))

    def ingest(self, source: str = "") -> Outcome:
        """Ingest the platform, or another source."""
        return ingest_source(parse(self.settings), source or self.source)

    def sell(self) -> None:
        """Deliver a deal."""
        head = "opportunity_id,customer_id,stage,is_won,closed_at,amount"
        self.deliver("deals.csv", f"{head}\n1,7,Won,true,2026-10-01 12:00:00,9.50\n")

    def spend_log(self, columns: str) -> list[tuple]:
        """Return the committed rows of spend, oldest first."""
        return self.log(columns, self.source)

    def costs(self) -> dict[tuple[str, str], str]:
        """Return the cost of each day and campaign as the newest rows say it."""
        newest: dict = {}
        for key, is_deleted, spent, campaign, cost in self.spend_log(
            "row_key, is_deleted, spend_date, campaign_id, cost"
        ):
            newest[key] = (is_deleted, (spent, campaign), cost)
        return {name: cost for is_deleted, name, cost in newest.values() if not is_deleted}

    def commits(self) -> int:
        """Return how many loads of the platform are committed."""
        return len([*(self.home / f"lake/{self.name}/{self.source}/_dlt_loads").glob("*.jsonl")])


def contents(home: Path) -> Iterator[tuple[Path, bytes]]:
    """Yield every file below a folder, hidden ones too, but what the operator wrote."""
    for path in home.rglob("*"):
        if path.is_file():
            yield path, path.read_bytes()


def leaks(home: Path, secrets: list[str], *said: object) -> list[str]:
    """Return where a secret stands: in a file below a folder, or in what was said."""
    texts = [(str(path), content) for path, content in contents(home)]
    texts += [("said", json.dumps(one, default=str).encode()) for one in said]
    return [
        f"{name}: {secret}" for name, text in texts for secret in secrets if secret.encode() in text
    ]
