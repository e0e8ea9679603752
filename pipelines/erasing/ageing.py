"""Age persons: whose newest event is older than the client's `retention_days` stands for nobody from then on.

As GA4 counts, a person's days begin anew with each event of theirs, and all of their events go together: so no
journey is cut, each total stays, and a rebuild says the same. What is in quarantine, or was refused, goes by
its own age. People without an event, as a CRM's contacts, stay as long as their source delivers them.

Where journeys are those of accounts, so do all of the CRM's people: see `returned_people`. Accounts are no
people; with an account's name, visits age as those of their browser do. Who shares an address is one.
"""

import secrets
from datetime import datetime, time, timedelta, timezone

import duckdb

from pipelines.contracts.catalog import CONTRACTS
from pipelines.contracts.people import CUSTOMER, NAMING, PEOPLE, VISITOR
from pipelines.erasing.linked_people import Identifier, gather_names
from pipelines.erasing.named_rows import named_rows
from pipelines.erasing.plan import Plan, read_by_rules
from pipelines.erasing.receipts import receipts
from pipelines.ingest.source_log import SourceLog
from pipelines.lake.tombstones import AGED, mark, plain, salt_of
from pipelines.settings.client import Client

EVERY = timedelta(days=7)  # a warehouse is copied without them: not each morning
_STEPS = 50
_ACCOUNTS = {  # by table, the column that names an account
    "opportunities": "account_id",
    "contacts": "account_id",
    "leads": "converted_account_id",
}


def is_due(client: Client, now: datetime) -> bool:
    """Return whether a client's data may be too old, and nobody looked for a week; `now` is UTC."""
    if client.retention_days is None:
        return False
    made = [
        datetime.fromisoformat(each.begun_at) for each in receipts(client.id) if not each.person
    ]
    return not made or max(made) + EVERY <= now.replace(tzinfo=timezone.utc)


def plan_ageing(connection: duckdb.DuckDBPyConnection, client: Client, now: datetime) -> Plan:
    """Return the plan by which all whose newest event is too old stand for nobody; it may have no names."""
    assert client.retention_days is not None
    day = now.date() - timedelta(
        days=client.retention_days
    )  # ingest still takes events of that day
    oldest = datetime.combine(day, time())
    gather_names(connection, client)
    people = _too_old(connection, client, oldest)
    salt, run = salt_of(client.id), secrets.token_hex(6)
    ids = sorted(
        {*people, *named_rows(connection, client, people)}, key=lambda each: (each.value, each.kind)
    )
    news = {
        value: f"{AGED}{run}-{place:06d}"
        for place, value in enumerate(sorted({each.value for each in ids}))
    }
    return Plan(
        client.id,
        secrets.token_hex(8),
        person="",
        prefix=AGED,
        renames={mark(salt, *each): news[each.value] for each in ids},
        stays=read_by_rules(client),
        begun_at=now.replace(tzinfo=timezone.utc).isoformat(timespec="seconds"),
        quarantined_before=oldest.isoformat(),
        returns_people=client.attribution.journeys == "account",
    )


def _too_old(
    connection: duckdb.DuckDBPyConnection, client: Client, oldest: datetime
) -> list[Identifier]:
    """Return the identifiers of all people who had an event, the newest of which is too old.

    People are one as far as links go that are not `cut`; a shared browser ages with its own last session.
    """
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE seen (kind TEXT, value TEXT, seen_at TIMESTAMP)"
    )
    for (source, table), columns in NAMING.items():
        log, dated_by = SourceLog(client.id, source), CONTRACTS[source][table].dated_by
        people = {name: kinds[0] for name, kinds in columns.items() if kinds[0] in PEOPLE}
        own = next(iter(columns.values()))[0]
        if not (log.has(table) and dated_by) or own in PEOPLE:
            continue
        newest = ", ".join(f"TRY_CAST(LEFT({name}, 10) AS DATE)" for name in dated_by)
        for name, kind in people.items():
            connection.execute(
                f"""INSERT INTO seen SELECT '{kind}', {plain(name)}, MAX(GREATEST({newest}))
                FROM {log.rows(table, [*columns, *dated_by])} AS log WHERE {name} IS NOT NULL GROUP BY 2"""
            )
    _cut_links(connection, client)
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE groups AS
        SELECT kind, value, kind || ' ' || value AS person FROM names"""
    )
    for _ in range(_STEPS):
        connection.execute(
            """CREATE OR REPLACE TEMP TABLE joined AS
            SELECT groups.kind, groups.value, LEAST(groups.person, MIN(others.person)) AS person
            FROM groups LEFT JOIN (
              FROM links ANTI JOIN cut USING (kind, value, to_kind, to_value)
            ) AS links USING (kind, value)
            LEFT JOIN groups AS others ON links.to_kind = others.kind AND links.to_value = others.value
            GROUP BY groups.kind, groups.value, groups.person"""
        )
        changed = connection.execute(
            "SELECT COUNT(*) FROM groups JOIN joined USING (kind, value) WHERE groups.person <> joined.person"
        ).fetchone()
        connection.execute("CREATE OR REPLACE TEMP TABLE groups AS FROM joined")
        if not changed or not changed[0]:
            break
    found = connection.execute(
        f"""SELECT kind, value FROM groups JOIN (
          SELECT person FROM groups JOIN seen USING (kind, value) GROUP BY person
          HAVING MAX(seen_at) < $oldest AND COUNT(*) = COUNT(seen_at)
        ) USING (person)
        WHERE NOT STARTS_WITH(value, '{AGED}') AND NOT STARTS_WITH(value, 'erased-')
        AND (kind, value) NOT IN (SELECT (kind, value) FROM accounts)""",
        {"oldest": oldest},
    ).fetchall()
    return [Identifier(*each) for each in found]


def _cut_links(connection: duckdb.DuckDBPyConnection, client: Client) -> None:
    """Fill `cut` with the links by which people are not one, and `accounts` with what is no person.

    By account, a contact stays linked with each name that a session may have for it: they age together.
    """
    by_account = client.attribution.journeys == "account"
    log = SourceLog(client.id, "salesforce")
    named = [
        f"SELECT {plain(name)} AS value FROM {log.rows(table, [name])} AS log WHERE {name} IS NOT NULL"
        for table, name in _ACCOUNTS.items()
        if by_account and log.has(table)
    ]
    accounts = " UNION ".join(named) or "SELECT NULL::TEXT AS value WHERE FALSE"
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE accounts AS SELECT '{CUSTOMER}' AS kind, value FROM ({accounts});
        CREATE OR REPLACE TEMP TABLE cut AS
        SELECT links.* FROM links
        WHERE ({not by_account} OR '{VISITOR}' IN (kind, to_kind)) AND (
          (kind, value) IN (SELECT (kind, value) FROM shared)
          OR (to_kind, to_value) IN (SELECT (kind, value) FROM shared)
        ) OR (kind, value) IN (SELECT (kind, value) FROM accounts)
        OR (to_kind, to_value) IN (SELECT (kind, value) FROM accounts)"""
    )
