"""The commands in a terminal of 80 columns: nothing is cut, lines fold at their words; a pipe folds none."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from threading import Thread

import pytest

from tests.builders.tenant import Tenant
from tests.conftest import PROJECT, House

WIDTH = 80


class Terminal:
    """A terminal of 80 columns, and what a program wrote to it."""

    def __init__(self) -> None:
        self._ours, self.theirs = pty.openpty()
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, WIDTH, 0, 0))
        self._written = bytearray()
        self._reader = Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                piece = os.read(self._ours, 1 << 16)
            except OSError:  # so a terminal ends whose other side is closed
                return
            if not piece:
                return
            self._written += piece

    def lines(self) -> list[str]:
        """Return what stands there at the end, without bars: what they leave is wiped away."""
        os.close(self.theirs)
        self._reader.join()
        os.close(self._ours)
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self._written.decode())
        lines = [line.rstrip("\r").rpartition("\r")[2].rstrip() for line in text.split("\n")]
        return [line for line in lines if not re.fullmatch(r"\w* *[━╸╺ ]+ .*\d:\d\d:\d\d", line)]


def typed(*command: str) -> list[str]:
    """Run a command in a terminal; return the lines of its results, and of its errors."""
    results, errors = Terminal(), Terminal()
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    subprocess.run(
        [sys.executable, "-m", "pipelines", *command],
        cwd=PROJECT,
        env={**environment, "TERM": "xterm"},
        stdin=results.theirs,
        stdout=results.theirs,
        stderr=errors.theirs,
    )
    return results.lines() + errors.lines()


def assert_fits(lines: list[str]) -> None:
    """Assert that no line is cut or too long, but for one with a word that is to be copied whole."""
    text = "\n".join(lines)
    assert text.strip() and "…" not in text and "Traceback" not in text
    for line in lines:
        whole = re.search(r"`[^`]*`|\S{60,}", line)
        assert len(line) <= WIDTH or whole, line


def said(lines: list[str]) -> str:
    """Return the lines outside of tables, however they are folded."""
    return " ".join(" ".join(line for line in lines if not re.match("[│┃┏┗└├┡┠]", line)).split())


def cells(lines: list[str]) -> str:
    """Return the letters of each column of the tables."""
    rows = [re.split("[│┃]", line)[1:-1] for line in lines if re.match("[│┃]", line)]
    columns = zip(*(row for row in rows if len(row) == len(rows[0])))
    return "\n".join("".join("".join(column).split()) for column in columns)


@pytest.fixture
def tenant(house: House) -> Tenant:
    """A client with a full export that lacks too much, one that is refused, and a note."""
    for name in ("acme", "borealis", "cobalt", "shop"):
        (house.home / f"clients/{name}.yaml").unlink()
    tenant = Tenant(house.home, delivery="full")
    tenant.spend("spend.csv", *(f"01,a-rather-long-name-of-a-campaign-{n},1" for n in range(40)))
    assert not tenant.ingest().problem
    tenant.spend("spend.csv", *(f"01,a-rather-long-name-of-a-campaign-{n},1" for n in range(3)))
    head = "opportunity_id,customer_id,stage,is_won,closed_at,amount,currency"
    tenant.deliver("deals.csv", f'{head}\n1,,Won,perhaps,2026-10-01,"1.234,50",EUR\n')
    return tenant


COMMANDS = {
    "ingest": ["ingest"],
    "status": ["status"],
    "reread": ["reread", "one", "--source", "google_ads"],
    "blueprint": ["blueprint", "one"],
    "an unknown client": ["export", "nobody"],
    "accept": [
        "accept",
        "one",
        "--source",
        "google_ads",
    ],  # last: others change what they show by it
}


def test_a_terminal_shows_what_a_pipe_does_and_fits(tenant: Tenant) -> None:
    house = House(tenant.home)
    for command in COMMANDS.values():
        piped = house.pipelines(*command).stdout.splitlines()
        watched = typed(*command)
        assert_fits(watched)
        assert said(watched) == said(piped), command
        assert cells(watched) == cells(piped), command
    (line,) = [
        line for line in house.pipelines("ingest").stdout.splitlines() if "salesforce" in line
    ]
    assert "is halted: deals.csv: 1 of 1 rows are bad" in line and len(line) > 240
    assert "`is_won: \"is_won = 'perhaps'\"`" in "\n".join(typed("ingest"))


@pytest.mark.slow
def test_every_command_fits_a_terminal(served: House) -> None:
    commands = [
        ["--help"],
        ["daily"],
        ["status"],
        ["watch"],
        ["changes", "acme", "--since", "2026-01-01"],
        ["replay", "acme", "--as-of", "2026-01-01"],
        ["blueprint", "acme"],
        ["export", "acme", "--to", str(served.home / "acme.csv")],
        ["train", "acme"],
        ["preview", "acme"],
        ["promote", "acme"],
        ["rollback", "acme"],
        ["backfill", "acme", "--since", "2026-01-01"],
        ["explain", "acme", "none"],
    ]
    served.change("acme", attribution={"model": "linear"})
    for command in commands:
        assert_fits(typed(*command))
