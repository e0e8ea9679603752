"""Know every secret of this machine, of all clients, only to find it in a text or a file.

A process uses the credentials of its own client alone; but what a client delivered, or a link in it,
may hold another's.
"""

import os
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np

from pipelines.home import home

# What is shorter is found in words that are no secret.
SHORTEST = 6
_NAMES = re.compile(
    "^CLIENTS__|^ON_CALL__|SECRET|TOKEN|PASSW|CREDENTIAL|_KEY$|APIKEY", re.IGNORECASE
)


def everybodys() -> frozenset[str]:
    """Return each value in `.dlt/secrets.toml`, and of variables named like secrets, and their parts."""
    named = (value for name, value in os.environ.items() if _NAMES.search(name))
    file = home() / ".dlt" / "secrets.toml"
    try:
        kept = _values(file, os.stat(file).st_mtime_ns)
    except OSError:  # there is none, or it is not for us to read
        kept = frozenset()
    return kept | _long_enough(chain.from_iterable(map(_parts, named)))


@cache
def _values(file: Path, changed: int) -> frozenset[str]:
    """Return the values of a TOML file; of one that is not readable as such, what looks like them."""
    content = file.read_text(encoding="utf-8", errors="replace")
    try:
        values = list(_leaves(tomllib.loads(content)))
    except tomllib.TOMLDecodeError:
        values = re.findall(r"""=\s*["']*([^"'\n]+)""", content)
    return _long_enough(chain.from_iterable(map(_parts, values)))


def _leaves(value: object) -> Iterator[str]:
    """Yield the texts and numbers of nested settings."""
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _leaves(part)
    elif not isinstance(value, bool):
        yield str(value)


def _parts(value: str) -> Iterator[str]:
    """Yield a value, its lines, and an address's password: each of them is a secret alone."""
    yield value
    yield from (line.strip() for line in value.splitlines())
    try:
        password = urlsplit(value).password or ""
    except ValueError:  # it is no address
        return
    yield from (password, unquote(password))


def _long_enough(values: Iterable[str]) -> frozenset[str]:
    return frozenset(value for value in values if len(value) >= SHORTEST)


class Finder:
    """Finds secrets in what is read piece by piece: thousands of them at once.

    Three bytes lead to the few secrets that begin with them.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self._by_start: defaultdict[bytes, list[bytes]] = defaultdict(list)
        self._starts = np.zeros(1 << 24, dtype=bool)
        encodings = ("utf-8", "utf-16-le", "utf-16-be")
        for secret in (each.encode(code, "replace") for each in secrets for code in encodings):
            if len(start := secret[:3]) == 3:
                self._by_start[start].append(secret)
                self._starts[int.from_bytes(start)] = True
        self._overlap = max(map(len, chain.from_iterable(self._by_start.values())), default=0)

    def is_in(self, pieces: Iterable[bytes]) -> bool:
        """Return whether a secret is in the pieces, also where it goes from one to the next."""
        before = b""
        for piece in pieces:
            text = before + piece
            if any(text.startswith(each, place) for place, each in self._candidates(text)):
                return True
            before = text[-self._overlap :] if self._overlap else b""
        return False

    def _candidates(self, text: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield where a secret may begin, and which."""
        if len(text) < 3:
            return
        one = np.frombuffer(text, dtype=np.uint8).astype(np.uint32)
        starts = (one[:-2] << 16) | (one[1:-1] << 8) | one[2:]
        for place in np.flatnonzero(self._starts[starts]).tolist():
            for secret in self._by_start[text[place : place + 3]]:
                yield place, secret
