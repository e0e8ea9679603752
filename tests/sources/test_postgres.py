"""Postgres: a table is read as text in one snapshot, and every refusal has a name."""

import math
import shutil
import socket
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import adbc_driver_postgresql.dbapi as driver
import pytest

from pipelines.ingest import acceptance
from pipelines.ingest import run as ingesting
from pipelines.ingest.load_counts import Counts
from pipelines.ingest.run import Outcome, ingest, ingest_source
from pipelines.processes import Bounds
from pipelines.settings.reader import read
from pipelines.sources.files import postgres as postgres_source
from tests.builders.pasting import paste
from tests.builders.tenant import Tenant
from tests.conftest import House

SETTINGS = """
name: one
currency: EUR
patience_minutes: 0.01
quality: {{quarantine_limit: 0.5}}
sources:
  web:
    sessions:
      postgres: {{table: {table}{cursor}}}
      delivery: {delivery}
      expected_every: never
"""

PASSWORD = "p@ss/w:rd"


class Database:
    """A Postgres of our own, on a socket."""

    def __init__(self, socket: str) -> None:
        self.socket = socket
        self.url = f"postgresql://postgres:@/postgres?host={socket}"

    def run(self, *statements: str) -> None:
        with driver.connect(self.url, autocommit=True) as connection:
            for statement in statements:
                with connection.cursor() as cursor:
                    cursor.execute(statement)

    def refuses(self, user: str) -> bool:
        """Return whether a wrong password is refused."""
        try:
            driver.connect(self.url_of(user, "wrong")).close()
        except driver.Error:
            return True
        return False

    def url_of(self, user: str, password: str, database: str = "postgres") -> str:
        return f"postgresql://{user}:{quote(password, safe='')}@/{database}?host={self.socket}"


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pgserver

        folder = tmp_path_factory.mktemp("postgres")
        server = pgserver.get_server(folder, cleanup_mode="delete")
    database = Database(server.get_uri().partition("host=")[2])
    database.run(f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'")
    rules = folder / "pg_hba.conf"
    rules.write_text("local all reader scram-sha-256\nlocal all all trust\n")
    database.run("SELECT pg_reload_conf()")
    while not database.refuses("reader"):  # the rules are read some time after they are called for
        time.sleep(0.05)
    yield database
    server.cleanup()


SESSION = (
    "session_id, visitor_id, customer_id, started_at, source, medium, campaign"  # the usual columns
)


FACTS = "session_id, visitor_id, source, campaign, started_at"


class Shop(Tenant):
    """A client whose web sessions stand in Postgres."""

    def __init__(self, home: Path, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(home)
        self.database, self.monkeypatch = database, monkeypatch
        self.configure()
        self.login(database.url_of("reader", PASSWORD))
        database.run(
            "DROP SCHEMA IF EXISTS shop CASCADE",
            "CREATE SCHEMA shop",
            """CREATE TABLE shop.sessions (session_id INT, visitor_id TEXT, customer_id TEXT,
            started_at TIMESTAMPTZ, source TEXT, medium TEXT, campaign TEXT, updated_at TIMESTAMPTZ)""",
            "GRANT USAGE ON SCHEMA shop TO reader",
            "GRANT SELECT ON ALL TABLES IN SCHEMA shop TO reader",
        )

    def configure(
        self, table: str = "shop.sessions", cursor: str = "", delivery: str = "increment"
    ) -> None:
        text = SETTINGS.format(table=table, cursor=cursor, delivery=delivery)
        self.settings.write_text(text)

    def login(self, url: str) -> None:
        self.monkeypatch.setenv("CLIENTS__ONE__WEB__URL", url)

    def visit(self, session: int, at: str = "2026-01-01 10:00+02", **values: str) -> None:
        values = {"visitor_id": "v", "started_at": at, "updated_at": at} | values
        said = ", ".join("'" + value.replace("'", "''") + "'" for value in values.values())
        self.database.run(
            f"INSERT INTO shop.sessions (session_id, {', '.join(values)}) VALUES ({session}, {said})"
        )

    def ingest(self, source: str = "web") -> Outcome:
        return super().ingest(source)

    def log(self, columns: str, source: str = "web", table: str = "sessions") -> list[tuple]:
        return super().log(columns, source, table)


@pytest.fixture
def shop(house: House, postgres: Database, monkeypatch: pytest.MonkeyPatch) -> Shop:
    return Shop(house.home, postgres, monkeypatch)


def test_a_table_is_read_as_text_with_offsets(shop: Shop) -> None:
    shop.visit(1, source="Ü'ber\ta\nb", medium="")
    shop.visit(2, "2026-07-01 00:00:00.123456-03:30")
    outcome = shop.ingest()
    assert (outcome.problem, outcome.counts) == ("", Counts(2, 2))
    assert shop.log("session_id, started_at, source, medium, campaign") == [
        ("1", "2026-01-01 08:00:00+00", "Ü'ber\ta\nb", None, None),
        ("2", "2026-07-01 03:30:00.123456+00", None, None, None),
    ]
    assert shop.log("export_file, covers_from", table="exports") == [("shop.sessions", None)]


def test_bytes_arrays_and_json_come_as_postgres_writes_them(shop: Shop) -> None:
    shop.database.run(
        """CREATE VIEW shop."Odd View" AS SELECT 1 AS session_id, '\\x00ff'::BYTEA AS visitor_id,
        ARRAY['a', 'b,c', NULL] AS customer_id, TIMESTAMP '2026-01-01 10:00:00' AS started_at,
        '{"a": [1]}'::JSONB AS source, 1.50::NUMERIC AS medium, TRUE AS campaign""",
        'GRANT SELECT ON shop."Odd View" TO reader',
    )
    shop.configure("shop.Odd View")
    assert not shop.ingest().problem
    assert shop.log(SESSION) == [
        ("1", "\\x00ff", '{a,"b,c",NULL}', "2026-01-01 10:00:00", '{"a": [1]}', "1.50", "true")
    ]


def test_a_table_that_says_nothing_new_is_not_committed(shop: Shop) -> None:
    shop.visit(1)
    assert shop.ingest().counts == Counts(1, 1)
    loads = sorted((shop.home / "lake/one/web/_dlt_loads").iterdir())
    assert shop.ingest().counts == Counts(1, 0, 1)
    assert sorted((shop.home / "lake/one/web/_dlt_loads").iterdir()) == loads
    shop.database.run("UPDATE shop.sessions SET customer_id = 'C1'")
    assert shop.ingest().counts == Counts(1, 1)


def test_a_full_table_deletes_what_is_missing(shop: Shop) -> None:
    shop.configure(delivery="full")
    shop.visit(1), shop.visit(2)
    assert shop.ingest().counts == Counts(2, 2)
    shop.database.run("DELETE FROM shop.sessions WHERE session_id = 1")
    assert shop.ingest().counts == Counts(1, 0, 1, 1)
    shop.database.run("DELETE FROM shop.sessions")
    problem = shop.ingest().problem
    assert problem == "shop.sessions: a full export without a row; see why the table is empty"


def test_a_full_table_that_lacks_too_much_waits_for_a_word(shop: Shop) -> None:
    shop.configure(delivery="full")
    for session in range(1, 5):
        shop.visit(session)
    shop.ingest()
    shop.database.run("DELETE FROM shop.sessions WHERE session_id <> 1")
    problem = shop.ingest().problem
    assert problem.startswith("shop.sessions: it lacks 3 of 4 known rows, such as 2, 3, 4; 1 would")
    (waiting,) = acceptance.waiting_of("one", "web")
    acceptance.accept("one", "web", waiting)
    shop.visit(5)  # what comes meanwhile asks nothing again; what goes does
    shop.database.run("DELETE FROM shop.sessions WHERE session_id = 1")
    assert "it has none of the 4 known rows" in shop.ingest().problem
    shop.visit(1)
    assert shop.ingest().counts == Counts(2, 1, 1, 3)


def test_a_cursor_reads_what_changed_and_a_little_more(shop: Shop) -> None:
    shop.configure(cursor=", cursor: updated_at, overlap_minutes: 30")
    assert shop.ingest().counts == Counts()
    shop.visit(1, "2026-01-01 10:00+00")
    shop.visit(2, "2026-01-01 12:00+00")
    assert shop.ingest().counts == Counts(2, 2)
    assert shop.ingest().counts == Counts(1, 0, 1)
    commits = len(shop.log("export_file", table="exports"))
    shop.visit(3, "2026-01-01 11:45+00")  # committed late
    shop.visit(4, "2026-01-01 11:15+00")  # too late
    shop.database.run("INSERT INTO shop.sessions VALUES (5, 'v', NULL, NOW())")
    assert shop.ingest().counts == Counts(3, 2, 1)
    assert shop.ingest().counts == Counts(3, 0, 3)
    shop.visit(6, "2099-01-01 11:15+00")  # a wrong clock hides nobody
    shop.visit(7, "2026-01-01 12:10+00")
    assert shop.ingest().counts == Counts(5, 2, 3)
    assert commits < len(shop.log("export_file", table="exports"))
    assert shop.log("covers_from, covers_until", table="exports")[-1] == (
        "2026-01-01 12:00:00+00",
        "2026-01-01 12:10:00+00",
    )


@pytest.mark.parametrize("cursor", ["", ", cursor: updated_at, overlap_minutes: 30"])
def test_other_settings_read_a_table_from_its_start(shop: Shop, cursor: str) -> None:
    shop.configure(cursor=cursor)
    shop.visit(1, "2026-01-01 10:00+00", visitor_id="a", source="news")
    shop.visit(2, "2026-01-01 12:00+00", visitor_id="b", source="news")
    shop.ingest()
    house = House(shop.home)
    house.change("one", sources={"web": {"sessions": {"columns": {"campaign": "source"}}}})
    outcome = shop.ingest()
    assert (outcome.problem, outcome.counts) == ("", Counts(2, 2))
    assert shop.newest("session_id, campaign") == {("1", "news"), ("2", "news")}
    assert shop.ingest().counts == (Counts(1, 0, 1) if cursor else Counts(2, 0, 2))

    house.change("one", sources={"web": {"sessions": {"columns": {"session_id": "visitor_id"}}}})
    assert shop.ingest().counts == Counts(2, 2, 0, 2)
    assert shop.newest("session_id") == {("a",), ("b",)}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"table": "shop.none"}, "shop.none: there is no such table; its user may read shop.sessions. To read it,"),
        ({"cursor": ", cursor: changed"}, "shop.sessions: cursor changed is missing; name a column of times (started_at, updated_at)"),
        ({"cursor": ", cursor: source"}, "shop.sessions: cursor source is text; name a column of times"),
    ],
)  # fmt: skip
def test_a_wrong_table_or_cursor_is_named_with_what_is_there(
    shop: Shop, settings: dict, said: str
) -> None:
    shop.configure(**settings)
    outcome = shop.ingest()
    assert outcome.status.code == "refused" and outcome.problem.startswith(said)
    shop.visit(1)
    written = shop.settings.read_text()
    for choice in range(outcome.problem.count("` if ") or 1):
        paste(shop.settings, outcome.problem, choice)
        assert not shop.ingest().problem
        assert ("1",) in shop.log("session_id")
        shop.settings.write_text(written)


