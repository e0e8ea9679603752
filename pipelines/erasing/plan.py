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
    CONVERSION,
    CUSTOMER,
    EMAIL,
    NAMING,
    PEOPLE,
    REFUND,
    TOUCHPOINT,
)
from pipelines.erasing.linked_people import Identifier, Person
from pipelines.ingest.source_log import SourceLog
from pipelines.ingest.table import HAS_AMOUNT
from pipelines.lake.tombstones import (
    ERASED,
    ORDER,
    SHARED,
    WORD,
    erasures_folder,
    has_erased,
    mark,
    plain,
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
    orders = [] if is_excluded else _with_money(connection, client, rows)
    with_money = {each.value for each in orders}
    run, news = secrets.token_hex(6), dict[str, str]()
    for each in ids:  # in their order: what happened in one second stays as it was
        ends = ORDER if each.value in with_money else ""
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


def named_rows(
    connection: duckdb.DuckDBPyConnection, client: Client, own: list[Identifier]
) -> list[Identifier]:
    """Return what the rows of a person are called: their sessions, events, orders and memberships.

    A deal on which others are, too, keeps its id: it is the account's.
    """
    connection.execute("CREATE OR REPLACE TEMP TABLE person (kind TEXT, value TEXT)")
    if own:
        connection.executemany("INSERT INTO person VALUES (?, ?)", [list(each) for each in own])
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE called (source_table TEXT, kind TEXT, value TEXT)"
    )
    others = list[str]()
    for (source, table), columns in NAMING.items():
        log = SourceLog(client.id, source)
        first, kinds = next(iter(columns.items()))
        people = {name: each[0] for name, each in columns.items() if each[0] in PEOPLE}
        if not log.has(table) or not people:
            continue
        is_theirs = " OR ".join(
            f"{plain(name)} IN (SELECT value FROM person WHERE kind = '{kind}')"
            for name, kind in people.items()
        )
        rows = log.rows(table, columns)
        if kinds[0] not in PEOPLE:
            for kind, name in [(kind, name) for kind in kinds for name in (first, "row_key")]:
                connection.execute(
                    f"""INSERT INTO called SELECT DISTINCT '{table}', '{kind}', {plain(name)}
                    FROM {rows} AS log WHERE ({is_theirs}) AND {name} IS NOT NULL"""
                )
        if table == "events":  # a visit that nobody else had
            connection.execute(
                f"""INSERT INTO called SELECT 'events', '{TOUCHPOINT}', {plain("session_id")} AS session
                FROM {rows} AS log WHERE session IS NOT NULL
                GROUP BY session HAVING BOOL_AND(COALESCE({is_theirs}, FALSE))"""
            )
        deal = {"contact_roles": "opportunity_id", "leads": "converted_opportunity_id"}.get(table)
        if deal:
            others.append(
                f"SELECT {plain(deal)} FROM {rows} AS log WHERE NOT COALESCE({is_theirs}, FALSE)"
                f" AND {deal} IS NOT NULL"
            )
    elsewhere = " UNION ALL ".join(others) or "SELECT '' WHERE FALSE"
    found = connection.execute(
        f"""SELECT DISTINCT kind, value FROM called
        WHERE source_table <> 'opportunities' OR value NOT IN ({elsewhere})"""
    ).fetchall()
    rows_of = [Identifier(*each) for each in found]
    return [*rows_of, *_refunds_of(connection, client, rows_of)]


def _refunds_of(
    connection: duckdb.DuckDBPyConnection, client: Client, rows_of: list[Identifier]
) -> list[Identifier]:
    """Return what the refunds of some orders are called."""
    log = SourceLog(client.id, "web")
    if not log.has("refunds"):
        return []
    rows = connection.execute(
        f"""SELECT DISTINCT {plain("name")} FROM (
          SELECT UNNEST([refund_id, row_key]) AS name FROM {log.rows("refunds", ["refund_id"])} AS log
          WHERE {plain("conversion_id")} IN (SELECT UNNEST($orders::TEXT[]))
        ) WHERE name IS NOT NULL""",
        {"orders": [each.value for each in rows_of if each.kind == CONVERSION]},
    ).fetchall()
    return [Identifier(REFUND, value) for (value,) in rows]


def _with_money(
    connection: duckdb.DuckDBPyConnection, client: Client, rows_of: list[Identifier]
) -> list[Identifier]:
    """Return which of some rows have an amount, and which take one off: more of these may come later."""
    conversions = [each.value for each in rows_of if each.kind == CONVERSION]
    found = {each for each in rows_of if each.kind == REFUND}
    for (source, table), has_amount in HAS_AMOUNT.items():
        log, own = SourceLog(client.id, source), next(iter(NAMING[source, table]))
        for name in (own, "row_key") if log.has(table) else ():
            rows = connection.execute(
                f"""SELECT DISTINCT {plain(name)} AS value FROM {log.rows(table)} AS log
                WHERE {has_amount} AND value IN (SELECT UNNEST($conversions::TEXT[]))""",
                {"conversions": conversions},
            ).fetchall()
            found |= {Identifier(CONVERSION, value) for (value,) in rows}
    return sorted(found)


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
