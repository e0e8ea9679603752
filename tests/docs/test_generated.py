"""The pages' tables are those that the code gives now, and miss nothing."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from docs.generator.generated import GENERATED, filled
from docs.generator.published_tables import column_meanings
from docs.generator.room_picture import arrows, direct, rooms
from docs.generator.setting_table import group_of, settings
from pipelines.attribution.library import MODELS
from pipelines.contracts.catalog import CONTRACTS
from pipelines.settings.client import Client, Table
from tests.builders.checkout import PROJECT

PUBLISHED = sorted((PROJECT / "models/publish").glob("*.sql"))


@pytest.mark.parametrize("page", GENERATED)
def test_a_generated_table_is_not_stale(page: str) -> None:
    text = (PROJECT / page).read_text()
    assert text == filled(page, text), f"{page} is stale; run make docs"


def test_a_stale_table_is_written_anew() -> None:
    text = (PROJECT / "docs/clients.md").read_text()
    assert filled("docs/clients.md", text.replace("| `timezone` |", "| `time_zone` |")) == text


def test_a_page_without_its_marks_is_named() -> None:
    with pytest.raises(ValueError, match=r"docs/clients.md lacks <!-- settings"):
        filled("docs/clients.md", "# Clients\n")


def test_every_setting_has_a_row_and_a_meaning() -> None:
    assert all(row.rpartition(" | ")[2].strip(" |") for row in settings().splitlines())
    for group in groups(Client):
        for name, field in group.model_fields.items():
            assert field.description or group_of(field.annotation) or name == "id", (group, name)
            assert re.search(rf"^\| `(\S+[.])?{name}` \|", settings(), re.MULTILINE) or name == "id"


def test_every_column_that_is_delivered_has_a_meaning() -> None:
    for tables in CONTRACTS.values():
        for contract in tables.values():
            assert all(column.meaning for column in contract.columns.values())


@pytest.mark.parametrize("model", PUBLISHED, ids=lambda model: model.stem)
def test_every_published_table_has_its_question_and_columns(model: Path) -> None:
    page = (PROJECT / "docs/tables.md").read_text()
    assert f"\n| `{model.stem}` | " in page
    selected = model.read_text().rpartition("\nSELECT")[2].partition("\nFROM")[0]
    assert len(column_meanings(model)) == len([line for line in selected.splitlines() if line])


def test_every_model_has_its_row() -> None:
    page = (PROJECT / "docs/models.md").read_text()
    defined = page.partition("## By position")[2]
    assert all(f"\n| `{model}` | " in defined for model in MODELS)


def test_every_table_on_demand_is_published_on_demand() -> None:
    page = (PROJECT / "docs/tables.md").read_text()
    listed = re.findall(r"^\| `(\w+)` \|.*\| listed under `publish` \|$", page, re.MULTILINE)
    assert set(listed) == set(on_demand(Table))


def test_the_picture_shows_every_room_and_no_circle() -> None:
    found = arrows()
    assert {room for arrow in found for room in arrow} <= rooms().keys()
    assert not [room for room in rooms() if (room, room) in closure(found)]
    assert closure(direct(found)) == closure(found)  # what is left out follows from what is drawn


def groups(group: type[BaseModel], seen: set | None = None) -> set[type[BaseModel]]:
    """Return a group of settings, and all within."""
    seen = set() if seen is None else seen
    if group not in seen:
        seen.add(group)
        for field in group.model_fields.values():
            if inner := group_of(field.annotation):
                groups(inner, seen)
    return seen


def on_demand(annotation: object) -> list[str]:
    """Return the names in a Literal, and in those within."""
    return [
        name
        for part in annotation.__args__
        for name in ([part] if isinstance(part, str) else on_demand(part))
    ]


def closure(found: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return every (room, room) that one or more arrows lead along."""
    longer = found | {(a, d) for a, b in found for c, d in found if b == c}
    return found if longer == found else closure(longer)
