"""Run the whole pipeline against the platforms' protocols: `make demo-api`.

The platforms run on this machine. The data of two clients, who share Google's developer token, goes
to `.cache/demo-api` below the data's home. Each step is the command that an operator types.
"""

import os
import shutil
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console

from demo.servers.google_ads_server import developer_quota
from demo.servers.platform_world import Platforms
from pipelines.home import home

PROJECT = Path(__file__).parent.parent
console = Console(highlight=False, soft_wrap=True)


def main() -> None:
    """Serve a morning, restated spend, a used-up quota, a revoked consent, and three months' history."""
    folder = home().absolute() / ".cache" / "demo-api"
    os.environ["ATTRIBUTION_HOME"] = str(folder)
    yesterday = datetime.now(ZoneInfo("Europe/Berlin")).date() - timedelta(days=1)
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "clients").mkdir(parents=True)
    with Platforms(day_0=yesterday) as platforms:
        start = yesterday - timedelta(days=60)
        for client in ("nova", "orbit"):
            (folder / f"clients/{client}.yaml").write_text(platforms.settings(client, start))
            os.environ |= platforms.credentials(client)

        _say("A first morning: the last 30 days from Google, 28 from Facebook, every deal")
        _make("daily")

        _say("A day later in the world, spend is restated: only what changed is appended")
        platforms.show(1)
        _make("daily")

        _say(
            "Google's quota is used up: all clients share one developer token, so all of them wait"
        )
        platforms.google.fail(developer_quota("1800s"), times=None)
        _make("ingest")
        _make("status")
        platforms.google.heal()
        shutil.rmtree(folder / "lake/_quotas")  # a real run waits until the quota is there again

        _say("Facebook's consent is revoked; the rest is served")
        platforms.facebook.revoke()
        _make("ingest")
        _make("status")
        platforms.facebook.token = "EAAB-consented-again"
        for client in ("nova", "orbit"):
            os.environ |= platforms.credentials(client)

        _say("Three months of history for nova, and the morning that includes it")
        since = str(yesterday - timedelta(days=90))
        _make("backfill", "nova", "--since", since)
        _make("daily")
        _make("status")
    console.print(f"\nThe clients' files, lake and warehouse of this demo are in {folder}")


def _say(what: str) -> None:
    console.print(f"\n[bold]{what}[/bold]")


def _make(*verb: str) -> None:
    """Run a command of the pipeline on the demo's home."""
    console.print(f"$ python -m pipelines {' '.join(verb)}")
    environment = os.environ | {"PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-m", "pipelines", *verb]
    subprocess.run(command, cwd=PROJECT, env=environment, stdin=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
