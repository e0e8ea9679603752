"""The ledger of runs: appended by many at once, whole whatever is killed, readable by others."""

import json
import os
import signal
from datetime import datetime, timezone
from pathlib import Path
from time import sleep
from typing import Literal
from uuid import UUID

import duckdb
import pytest
import time_machine
from pydantic import AnyUrl, AwareDatetime, BaseModel, Field

from pipelines.explaining.shown_then import shown_then
from pipelines.home import runs_folder
from pipelines.ledger.recording import begin, end, recorded
from pipelines.ledger.runs import runs
from pipelines.ledger.view_file import write_view_file
from pipelines.published.version_folders import written_at


class Strict(BaseModel, extra="forbid"):
    """An object of OpenLineage's specification that may have no other keys."""


class Facet(BaseModel, extra="allow"):
    """What every facet has."""

    producer: AnyUrl = Field(alias="_producer")
    schema_url: AnyUrl = Field(alias="_schemaURL")


class Job(Strict):
    """What is run."""

    namespace: str
    name: str


class RunId(Strict):
    """A run of a job, as its parts name it."""

    runId: UUID


class Parent(Facet):
    """The run that another is a part of."""

    run: RunId
    job: Job


class ErrorMessage(Facet):
    """Why a run failed."""

    message: str
    programmingLanguage: str


class RunFacets(Strict):
    """What is known of a run; a facet of one's own has the producer's name before its own."""

    attribution_run: Facet
    parent: Parent | None = None
    errorMessage: ErrorMessage | None = None


class RunOf(RunId):
    """A run, with what is known of it."""

    facets: RunFacets


class DatasetVersion(Facet):
    """The version of a dataset."""

    datasetVersion: str


class DatasetFacets(Strict):
    """What is known of a dataset."""

    version: DatasetVersion


class Dataset(Job):
    """What is read or made."""

    facets: DatasetFacets


class RunEvent(Strict):
    """An event of a run, as OpenLineage's specification 2-0-2 has it: what we write of it, strictly."""

    eventType: Literal["START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"]
    eventTime: AwareDatetime
    producer: AnyUrl
    schemaURL: AnyUrl
    run: RunOf
    job: Job
    inputs: list[Dataset]
    outputs: list[Dataset]


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTRIBUTION_HOME", str(tmp_path / "it's [home]"))


def _lines() -> list[str]:
    return [line for file in runs_folder().glob("*.jsonl") for line in file.read_text().split("\n")]


def test_events_are_as_openlineage_specifies_and_come_back_as_a_table() -> None:
    with recorded("acme", "daily") as morning:
        with recorded("acme", "ingest", "web") as ingest:
            ingest.rows, ingest.made = 12, {"web": "1795.1"}
        with pytest.raises(ValueError), recorded("acme", "compute") as compute:
            compute.loads = {"web": "1795.1", "crm": "1794.9"}
            raise ValueError("one line,\n then \u201canother\u201d")
        morning.fails("held", "an audit failed")
        morning.models = {"markov": "20261101T060000000000"}
    begin("borealis", "train")
    events = [RunEvent.model_validate_json(line) for line in _lines() if line]
    assert [each.eventType for each in events].count("START") == 4
    assert {each.eventType for each in events} == {"START", "COMPLETE", "FAIL"}
    day, web, tables, train = runs()
    assert (web.client, web.step, web.source, web.rows) == ("acme", "ingest", "web", 12)
    assert web.within == tables.within == day.run_id and web.made == {"web": "1795.1"}
    assert (day.outcome, day.reason, day.has_failed) == ("held", "an audit failed", True)
    assert day.learnt_versions == {"markov": "20261101T060000000000"}
    assert tables.reason == "ValueError: one line, then \u201canother\u201d"
    assert tables.loads_read == {"web": "1795.1", "crm": "1794.9"}
    assert (train.outcome, train.ended_at) == ("running", None)
    assert [each.step for each in runs("acme", ["compute"])] == ["compute"]


