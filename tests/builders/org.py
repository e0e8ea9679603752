"""A client whose CRM is asked by its API, and the CRM: a local server that a test fills."""

from datetime import datetime, timedelta, timezone
from pathlib import Path

from demo.servers.salesforce_server import SalesforceServer
from pipelines.contracts.catalog import CONTRACTS
from pipelines.ingest.run import Outcome, ingest_source
from pipelines.settings.client import Client
from pipelines.settings.reader import read
from tests.builders.tenant import Tenant

SETTINGS = """
name: {name}
currency: EUR
patience_minutes: {patience}
quality: {{quarantine_limit: 1}}
sources:
  salesforce:
    api:
      base_url: {url}
{more}
"""

START = datetime(2026, 10, 1, 12, tzinfo=timezone.utc)


class Org(Tenant):
    """A client whose CRM is asked by its API, and the CRM."""

    def __init__(self, home: Path, server: SalesforceServer, name: str = "two") -> None:
        self.home, self.server, self.name = home, server, name
        self.settings = home / f"clients/{name}.yaml"
        self.set()

    def set(self, *more: str, patience: float = 0) -> None:
        """Write the client's settings, with lines of `api:` of one's choice."""
        lines = "\n".join(f"      {line}" for line in more)
        self.settings.write_text(
            SETTINGS.format(name=self.name, url=self.server.url, patience=patience, more=lines)
        )

    def deal(self, number: int, minutes: float = 0, **changes) -> dict:
        """Put an opportunity, changed so many minutes after the start, into the CRM."""
        return self._put(
            "Opportunity",
            f"006{number:012}AAA",
            minutes,
            {"AccountId": "001A", "StageName": "Open", "IsWon": False, "Amount": 100.5}
            | {"LastStageChangeDate": START},
            changes,
        )

    def contact(self, number: int, minutes: float = 0, **changes) -> dict:
        """Put a contact into the CRM."""
        usual = {"AccountId": "001A", "Email": f"{number}@example.com", "Name": f"C {number}"}
        return self._put("Contact", f"003{number:012}AAA", minutes, usual, changes)

    def role(self, number: int, deal: int, contact: dict, minutes: float = 0) -> dict:
        """Put the role that a contact has in a deal into the CRM."""
        usual = {"OpportunityId": f"006{deal:012}AAA", "ContactId": contact["Id"]}
        usual |= {"Role": "Decision Maker", "IsPrimary": True}
        return self._put("OpportunityContactRole", f"00K{number:012}AAA", minutes, usual, {})

    def _put(self, entity: str, id_: str, minutes: float, usual: dict, changes: dict) -> dict:
        records = self.server.objects[entity]
        record = next((one for one in records if one["Id"] == id_), None)
        if record is None:
            record = {"Id": id_, "IsDeleted": False, "CreatedDate": START} | usual
            records.append(record)
        record |= {"SystemModstamp": START + timedelta(minutes=minutes)} | changes
        return record

    def client(self) -> Client:
        """Return the client's settings."""
        return next(client for client in read()[0] if client.id == self.name)

    def poll(self) -> Outcome:
        """Ask the CRM once."""
        return ingest_source(self.client(), "salesforce")

    def deals(self, columns: str = "opportunity_id[15], stage, is_deleted") -> list[tuple]:
        """Return every version of every opportunity, oldest first."""
        return self.log(columns, "salesforce", "opportunities")

    def newest_deals(self, columns: str) -> list[tuple]:
        """Return what the newest version of each deal says, of those that are not deleted."""
        newest = {row[0]: row[1:] for row in self.deals(f"row_key, is_deleted, {columns}")}
        return sorted(tuple(said) for is_deleted, *said in newest.values() if not is_deleted)

    def covered(self, table: str = "opportunities") -> list[tuple]:
        """Return what the ledger says was asked for, in the order it was."""
        rows = self.log("table_name, covers_from, covers_until", "salesforce", "exports")
        return [row[1:] for row in rows if row[0] == table]

    def lake(self) -> dict[str, list[tuple]]:
        """Return what the lake says, by table: every version, without how it came there."""
        return {
            table: sorted(self.log(", ".join(contract.columns), "salesforce", table), key=repr)
            for table, contract in CONTRACTS["salesforce"].items()
        }

    def files(self) -> int:
        """Return how many loads were committed."""
        return len(list((self.home / "lake" / self.name / "salesforce").glob("_dlt_loads/*.jsonl")))

    def queries(self) -> list[str]:
        """Return the queries asked so far, and forget them."""
        asked = [one.query["q"] for one in self.server.requests if "q" in one.query]
        self.server.requests.clear()
        return asked