def test_a_column_is_joined_of_several(shop: Shop) -> None:
    shop.settings.write_text(
        shop.settings.read_text().replace(
            "postgres: ",
            "columns: {started_at: [day, time], medium: [source, medium]}\n      postgres: ",
        )
    )
    shop.database.run("ALTER TABLE shop.sessions ADD day DATE, ADD time TIME")
    shop.visit(1, day="2026-01-01", time="10:00:01", source="google", medium="cpc")
    shop.visit(2, day="2026-01-02")

    assert not shop.ingest().problem

    assert shop.log("session_id, started_at, source, medium") == [
        ("1", "2026-01-01 10:00:01", "google", "google cpc"),
        ("2", "2026-01-02", None, None),
    ]


def test_a_missing_column_is_named_with_those_there_are(shop: Shop) -> None:
    shop.database.run("ALTER TABLE shop.sessions RENAME medium TO means")
    assert shop.ingest().problem.startswith(
        "shop.sessions: missing column medium; it has campaign, customer_id, means, session_id"
    )


@pytest.mark.parametrize(
    ("url", "code", "said"),
    [
        ("postgresql://reader:wrong-secret@/postgres?host={socket}", "credentials_refused", "refuses its user or password"),
        ("postgresql://nobody:wrong-secret@/postgres?host={socket}", "credentials_refused", "refuses its user or password"),
        ("postgresql://postgres:wrong-secret@/none?host={socket}", "unknown_account", "has no such database"),
        ("postgresql://u:wrong-secret@127.0.0.1:1/x", "connection_cut", "is not reached"),
        ("postgresql://u:wrong-secret@none.invalid/x", "connection_cut", "is not reached"),
        ("postgresql://u:wrong-secret@here@127.0.0.1:1/x", "connection_cut", "is not reached"),
        ("postgresql://u:wrong-secret/x@127.0.0.1:1/x", "credentials_refused", "write CLIENTS__ONE__WEB__URL as postgresql://"),
        ("wrong-secret", "credentials_refused", "write CLIENTS__ONE__WEB__URL as postgresql://"),
        ("", "credentials_missing", "one has no url for web; set CLIENTS__ONE__WEB__URL"),
    ],
)  # fmt: skip
def test_a_database_out_of_reach_makes_the_source_late_and_tells_no_secret(
    shop: Shop, postgres: Database, url: str, code: str, said: str
) -> None:
    shop.login(url.format(socket=postgres.socket))
    outcome = shop.ingest()
    assert outcome.status.code == code and not outcome.status.holds
    assert said in outcome.problem
    written = [path for path in (shop.home / "lake").rglob("*") if path.is_file()]
    assert written and not any(b"wrong-secret" in path.read_bytes() for path in written)


