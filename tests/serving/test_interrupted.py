"""A morning that is ended half-way goes on where it was; clients are published in order of deadline."""

import json
import signal
import subprocess
import sys
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from pipelines.ledger.runs import runs
from pipelines.published.version_folders import whole_versions
from tests.conftest import PROJECT, House

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("morning")]

IN_ORDER = ("shop", "borealis", "acme", "cobalt")  # of their deadlines, each in its zone


def ended_after(client: str, number: signal.Signals, *options: str) -> tuple[int, str, str]:
    """Start `make daily`, end it once a client is published; return its status and what it said."""
    command = [sys.executable, "-m", "pipelines", "daily", *options]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=PROJECT, **pipes) as process:
        told = []
        for line in process.stderr:
            told.append(line)
            if line.endswith(f"Z {client}: published\n"):
                process.send_signal(number)
        return process.wait(), process.stdout.read(), "".join(told)


def test_a_morning_goes_on_where_it_was_ended(served: House) -> None:
    for hours, name in enumerate(IN_ORDER, 1):
        zone = ZoneInfo(served.client(name).timezone)
        deadline = f"{datetime.now(zone) + timedelta(hours=hours):%H:%M}"
        served.change(name, deadline=deadline)
    served.export(day=1)

    status, printed, told = ended_after("shop", signal.SIGINT)

    assert status == 130 and not printed
    steps = [line.partition("Z ")[2] for line in told.splitlines()]
    *_, last = steps
    assert not last and told.splitlines()[-1].startswith("interrupted: what was committed")
    assert steps.index("shop: compute: ok") < steps.index("shop: publish: published")
    assert (
        len(whole_versions("shop")) == 2
    )  # the others' files did not wait for it, nor it for them
    assert [len(whole_versions(name)) for name in IN_ORDER[1:]] == [1, 1, 1]
    assert served.files("shop") == served.published("shop")
    stood = {run.client: run.outcome for run in runs(steps=["daily"]) if run.ended_at}
    assert stood == dict.fromkeys(IN_ORDER, "interrupted") | {"shop": "published"}

    status, _, told = ended_after("borealis", signal.SIGKILL)

    assert status == -signal.SIGKILL
    assert "shop: nothing new" in told and "shop: compute" not in told
    stood = {run.client: run.outcome for run in runs(steps=["daily"])}
    assert (stood["shop"], stood["borealis"]) == ("nothing new", "published")

    done = served.run(sys.executable, "-m", "pipelines", "daily", "--json")

    assert done.returncode == 0, done.stdout
    said = [json.loads(line) for line in done.stdout.splitlines()]
    results = [(each["client"], each["outcome"]) for each in said if each.get("step") == "daily"]
    assert dict(results) == dict.fromkeys(("shop", "borealis"), "nothing new") | dict.fromkeys(
        ("acme", "cobalt"), "published"
    )
    published = [client for client, outcome in results if outcome == "published"]
    assert published == ["acme", "cobalt"]
    for name in IN_ORDER:
        assert served.files(name) == served.published(name)
    assert {run.outcome for run in runs("acme", ["daily"])} == {"interrupted", "published"}
    newest = runs("acme", ["compute"])[-1]
    assert newest.loads_read.keys() == {"web", "salesforce", "google_ads", "facebook_ads"}
    assert runs("acme", ["publish"])[-1].made == {"published": whole_versions("acme")[-1]}
    assert served.pipelines("status").returncode == 0
