"""A client whose `prod` has an older version than `daily` is held where that one fails, and says why."""

from collections.abc import Iterable

import pytest

from pipelines.serving import shard_run
from pipelines.serving.warehouse import Failure
from tests.conftest import House


class Warehouse:
    """A warehouse in which the versions of the shop are given, and some of them fail."""

    settled_otherwise: dict[str, int] = {}

    def __init__(self, failing: set[str], **environments: str) -> None:
        self._failing, self._environments = failing, environments

    def local(self, client: str) -> frozenset:
        return frozenset({"the file's"})

    def promoted(self, environment: str) -> dict[str, frozenset]:
        return {"shop": frozenset({self._environments[environment]})}

    def run(self, environment: str, clients: Iterable[str]) -> dict[str, list[Failure]]:
        version = self._environments[environment]
        failure = Failure(f"shop_marts.{version}", "its weight fails")
        return {name: [failure] for name in clients if version in self._failing}

    def write_files(self, clients: object) -> dict[str, str]:
        return {}

    def rows(self, query: str) -> list[tuple]:
        return []


@pytest.mark.parametrize(
    "failing, result",
    [(set(), "published"), ({"newer"}, "held"), ({"older"}, "held"), ({"newer", "older"}, "held")],
)
def test_both_versions_are_run_and_either_holds(
    house: House, failing: set[str], result: str
) -> None:
    warehouse = Warehouse(failing, daily="newer", prod="older")

    report = shard_run.run(warehouse, house.client("shop"))

    assert report.result == result
    reasons = [reason for reason in report.reasons if "its weight fails" in reason]
    assert {each.partition(":")[0] for each in reasons} == {f"shop_marts.{one}" for one in failing}
    assert "changed, but not promoted" in report.reasons[-1]