def test_a_table_that_may_not_be_read_is_a_matter_of_credentials(shop: Shop) -> None:
    shop.database.run("REVOKE SELECT ON shop.sessions FROM reader")
    outcome = shop.ingest()
    assert outcome.status.code == "credentials_refused"
    assert "does not let its user read shop.sessions; run there: GRANT" in outcome.problem
    assert outcome.problem.endswith(' TO "reader"')
    shop.visit(1)
    shop.database.run("REVOKE USAGE ON SCHEMA shop FROM reader")
    assert shop.ingest().problem == outcome.problem
    shop.database.run(*outcome.problem.partition("run there: ")[2].split("; "))
    assert not shop.ingest().problem


def test_a_user_that_may_not_connect_is_told_the_grant(shop: Shop) -> None:
    shop.visit(1)
    shop.database.run("REVOKE CONNECT ON DATABASE postgres FROM PUBLIC")
    try:
        outcome = shop.ingest()
        assert outcome.status.code == "credentials_refused"
        shop.database.run(outcome.problem.partition("run there: ")[2])
        assert not shop.ingest().problem
    finally:
        shop.database.run("GRANT CONNECT ON DATABASE postgres TO PUBLIC")


@pytest.mark.parametrize(
    ("cursor", "hidden"), [("", "source"), (", cursor: updated_at", "updated_at")]
)
def test_a_column_that_may_not_be_read_is_named(shop: Shop, cursor: str, hidden: str) -> None:
    shop.visit(1)
    columns = {*SESSION.split(", "), "updated_at"}
    shop.configure(cursor=cursor)
    shop.database.run(
        "REVOKE SELECT ON shop.sessions FROM reader",
        f"GRANT SELECT ({', '.join(columns - {hidden})}) ON shop.sessions TO reader",
        "ALTER TABLE shop.sessions ADD secret TEXT",  # nobody reads it
    )
    outcome = shop.ingest()
    assert outcome.status.code == "credentials_refused"
    assert f"does not let its user read {hidden} of shop.sessions; run there:" in outcome.problem
    shop.database.run(*outcome.problem.partition("run there: ")[2].split("; "))
    assert shop.ingest().counts == Counts(1, 1)


