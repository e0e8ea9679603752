"""Set hostile clients beside a good one, all in one morning: it is published as if it were alone."""

import gzip
import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from string import ascii_letters

import yaml

from tests.soak.account import Result, Trial
from tests.soak.homes import shop_home
from tests.soak.twin import copied, published, run, same

SETTINGS = """
name: {name}
currency: EUR
start: 2026-09-01
limits: {{minutes: 0.1}}
sources:
  google_ads:
    spend: {{files: "{files}", table: spend}}
"""
SECRET = "very-secret-token-of-a-neighbour"
GOOD = "spend_date,campaign_id,campaign,cost,clicks,impressions\n2026-10-01,c1,Brand,1.00,1,1\n"

Write = Callable[[Path, str], None]


_PROGRESS = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ ")  # how far a client is


def set_beside(folder: Path) -> Iterator[Trial]:
    """Run one morning with every hostile client there is, and compare the good one with its twin."""
    before = shop_home(folder / "before")
    twin = copied(before, folder / "twin")
    run(twin, "daily")
    home = copied(before, folder / "disturbed")
    _write_secrets(home)
    for name, write in _HOSTILE.items():
        (home / "exports" / name).mkdir(parents=True)
        write(home, name)
    _, printed = run(home, "daily")
    differs = same(published(home, "shop"), published(twin, "shop"))
    for name in _HOSTILE:
        yield Trial("hostile client", name, *_judged(home, name, printed, differs))


def _judged(home: Path, name: str, printed: str, differs: str) -> tuple[Result, str]:
    """Say what became of a hostile client: named in a line, while the good one is as it would be."""
    lines = [line for line in printed.splitlines() if not _PROGRESS.match(line)]
    about_it = "\n".join(line for line in lines if name in line)
    files = [*(home / "lake").rglob("*"), *(home / "runs").rglob("*")]
    kept = b"".join(file.read_bytes() for file in files if file.is_file())
    if differs:
        return "crossed", differs
    if SECRET in printed or SECRET.encode() in kept:
        return "crossed", "a neighbour's secret was kept or shown"
    if f"{name}: " not in about_it or "Traceback" in about_it:
        return "unclear", about_it or "it is not named"
    return "survived", ""


def _write_secrets(home: Path) -> None:
    file = home / ".dlt" / "secrets.toml"
    file.parent.mkdir()
    file.write_text(f'[clients.shop.facebook_ads]\naccess_token = "{SECRET}"\n')


def _settings(home: Path, name: str, files: str = "", more: str = "") -> None:
    text = SETTINGS.format(name=name, files=files or f"exports/{name}/spend*")
    (home / "clients" / f"{name}.yaml").write_text(text + more)


def _nested_aliases(home: Path, name: str) -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    _settings(home, name, more="\n".join(rows))


def _deep_lists(home: Path, name: str) -> None:
    _settings(home, name, more=f"publish: {'[' * 20_000}")


def _endless_view(home: Path, name: str) -> None:
    _settings(home, name)
    with closing(sqlite3.connect(home / f"exports/{name}/spend.sqlite")) as database, database:
        database.execute(
            "CREATE VIEW spend AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
            " SELECT '2026-10-01' AS spend_date, i AS campaign_id, 'x' AS campaign, 1 AS cost,"
            " 1 AS clicks, 1 AS impressions FROM n"
        )


def _gz_bomb(home: Path, name: str) -> None:
    """Write a small file that is 30 GB when it is unpacked."""
    _settings(home, name)
    rows = gzip.compress(b"2026-10-01,c1,Brand,1.00,1,1\n" * 3_500_000, mtime=0)
    with (home / f"exports/{name}/spend.csv.gz").open("wb") as file:
        file.write(gzip.compress(GOOD.encode(), mtime=0))
        for _ in range(300):
            file.write(rows)


def _link(target: str) -> Write:
    def write(home: Path, name: str) -> None:
        _settings(home, name)
        (home / f"exports/{name}/spend.csv").symlink_to(home / target)

    return write


def _pipe(home: Path, name: str) -> None:
    _settings(home, name)
    os.mkfifo(home / f"exports/{name}/spend.csv")


def _device(home: Path, name: str) -> None:
    _settings(home, name)
    (home / f"exports/{name}/spend.csv").symlink_to("/dev/zero")


def _others_files(files: str) -> Write:
    def write(home: Path, name: str) -> None:
        _settings(home, name, files.format(name=name))

    return write


def _unreadable_name(home: Path, name: str) -> None:
    _settings(home, name)
    Path(os.fsdecode(os.fsencode(home / f"exports/{name}") + b"/spend\xff\xfe.csv")).write_text("x")


def _folder(home: Path, name: str) -> None:
    _settings(home, name)
    (home / f"exports/{name}/spend.csv").mkdir()


def _costly_weight(home: Path, name: str) -> None:
    """Ask for a weight that looks for much in long names of campaigns: its time runs out."""
    cases = " ".join(
        f"WHEN campaign LIKE '%x_x_x_%q%{letter}' THEN 2" for letter in ascii_letters[:45]
    )
    settings = {
        "name": name,
        "currency": "EUR",
        "start": "2026-09-01",
        "limits": {"model_minutes": 0.05},
        "attribution": {"model": "mine", "custom": {"mine": f"CASE {cases} ELSE 1 END"}},
        "sources": {
            "web": {"sessions": {"files": f"exports/{name}/sessions.csv"}},
            "salesforce": {"opportunities": {"files": f"exports/{name}/deals.csv"}},
        },
    }
    (home / f"clients/{name}.yaml").write_text(yaml.safe_dump(settings))
    sessions = ["session_id,visitor_id,customer_id,started_at,source,medium,campaign"]
    sessions += [
        f"s{n},v{n},c1,2026-10-01 10:00:{n % 60:02},x,cpc,{'x' * 12_000}{n}" for n in range(2_000)
    ]
    (home / f"exports/{name}/sessions.csv").write_text("\n".join(sessions))
    deal = "opportunity_id,customer_id,stage,is_won,closed_at,amount\nd1,c1,Won,true,2026-10-10 10:00:00,10"
    (home / f"exports/{name}/deals.csv").write_text(deal)


_HOSTILE: dict[str, Write] = {
    "aliases": _nested_aliases,
    "deeplists": _deep_lists,
    "endless": _endless_view,
    "bomb": _gz_bomb,
    "secretlink": _link(".dlt/secrets.toml"),
    "lakelink": _link("lake/shop"),
    "loop": _link("exports/loop/spend.csv"),
    "pipe": _pipe,
    "device": _device,
    "neighbours": _others_files("exports/shop/events.csv"),
    "everybodys": _others_files("exports/*/*.csv"),
    "above": _others_files("exports/{name}/../shop/*.csv"),
    "unreadable": _unreadable_name,
    "folder": _folder,
    "weight": _costly_weight,
}
