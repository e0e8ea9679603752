"""What IHC's service was asked and answered names nobody who is erased, and no answer is asked for again."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from demo.servers.http_server import Status
from demo.servers.ihc_server import IhcServer
from pipelines.blueprints.ihc_variables import ihc
from pipelines.contracts.people import CONVERSION, TOUCHPOINT
from pipelines.erasing.ihc_log import in_ihc_log
from pipelines.erasing.plan import Plan
from pipelines.ihc.service_answers import answers
from pipelines.lake.tombstones import ERASED, mark, salt_of
from tests.builders.ihc_journeys import touchpoints
from tests.builders.searching import traces
from tests.conftest import House

SETTINGS = """
name: One
currency: EUR
attribution:
  model: ihc
  ihc: {{by: service, base_url: "{url}", conv_type_id: deals, patience_minutes: 1}}
sources: {{}}
"""
EVENT = "event:Page-0007"  # an event is a touchpoint by this name


@pytest.fixture
def server(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[IhcServer]:
    with IhcServer() as served:
        monkeypatch.setenv("CLIENTS__ONE__IHC__API_KEY", served.key)
        (house.home / "clients/one.yaml").write_text(SETTINGS.format(url=served.base_url))
        yield served


def ask(house: House, journeys: pd.DataFrame) -> pd.DataFrame:
    request = ihc("one", house.client("one").attribution).ihc_request
    return answers("one", request, journeys, ["Email"])


def plan_of(names: dict[str, tuple[str, str]]) -> Plan:
    """Return a plan by which each name, of a kind, becomes another one."""
    salt = salt_of("one")
    renames = {mark(salt, kind, name.lower()): new for name, (kind, new) in names.items()}
    return Plan("one", "receipt", "", ERASED, renames)


def test_kept_answers_stay_in_use_and_name_nobody(house: House, server: IhcServer) -> None:
    journeys = touchpoints({"Bestéll-ann-1": [0, 30, 96], "order-bob-1": [0, 40]})
    journeys = journeys.replace("Bestéll-ann-1-0001", EVENT)
    before = ask(house, journeys)
    asked = len(server.requests)
    names = {
        "Bestéll-ann-1": (CONVERSION, f"{ERASED}ab-000001"),
        "Bestéll-ann-1-0000": (TOUCHPOINT, f"{ERASED}ab-000002"),
        "Page-0007": (TOUCHPOINT, f"{ERASED}ab-000003"),
        "Bestéll-ann-1-0002": (TOUCHPOINT, f"{ERASED}ab-000004"),
    }
    lake, said = house.home / "lake/one", [*names, "stéll-ann", "ll-ann-1"]
    digests = {file: file.read_bytes() for file in (lake / "_ihc").rglob("*.parquet")}
    assert {Path(file).parent.name for file, _ in traces(lake, said)} == {"requests", "answers"}
    client, plan = house.client("one"), plan_of(names)

    looked = list(in_ihc_log(client, plan, is_done=False))
    assert {file: file.read_bytes() for file in digests} == digests
    assert list(in_ihc_log(client, plan, is_done=True)) == looked
    assert [(place.table, place.files) for place in looked] == [("answers", 1), ("requests", 1)]

    assert traces(lake, said) == []
    assert {form for _, form in traces(lake, ["order-bob-1"])} >= {"order-bob-1"}
    assert list(in_ihc_log(client, plan, is_done=True)) == []  # said twice, it is the same
    new = {name: new for name, (_, new) in names.items()} | {EVENT: f"event:{ERASED}ab-000003"}
    after = ask(house, journeys.replace(new))
    assert len(server.requests) == asked
    assert set(after["method"]) == {"service"}
    ids = ["conversion_id", "touchpoint_id"]
    assert after.drop(columns=ids).equals(before.drop(columns=ids))
    assert list(after["touchpoint_id"]) == list(before["touchpoint_id"].replace(new))


def test_an_error_names_nobody_and_is_still_of_its_order(house: House, server: IhcServer) -> None:
    """As a service writes errors: with the order in the midst of a sentence."""
    journeys = touchpoints({"order-ann-1": [0, 30], "order-ann-10": [0]})
    said = [{"statusCode": 406, "error": "order-ann-1 was not parsed"}]
    server.fail(Status(200, {"statusCode": 206, "value": [], "partialFailureErrors": said}))
    before = ask(house, journeys)
    assert "order-ann-1 was not parsed" in str(list(before["problem"]))
    names = {"order-ann-1": (CONVERSION, new := f"{ERASED}ab-000001")}

    list(in_ihc_log(house.client("one"), plan_of(names), is_done=True))

    asked = len(server.requests)
    after = ask(house, journeys.replace({"order-ann-1": new}))
    assert len(server.requests) == asked
    assert list(after["problem"]) == [
        each.replace("order-ann-1 ", f"{new} ") for each in before["problem"]
    ]


def test_an_erasure_that_died_between_them_leaves_the_answers_in_use(
    house: House, server: IhcServer
) -> None:
    """Answers are written first: the requests tell once more what the digests become."""
    journeys = touchpoints({"order-ann-1": [0, 30]})
    ask(house, journeys)
    names = {"order-ann-1": (CONVERSION, f"{ERASED}ab-000001")}
    client, plan = house.client("one"), plan_of(names)
    next(in_ihc_log(client, plan, is_done=True))  # named, and died before a file was written
    places = in_ihc_log(client, plan, is_done=True)
    assert [next(places).table, next(places).table] == ["answers", "requests"]  # and died here

    list(in_ihc_log(client, plan, is_done=True))
    assert traces(house.home / "lake/one", ['"order-ann-1"']) == []
    asked = len(server.requests)
    ask(house, journeys.replace({"order-ann-1": f"{ERASED}ab-000001"}))
    assert len(server.requests) == asked
