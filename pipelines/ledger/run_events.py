"""Write a run as OpenLineage does: an event when it starts, and one when it has ended.

https://openlineage.io/docs/spec/object-model says what the keys mean. What OpenLineage has no key for
is in a facet of our own, `attribution_run`, as its specification provides.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import uuid4

from pipelines.ledger.outcomes import Outcome

Kind = Literal["START", "COMPLETE", "FAIL", "ABORT"]

_SPECIFICATION = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs"
_FACETS = "https://openlineage.io/spec/facets"


@dataclass
class Run:
    """One step of one client's way, such as the ingest of a source; what became of it is set as it ends.

    `outcome` is one of a closed set, `reason` says it in words. `loads` are what was
    read, by source: the newest load. `made` is what came of it, by name: a load of a source, a
    published version, a learnt version of a model. `models` are the learnt versions in force, `settings`
    is the version of the settings, and `statuses` are what was known of each source: so what was published
    can be computed again when its files are gone.
    """

    client: str
    step: str
    source: str = ""
    within: "Run | None" = None  # the run that this one is a part of
    run_id: str = field(default_factory=lambda: str(uuid4()))
    outcome: Outcome = "ok"
    reason: str = ""
    has_failed: bool = False
    rows: int | None = None
    cpu_seconds: float | None = None
    loads: dict[str, str] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    settings: str = ""
    statuses: list[dict[str, Any]] = field(default_factory=list)

    def fails(self, outcome: Outcome, reason: str) -> None:
        """Say that it did not do what it is for, and why."""
        self.outcome, self.reason, self.has_failed = outcome, reason, True

    @property
    def job(self) -> dict[str, str]:
        """Return what is done, apart from when: `ingest.web` of acme."""
        name = f"{self.step}.{self.source}" if self.source else self.step
        return {"namespace": self.client, "name": name}


def event(run: Run, kind: Kind, at: datetime, code: str, process: int) -> dict[str, Any]:
    """Return an event of a run. `process` names the process that it runs in: see `processes_alive`."""
    producer = f"urn:attribution:pipelines:{code}"
    return {
        "eventType": kind,
        "eventTime": at.isoformat(timespec="microseconds"),
        "producer": producer,
        "schemaURL": f"{_SPECIFICATION}/RunEvent",
        "run": {"runId": run.run_id, "facets": _run_facets(run, kind, producer, process)},
        "job": run.job,
        "inputs": [_dataset(run, *each, producer) for each in run.loads.items()],
        "outputs": [_dataset(run, *each, producer) for each in run.made.items()],
    }


def _run_facets(run: Run, kind: Kind, producer: str, process: int) -> dict[str, Any]:
    own: dict[str, Any] = {"step": run.step, "source": run.source, "process": process}
    if kind != "START":
        ended: dict[str, Any] = {"outcome": run.outcome, "reason": run.reason, "rows": run.rows}
        ended["cpuSeconds"] = run.cpu_seconds
        own |= {name: value for name, value in ended.items() if value not in (None, "")}
        made_of = {"learntVersions": run.models, "settings": run.settings, "statuses": run.statuses}
        own |= {name: value for name, value in made_of.items() if value}
    facets = {"attribution_run": _facet(producer, f"{_SPECIFICATION}/RunFacet", **own)}
    if run.within:
        parent = {"run": {"runId": run.within.run_id}, "job": run.within.job}
        url = f"{_FACETS}/1-0-1/ParentRunFacet.json#/$defs/ParentRunFacet"
        facets["parent"] = _facet(producer, url, **parent)
    if kind == "FAIL":
        error = {"message": run.reason or run.outcome, "programmingLanguage": "PYTHON"}
        url = f"{_FACETS}/1-0-1/ErrorMessageRunFacet.json#/$defs/ErrorMessageRunFacet"
        facets["errorMessage"] = _facet(producer, url, **error)
    return facets


def _dataset(run: Run, name: str, version: str, producer: str) -> dict[str, Any]:
    url = f"{_FACETS}/1-0-1/DatasetVersionDatasetFacet.json#/$defs/DatasetVersionDatasetFacet"
    facets = {"version": _facet(producer, url, datasetVersion=version)}
    return {"namespace": run.client, "name": name, "facets": facets}


def _facet(producer: str, url: str, **content: Any) -> dict[str, Any]:
    return {"_producer": producer, "_schemaURL": url, **content}
