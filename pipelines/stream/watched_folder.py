"""Hear of changes from files: a CRM export that is new or changed, once it is whole."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Event
from time import monotonic
from typing import NamedTuple

from pipelines.sources.files import places
from pipelines.stream.file_writers import is_being_written
from pipelines.stream.notices import Notice

LOOK = 5.0  # seconds between two looks
SETTLED = 10.0  # seconds for which a file stays as it is before it is read
MOST = 600.0  # seconds after which a file is read although a program keeps it open


class _File(NamedTuple):
    """What says whether a file is another one, or has other content."""

    inode: int
    bytes: int
    changed: int


Files = dict[Path, _File]


class WatchedFolder:
    """The files of one client's CRM exports, by the globs of its file.

    What lies there when one begins to watch is taken as news, as it may have come meanwhile. Files
    that change while others are still are waited for: a delivery of several files is read once.
    """

    def __init__(
        self, patterns: Iterable[str], look: float = LOOK, settled: float = SETTLED
    ) -> None:
        self._patterns = sorted(set(patterns))
        self._look, self._settled = look, settled
        self._stopped = Event()

    def stop(self) -> None:
        """End the notices, also while one is waited for."""
        self._stopped.set()

    def notices(self) -> Iterator[Notice]:
        """Yield that files are there which were not there, or not so, when one looked before."""
        loaded: Files = {}
        seen, since = self._files(), monotonic()
        while not self._stopped.wait(self._look):
            if (found := self._files()) != seen:
                seen, since = found, monotonic()
            news = [file for file in seen if seen[file] != loaded.get(file)]
            if news and self._are_whole(news, monotonic() - since):
                yield Notice([], is_everything=True)
                loaded = seen
            else:
                yield Notice([])

    def _are_whole(self, files: list[Path], still_for: float) -> bool:
        if still_for < self._settled:
            return False
        return still_for > MOST or not any(is_being_written(file) for file in files)

    def _files(self) -> Files:
        found = {}
        for pattern in self._patterns:
            for path in places.matches(pattern):
                try:
                    stat = path.stat()
                except OSError:  # it has gone since it was listed
                    continue
                found[path] = _File(stat.st_ino, stat.st_size, stat.st_mtime_ns)
        return found