def test_a_query_that_does_not_end_is_ended_by_the_database(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it would go on when the process that asked was ended, and one more the next morning."""
    session = postgres_source._SESSION.replace("{minutes}min", "200ms")
    monkeypatch.setattr(postgres_source, "_SESSION", session)
    shop.database.run(
        """CREATE VIEW shop.endless AS SELECT session_id, visitor_id, customer_id, started_at,
        pg_sleep(3600)::TEXT AS source, medium, campaign FROM shop.sessions""",
        "GRANT SELECT ON shop.endless TO reader",
    )
    shop.visit(1)
    shop.configure("shop.endless")
    outcome = shop.ingest()
    assert outcome.status.code == "platform_down" and "stopped the query" in outcome.problem


@pytest.mark.parametrize(
    "bound", [Bounds(seconds=0.5), Bounds(megabytes=60)], ids=["time", "memory"]
)
def test_a_table_that_takes_more_than_its_client_allows_is_late_alone(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, bound: Bounds
) -> None:
    """By the minutes of the whole ingest, and by memory: what was published stays, and is told."""
    value = (
        "repeat('v', 40000000)" if bound.megabytes < math.inf else "pg_sleep(0.1)::TEXT"
    )  # six seconds in all
    shop.database.run(
        f"""CREATE VIEW shop.large AS SELECT session_id, visitor_id, customer_id, started_at,
        {value} AS source, medium, campaign FROM shop.sessions, generate_series(1, 60)""",
        "GRANT SELECT ON shop.large TO reader",
    )
    shop.visit(1)
    shop.configure("shop.large")
    monkeypatch.setattr(ingesting, "bounds", lambda client: bound)
    ((outcome,),) = ingest([House(shop.home).client("one")])
    assert outcome.status.code == "platform_down" and not outcome.status.holds
    limit = "memory_mb" if bound.megabytes < math.inf else "minutes"
    assert f"under limits: `{limit}: " in outcome.problem
    shop.database.run(
        "DROP VIEW shop.large", "CREATE VIEW shop.large AS SELECT * FROM shop.sessions"
    )
    shop.database.run("GRANT SELECT ON shop.large TO reader")
    monkeypatch.undo()
    shop.login(shop.database.url_of("reader", PASSWORD))
    paste(shop.settings, outcome.problem)
    assert shop.ingest().counts == Counts(1, 1)


def test_a_server_that_says_nothing_is_not_reached(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "2")  # the least that it takes
    with socket.create_server(("127.0.0.1", 0)) as server:
        shop.login(f"postgresql://user:secret@127.0.0.1:{server.getsockname()[1]}/shop")
        outcome = shop.ingest()
    assert outcome.status.code == "connection_cut" and "is not reached" in outcome.problem


def test_a_connection_that_ends_while_rows_are_read_brings_none(shop: Shop) -> None:
    shop.database.run(
        """INSERT INTO shop.sessions SELECT n, repeat('v', 1000), NULL, NOW()
        FROM generate_series(1, 20000) AS n""",
        """CREATE FUNCTION shop.cut(n INT) RETURNS TEXT LANGUAGE plpgsql AS $$ BEGIN
        IF n = 15000 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN n::TEXT;
        END $$""",
        """CREATE VIEW shop.torn AS SELECT shop.cut(session_id) AS session_id, visitor_id,
        customer_id, started_at, source, medium, campaign FROM shop.sessions""",
        "GRANT SELECT ON shop.torn TO reader",
        "ALTER FUNCTION shop.cut SECURITY DEFINER",
    )
    shop.configure("shop.torn")
    outcome = shop.ingest()
    assert (outcome.status.code, outcome.counts) == ("platform_down", Counts()), outcome.problem
    assert shop.log("session_id") == []


def test_an_error_in_the_table_is_refused_by_name(shop: Shop) -> None:
    shop.visit(1)
    shop.database.run(
        """CREATE VIEW shop.bad AS SELECT 1 / (session_id - 1) AS session_id, visitor_id, customer_id,
        started_at, source, medium, campaign FROM shop.sessions""",
        "GRANT SELECT ON shop.bad TO reader",
    )
    shop.configure("shop.bad")
    assert shop.ingest().problem.startswith("shop.bad: not readable: ")
    assert "division by zero" in shop.ingest().problem


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("postgres:", "files: x.csv\n      postgres:", "write either `files:` or `postgres:`"),
        ("delivery: increment", "delivery: full", "`cursor:` reads what changed, `delivery: full`"),
        ("table: shop.sessions", "table: a.b.c", "write a table, or schema.table"),
    ],
)
def test_settings_that_contradict_are_refused(
    shop: Shop, house: House, old: str, new: str, said: str
) -> None:
    shop.configure(cursor=", cursor: updated_at")
    house.edit("one", old, new)
    assert said in str(read()[1])


def test_the_driver_is_loaded_by_those_who_need_it_alone(house: House) -> None:
    code = "import sys, pipelines.ingest.run; print([name for name in sys.modules if 'postgresql' in name])"
    assert house.run(sys.executable, "-c", code).stdout.strip() == "[]"


WAYS = {
    "all rows": {},
    "by a cursor": {"cursor": ", cursor: updated_at"},
    "a full export": {"delivery": "full"},
}
CHANGES = {
    "another column": ("campaign: medium", {"m1", "m2"}),
    "another key": ("session_id: visitor_id", {"c1", "c2"}),
    "both": ("campaign: medium, session_id: visitor_id", {"m1", "m2"}),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_table_is_read_again_as_a_new_lake_reads_it(shop: Shop, way: str) -> None:
    shop.configure(**WAYS[way])
    for number, day in ((1, "01"), (2, "02"), (9, "03")):
        at, said = f"2026-01-{day} 10:00+00", str(number)
        shop.visit(number, at, visitor_id=f"v{said}", medium=f"m{said}", campaign=f"c{said}")
        assert not shop.ingest().problem
    if is_full := way == "a full export":
        shop.visit(10, at, visitor_id="v10", medium="m10", campaign="c10")
        shop.ingest()
    shop.database.run("DELETE FROM shop.sessions WHERE session_id > 8")
    written = shop.settings.read_text()
    for columns, campaigns in CHANGES.values():
        shop.settings.write_text(f"{written}      columns: {{{columns}}}\n")
        outcome = shop.ingest()
        assert not outcome.problem
        kept = {row for row in shop.newest(FACTS) if row[0] == "9"}
        assert len(kept) == (0 if is_full else 1)  # an increment deletes nothing: it is gone
        notes = "; ".join(outcome.status.notes)
        assert "read again, as settings changed (columns." in notes
        assert ("1 rows of 1 delivery that is gone stay" in notes) == (not is_full)
        found = shop.newest(FACTS) - kept
        assert {row[3] for row in found} == campaigns
        asked = ingest_source(House(shop.home).client("one"), "web", is_asked=True)
        assert (asked.problem, asked.counts.appended, asked.counts.deleted) == ("", 0, 0)
        assert shop.ingest().counts.appended == 0

        lake = shop.home / "lake/one/web"
        lake.rename(lake.with_name("kept"))
        shop.ingest()
        assert found == shop.newest(FACTS)
        shutil.rmtree(lake)
        lake.with_name("kept").rename(lake)
