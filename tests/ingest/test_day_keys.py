"""Days: one day is one key, however an export writes it, and no money is counted twice for it."""

import pytest

from pipelines.ingest import day_keys, validation
from tests.builders.tenant import Tenant
from tests.conftest import House

HEAD = "spend_date,campaign_id,campaign,cost,clicks,impressions"
WAYS = ["2026/10/01", "2026-10-1", "2026-10-01 00:00:00", "2026-10-01T00:00", "2026-10-01T00:00:00.0Z",
        "2026-10-01 00:00:00 +02:00"]  # fmt: skip


@pytest.fixture
def tenant(house: House) -> Tenant:
    """A client with nothing delivered."""
    return Tenant(house.home)


def spend(tenant: Tenant, day: str, cost: str) -> None:
    """Deliver what a campaign cost on a day, and load it."""
    tenant.deliver("spend.csv", f"{HEAD}\n{day},7,Shoes,{cost},1,10\n")
    assert not tenant.ingest().problem


@pytest.mark.parametrize("day", WAYS)
def test_a_day_that_is_written_otherwise_is_the_same_day(tenant: Tenant, day: str) -> None:
    spend(tenant, "2026-10-01", "1.50")
    spend(tenant, day, "2.50")
    assert tenant.newest("cost") == {("2.50",)}
    spend(tenant, "2026-10-01", "3.50")
    assert tenant.newest("cost") == {("3.50",)}


def test_hours_of_a_day_are_rows_of_their_own(tenant: Tenant) -> None:
    rows = [f"2026-10-01 {hour:02d}:00:00,7,Shoes,1.5,1,10" for hour in range(3)]
    tenant.deliver("spend.csv", "\n".join([HEAD, *rows]))
    assert not tenant.ingest().problem
    assert len(tenant.newest("spend_date, cost")) == 3


def test_two_ways_in_one_file_are_two_rows_of_one_key(tenant: Tenant) -> None:
    tenant.deliver(
        "spend.csv", f"{HEAD}\n2026-10-01,7,Shoes,1.5,1,10\n2026/10/01,7,Shoes,2.5,1,10\n"
    )
    assert (
        "2 of 2 rows share their key with a row that says something else" in tenant.ingest().problem
    )


def test_a_key_that_an_older_version_made_of_the_text_is_kept(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        older.setattr(
            validation, "key_of", lambda contract: day_keys._hash(list(contract.identity))
        )
        spend(tenant, "2026/10/01", "1.50")
    spend(tenant, "2026/10/01", "2.50")
    assert tenant.newest("cost") == {("2.50",)}


def test_an_hour_that_is_written_otherwise_is_the_same_hour(tenant: Tenant) -> None:
    for hour, cost in {"13:00": "1.50", "13:00:00": "2.50", "13:00:00.0": "3.50"}.items():
        spend(tenant, f"2026-10-01 {hour}", cost)
        assert tenant.newest("cost") == {(cost,)}


@pytest.mark.parametrize("by_day_first", [True, False])
def test_a_day_beside_its_hours_waits_for_a_word(tenant: Tenant, by_day_first: bool) -> None:
    hours = "\n".join(f"2026-10-01 {hour:02d}:00,7,Shoes,1,1,10" for hour in range(24))
    files = ["2026-10-01,7,Shoes,24,24,240", hours][:: 1 if by_day_first else -1]
    for name, rows in zip(("spend-1.csv", "spend-2.csv"), files):
        tenant.deliver(name, f"{HEAD}\n{rows}\n")
        problem = tenant.ingest().problem
    comes, other = ("hour", "day") if by_day_first else ("day", "hour")
    assert f"2026-10-01 comes by the {comes} and is there by the {other}, too" in problem
    assert "make accept CLIENT=one SOURCE=google_ads" in problem
    assert sum(float(cost) for (_, cost) in tenant.newest("spend_date, cost")) == 24
