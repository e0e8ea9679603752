"""Plan what is renamed: a random id for each identifier, kept only until everything is rewritten.

The plan is on disk before the first file changes, and holds marks, no identifiers: whoever was killed in
the middle goes on by it. Once it is done it is removed, and nobody can tell any more who an id was.
"""

import hashlib
import json
import re
import secrets
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path

import duckdb

from pipelines.contracts.people import (
    CUSTOMER,
    EMAIL,
)
from pipelines.erasing.linked_people import Identifier, Person
from pipelines.erasing.named_rows import named_rows, with_money
from pipelines.lake.tombstones import (
    ERASED,
    ORDER,
    SHARED,
    WORD,
    erasures_folder,
    has_erased,
    mark,
    salt_of,
    write_private,
)
from pipelines.settings.client import Client

_TELLING = re.compile(r"(?=.*[a-z])(?=.*[0-9]).{4,}|.*@.*|.{10,}")  # who it is, wherever it stands


@dataclass(frozen=True)
class Plan:
    """What is renamed of a client, by mark; what texts no longer say; and which columns stay as they are."""

    client: str
    receipt: str
    person: str  # the mark of what the operator said
    prefix: str
    renames: dict[str, str]
    words: list[str] = field(default_factory=list)
    shared: list[str] = field(default_factory=list)
    stays: list[str] = field(default_factory=list)  # columns that the client's rules read
    is_excluded: bool = False  # a rule left the person out, who has another name now
    begun_at: str = ""
    quarantined_before: str = ""  # UTC: what is in quarantine since then goes, whosever it is
    orders: dict[str, str] = field(default_factory=dict)  # of the renames: their money may change
    returns_people: bool = False  # what the CRM says of them comes back, by a load of its own
    returned: str = ""  # that load


def plan_erasure(
    connection: duckdb.DuckDBPyConnection,
    client: Client,
    said: str,
    person: Person,
    with_shared: bool,
) -> Plan:
    """Return the plan by which a person is erased; `with_shared`, also what they share with others."""
    salt = salt_of(client.id)
    rows = named_rows(connection, client, person.own)
    ids = sorted(
        {*person.own, *rows, *_hashed(person.own)}, key=lambda each: (each.value, each.kind)
    )
    names = [*person.own]
    shared = {}
    if with_shared:
        names += [each.identifier for each in person.shared]
        marks = [mark(salt, *each.identifier) for each in person.shared]
        shared = {each: f"{SHARED}{each[:16]}" for each in marks}
    is_excluded = _is_excluded(client, names)
    orders = [] if is_excluded else with_money(connection, client, rows)
    changing = {each.value for each in orders}
    run, news = secrets.token_hex(6), dict[str, str]()
    for each in ids:  # in their order: what happened in one second stays as it was
        ends = ORDER if each.value in changing else ""
        news.setdefault(each.value, f"{ERASED}{run}-{len(news):06d}{ends}")
    renames = {mark(salt, *each): news[each.value] for each in ids}
    words = {word for each in names for word in _forms(each) if _TELLING.fullmatch(each.value)}
    words |= {each.value for each in rows if _TELLING.fullmatch(each.value)}
    return Plan(
        client.id,
        secrets.token_hex(8),
        mark(salt, WORD, said.strip().lower()),
        ERASED,
        renames | shared,
        sorted(mark(salt, WORD, word) for word in words),
        sorted(shared),
        read_by_rules(client),
        is_excluded,
        datetime.now(timezone.utc).isoformat(timespec="seconds"),
        orders={mark(salt, *each): news[each.value] for each in orders},
    )


def keep(plan: Plan) -> None:
    """Have a plan on disk, for whoever goes on with it."""
    write_private(_file(plan.client), json.dumps(asdict(plan)))


def pending(client: str) -> Plan | None:
    """Return the plan that was begun and not ended; None if there is none."""
    if not has_erased(client) or not _file(client).exists():
        return None
    return Plan(**json.loads(_file(client).read_text(encoding="utf-8")))


def forget(plan: Plan) -> None:
    """Forget a plan that is carried out: nobody can tell any more whose an id was."""
    _file(plan.client).unlink(missing_ok=True)


def _file(client: str) -> Path:
    return erasures_folder(client) / "pending.json"


def _hashed(own: list[Identifier]) -> list[Identifier]:
    """Return the hashes of addresses by which a source may call a customer, as platforms have them."""
    addresses = [each.value for each in own if each.kind == EMAIL]
    return [Identifier(CUSTOMER, digest) for each in addresses for digest in _digests(each)]


def _forms(name: Identifier) -> list[str]:
    return [name.value, *_digests(name.value)]


def _digests(value: str) -> list[str]:
    texts = {value.encode(), value.upper().encode()}
    ways = (hashlib.sha256, hashlib.sha1, hashlib.md5)
    return [way(text, usedforsecurity=False).hexdigest() for way in ways for text in sorted(texts)]


def read_by_rules(client: Client) -> list[str]:
    """Return the columns that the client's own rules read: they say what they said."""
    by_channel = ["referrer"] if any(rule.referrer for rule in client.channels) else []
    return sorted({*client.exclude, *by_channel})


def _is_excluded(client: Client, names: list[Identifier]) -> bool:
    """Return whether a rule leaves the person out by what they are called, as `*@example.com`."""
    rules = ("customer_id", "client_id", "email", "visitor_id")
    patterns = [value.lower() for rule in rules for value in client.exclude.get(rule, [])]
    return any(
        re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name.value, re.DOTALL)
        for pattern in patterns
        for name in names
    )
