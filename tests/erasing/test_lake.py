"""A person is erased from the lake: rows stay, count, and name nobody; no delivery brings the person back."""

import hashlib
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from pipelines.__main__ import app
from pipelines.erasing import erasure
from pipelines.erasing.plan import Plan, pending
from pipelines.home import stream_folder
from pipelines.ingest.run import Outcome, ingest_source
from pipelines.ingest.withdrawal import withdraw
from pipelines.lake import merging
from pipelines.lake.append import alone_at_once
from pipelines.lake.loads import committed_files, committed_loads, read_loads
from pipelines.serving.turn import STREAM, turn
from tests.builders.searching import traces
from tests.conftest import House

SETTINGS = """
name: One
currency: EUR
quality: {quarantine_limit: 0.9, deletion_limit: 1}
attribution: {journeys: account, contacts: {match: email}}
sources:
  web:
    sessions: {files: exports/one/sessions*, delivery: full, expected_every: never}
  salesforce:
    opportunities: {files: exports/one/deals*, delivery: full, expected_every: never}
    contacts: {files: exports/one/contacts*, delivery: full, expected_every: never}
    contact_roles: {files: exports/one/roles*, delivery: full, expected_every: never}
    leads: {files: exports/one/leads*, delivery: full, expected_every: never}
"""
MAIL, HASHED = "Anna.Muster@example.com", hashlib.sha256(b"anna.muster@example.com").hexdigest()
NAMES = [MAIL, "v-laptop-7", "contact-0042", "lead-0042", "session-001", "session-002", "role-001"]
FILES = {
    "sessions-1.csv": f"""session_id,visitor_id,customer_id,started_at,source,medium,campaign,referrer,gclid
session-001,v-laptop-7,{MAIL},2026-10-01 10:00:00,google,cpc,spring,https://a.example/?q=1,Click1
session-002,v-laptop-7,,2026-10-02 10:00:00,news,email,spring,,
session-003,v-family-1,{MAIL},2026-10-03 10:00:00,google,cpc,spring,,
session-004,v-family-1,bob@example.com,2026-10-04 10:00:00,google,cpc,spring,https://b.example/?from=anna.muster%40example.com&x=1,
session-005,v-office-2,bob@example.com,2026-10-04 11:00:00,google,cpc,spring,,
session-006,v-laptop-7,{MAIL},no time at all,google,cpc,spring,,
""",
    "deals-1.csv": """opportunity_id,customer_id,account_id,stage,is_won,closed_at,amount,opened_at
deal-0001,,account-1,Won,true,2026-10-05,1000,2026-10-01
""",
    "contacts-1.csv": f"""contact_id,account_id,email,name,created_at
contact-0042,account-1,{MAIL},Anna Muster,2026-09-01
contact-0043,account-1,bob@example.com,Bob,2026-09-01
""",
    "roles-1.csv": """contact_role_id,opportunity_id,contact_id,role,is_primary
role-001,deal-0001,contact-0042,User,false
role-002,deal-0001,contact-0043,User,true
""",
    "leads-1.csv": f"""lead_id,created_at,email,company,converted_date,converted_account_id,converted_contact_id,converted_opportunity_id
lead-0042,2026-08-01,{MAIL.lower()},Muster,2026-09-01,account-1,contact-0042,deal-0001
""",
}


class Shop:
    """A client whose exports name Anna, who is erased, and Bob, who stays."""

    def __init__(self, home: Path) -> None:
        self.home = home
        (home / "clients/one.yaml").write_text(SETTINGS)
        self.exports = home / "exports/one"
        self.exports.mkdir(parents=True)
        for name, text in FILES.items():
            (self.exports / name).write_text(text)

    def ingest(self, is_asked: bool = False) -> dict[str, Outcome]:
        client = House(self.home).client("one")
        return {source: ingest_source(client, source, is_asked) for source in ("web", "salesforce")}

    def erase(self, person: str, *options: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["erase", "one", "--person", person, *options])
        assert not done.exception or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.output

    def rows(self, query: str, source: str = "web", table: str = "sessions") -> list[tuple]:
        loads = committed_loads(str(folder := self.home / "lake/one" / source))
        log = read_loads(committed_files(str(folder), table, loads), loads)
        with duckdb.connect() as connection:
            return connection.execute(query.format(log=f"{log} AS log")).fetchall()


@pytest.fixture
def shop(house: House) -> Shop:
    """A client that is loaded; the deals of a second day were refused."""
    shop = Shop(house.home)
    (shop.exports / "deals-2.csv").write_text(f"opportunity_id,customer_id\ndeal-2,{MAIL}\n")
    assert shop.ingest()["salesforce"].status.code == "refused"
    (shop.exports / "deals-2.csv").unlink()
    assert {each.status.code for each in shop.ingest().values()} == {"ok"}
    return shop


