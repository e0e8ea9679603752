"""A small client to ingest: its settings, its exports, and what the lake says of them."""

from pathlib import Path

import duckdb

from pipelines.contracts.catalog import CONTRACTS
from pipelines.ingest.run import Outcome, ingest_source
from pipelines.lake.loads import committed_files, committed_loads, read_loads
from pipelines.settings.reader import read

SETTINGS = """
name: {name}
currency: EUR
quality: {{quarantine_limit: {limit}, deletion_limit: {deletion_limit}}}
sources:
  google_ads:
    spend:
      files: exports/{name}/spend*
      expected_every: never
      delivery: {delivery}
      table: spend
  salesforce:
    opportunities:
      files: exports/{name}/deals*
      expected_every: never
"""

SPEND = ("spend_date", "campaign_id", "campaign", "cost", "currency", "clicks", "impressions")


class Tenant:
    """One client in a house, with spend and deals; a test ingests one source, in this process."""

    def __init__(
        self,
        home: Path,
        name: str = "one",
        limit: float = 0.5,
        delivery: str = "increment",
        deletion_limit: float = 0.2,
    ) -> None:
        self.home, self.name = home, name
        self.settings = home / f"clients/{name}.yaml"
        self.settings.write_text(
            SETTINGS.format(
                name=name, limit=limit, delivery=delivery, deletion_limit=deletion_limit
            )
        )
        self.exports = home / "exports" / name
        self.exports.mkdir(parents=True)

    def setting(self, line: str) -> None:
        """Set a key of the spend's export, such as `parts: true`; it takes the place of its old value."""
        key, place = line.partition(":")[0], "      table: spend\n"
        lines = self.settings.read_text().splitlines(keepends=True)
        lines = [each for each in lines if not each.startswith(f"      {key}:")]
        self.settings.write_text("".join(lines).replace(place, f"{place}      {line}\n"))

    def deliver(self, file: str, content: str | bytes) -> Path:
        """Write an export, over the one of that name."""
        path = self.exports / file
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def spend(self, file: str, *rows: str) -> Path:
        """Write a CSV file of spend; a row is `day,campaign,cost`, and clicks if they matter."""
        lines = ["spend_date,campaign_id,cost,clicks,campaign,impressions"]
        for row in rows:
            day, campaign, cost, clicks = (*row.split(","), "1")[:4]
            lines.append(f"2026-10-{day},{campaign},{cost},{clicks},Brand,100")
        return self.deliver(file, "\n".join(lines) + "\n")

    def ingest(self, source: str = "google_ads") -> Outcome:
        """Ingest one source."""
        client = next(client for client in read()[0] if client.id == self.name)
        return ingest_source(client, source)

    def log(self, columns: str, source: str = "google_ads", table: str = "spend") -> list[tuple]:
        """Return the committed rows of a table, oldest first."""
        loads = committed_loads(str(folder := self.home / "lake" / self.name / source))
        if not (files := committed_files(str(folder), table, loads)):
            return []
        order = "loaded_at, ordinal" if table in CONTRACTS[source] else "loaded_at"
        with duckdb.connect() as connection:
            return connection.execute(
                f"SELECT {columns} FROM {read_loads(files, loads)} AS log ORDER BY {order}"
            ).fetchall()

    def newest(self, columns: str) -> set[tuple]:
        """Return what the newest version of each key says, of those that are not deleted."""
        newest = {
            key: (is_deleted, said)
            for key, is_deleted, *said in self.log(f"row_key, is_deleted, {columns}")
        }
        return {tuple(said) for is_deleted, said in newest.values() if not is_deleted}

    def quarantine(self, source: str = "google_ads") -> list[tuple]:
        """Return the file, line and reason of the rows in quarantine, by line."""
        rows = self.log("export_file, line, reason, content", source, "quarantine")
        return sorted(
            (Path(file).name, line, reason, content) for file, line, reason, content in rows
        )
