"""Nested JSON: a path leads through objects, lists, and lists of key and value, in whatever kind of file."""

import csv
import io
import json
from pathlib import Path

import duckdb
import pytest

from pipelines.ingest.run import Outcome
from tests.builders.pasting import paste
from tests.builders.tenant import Tenant
from tests.conftest import House

SETTINGS = """
name: {name}
currency: EUR
quality: {{quarantine_limit: 0.6}}
sources:
  web:
    sessions:
      files: exports/{name}/hits*
      expected_every: never
      columns: {{session_id: id, visitor_id: who.browser, customer_id: null, started_at: at,
        source: page.utm.source, medium: "params.medium", campaign: "tags[1].label"}}
"""


class Blog(Tenant):
    """A client whose visits are written as objects within objects."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.settings.write_text(SETTINGS.format(name=self.name))

    def ingest(self, source: str = "web") -> Outcome:
        return super().ingest(source)

    def log(self, columns: str, source: str = "web", table: str = "sessions") -> list[tuple]:
        return super().log(columns, source, table)

    def visits(self) -> set[tuple]:
        return self.newest("session_id, visitor_id, source, medium, campaign")


@pytest.fixture
def blog(house: House) -> Blog:
    return Blog(house.home)


def visit(name: str, **more: object) -> dict:
    return {
        "id": name,
        "at": "2026-10-01T08:00:00Z",
        "who": {"browser": f"b-{name}"},
        "page": {"utm": {"source": "letter", "term": None}, "path": "/"},
        "params": [
            {"key": "medium", "value": {"string_value": "email", "int_value": None}},
            {"key": "count", "value": {"int_value": "4"}},
        ],
        "tags": [{"label": "first"}, {"label": "Autumn"}],
    } | more


VISITS = [visit("a"), visit("b", page={"path": "/b"}, params=[], tags=[])]
READ = {("a", "b-a", "letter", "email", "Autumn"), ("b", "b-b", None, None, None)}


def lines(visits: list[dict]) -> str:
    return "".join(f"{json.dumps(each)}\n" for each in visits)


def as_csv(visits: list[dict]) -> str:
    """Return CSV in which each value that is no text is a text of JSON."""
    names = list(visits[0])
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(names)
    for each in visits:
        values = [each[name] for name in names]
        writer.writerow(v if isinstance(v, str) else json.dumps(v) for v in values)
    return file.getvalue()


PARQUET = """SELECT id, "at", {browser: who.browser} AS who, page, params, tags
FROM read_json('%s', columns = {id: 'TEXT', "at": 'TEXT', who: 'STRUCT(browser TEXT)',
page: 'STRUCT(utm STRUCT(source TEXT, term TEXT), path TEXT)', tags: 'STRUCT(label TEXT)[]',
params: 'STRUCT("key" TEXT, "value" STRUCT(string_value TEXT, int_value BIGINT))[]'})"""
MAPS = "SELECT * REPLACE (MAP {'browser': who.browser} AS who) FROM (%s)"


@pytest.mark.parametrize("kind", ["jsonl", "json", "csv", "parquet", "maps", "texts", "sqlite"])
def test_a_path_leads_to_the_same_value_in_every_kind_of_file(
    blog: Blog, house: House, kind: str
) -> None:
    source = blog.deliver("source", lines(VISITS))
    if kind in ("parquet", "maps"):
        query = PARQUET % source
        query = MAPS % query if kind == "maps" else query
        duckdb.sql(f"COPY ({query}) TO '{blog.exports / 'hits.parquet'}' (FORMAT parquet)")
    elif kind == "sqlite":
        _as_sqlite(blog.exports / "hits.db", VISITS)
        house.edit("one", "expected_every: never", "expected_every: never\n      table: hits")
    elif kind == "texts":
        whole = [each | {"page": json.dumps(each["page"])} for each in VISITS]
        blog.deliver("hits.jsonl", lines(whole))
    else:
        written = {"jsonl": lines, "json": json.dumps, "csv": as_csv}[kind](VISITS)
        blog.deliver(f"hits.{kind}", written)
    assert not blog.ingest().problem
    assert blog.visits() == READ


def _as_sqlite(path: Path, visits: list[dict]) -> None:
    import sqlite3

    with sqlite3.connect(path) as database:
        names = ", ".join(visits[0])
        database.execute(f"CREATE TABLE hits ({names})")
        for each in visits:
            values = [v if isinstance(v, str) else json.dumps(v) for v in each.values()]
            database.execute(f"INSERT INTO hits VALUES ({', '.join('?' * len(values))})", values)
    database.close()


def test_a_column_of_the_whole_name_goes_first(blog: Blog) -> None:
    blog.deliver("hits.jsonl", lines([visit("a") | {"page.utm.source": "flat"}]))
    assert not blog.ingest().problem
    assert blog.newest("source") == {("flat",)}


def test_a_path_that_leads_nowhere_is_told_with_what_there_is(blog: Blog, house: House) -> None:
    house.edit("one", "page.utm.source", "page.utm.sorce")
    blog.deliver("hits.jsonl", lines(VISITS))
    problem = blog.ingest().problem
    said = "missing column page.utm.sorce (for source); it has page with path, utm.source, utm.term"
    assert problem.startswith(f"hits.jsonl: {said}")
    paste(blog.settings, problem)
    assert not blog.ingest().problem
    assert blog.visits() == READ


def test_a_day_without_what_was_there_before_is_read(blog: Blog) -> None:
    without = visit("c", page={"path": "/c"})
    blog.deliver("hits-1.jsonl", lines([without]))
    assert "missing column page.utm.source (for source)" in blog.ingest().problem
    blog.deliver("hits-0.jsonl", lines([visit("a")]))
    assert not blog.ingest().problem
    blog.deliver("hits-2.jsonl", lines([without | {"id": "d"}]))
    assert not blog.ingest().problem
    assert blog.newest("session_id, source") == {("a", "letter"), ("c", None), ("d", None)}


def test_what_is_no_value_is_bad_by_name(blog: Blog) -> None:
    odd = [
        visit("object", page={"utm": {"source": {"id": 7}}}),
        visit("list", tags=[1, {"label": ["x"]}]),
        visit("on the way", page={"utm": "none"}),
        visit("twice", params=[{"key": "medium", "value": v} for v in ("a", "b")]),
    ]
    blog.deliver("hits.jsonl", lines([*VISITS, visit("c"), *odd]))
    assert not blog.ingest().problem
    reasons = [(line, reason) for _, line, reason, _ in blog.quarantine("web")]
    said = "is read from what is no value: "
    assert reasons == [
        (4, f'source {said}{{"id":7}}'),
        (5, f'campaign {said}["x"]'),
        (6, f"source {said}none"),
        (7, f'medium {said}[{{"key":"medium","value":"a"}},{{"key":"medium","value":"b"}}]'),
    ]
    assert {row[0] for row in blog.visits()} == {"a", "b", "c"}


def test_a_cell_that_is_torn_json_is_bad_by_name(blog: Blog) -> None:
    rows = as_csv([*VISITS, visit("c")]).replace('b-c""}', "b-c")
    blog.deliver("hits.csv", rows)
    assert not blog.ingest().problem
    ((_, line, reason, _),) = blog.quarantine("web")
    assert (line, reason) == (4, 'visitor_id is read from what is no value: {"browser": "b-c')


@pytest.mark.parametrize("name", ["params.count", '"params.count"'])
def test_where_may_name_a_path(blog: Blog, house: House, name: str) -> None:
    where = json.dumps(f"{name} > 3 AND page.utm.source = 'letter'")
    house.edit("one", "columns:", f"where: {where}\n      columns:")
    few = visit("few", params=[{"key": "count", "value": {"int_value": 3}}])
    blog.deliver("hits.jsonl", lines([*VISITS, few]))
    assert not blog.ingest().problem
    assert {row[0] for row in blog.visits()} == {"a"}
    house.edit("one", "letter", "letters")
    house.edit("one", "page.utm.source = ", "page.utm.sources = ")
    problem = blog.ingest().problem
    assert "`where:` names page.utm.sources, which it lacks; it has page with path, utm" in problem


def test_properties_may_be_paths(blog: Blog, house: House) -> None:
    text = blog.settings.read_text().replace("sessions:", "events:")
    before, _, _ = text.partition("columns:")
    nothing = "session_id, channel, campaign_id, utm_source, utm_medium, page_url, referrer_url"
    null = ", ".join(f"{name}: null" for name in f"{nothing}, revenue, product_id".split(", "))
    blog.settings.write_text(
        f"{before}columns: {{client_id: who.browser, event_type: id, event_time: at, {null},"
        " product_category: null}\n      properties: {source: page.utm.source, count: params.count}\n"
    )
    blog.deliver("hits.jsonl", lines(VISITS))
    assert not blog.ingest().problem
    kept = {json.loads(text)["source"] for (text,) in blog.log("properties", "web", "events")}
    assert kept == {"letter", None}