COUNTED = """SELECT SUM(rows_read), SUM(rows_appended + rows_unchanged), SUM(rows_quarantined),
SUM(COALESCE(rows_anonymous, 0)), SUM(COALESCE(rows_erased, 0)) FROM {log} WHERE table_name = 'sessions'"""
SPENT = "SELECT session_id, started_at, campaign, medium FROM {log} ORDER BY started_at"


def test_the_dry_run_shows_all_and_changes_nothing(shop: Shop) -> None:
    before = {file: file.read_bytes() for file in (shop.home / "lake").rglob("*.parquet")}
    for name in (MAIL.lower(), "contact-0042", "lead-0042", "v-laptop-7", f"email:{MAIL}"):
        status, said = shop.erase(name)
        assert status == 1 and "nothing was changed" in said
        assert f"email {MAIL.lower()}" in said and "visitor v-laptop-7" in said
        assert "visitor v-family-1 is also that of 1 other: say SHARED=keep" in said
        assert "exports/one/contacts-1.csv holds them, too" in said and "deals-1" not in said
    assert {file: file.read_bytes() for file in (shop.home / "lake").rglob("*.parquet")} == before
    status, said = shop.erase(MAIL, "--yes")
    assert status == 1 and "SHARED=keep or SHARED=erase" in said
    assert shop.erase("nobody@example.com")[0] == 1


def test_no_byte_names_the_person_and_the_rows_count(shop: Shop) -> None:
    found = {part for file, _ in traces(shop.home, NAMES) for part in Path(file).parts}
    assert found > {"_refused", "quarantine", "sessions", "contacts", "leads", "contact_roles"}
    rows = shop.rows(SPENT)

    status, said = shop.erase(MAIL, "--yes", "--shared", "keep")

    assert status == 0, said
    assert traces(shop.home, [*NAMES, "Click1", "Anna Muster"]) == []
    after = shop.rows(SPENT)
    assert [row[1:] for row in after] == [row[1:] for row in rows]
    assert [row[0] for row in after][3:] == ["session-004", "session-005"]
    (people,) = shop.rows(
        "SELECT COUNT(DISTINCT customer_id), COUNT(DISTINCT visitor_id) FROM {log}"
    )
    assert people == (2, 3)
    assert shop.rows(COUNTED, table="exports") == [(6, 2, 0, 3, 1)]
    mails = "SELECT COUNT(DISTINCT email) FROM {log}"
    assert shop.rows(mails, "salesforce", "contacts") == [(2,)]
    (receipt,) = (shop.home / "lake/one/_erasures/receipts.jsonl").read_text().splitlines()
    assert json.loads(receipt)["receipt"] in said
    assert (shop.home / "lake/one/_erasures/salt").stat().st_mode & 0o077 == 0
    status, said = shop.erase(MAIL, "--yes")
    assert status == 0 and "erased already" in said


def test_no_delivery_brings_the_person_back(shop: Shop) -> None:
    shop.erase(MAIL, "--yes", "--shared", "erase")
    assert traces(shop.home, [*NAMES, "v-family-1"]) == []
    rows = shop.rows(SPENT)

    more = (
        FILES["sessions-1.csv"] + f"session-007,v-new-1,{HASHED},2026-10-09,google,cpc,spring,,\n"
    )
    (shop.exports / "sessions-2.csv").write_text(more)
    (shop.exports / "contacts-2.csv").write_text(
        FILES["contacts-1.csv"]
        .upper()
        .replace(
            "CONTACT_ID,ACCOUNT_ID,EMAIL,NAME,CREATED_AT",
            "contact_id,account_id,email,name,created_at",
        )
    )
    (shop.exports / "deals-2.csv").write_text(f"opportunity_id,customer_id\ndeal-2,{MAIL}\n")
    done = shop.ingest()
    (shop.exports / "deals-2.csv").unlink()
    again = shop.ingest(is_asked=True)

    assert done["salesforce"].status.code == "refused" and again["salesforce"].status.code == "ok"
    assert "5 rows of erased persons are left out" in str(done["web"].status.notes)
    assert (
        shop.rows(SPENT) == rows
    )  # nothing came, and nothing was deleted that a full export lacks
    assert traces(shop.home, [*NAMES, "v-family-1"]) == []
    read, kept, bad, nobody, erased = shop.rows(COUNTED, table="exports")[0]
    assert read == kept + bad + nobody + erased and erased > 10
    newest = (
        "SELECT LIST(contact_id) FROM {log} WHERE NOT is_deleted AND contact_id LIKE 'contact%'"
    )
    assert "contact-0042" not in str(shop.rows(newest, "salesforce", "contacts"))


