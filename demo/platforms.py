"""Run the whole pipeline against the platforms' protocols: `make demo-api`.

The platforms run on this machine; the data of two clients, who share Google's developer token,
goes to `.cache/demo-api`. Each step is the command that an operator types.
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

PROJECT = Path(__file__).parent.parent
HOME = PROJECT / ".cache" / "demo-api"
screen = Console(highlight=False, soft_wrap=True)


def main() -> None:
    """Serve a morning, restated spend, a used-up quota, a revoked consent, and three months' history."""
    yesterday = datetime.now(ZoneInfo("Europe/Berlin")).date() - timedelta(days=1)
    shutil.rmtree(HOME, ignore_errors=True)
    (HOME / "clients").mkdir(parents=True)
    with Platforms(day_0=yesterday) as platforms:
        start = yesterday - timedelta(days=60)
        for client in ("nova", "orbit"):
            (HOME / f"clients/{client}.yaml").write_text(platforms.settings(client, start))
            os.environ |= platforms.credentials(client)

        _say("A first morning: the last 30 days from Google, 28 from Facebook, every deal")
        _make("daily")

        _say("A day later in the world, spend is restated: only what changed is appended")
        platforms.show(1)
        _make("daily")

        _say("Google's quota is used up: one developer token, so every client is told")
        platforms.google.fail(developer_quota("1800s"), times=None)
        _make("ingest")
        _make("status")
        platforms.google.heal()
        shutil.rmtree(HOME / "lake/_quotas")  # in earnest, it is waited for

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
    screen.print(f"\nThe clients' files, lake and warehouse of this demo are in {HOME}")


def _say(what: str) -> None:
    screen.print(f"\n[bold]{what}[/bold]")


def _make(*verb: str) -> None:
    """Run a command of the pipeline on the demo's home."""
    screen.print(f"$ python -m pipelines {' '.join(verb)}")
    environment = os.environ | {"ATTRIBUTION_HOME": str(HOME), "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-m", "pipelines", *verb]
    subprocess.run(command, cwd=PROJECT, env=environment, stdin=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
