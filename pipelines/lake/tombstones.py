"""Know erased persons again without knowing them: `lake/<client>/_erasures/`, for the product's user alone.

Of each identifier a mark is kept, a hash with the client's own salt: who is delivered again is recognised,
and nobody reads from the marks who that is. An identifier is marked as what it is, such as a customer;
one that tells who somebody is wherever it stands, as an address does, is also marked as a word of a text.
"""

import hashlib
import json
import os
import re
import secrets
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from pipelines.contracts.salesforce_ids import whole_id
from pipelines.files import replacing
from pipelines.home import lake_folder
from pipelines.sql import literal

ERASED, AGED, SHARED = "erased-", "aged-", "shared-"  # how the ids begin that stand for nobody
ORDER = "-order"  # how those end whose rows have money that may change later
WORD = "word"  # the kind of a mark of a word in a text

# A word of a text, once `%40` is `@`; what ends a sentence is none of it.
_WORDS, _WORD = r"[\p{L}\p{N}_@+.\-]+", re.compile(r"[\w@+.\-]+")
_PIECE = re.compile(r"[\w@+.%\-]+")
_BLOT = "(erased)"


class Tombstones(NamedTuple):
    """The marks of a client's erased persons, and of the devices that they shared; and the salt.

    Of their orders `orders` has the mark, and the id that each has in the lake since.
    """

    salt: str
    marks: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset()
    orders: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self.marks or self.shared)


def erasures_folder(client: str) -> Path:
    """Return the folder of what is kept of a client's erasures, which the product's user alone may enter."""
    folder = lake_folder() / client / "_erasures"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def tombstones(client: str) -> Tombstones | None:
    """Return the marks of everybody who was erased; None if nobody was."""
    file = lake_folder() / client / "_erasures" / "tombstones.jsonl"
    try:
        lines = [json.loads(line) for line in file.read_text(encoding="ascii").splitlines()]
    except FileNotFoundError:
        return None
    marks = frozenset(mark for line in lines for mark in line["marks"])
    shared = frozenset(mark for line in lines for mark in line["shared"])
    orders = {mark: new for line in lines for mark, new in line.get("orders", {}).items()}
    return Tombstones(salt_of(client), marks, shared, orders)


def has_erased(client: str) -> bool:
    """Return whether rows of a client were made to stand for nobody."""
    return (lake_folder() / client / "_erasures").exists()


def bury(
    client: str, receipt: str, marks: list[str], shared: list[str], orders: dict[str, str]
) -> None:
    """Add the marks of one erasure, once; they are on disk before this returns."""
    file = erasures_folder(client) / "tombstones.jsonl"
    before = file.read_text(encoding="ascii") if file.exists() else ""
    if not any(json.loads(line)["receipt"] == receipt for line in before.splitlines()):
        line = {
            "receipt": receipt,
            "marks": sorted(marks),
            "shared": sorted(shared),
            "orders": orders,
        }
        write_private(file, f"{before}{json.dumps(line)}\n")


def salt_of(client: str) -> str:
    """Return a client's salt; the first who asks makes it."""
    file = erasures_folder(client) / "salt"
    if not file.exists():
        write_private(file, secrets.token_hex(32))
    return file.read_text(encoding="ascii")


def write_private(file: Path, text: str) -> None:
    """Write a file whole, for the product's user alone; it is on disk before this returns."""
    with replacing(file, sync=True) as unfinished:
        opened = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(opened, "w", encoding="utf-8") as written:
            written.write(text)


def mark(salt: str, kind: str, value: str) -> str:
    """Return the mark of an identifier that is in one form: see `marked`."""
    return hashlib.sha256(f"{salt} {kind} {value}".encode()).hexdigest()


def marked(salt: str, kind: str, value: str) -> str:
    """Return SQL for the mark of an identifier, in capitals or not: `marked(salt, "visitor", "visitor_id")`."""
    return f"SHA256({literal(f'{salt} {kind} ')} || {plain(value)})"


def plain(value: str) -> str:
    """Return SQL for an identifier in the one form in which all are compared."""
    return f"LOWER(TRIM({whole_id(value)}))"


def words(text: str) -> str:
    """Return SQL for the words of a text, in small letters: `?e=Anna%40example.com` has `anna@example.com`."""
    found = f"REGEXP_EXTRACT_ALL(LOWER(URL_DECODE({text})), '{_WORDS}')"
    return f"LIST_TRANSFORM({found}, lambda word: TRIM(word, '.+-'))"


def marked_words(salt: str, text: str) -> str:
    """Return SQL for the marks of a text's words."""
    return f"LIST_TRANSFORM({words(text)}, lambda word: {_marked_word(salt)})"


def _marked_word(salt: str) -> str:
    return f"SHA256({literal(f'{salt} {WORD} ')} || word)"


def without_words(salt: str, text: str, marks: str) -> str:
    """Return SQL for a text in which the words with one of the `marks`, a list, are blotted out."""
    raw = f"REGEXP_EXTRACT_ALL({text}, '[\\p{{L}}\\p{{N}}_@+.%\\-]+')"
    named = (
        f"LIST_FILTER({raw}, lambda piece: LIST_HAS_ANY({marked_words(salt, 'piece')}, {marks}))"
    )
    return f"LIST_REDUCE({named}, lambda said, piece: REPLACE(said, piece, '{_BLOT}'), {text})"


def blotted(salt: str, marks: frozenset[str], text: str) -> str:
    """Return a text in which the words with one of the marks are blotted out: `without_words`, in Python."""
    known: dict[str, bool] = {}

    def said(piece: re.Match[str]) -> str:
        if (word := piece[0]) not in known:
            plain_text = unquote(word).lower()
            found = (each.strip(".+-") for each in _WORD.findall(plain_text))
            known[word] = any(mark(salt, WORD, each) in marks for each in found)
        return _BLOT if known[word] else word

    return _PIECE.sub(said, text)


def without_erased(client: str, text: str) -> str:
    """Return a text without the words that name erased persons of a client."""
    stones = tombstones(client) if has_erased(client) else None
    return blotted(stones.salt, stones.marks, text) if stones else text
