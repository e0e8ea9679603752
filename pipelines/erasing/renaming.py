"""Rename in a relation, whatever it is read from, what a plan renames; the order of its rows stays."""

from typing import NamedTuple

import duckdb

from pipelines.contracts.people import ADDRESSES, CLICK_IDS, PEOPLE, UNREAD
from pipelines.erasing.plan import Plan
from pipelines.lake.merged_files import LOAD_ID
from pipelines.lake.tombstones import marked, marked_words, salt_of, without_words
from pipelines.sql import identifier, literal

WORDS = "GETVARIABLE('words')"  # in SQL, after `prepare`
_EVENT = "event:"  # before the id of an event that is a touchpoint
_TEXTS = ("VARCHAR", "JSON")


class Columns(NamedTuple):
    """What columns of a relation say: of what kind an identifier is, and which are other texts.

    Where one of `whose` stands for nobody, the row is the person's. The `beside` tell more of them.
    """

    naming: dict[str, tuple[str, ...]]
    texts: list[str]
    whose: list[str]
    beside: list[str]
    has_deletions: bool = False


def columns_of(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    naming: dict[str, tuple[str, ...]],
    own: tuple[str, ...] = (),
) -> Columns:
    """Return what the columns of a relation say; those in `own` identify its rows."""
    described = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    texts = [name for name, type_, *_ in described if type_ in _TEXTS]
    named = {name: naming[name] for name in texts if name in naming}
    whose = [name for name in named if name in own or named[name][0] in PEOPLE]
    beside = [
        name for name in texts if name in CLICK_IDS or (own and name in (*ADDRESSES, *UNREAD))
    ]
    others = [
        name for name in texts if name not in named and name not in ("filename", "load_id", LOAD_ID)
    ]
    has_deletions = any(name == "is_deleted" for name, *_ in described)
    return Columns(named, others, whose, beside, has_deletions)


def prepare(connection: duckdb.DuckDBPyConnection, plan: Plan) -> None:
    """Make what `find` reads: the tables `renames` and `words`, by mark, and the list `WORDS`."""
    connection.execute("CREATE OR REPLACE TEMP TABLE renames (mark TEXT, new TEXT)")
    connection.execute("CREATE OR REPLACE TEMP TABLE words (mark TEXT)")
    for table, values in (
        ("renames", list(plan.renames.items())),
        ("words", [(each,) for each in plan.words]),
    ):
        if values:
            marks = ", ".join(f"({', '.join(map(literal, value))})" for value in values)
            connection.execute(f"INSERT INTO {table} VALUES {marks}")
    connection.execute("SET VARIABLE words = (SELECT COALESCE(LIST(mark), []) FROM words)")


def find(
    connection: duckdb.DuckDBPyConnection, plan: Plan, relation: str, columns: Columns
) -> list[str]:
    """Fill `found` (name, old, new) with the values that a relation is to say otherwise; return their columns."""
    salt = salt_of(plan.client)
    connection.execute("CREATE OR REPLACE TEMP TABLE found (name TEXT, old TEXT, new TEXT)")
    for name, kinds in columns.naming.items():
        bare = f"REGEXP_REPLACE(old, '^{_EVENT}', '')"
        marks = " UNION ALL ".join(
            f"SELECT old, {marked(salt, kind, bare)} AS mark FROM each_once" for kind in kinds
        )
        connection.execute(
            f"""INSERT INTO found
            WITH each_once AS (
              SELECT DISTINCT {identifier(name)} AS old FROM {relation} AS log WHERE {identifier(name)} IS NOT NULL
            )
            SELECT {literal(name)}, old, IF(STARTS_WITH(old, '{_EVENT}'), '{_EVENT}', '') || MIN(new)
            FROM ({marks}) JOIN renames USING (mark) GROUP BY old"""
        )
    if plan.words:
        for name in columns.texts:
            said = without_words(salt, "old", WORDS)
            connection.execute(
                f"""INSERT INTO found SELECT {literal(name)}, old, {said} FROM (
                  SELECT DISTINCT {identifier(name)} AS old FROM {relation} AS log WHERE {identifier(name)} IS NOT NULL
                ) WHERE LIST_HAS_ANY({marked_words(salt, "old")}, {WORDS})"""
            )
    rows = connection.execute("SELECT DISTINCT name FROM found ORDER BY 1").fetchall()
    return [name for (name,) in rows]


def is_found(names: list[str]) -> str:
    """Return SQL for whether a row has one of the values in `found`."""
    return " OR ".join(
        f"{identifier(name)} IN (SELECT old FROM found WHERE name = {literal(name)})"
        for name in names
    )


def renamed(plan: Plan, relation: str, position: str, columns: Columns, names: list[str]) -> str:
    """Return a query for all rows of a relation, in the order of a position, as a plan has them."""
    new = ", ".join(
        f"COALESCE(found_{place}.new, log.{identifier(name)}) AS {identifier(name)}"
        for place, name in enumerate(names)
    )
    joins = " ".join(
        f"LEFT JOIN (SELECT old, new FROM found WHERE name = {literal(name)}) AS found_{place}"
        f" ON log.{identifier(name)} = found_{place}.old"
        for place, name in enumerate(names)
    )
    rows = f"SELECT log.* REPLACE ({new}), log.{position} AS position_before FROM {relation} AS log {joins}"
    told = _told_beside(plan, columns)
    replaced = f" REPLACE ({told})" if told else ""
    excluded = "position_before" if position == "rowid" else f"position_before, {position}"
    return f"SELECT * EXCLUDE ({excluded}){replaced} FROM ({rows}) ORDER BY position_before"


def _told_beside(plan: Plan, columns: Columns) -> str:
    """Return SQL for what a row of the person says beside who it was: no more than is computed from."""
    if not columns.whose:
        return ""
    is_theirs = _starts_with(plan.prefix, columns.whose)
    is_clicked = is_theirs
    if "touchpoint_id" in columns.naming:  # the click's, in a row that may be another one's order
        is_clicked = _starts_with(plan.prefix, ["touchpoint_id"])
    values = {}
    for name in columns.beside:
        if name in plan.stays:
            continue
        if name in CLICK_IDS:
            values[name] = f"IF({is_clicked}, IF({name} IS NULL, NULL, 'erased'), {name})"
        elif name in ADDRESSES:
            values[name] = f"IF({is_theirs}, REGEXP_REPLACE({name}, '[?#].*', ''), {name})"
        else:
            values[name] = f"IF({is_theirs}, NULL, {identifier(name)})"
    if plan.is_excluded and columns.has_deletions:
        values["is_deleted"] = f"is_deleted OR {is_theirs}"
    return ", ".join(f"{value} AS {identifier(name)}" for name, value in values.items())


def _starts_with(prefix: str, names: list[str]) -> str:
    return " OR ".join(
        f"STARTS_WITH(COALESCE({identifier(name)}, ''), '{prefix}')" for name in names
    )
