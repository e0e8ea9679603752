"""An installed checkout belongs to somebody else: its users bring their data, and change no code."""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders.checkout import copy_checkout
from tests.conftest import PROJECT

SOMEBODY = 65534


class Installation:
    """A checkout that its user cannot write to, and the user's own home of data."""

    def __init__(self, folder: Path) -> None:
        self.code = copy_checkout(folder / "code")
        (self.code / ".venv").symlink_to((PROJECT / ".venv").resolve())
        self.data = folder / "data"
        (self.data / "clients").mkdir(parents=True)
        for client in ("cobalt", "shop"):
            shutil.copy(self.code / f"clients/{client}.yaml", self.data / "clients")
        self._user: list[str] = []
        if os.geteuid() == 0:  # no permission stops root, so its powers are taken away
            self._user = ["setpriv", "--bounding-set=-all"]
            subprocess.run(["chown", "-Rh", f"{SOMEBODY}:{SOMEBODY}", self.code], check=True)
        else:
            subprocess.run(["chmod", "-R", "a-w", self.code], check=True)

    def run(self, *command: str, cwd: Path | None = None) -> str:
        """Run a command as the user; return its output, and fail if it fails."""
        done = subprocess.run(
            [*self._user, *command],
            cwd=cwd or self.code,
            env={
                "ATTRIBUTION_HOME": str(self.data),
                "HOME": str(self.data),
                "PATH": f"{self.code}/.venv/bin:{os.environ['PATH']}",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def files(self) -> dict[str, tuple[int, int, str]]:
        """Return all there is of the code: its mode, its time and its content."""
        return {
            str(path): (path.lstat().st_mode, path.lstat().st_mtime_ns, _content(path))
            for path in (self.code, *self.code.rglob("*"))
        }


def _content(path: Path) -> str:
    is_file = path.is_file() and not path.is_symlink()
    return hashlib.sha256(path.read_bytes()).hexdigest() if is_file else ""


@pytest.fixture
def installed() -> Iterator[Installation]:
    """An installation in a folder that every user may enter, as pytest's own may not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Installation(Path(folder))
        subprocess.run(["chmod", "-R", "u+w", folder], check=True)


@pytest.mark.slow
def test_another_user_runs_a_checkout_and_changes_no_file_of_it(installed: Installation) -> None:
    with pytest.raises(AssertionError, match="denied"):
        installed.run("touch", "macros/clients.py")
    before = installed.files()
    there = ("-p", str(installed.code))
    clients = installed.data / "clients"

    morning = installed.run("make", "daily")
    assert re.search(r"cobalt.*published", morning) and re.search(r"shop.*published", morning)

    assert "Error" not in installed.run("sqlmesh", *there, "run", "daily", cwd=installed.data)

    cobalt = (clients / "cobalt.yaml").read_text()
    (clients / "cobalt.yaml").write_text(cobalt.replace("last_non_direct", "linear"))
    edited = installed.run("sqlmesh", *there, "plan", "dev", cwd=installed.data)
    assert "`cobalt_attribution__dev.credit`" in edited, edited
    assert "shop_" not in edited, edited

    shutil.copy(clients / "shop.yaml", clients / "kiosk.yaml")
    logs = str(installed.data / "logs")
    added = installed.run("sqlmesh", "--log-file-dir", logs, "plan", "dev")
    assert re.search(r"Added Models:.*`kiosk_attribution__dev\.credit`", added, re.DOTALL), added

    (clients / "kiosk.yaml").unlink()
    removed = installed.run("make", "plan")
    assert re.search(r"Removed Models:.*`kiosk_attribution__dev\.credit`", removed, re.DOTALL)

    assert installed.files() == before
    assert {"lake", "logs", "exports", "warehouse", ".cache"} <= set(os.listdir(installed.data))