def test_the_file_to_query_has_the_same_rows() -> None:
    with recorded("acme", "promote") as run:
        run.outcome = "promoted"
    write_view_file()
    with recorded("acme", "rollback"):
        pass
    with duckdb.connect(str(runs_folder() / "runs.duckdb"), read_only=True) as opened:
        found = opened.execute("SELECT step, outcome FROM runs ORDER BY started_at").fetchall()
    assert found == [("promote", "promoted"), ("rollback", "ok")]


def test_a_run_over_midnight_ends_in_the_next_days_file() -> None:
    evening = datetime(2026, 11, 27, 23, 59, 58, tzinfo=timezone.utc)
    with time_machine.travel(evening, tick=False) as clock, recorded("acme", "daily"):
        clock.shift(3)
    (run,) = runs()
    assert (run.ended_at - run.started_at).seconds == 3 and run.outcome == "ok"
    names = {each.name for each in runs_folder().glob("*.jsonl")}
    assert names == {"2026-11-27.jsonl", "2026-11-28.jsonl"}
    assert not runs(since=datetime(2026, 11, 28))


def test_ctrl_c_is_an_end() -> None:
    with pytest.raises(KeyboardInterrupt), recorded("acme", "backfill"):
        raise KeyboardInterrupt
    (run,) = runs()
    assert run.outcome == "interrupted" and run.ended_at


def test_many_write_at_once_and_a_killed_one_is_told() -> None:
    begin("acme", "daily")
    children = [_forked() for _ in range(4)]
    while len(_lines()) < 400:
        sleep(0.01)
    for child in children[:2]:
        os.kill(child, signal.SIGKILL)
    for child in children:
        os.waitpid(child, 0)
    for line in filter(None, _lines()):
        json.loads(line)
    ended = [each for each in runs(steps=["publish"]) if each.outcome == "ok"]
    assert len([each for each in ended if each.client == "whole"]) >= 2 * 300
    unfinished = {each.process: each.outcome for each in runs() if not each.ended_at}
    assert sorted(unfinished.values()) == ["interrupted"] * 4 + ["running"]


def _forked() -> int:
    """Return a process that begins a run and records others."""
    if child := os.fork():
        return child
    begin("acme", "ingest", "web")
    for _ in range(300):
        end(begin("whole", "publish"))
    os._exit(0)


def test_a_line_that_was_cut_off_costs_no_other() -> None:
    with recorded("acme", "train"):
        pass
    (file,) = runs_folder().glob("*.jsonl")
    start, *_ = file.read_bytes().splitlines()
    file.write_bytes(file.read_bytes() + start[: len(start) // 2])
    with recorded("acme", "promote"):
        pass
    assert [each.step for each in runs()] == ["train", "promote"]


def test_a_disk_that_takes_nothing_stops_no_run(caplog: pytest.LogCaptureFixture) -> None:
    runs_folder().parent.mkdir()
    runs_folder().write_text("a file where the folder should be")
    with recorded("acme", "promote") as run:
        run.outcome = "promoted"
    assert "acme: runs/ does not have its promote" in caplog.text


def test_what_a_rollback_shows_was_made_by_the_run_that_computed_it() -> None:
    first, second, again = (f"20261127T0{hour}0000.000000Z" for hour in (6, 7, 8))
    for version, made in ((first, {}), (second, {}), (again, {"shown again": first})):
        step = "rollback" if made else "publish"
        with time_machine.travel(written_at(version), tick=False), recorded("acme", step) as run:
            run.made = {"published": version} | made
            run.settings = "" if made else version[9:11]

    def shown(hour: int) -> tuple[str, str] | None:
        found = shown_then("acme", datetime(2026, 11, 27, hour, 30))
        return (found.version, found.run.settings_version) if found else None

    assert [shown(hour) for hour in (5, 6, 7, 8)] == [
        None,
        (first, "06"),
        (second, "07"),
        (again, "06"),
    ]
