"""A key that stands twice in a JSON object: nobody knows which value is meant, so the line is bad, by name."""

import gzip
import json

import pytest

from tests.builders.tenant import SPEND, Tenant
from tests.conftest import House

ROW = dict(zip(SPEND, ["2026-10-01", "one", "Brand", "1.50", "EUR", "3", "100"]))
GOOD = json.dumps(ROW)


@pytest.fixture
def tenant(house: House) -> Tenant:
    """A client of which half of the rows may be bad."""
    return Tenant(house.home)


TWICE = {
    "other values": GOOD.replace("}", ', "cost": "9.50"}'),
    "first of all": GOOD.replace("{", '{"cost": 7, ', 1),
    "escaped": GOOD.replace("}", ', "c\\u006fst": "9.50"}'),
    "the first is nothing": GOOD.replace("{", '{"cost": null, ', 1),
    "three times": GOOD.replace("}", ', "cost": 2, "cost": "9.50"}'),
}


@pytest.mark.parametrize("line", TWICE.values(), ids=TWICE.keys())
@pytest.mark.parametrize("name", ["spend.jsonl", "spend.jsonl.gz"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_line_with_a_key_twice_is_in_quarantine(
    tenant: Tenant, line: str, name: str, end: str
) -> None:
    text = end.join([GOOD, line, GOOD.replace("one", "two"), ""]).encode()
    tenant.deliver(name, gzip.compress(text) if name.endswith("gz") else text)
    outcome = tenant.ingest()
    assert (outcome.problem, outcome.counts.appended, outcome.counts.quarantined) == ("", 2, 1)
    said = "the key cost stands twice in the object"
    assert tenant.quarantine() == [(name, 2, said, line)]
    assert tenant.newest("campaign_id, cost") == {("one", "1.50"), ("two", "1.50")}


def test_a_file_of_such_lines_is_refused_by_name(tenant: Tenant) -> None:
    tenant.deliver("spend.jsonl", "".join(f"{line}\n" for line in [GOOD, *TWICE.values()]))
    problem = tenant.ingest().problem
    assert "the key cost stands twice in the object: '{" in problem
    assert "write each key once" in problem
    assert tenant.log("*") == []


def test_what_nobody_reads_may_stand_twice(tenant: Tenant) -> None:
    """Neither a key that no column is made of, nor one within a text, says anything else twice."""
    others = GOOD.replace("}", ', "tag": "a", "tag": "b", "more": {"x": 1, "x": 2}}')
    named = GOOD.replace("Brand", 'a \\"cost\\": 1, \\"cost\\": 2')
    tenant.deliver("spend.jsonl", f"{others}\n{named.replace('one', 'two')}\n")
    outcome = tenant.ingest()
    assert (outcome.problem, outcome.counts.appended) == ("", 2)


def test_other_faults_are_named_beside_it(tenant: Tenant) -> None:
    lines = [
        GOOD,
        GOOD.replace("one", "two"),
        GOOD.replace("one", "three"),
        "[1]",
        TWICE["escaped"],
    ]
    tenant.deliver("spend.jsonl", "".join(f"{line}\n" for line in lines))
    assert tenant.ingest().problem == ""
    assert [(line, reason) for _, line, reason, _ in tenant.quarantine()] == [
        (4, "the line holds no JSON object"),
        (5, "the key cost stands twice in the object"),
    ]
