"""What a change does to channels and campaigns is compared, to the cent and in total."""

from decimal import Decimal

import duckdb
import pytest

from pipelines.commands.change_tables import show_comparison
from pipelines.explaining.compared_campaigns import Figures, by_channel, compared, total
from pipelines.explaining.setting_changes import setting_changes
from pipelines.settings.client import Client

BEFORE = """SELECT * FROM (VALUES
  ('Email', 'spring', 0::DECIMAL(18, 6), 1.5, 150::DECIMAL(18, 2)),
  ('Email', 'autumn', 0, 0.5, 50),
  ('Paid Search', 'brand', 40, 1, 100)
) AS campaigns(channel, campaign, cost, conversions, revenue)"""
AFTER = BEFORE.replace("1.5, 150", "1.25, 125.01").replace("1, 100)", "1.25, 124.99)")


def difference(before: str, after: str) -> list:
    with duckdb.connect() as connection:
        return compared(
            lambda query: connection.execute(query).fetchall(), f"({before})", f"({after})"
        )


def test_campaigns_channels_and_the_total_are_compared() -> None:
    rows = difference(BEFORE, AFTER)

    assert {row.campaign: row.is_same for row in rows} == {
        "spring": False,
        "autumn": True,
        "brand": False,
    }
    email, search = by_channel(rows)
    assert email.before == Figures(Decimal(0), Decimal(2), Decimal(200))
    assert email.after.revenue == Decimal("175.01") and email.after.roas is None
    assert (search.before.cpa, search.after.cpa) == (Decimal(40), Decimal(32))
    assert (search.before.roas, search.after.revenue) == (Decimal("2.5"), Decimal("124.99"))
    assert total(rows).is_same  # credit moved between channels, and none was made or lost


def test_a_campaign_that_comes_or_goes_is_compared_with_nothing() -> None:
    (row,) = [
        each
        for each in difference(BEFORE, f"{BEFORE} WHERE campaign <> 'brand'")
        if not each.is_same
    ]
    assert (row.campaign, row.after) == ("brand", Figures())


@pytest.mark.parametrize("is_same", [True, False])
def test_what_moved_is_shown_or_that_nothing_did(
    capsys: pytest.CaptureFixture, is_same: bool
) -> None:
    rows = difference(BEFORE, BEFORE if is_same else AFTER)
    show_comparison("acme", rows, "EUR", ("prod", "dev"), is_whole=False)
    shown = capsys.readouterr().out
    assert is_same == ("acme: changes nothing in what channels and campaigns cost" in shown)
    assert is_same != ("-24.99" in shown and "+24.99" in shown and "Email: spring" in shown)


def test_settings_are_compared_key_by_key() -> None:
    least = {"id": "acme", "name": "Acme", "currency": "EUR", "sources": {}}
    before = Client.model_validate(least)
    after = Client.model_validate(
        least
        | {
            "attribution": {"model": "time_decay", "time_decay": {"half_life_days": 3}},
            "exclude": {"email": "*@acme.example"},
            "conversions": {"deal": {"counting": "first"}},
        }
    )
    said = [str(each) for each in setting_changes(before, after)]
    assert "attribution.model: linear → time_decay" in said
    assert "attribution.time_decay.half_life_days: 7 → 3" in [
        each.replace("7.0", "7").replace("3.0", "3") for each in said
    ]
    assert any("*@acme.example" in each for each in said)
    assert any(each.startswith("conversions.deal.counting: not set → first") for each in said)
    assert setting_changes(after, after) == []
