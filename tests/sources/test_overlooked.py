"""A column that an export has under nearly our name, and that decides what counts, is asked about."""

import pytest
import yaml

from tests.builders.pasting import paste
from tests.builders.tenant import Tenant
from tests.conftest import House


def contacts(house: House, column: str, **columns: str | None) -> Tenant:
    """Deliver a contact with a further column, which says true."""
    tenant = Tenant(house.home)
    feed = {"files": "exports/one/people*", "expected_every": "never", "columns": columns}
    settings = {"name": "one", "currency": "EUR", "sources": {"salesforce": {"contacts": feed}}}
    tenant.settings.write_text(yaml.safe_dump(settings))
    head = f"contact_id,account_id,email,name,created_at,{column}"
    tenant.deliver("people.csv", f"{head}\nc1,a1,k@example.com,Kim,2026-10-01,true\n")
    return tenant


@pytest.mark.parametrize("name", ["Is-Deleted", "is.deleted"])
def test_a_column_with_other_marks_is_asked_about(house: House, name: str) -> None:
    tenant = contacts(house, name)
    problem = tenant.ingest("salesforce").problem
    assert f"is_deleted may be its {name}, which is not read" in problem
    paste(tenant.settings, problem)
    assert not tenant.ingest("salesforce").problem
    assert tenant.log("is_deleted", "salesforce", "contacts") == [(True,)]


@pytest.mark.parametrize(
    ("column", "columns"),
    [
        ("Is-Deleted", {"is_deleted": None}),
        ("IsDeleted", {"is_deleted": None}),
        ("Deleted by whom", {}),
        ("Name ", {}),
    ],
)
def test_others_are_not_asked_about(
    house: House, column: str, columns: dict[str, str | None]
) -> None:
    assert not contacts(house, column, **columns).ingest("salesforce").problem
