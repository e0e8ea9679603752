"""Refunds stand among orders, as rows of their id below 0 or of another kind: each is one of its order."""

from pathlib import Path

import pytest
import yaml

from pipelines.settings.reader import read
from tests.builders.pasting import paste
from tests.builders.tenant import Tenant
from tests.conftest import House

HEAD = "Receipt,Buyer,Booked,Gross,Kind"
MAPPED = {
    "conversion_id": "Receipt",
    "customer_id": "Buyer",
    "converted_at": "Booked",
    "revenue": "Gross",
    "currency": None,
}
SALE, OTHER = "r7,kim,2026-10-01 08:00,80.40,sale", "r8,lea,2026-10-01 09:00,20,sale"
BACK = "r7,kim,2026-10-03 10:00,-12.15,back"


class Till(Tenant):
    """A client that exports receipts, and what was given back, in files of one kind."""

    def __init__(self, home: Path, refunds: dict | None = None, **export: object) -> None:
        super().__init__(home)
        receipts = {"files": "exports/one/till*", "columns": MAPPED, "expected_every": "never"}
        web = {"conversions": receipts | export} | ({"refunds": refunds} if refunds else {})
        self.settings.write_text(
            yaml.safe_dump({"name": "one", "currency": "EUR", "sources": {"web": web}})
        )

    def till(self, file: str, *rows: str) -> None:
        """Deliver rows of a till."""
        self.deliver(file, "\n".join([HEAD, *rows]) + "\n")

    def worth(self) -> dict[str, str]:
        """Return the orders that are not deleted, by their newest versions, with their revenue."""
        newest = self.log("row_key, is_deleted, revenue", "web", "conversions")
        return {key: revenue for key, is_deleted, revenue in newest if not is_deleted}

    def given_back(self) -> list[tuple]:
        """Return the refunds as they were loaded."""
        return self.log("conversion_id, refunded_at, amount", "web", "refunds")


GIVEN_BACK = [("r7", "2026-10-03 10:00", "-12.15")]


def test_rows_below_zero_of_one_file_are_asked_about(house: House) -> None:
    till = Till(house.home)
    till.till("till1.csv", SALE, BACK, OTHER)
    paste(till.settings, till.ingest("web").problem)
    outcome = till.ingest("web")
    assert outcome.status.notes == ["till1.csv: 1 of its rows are read as web.refunds"]
    assert (till.worth(), till.given_back()) == ({"r7": "80.40", "r8": "20"}, GIVEN_BACK)


@pytest.mark.parametrize("first", [SALE, BACK])
def test_a_later_row_below_zero_is_asked_about(house: House, first: str) -> None:
    till = Till(house.home)
    till.till("till1.csv", first, OTHER)
    assert not till.ingest("web").problem
    till.till("till2.csv", BACK if first == SALE else SALE)
    problem = till.ingest("web").problem
    assert "till2.csv: conversion_id 'r7' has a row of" in problem
    paste(till.settings, problem)
    assert not till.ingest("web").problem
    assert (till.worth(), till.given_back()) == ({"r7": "80.40", "r8": "20"}, GIVEN_BACK)


def test_a_refund_that_comes_again_takes_nothing_back_twice(house: House) -> None:
    till = Till(house.home, grain="refunds")
    till.till("till1.csv", SALE, BACK)
    till.till("till2.csv", BACK, OTHER)
    assert not till.ingest("web").problem
    till.till("till3.csv", BACK)
    assert not till.ingest("web").problem
    assert (till.worth(), till.given_back()) == ({"r7": "80.40", "r8": "20"}, GIVEN_BACK)


def test_rows_of_another_kind_are_refunds_by_a_condition(house: House) -> None:
    columns = {"conversion_id": "Receipt", "refunded_at": "Booked", "amount": "Gross"}
    refunds = {"files": "exports/one/till*", "where": "Kind = 'back'", "columns": columns}
    till = Till(house.home, refunds)
    till.till("till1.csv", SALE)
    assert not till.ingest("web").problem
    till.till("till2.csv", BACK.replace("-12.15", "12.15"))
    assert not till.ingest("web").problem  # and the order is not deleted as one that counts no more
    assert till.worth() == {"r7": "80.40"}
    assert till.given_back() == [("r7", "2026-10-03 10:00", "12.15")]


def test_refunds_are_told_in_one_way_only(house: House) -> None:
    refunds = {"files": "exports/one/refunds*", "columns": {"amount": None}}
    Till(house.home, refunds, grain="refunds")
    assert "web.refunds is there too; leave out one of them" in str(read()[1])


def test_what_a_column_says_was_given_back_may_be_taken_off(house: House) -> None:
    till = Till(house.home)
    till.deliver(
        "till.csv",
        "Receipt,Buyer,Booked,Gross,Refunded\nr7,kim,2026-10-01,80.40,12.15\nr8,lea,2026-10-01,20,\n",
    )
    paste(till.settings, till.ingest("web").problem, choice=2)
    assert not till.ingest("web").problem
    assert till.worth() == {"r7": "68.25", "r8": "20"}


def test_refunds_above_and_below_zero_are_refused(house: House) -> None:
    columns = {"conversion_id": "Receipt", "refunded_at": None}
    till = Till(house.home, {"files": "exports/one/back*", "columns": columns})
    till.till("till1.csv", SALE)
    till.deliver("back.csv", "Receipt,amount\nr7,3\nr7,-2\n")
    assert "1 of its amounts are above 0 and 1 below" in till.ingest("web").problem
