"""CRMs whose deals close while clients are followed: by events, by questions, by a folder."""

import csv
import io
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import yaml

from demo.servers.event_bus import EventBus
from demo.servers.platform_world import Platforms
from demo.servers.salesforce_server import SalesforceServer
from tests.soak.homes import empty_home

PAUSE = 20.0  # seconds between two exports
LAST = "The last deal"
WAYS = ("events", "polls", "folder")
_EXPORTED = {  # column of the export → field of the CRM
    "opportunity_id": "Id",
    "customer_id": "AccountId",
    "stage": "StageName",
    "is_won": "IsWon",
    "closed_at": "LastStageChangeDate",
    "amount": "Amount",
    "opened_at": "CreatedDate",
    "is_deleted": "IsDeleted",
}


class Crm:
    """The CRM of one client. `tell` hears each deal that changed, once it is changed."""

    def __init__(
        self,
        client: str,
        settings: dict,
        deals: list[dict],
        tell: Callable[[dict], object] = lambda deal: None,
    ) -> None:
        self.client, self.settings = client, settings
        self._deals, self._tell = deals, tell
        self._accounts = sorted({deal["AccountId"] for deal in deals})
        self._number = 0

    def close(self, chance: random.Random, is_new: bool = False) -> str:
        """Close a new deal, or change one that is known; return its id."""
        self._number += 1
        now = datetime.now(timezone.utc)
        deal = {} if is_new else chance.choice([{}, chance.choice(self._deals)])
        is_won = is_new or chance.random() < 0.8
        changed = {
            "AccountId": chance.choice(self._accounts),
            "StageName": "Closed Won" if is_won else "Closed Lost",
            "IsWon": is_won,
            "Amount": chance.randint(100, 99_999) / 100,
            "LastStageChangeDate": (now - timedelta(days=chance.randint(1, 20))).isoformat(),
            "SystemModstamp": now.isoformat(),
            "IsDeleted": not is_new and chance.random() < 0.1,
        }
        if not deal:
            opened = {"CreatedDate": (now - timedelta(days=30)).isoformat()}
            deal |= (
                {"Id": f"006{self._number:012}AAA", "Name": LAST if is_new else "A deal"}
                | opened
                | changed
            )
            self._deals.append(deal)
        else:
            deal |= changed
        self._tell(deal)
        return deal["Id"]


class World(NamedTuple):
    """Clients that are followed, each with a CRM of its own, and the sessions of all."""

    crms: list[Crm]

    def settle_in(self, home: Path) -> Path:
        """Make a home of these clients, empty but for their files."""
        empty_home(home)
        for crm in self.crms:
            (home / f"clients/{crm.client}.yaml").write_text(yaml.safe_dump(crm.settings))
        return home


@contextmanager
def world(folder: Path, ways: tuple[str, ...]) -> Iterator[World]:
    """Yield a client for each way to follow a CRM."""
    yesterday = datetime.now(timezone.utc).date() - timedelta(days=1)
    with ExitStack() as stack:
        platforms = stack.enter_context(Platforms(day_0=yesterday, sessions=60))
        crms = []
        for way in ways:
            stack.enter_context(patch.dict("os.environ", platforms.credentials(f"by{way}")))
            crms.append(_crm(stack, platforms, way, folder / f"exports-of-{way}"))
        yield World(crms)


def _crm(stack: ExitStack, platforms: Platforms, way: str, exports: Path) -> Crm:
    client, server = f"by{way}", stack.enter_context(SalesforceServer())
    server.objects |= {
        name: [dict(each) for each in records]
        for name, records in platforms.salesforce.objects.items()
    }
    deals = server.objects["Opportunity"]
    settings: dict[str, Any] = yaml.safe_load(
        platforms.settings(client, platforms.day_0 - timedelta(days=60))
    )
    web: dict[str, Any] = settings["sources"]["web"]
    api: dict[str, Any] = {"base_url": server.url}
    if way == "folder":
        export = Export(exports, deals)
        feed = {"files": f"{exports}/opportunities.csv", "delivery": "full"}
        settings["folders"] = [str(exports)]
        settings["sources"] = {"web": web, "salesforce": {"opportunities": feed}}
        return Crm(client, settings, deals, export.tell)
    settings["sources"] = {"web": web, "salesforce": {"api": api}}
    if way == "polls":
        api["stream"] = {"by": "polls", "poll_minutes": 1}
        return Crm(client, settings, deals)
    bus = stack.enter_context(EventBus(server))
    bus.keepalive = 5
    api["stream"] = {"bus": bus.address}
    return Crm(client, settings, deals, lambda deal: bus.publish("Opportunity", deal["Id"]))


class Export:
    """All deals of a CRM in one file, which is written anew from time to time."""

    def __init__(self, folder: Path, deals: list[dict]) -> None:
        self._file, self._deals = folder / "opportunities.csv", deals
        folder.mkdir()
        self._write()

    def tell(self, deal: dict) -> None:
        """Write the file, unless that was just done: it is followed once it has been still for a while."""
        is_due = time.monotonic() > self._written_at + PAUSE
        if is_due or deal["Name"] == LAST:
            self._write()

    def _write(self) -> None:
        """Write in two parts: whoever reads the file meanwhile finds it cut off."""
        text = io.StringIO()
        rows = csv.writer(text)
        rows.writerow(_EXPORTED)
        rows.writerows([deal[field] for field in _EXPORTED.values()] for deal in self._deals)
        written, half = text.getvalue(), len(text.getvalue()) // 2
        with self._file.open("w") as file:
            file.write(written[:half])
            file.flush()
            time.sleep(0.05)
            file.write(written[half:])
        self._written_at = time.monotonic()
