"""Keep the settings that each promotion took out of force, and say which of them are in force again.

    lake/acme/_settings/replaced/20261127T060000000000/acme.yaml  in force until a promotion of that time
    lake/acme/_settings/rolled_back                               the name of the folder in force again

The second file is written in one moment: from then on the client is rolled back, whoever ends the command.
A promotion removes it.
"""

import shutil
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

from pipelines.files import replacing, write_atomically
from pipelines.home import lake_folder

_NAMED = "%Y%m%dT%H%M%S%f"


class Replaced(NamedTuple):
    """Settings that a promotion took out of force: when, UTC, and the file that has them."""

    name: str
    at: datetime
    file: Path


def replaced(client: str) -> list[Replaced]:
    """Return what promotions took out of force and is kept, the oldest first."""
    files = sorted(_folder(client).glob(f"[0-9]*/{client}.yaml"))
    return [_replaced(client, file.parent.name) for file in files]


def keep_replaced(client: str, text: bytes, at: datetime) -> str:
    """Keep settings that a promotion is about to take out of force; return their name."""
    name = f"{at:{_NAMED}}"
    write_atomically(_replaced(client, name).file, text)
    return name


def forget_replaced(client: str, name: str) -> None:
    """Forget settings that no rollback leads to any more."""
    shutil.rmtree(_folder(client) / name, ignore_errors=True)


def in_force_again(client: str) -> Replaced | None:
    """Return which of them a rollback put in force again; None without one."""
    with suppress(OSError, ValueError):
        return _replaced(client, _mark(client).read_text(encoding="utf-8").strip())
    return None


def rollbacks() -> list[Path]:
    """Return the files that say of clients that they are rolled back."""
    return sorted(lake_folder().glob("*/_settings/rolled_back"))


def put_in_force_again(client: str, name: str) -> None:
    """Put settings in force again until the next promotion: on disk when this returns."""
    with replacing(_mark(client), sync=True) as unfinished:
        unfinished.write_text(name, encoding="utf-8")


def end_rollback(client: str) -> None:
    """Have the client's own file in force."""
    _mark(client).unlink(missing_ok=True)


def forget_all_replaced(client: str) -> None:
    """Forget all of a client, as it is retired."""
    end_rollback(client)
    shutil.rmtree(_folder(client), ignore_errors=True)


def _replaced(client: str, name: str) -> Replaced:
    at = datetime.strptime(name, _NAMED).replace(tzinfo=timezone.utc)
    return Replaced(name, at, _folder(client) / name / f"{client}.yaml")


def _folder(client: str) -> Path:
    return lake_folder() / client / "_settings" / "replaced"


def _mark(client: str) -> Path:
    return lake_folder() / client / "_settings" / "rolled_back"
