"""After a new version of the code is promoted, every morning publishes what it loads."""

from pathlib import Path

import pytest

from pipelines.serving import promotion
from tests.builders.checkout import copy_checkout
from tests.conftest import House


@pytest.mark.slow
def test_a_column_is_added_and_the_next_loads_are_published(
    served: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = copy_checkout(tmp_path / "code")
    model = code / "models/staging/stg_events.sql"
    added = model.read_text().replace("  loaded_at /*", "  1 AS one, /* Added */\n  loaded_at /*")
    model.write_text(added)
    monkeypatch.setattr("pipelines.serving.warehouse.project_folder", lambda: code)

    assert promotion.promote(served.client("shop"))
    served.export(day=1)
    served.ingest()
    assert served.serve()["shop"].result == "published"

    staged = "SELECT MAX(loaded_at), COUNT(DISTINCT one) FROM shop_staging.stg_events"
    published = "SELECT loaded_until, 1 FROM shop_publish.freshness_v1"
    assert served.rows(published) == served.rows(staged)
