"""Make the homes that are disturbed."""

import shutil
from pathlib import Path

from demo import write_exports
from tests.builders.checkout import PROJECT


def empty_home(home: Path) -> Path:
    """Make a home without clients."""
    shutil.rmtree(home, ignore_errors=True)
    (home / "clients").mkdir(parents=True)
    return home


def shop_home(home: Path) -> Path:
    """Make a home of the demo's shop alone, with the exports of its first day."""
    empty_home(home)
    shutil.copy(PROJECT / "clients/shop.yaml", home / "clients")
    write_exports(home / "exports", 0, 60, ["shop"])
    return home
