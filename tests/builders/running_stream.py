"""`make stream` as it runs: a command in a process of its own, and the lines that it prints."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from tests.builders.checkout import PROJECT

PATIENCE = 120  # seconds until a test gives up waiting


class RunningStream:
    """The command on the home of the environment, and what it has printed so far.

    With `code`, that is run in place of the module: it may disturb the command before it begins.
    """

    def __init__(self, *arguments: str, code: str = "") -> None:
        self._command = [*(["-c", code] if code else ["-m", "pipelines"]), "stream", *arguments]
        self.lines: list[str] = []
        self._said = threading.Condition()

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            [sys.executable, *self._command],
            cwd=PROJECT,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end(signal.SIGKILL)

    def end(self, number: int = signal.SIGTERM) -> int:
        """End it by a signal, unless it has ended; return its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Wait until it has ended by itself; return its exit status."""
        status = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return status

    def children(self) -> list[int]:
        """Return its processes, the oldest first: one that listens, and one that works."""
        listed = ["ps", "-o", "pid=", "--ppid", str(self.process.pid)]
        found = subprocess.run(listed, stdout=subprocess.PIPE, text=True, check=True).stdout
        return sorted(int(pid) for pid in found.split() if self._is_alive(int(pid)))

    def until_gone(self, processes: list[int]) -> None:
        """Wait until no process of these is there any more."""
        for _ in range(2 * PATIENCE):
            if not any(map(self._is_alive, processes)):
                return
            time.sleep(0.5)
        raise AssertionError(f"of {processes} some are still there")

    @staticmethod
    def _is_alive(process: int) -> bool:
        state = Path(f"/proc/{process}/stat")
        try:
            return state.read_text().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            return False

    def until(self, holds: Callable[[], object]) -> None:
        """Wait until something holds, looked at after each line and twice a second."""
        with self._said:
            waited = 0.0
            while not holds():
                assert waited < PATIENCE and self.process.poll() is None, self.lines
                waited += 0 if self._said.wait(0.5) else 0.5

    def says(self, client: str, text: str) -> None:
        """Wait until a line about a client says something."""
        self.until(lambda: self.said(client, text))

    def said(self, client: str, text: str) -> list[str]:
        """Return the lines about a client that say something."""
        return [line for line in self.lines if f" {client}: " in line and text in line]

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            with self._said:
                self.lines.append(line.rstrip("\n"))
                self._said.notify_all()