def test_merged_files_and_those_that_wait_for_readers_name_nobody(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    head, *_ = FILES["sessions-1.csv"].splitlines()
    bad, new = "v-laptop-7,,no time at all,google,cpc,,,", "v-laptop-7,,2026-10-08,google,cpc,,,"
    other = "v-office-2,bob@example.com,2026-10-09,google,cpc,spring,,"
    more = [head, f"session-008,{new}", f"session-009,{bad}", f"session-010,{other}"]
    (shop.exports / "sessions-2.csv").write_text(
        FILES["sessions-1.csv"] + "\n".join(more[1:]) + "\n"
    )
    assert shop.ingest()["web"].status.code == "ok"
    monkeypatch.setattr(merging, "FEW", 2)
    now = datetime.now(timezone.utc).replace(tzinfo=None)
    assert merging.merge("one", now).into > 3
    folders = {each.parent.name for each in shop.home.glob("lake/one/web/*/merged-*.parquet")}
    assert folders >= {"sessions", "quarantine", "exports"}
    names = [*NAMES, "session-008", "session-009"]
    found = [file for file, _ in traces(shop.home / "lake/one/web", names)]
    assert any("merged-" in each for each in found)
    assert any("merged-" not in each and each.startswith("sessions/") for each in found)
    rows = [row[1:] for row in shop.rows(SPENT)]

    assert shop.erase(MAIL, "--yes", "--shared", "keep")[0] == 0

    assert traces(shop.home, names) == []
    assert [row[1:] for row in shop.rows(SPENT)] == rows
    read, kept, bad_rows, nobody, erased = shop.rows(COUNTED, table="exports")[0]
    assert (read, bad_rows, read - kept - nobody - erased) == (6 + 9, 0, 0)
    before = shop.rows(SPENT), shop.rows(COUNTED, table="exports")
    assert merging.merge("one", now + timedelta(days=1)).removed > 3
    assert (shop.rows(SPENT), shop.rows(COUNTED, table="exports")) == before

    (shop.exports / "sessions-2.csv").unlink()
    (load,) = shop.rows("SELECT load_id FROM {log} WHERE session_id = 'session-010'")[0]
    (taken,) = withdraw("one", load)
    assert (taken.table, taken.deleted) == ("sessions", 2)
    more = f"session-011,{other}\nsession-012,{new}\n"
    (shop.exports / "sessions-3.csv").write_text(FILES["sessions-1.csv"] + more)
    assert shop.ingest()["web"].status.code == "ok"
    assert traces(shop.home, [*names, "session-012"]) == []
    newest = shop.rows(
        """SELECT is_deleted, COUNT(*) FROM (FROM {log} QUALIFY ROW_NUMBER() OVER (
        PARTITION BY row_key ORDER BY loaded_at DESC, ordinal DESC) = 1) GROUP BY ALL ORDER BY 1"""
    )
    assert newest == [(False, 6), (True, 2)]  # all but what was withdrawn, and Bob's new session


def test_a_stream_waits_and_the_command_says_so(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It brings deals in under the source's lock, and publishes under that of the client's files."""
    whole, seen = erasure.in_texts, list[bool]()

    def looks(plan: Plan, is_done: bool) -> Any:
        if is_done:
            with alone_at_once("one", "salesforce") as may_bring:
                seen.append(may_bring)
        return whole(plan, is_done)

    monkeypatch.setattr(erasure, "in_texts", looks)
    with turn(STREAM, folder=stream_folder()):
        status, said = shop.erase(MAIL, "--yes", "--shared", "keep")
    assert status == 0 and seen == [False]
    (line,) = [each for each in said.splitlines() if "make stream" in each]
    assert "it waits until this has ended" in line
    assert "make stream" not in shop.erase(MAIL, "--yes")[1]


@pytest.mark.parametrize("step", ["in_ihc_log", "in_texts", "sign", "forget"])
def test_an_erasure_that_died_goes_on(
    shop: Shop, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = getattr(erasure, step)

    def dies(*arguments: Any) -> Any:
        if arguments[-1] is False:  # it only looks
            return whole(*arguments)
        raise SystemExit(9)

    with monkeypatch.context() as dying:
        dying.setattr(erasure, step, dies)
        shop.erase(MAIL, "--yes", "--shared", "keep")
    assert pending("one") and traces(shop.home / "lake/one/_erasures", NAMES) == []

    assert shop.erase("somebody else", "--yes")[0] == 1  # who names nobody; what was begun is ended
    assert not pending("one") and traces(shop.home, NAMES) == []
    assert shop.rows(COUNTED, table="exports") == [(6, 2, 0, 3, 1)]
    assert len((shop.home / "lake/one/_erasures/receipts.jsonl").read_text().splitlines()) == 1
