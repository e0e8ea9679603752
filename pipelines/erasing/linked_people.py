"""Find a person: all identifiers that the client's own data link, and those that they share with others.

A session links a browser with a customer, a lead its address and the contact that it became. Where
journeys are those of accounts, sessions call a person by the contact's id or address, so those are one.
What several people have, as a family's browser or `info@example.com`, is not followed: who asks is told.
"""

from collections.abc import Iterator
from typing import NamedTuple

import duckdb

from pipelines.contracts.people import CONTACT, CUSTOMER, EMAIL, LEAD, NAMING, PEOPLE
from pipelines.ingest.source_log import SourceLog
from pipelines.lake.tombstones import plain
from pipelines.settings.client import Client

_STEPS = 50  # from one identifier to the next; no person is that long a chain
_MOST_BROWSERS = (
    20  # of a person; a customer of more, and of a large share of all, is `guest` or a test
)


class Identifier(NamedTuple):
    """What something is called: a customer, a visitor, and so on, in small letters."""

    kind: str
    value: str

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"


class Shared(NamedTuple):
    """An identifier of the person that others have, too."""

    identifier: Identifier
    others: int


class Person(NamedTuple):
    """Whose rows are to be erased: their own identifiers, and those that are others', too."""

    own: list[Identifier]
    shared: list[Shared]


class UnclearPerson(Exception):
    """A text that names several people, or nobody; it says what to write instead."""


def gather_names(connection: duckdb.DuckDBPyConnection, client: Client) -> None:
    """Fill `names` (kind, value) and `links` between them with all that the client's lake says."""
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE names (kind TEXT, value TEXT);
        CREATE OR REPLACE TEMP TABLE links (kind TEXT, value TEXT, to_kind TEXT, to_value TEXT)"""
    )
    for source, table, rows in _relations(client):
        named = _people_of(source, table)
        for column, kind in named.items():
            connection.execute(
                f"INSERT INTO names SELECT DISTINCT '{kind}', {plain(column)} FROM {rows} AS log"
                f" WHERE {column} IS NOT NULL"
            )
        columns = list(named)
        for other in columns[1:]:
            _link(connection, rows, columns[0], other, named)
    called = (CONTACT, LEAD, EMAIL) if client.attribution.journeys == "account" else (EMAIL,)
    for kind in called:  # a session may call them so
        connection.execute(
            f"""INSERT INTO links SELECT '{kind}', value, '{CUSTOMER}', value FROM names WHERE kind = '{kind}';
            INSERT INTO names SELECT '{CUSTOMER}', value FROM names WHERE kind = '{kind}'"""
        )
    connection.execute(
        """INSERT INTO links SELECT to_kind, to_value, kind, value FROM links;
        CREATE OR REPLACE TEMP TABLE names AS SELECT DISTINCT * FROM names;
        CREATE OR REPLACE TEMP TABLE links AS SELECT DISTINCT * FROM links"""
    )
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE shared AS
        SELECT kind, value, COUNT(*) AS people FROM links
        WHERE (kind, to_kind) IN (('visitor', 'customer'), ('email', 'contact'), ('email', 'lead'))
        GROUP BY kind, value, to_kind HAVING COUNT(*) > 1
        UNION ALL
        SELECT kind, value, COUNT(*) AS people FROM links
        WHERE kind = 'customer' AND to_kind = 'visitor'
        GROUP BY kind, value HAVING COUNT(*) > GREATEST($most, $share * (
          SELECT COUNT(*) FROM names WHERE kind = 'visitor'
        ))""",
        {"most": _MOST_BROWSERS, "share": client.quality.dominant_id_share},
    )


def find(connection: duckdb.DuckDBPyConnection, said: str) -> Person:
    """Return the person whom a text names: an address, or an id, also as `visitor:4711`.

    Raise UnclearPerson if it names nobody, or several who have nothing to do with each other.
    """
    kind, _, value = said.partition(":")
    is_kind = kind in PEOPLE and bool(value)
    (text,) = connection.execute(
        f"SELECT {plain('said')} FROM (SELECT ? AS said)", [value if is_kind else said]
    ).fetchone() or ("",)
    kinds = connection.execute(
        "SELECT DISTINCT kind FROM names WHERE value = ? ORDER BY 1", [text]
    ).fetchall()
    found = [
        _reached(connection, Identifier(each, text))
        for (each,) in kinds
        if not is_kind or each == kind
    ]
    if not found:
        return Person(
            [Identifier(kind if is_kind else EMAIL if "@" in text else CUSTOMER, text)], []
        )
    own = {each for one in found for each in one.own}
    if any(set(one.own) != own for one in found) and len(found) > 1:
        names = ", ".join(f"PERSON={each}:{said}" for (each,) in kinds)
        raise UnclearPerson(
            f"{said} is the id of several, who have nothing to do with each other: say {names}"
        )
    shared = {each for one in found for each in one.shared}
    return Person(sorted(own), sorted(shared))


def _reached(connection: duckdb.DuckDBPyConnection, start: Identifier) -> Person:
    """Return all that is linked with an identifier, as far as nothing is shared."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE reached AS SELECT ? AS kind, ? AS value", list(start)
    )
    for _ in range(_STEPS):
        added = connection.execute(
            """INSERT INTO reached SELECT DISTINCT to_kind, to_value
            FROM reached JOIN links USING (kind, value) ANTI JOIN shared USING (kind, value)
            WHERE (to_kind, to_value) NOT IN (SELECT (kind, value) FROM reached)"""
        ).fetchone()
        if not added or not added[0]:
            break
    rows = connection.execute(
        "SELECT kind, value, MAX(people) FROM reached LEFT JOIN shared USING (kind, value) GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    own = [Identifier(kind, value) for kind, value, people in rows if not people]
    return Person(
        own, [Shared(Identifier(*each[:2]), each[2] - bool(own)) for each in rows if each[2]]
    )


def _relations(client: Client) -> Iterator[tuple[str, str, str]]:
    """Yield each table of the log that names people, with its rows of all loads as SQL."""
    for (source, table), columns in NAMING.items():
        log = SourceLog(client.id, source)
        if log.has(table):
            yield source, table, log.rows(table, columns)


def _people_of(source: str, table: str) -> dict[str, str]:
    """Return the columns of a table that name a person, with the kind."""
    named = {column: kinds[0] for column, kinds in NAMING[source, table].items()}
    return {column: kind for column, kind in named.items() if kind in PEOPLE}


def _link(
    connection: duckdb.DuckDBPyConnection, rows: str, one: str, other: str, kinds: dict[str, str]
) -> None:
    connection.execute(
        f"""INSERT INTO links
        SELECT DISTINCT '{kinds[one]}', {plain(one)}, '{kinds[other]}', {plain(other)}
        FROM {rows} AS log WHERE {one} IS NOT NULL AND {other} IS NOT NULL"""
    )
