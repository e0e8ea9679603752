"""A morning settles what was credited ahead of it, however it ends."""

import json

import pytest

from pipelines.fastpath.publishing import publish_provisional
from pipelines.ingest.run import ingest_client
from pipelines.lake.loads import seen_from
from pipelines.learning.training import utc_now
from pipelines.published.version_folders import current, shows_provisional, whole_versions
from pipelines.serving import warehouse
from pipelines.serving.morning import serve
from tests.conftest import House


@pytest.mark.slow
def test_nothing_new_is_never_said_while_provisional_rows_are_shown(
    served: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = served.client("acme")
    file = served.home / "exports/acme/opportunities.jsonl"
    first, *others = file.read_text().splitlines()
    file.write_text("\n".join([json.dumps(json.loads(first) | {"Amount": 1000.01}), *others]))
    list(ingest_client(client))
    assert publish_provisional(client).conversions == 1
    ahead = current("acme").version
    numbers = served.files("acme")["campaigns_v1"]

    # As if the morning were killed after it wrote its version, and before that is shown.
    told, began = list[tuple](), utc_now()
    monkeypatch.setattr(warehouse, "publish_changes", lambda *given: told.append(given))
    assert [report.result for report in serve([client])] == ["published"]
    assert current("acme").version == ahead and len(whole_versions("acme")) == 2
    monkeypatch.undo()
    ((name, read_before),) = told  # every load that was committed before the run is settled
    assert name == "acme" and seen_from(began) < read_before <= utc_now()

    assert [report.result for report in serve([client])] == ["published"]
    assert current("acme").version == whole_versions("acme")[-1] and not shows_provisional("acme")
    assert served.files("acme") == served.published("acme")
    assert served.files("acme")["campaigns_v1"] == numbers
    assert [report.result for report in serve([client])] == ["nothing new"]
