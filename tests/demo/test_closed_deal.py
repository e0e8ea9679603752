"""A deal that closes in the demo's CRM has its credit in the published file, and none once reopened."""

import re
import sys

import pytest

from tests.conftest import House


@pytest.mark.slow
def test_a_deal_that_closes_is_published_by_the_stream(house: House) -> None:
    shown = house.run(sys.executable, "-m", "demo.closed_deal")

    assert shown.returncode == 0, shown.stdout
    _, closes, reopened = re.split("closes, |It was a mistake", shown.stdout)
    amount = re.match(r"([\d.]+) EUR", closes)
    credited = re.findall(r": ([\d.]+), ([\d.]+) EUR, provisional", closes)
    assert amount and credited
    assert sum(float(money) for _, money in credited) == pytest.approx(float(amount[1]))
    assert sum(float(credit) for credit, _ in credited) == pytest.approx(1, abs=0.01)
    assert "no credit" in reopened and "stopped: " in reopened
