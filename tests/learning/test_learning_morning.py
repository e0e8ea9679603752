"""Models that learn, by SQLMesh: previewed, promoted, trained by mornings; nobody else moves."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone

import pytest
import time_machine

from pipelines.learning import markov
from pipelines.learning.channel_values import ChannelLearner
from pipelines.learning.versions import versions
from tests.builders.learning_clients import ask_for_markov
from tests.conftest import House

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("learning_morning")]

OTHERS = ("borealis", "cobalt", "shop")


@contextmanager
def later(days: int) -> Iterator[None]:
    """Make it be six in the morning, some days from now."""
    today = datetime.now(timezone.utc).replace(hour=6, minute=0, second=2, microsecond=0)
    with time_machine.travel(today + timedelta(days=days), tick=False):
        yield


def methods(house: House, client: str) -> set[str]:
    """Return what shared the credit that counts now, by the active model."""
    return {
        method
        for (method,) in house.rows(
            f"SELECT DISTINCT method FROM {client}_marts.fct_credit WHERE is_active AND is_attributed"
        )
    }


def trained(house: House, client: str, model: str = "markov_weights_order_1") -> int:
    """Return how many versions there are."""
    return len(versions(str(house.home), client, model))


def test_a_switch_to_markov_is_trained_previewed_and_promoted(served: House) -> None:
    before = {name: served.published(name) for name in ("acme", *OTHERS)}
    ask_for_markov(served, "acme")

    preview = served.pipelines("preview", "acme")

    assert preview.returncode == 0 and "Paid Search" in preview.stdout, preview.stdout
    assert "markov, in dev" in preview.stdout and "credited" in preview.stdout, preview.stdout
    assert trained(served, "acme") == trained(served, "acme", "shapley_weights_conversions") == 1
    credit = "acme_marts__dev.fct_credit"
    found = served.rows(f"SELECT DISTINCT model, method FROM {credit} WHERE is_attributed")
    assert set(found) == {(model, model) for model in ("markov", "shapley", "shao_li", "linear")}
    assert {name: served.published(name) for name in before} == before

    promoted = served.pipelines("promote", "acme")

    assert promoted.returncode == 0 and "acme: promoted" in promoted.stdout, promoted.stdout
    learnt = served.rows(
        "SELECT model, SUM(learnt), SUM(credited) FROM acme_publish.channel_values_v1 GROUP BY 1"
    )
    assert {model for model, *_ in learnt} == {"markov", "shapley", "shao_li"}
    assert all(total == pytest.approx(credited) for _, total, credited in learnt)
    assert methods(served, "acme") == {"markov"}
    assert {name: served.published(name) for name in OTHERS} == {
        name: before[name] for name in OTHERS
    }

    shown = served.pipelines("train", "acme")

    assert shown.returncode == 0 and "+0.00" in shown.stdout, shown.stdout
    assert trained(served, "acme") == 2
    after = served.published("acme")
    with later(days=1):
        served.export(day=1)
        served.ingest()
    with later(days=2):
        reports = served.serve()
    assert reports["acme"].result == "published" and reports["acme"].reasons == []
    used = served.rows(
        "SELECT DISTINCT model_version FROM acme_attribution.credit WHERE model = 'markov'"
    )
    names = {known.name for known in versions(str(served.home), "acme", "markov_weights_order_1")}
    assert {version for (version,) in used} - {None} == names
    assert served.published("acme") != after


def test_a_new_client_learns_after_its_first_morning(served: House) -> None:
    text = (served.home / "clients/shop.yaml").read_text().replace("exports/shop", "exports/kiosk")
    (served.home / "clients/kiosk.yaml").write_text(text)
    shutil.copytree(served.home / "exports/shop", served.home / "exports/kiosk")
    ask_for_markov(served, "kiosk")
    before = {name: served.published(name) for name in OTHERS}

    served.ingest()
    served.backdate(days=1)
    assert served.serve()["kiosk"].result == "published"
    assert methods(served, "kiosk") == {"linear: markov has not learnt yet"}
    assert trained(served, "kiosk") == 0

    report = served.serve()["kiosk"]
    assert (report.result, report.reasons) == ("published", [])
    assert [line.split()[0] for line in report.trained] == ["markov", "shapley", "shao_li"]
    assert all("; beside linear: " in line for line in report.trained)
    assert methods(served, "kiosk") == {"markov"}
    assert trained(served, "kiosk") == 1
    assert {name: served.published(name) for name in OTHERS} == before

    served.serve()
    assert served.serve()["kiosk"].result == "nothing new"
    with later(days=40):
        assert served.serve()["kiosk"].result == "published"
    assert trained(served, "kiosk") == 2
    assert methods(served, "kiosk") == {"markov"}


def test_a_training_that_fails_is_named_and_stops_nobody(
    served: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(paths, settings):
        raise ValueError("no luck")

    for client in ("acme", "shop"):
        ask_for_markov(served, client, minimum=1000)
        assert served.pipelines("promote", client).returncode == 0
        ask_for_markov(served, client, minimum=5)
    (method,) = methods(served, "acme")
    assert method.startswith("linear: ") and method.endswith(" conversions, markov needs 1000")
    monkeypatch.setattr(markov, "LEARNER", ChannelLearner(markov.LEARNER.folder, fail))

    with later(days=40):
        reports = served.serve()

    assert (
        "markov and shapley and shao_li could not be trained: no luck" in reports["acme"].reasons[0]
    )
    assert {report.result for report in reports.values()} == {"published", "nothing new"}


def test_without_a_model_that_learns_train_says_how_to_ask_for_one(house: House) -> None:
    done = house.pipelines("train", "acme")

    assert done.returncode == 1
    assert "in clients/acme.yaml, set attribution.model or attribution.compare" in done.stdout
    ask_for_markov(house, "acme")
    assert (
        "acme has no published paths to learn from yet" in house.pipelines("train", "acme").stdout
    )
