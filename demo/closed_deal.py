"""Close a deal in a CRM, and see its credit in the published numbers: `make demo-stream`.

The CRM, its event bus and a bucket of sessions are servers on this machine. The data of one client
goes to `.cache/demo-stream` below the data's home. Each step is the command that an operator types.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from tempfile import NamedTemporaryFile
from zoneinfo import ZoneInfo

import duckdb
import yaml
from rich.console import Console

from demo.servers.event_bus import EventBus
from demo.servers.platform_world import Platforms
from pipelines.home import home
from pipelines.stream.follow_status import read_status

PROJECT = Path(__file__).parent.parent
CLIENT = "nova"
PATIENCE = 120  # seconds until the demo gives up
console = Console(highlight=False, soft_wrap=True)


def main() -> None:
    """Serve a morning, follow the CRM, close a deal, reopen it: each is published in seconds."""
    folder = home().absolute() / ".cache" / "demo-stream"
    os.environ["ATTRIBUTION_HOME"] = str(folder)
    yesterday = datetime.now(ZoneInfo("Europe/Berlin")).date() - timedelta(days=1)
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "clients").mkdir(parents=True)
    with Platforms(day_0=yesterday) as platforms, EventBus(platforms.salesforce) as bus:
        settings = _settings(platforms.settings(CLIENT, yesterday - timedelta(days=60)), bus)
        (folder / f"clients/{CLIENT}.yaml").write_text(settings)
        os.environ |= platforms.credentials(CLIENT)

        _say("The morning: what was settled last night")
        subprocess.run(_command("daily"), cwd=PROJECT, stdin=subprocess.DEVNULL, check=True)

        _say("From now on the CRM is followed")
        with _following():
            deal = _open_deal(platforms)
            _say(f"{deal['Id']} closes, {deal['Amount']:.2f} EUR")
            _change(deal, bus, IsWon=True, StageName="Closed Won")
            _await(deal["Id"], count=1)
            _say("It was a mistake: the deal is reopened")
            _change(deal, bus, IsWon=False, StageName="Negotiation")
            _await(deal["Id"], count=0)
    console.print(f"\nThe client's file, lake and published files of this demo are in {folder}")


def _settings(settings: str, bus: EventBus) -> str:
    """Return the client's file with its sessions and its CRM alone, which is followed."""
    parsed = yaml.safe_load(settings)
    sources = parsed["sources"]
    parsed["sources"] = {name: sources[name] for name in ("web", "salesforce")}
    sources["salesforce"]["api"]["stream"] = {"bus": bus.address}
    return yaml.safe_dump(parsed)


@contextmanager
def _following() -> Iterator[None]:
    """Run `make stream` meanwhile; it prints where this does."""
    process = subprocess.Popen(_command("stream"), cwd=PROJECT, stdin=subprocess.DEVNULL)
    try:
        _wait(_is_followed, "the CRM is not followed")
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _is_followed() -> bool:
    status = read_status(CLIENT)
    return bool(status and status.alive_at)


def _open_deal(platforms: Platforms) -> dict:
    """Return the open deal of whoever visited most."""
    visits = _visits(platforms)
    deals = [one for one in platforms.salesforce.objects["Opportunity"] if not one["IsWon"]]
    return max(deals, key=lambda one: (visits.get(one["AccountId"], 0), one["Id"]))


def _visits(platforms: Platforms) -> dict[str, int]:
    """Return how often each customer visited."""
    (content,) = platforms.bucket.buckets["clicks"].values()
    with NamedTemporaryFile(suffix=".parquet") as file, duckdb.connect() as connection:
        Path(file.name).write_bytes(content)
        rows = connection.execute(
            f"SELECT customer_id, COUNT(*) FROM read_parquet('{file.name}') GROUP BY ALL"
        )
        return dict(rows.fetchall())


def _change(deal: dict, bus: EventBus, **changes: object) -> None:
    """Change a deal in the CRM, and have the bus tell it."""
    now = datetime.now(timezone.utc)
    deal |= {"LastStageChangeDate": now, "SystemModstamp": now} | changes
    bus.publish("Opportunity", deal["Id"])


def _await(deal: str, count: int) -> None:
    """Wait until a deal has credit in the published numbers, or none; show it, and how long that took."""
    began = time.monotonic()
    _wait(lambda: bool(_credit(deal)) == bool(count), "the published numbers stay as they were")
    seconds = time.monotonic() - began
    console.print(f"published/{CLIENT}.duckdb, {seconds:.1f} s later:")
    for channel, campaign, credit, revenue, is_provisional in _credit(deal):
        marked = ", provisional" if is_provisional else ""
        console.print(
            f"  {channel}, {campaign or 'no campaign'}: {credit:.3f}, {revenue} EUR{marked}"
        )
    if not count:
        console.print("  no credit")


def _credit(deal: str) -> list[tuple]:
    """Return a deal's credit, as whoever opens the published file reads it."""
    with duckdb.connect(str(home() / f"published/{CLIENT}.duckdb"), read_only=True) as published:
        return published.execute(
            f"""SELECT channel, campaign, credit, attributed_revenue, is_provisional
            FROM {CLIENT}_publish.attribution_v1 WHERE conversion_id = ? ORDER BY position""",
            [deal],
        ).fetchall()


def _wait(holds: Callable[[], bool], problem: str) -> None:
    until = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > until:
            sys.exit(f"{problem}: see the lines above")
        time.sleep(0.1)


def _say(what: str) -> None:
    console.print(f"\n[bold]{what}[/bold]")


def _command(verb: str) -> list[str]:
    """Return a command of the pipeline, and show it."""
    console.print(f"$ python -m pipelines {verb}")
    return [sys.executable, "-W", "ignore", "-m", "pipelines", verb]


if __name__ == "__main__":
    main()
