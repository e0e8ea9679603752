"""The screen: nothing is cut, in a narrow terminal or in none, and nothing is said twice."""

import io
from collections.abc import Callable

import pytest
from rich.console import Console

from pipelines.commands import results, screen, status_tables
from pipelines.ingest.load_counts import Counts
from pipelines.ingest.run import Outcome
from pipelines.ingest.source_status import Status, printable
from pipelines.serving.report import Report

CLIENT = "averylongclientname"
PROBLEM = f"spend.csv: 3 of 4 rows are bad: {'cost is no money; ' * 80}the end"


@pytest.fixture(params=[80, None])
def shown(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """Return what is shown so far, in a terminal of 80 columns or in a pipe."""
    file = io.StringIO()
    is_terminal = bool(request.param)
    width = request.param or screen.WIDE
    console = Console(
        file=file, width=width, highlight=False, soft_wrap=True, force_terminal=is_terminal,
        color_system=None,
    )  # fmt: skip
    monkeypatch.setattr(screen, "screen", console)
    return file.getvalue


def outcome(problem: str = "") -> Outcome:
    """Return what became of a source of many rows."""
    counts = Counts(*[123_456_789] * len(Counts._fields))
    status = Status(CLIENT, "facebook_ads", "refused" if problem else "ok", problem)
    return Outcome(CLIENT, "facebook_ads", counts, status)


def test_a_table_fits_and_keeps_every_letter(shown: Callable[[], str]) -> None:
    results.show_ingest([outcome()])
    status = Status(CLIENT, "facebook_ads", "ok", retry_at="2026-11-01 06:00")
    status_tables.show_statuses([status], every_source=True)
    lines = shown().splitlines()
    assert max(map(len, lines)) <= (80 if screen.screen.is_terminal else screen.WIDE)
    assert "…" not in shown()
    columns = [line.strip("│").split("│") for line in lines if line.startswith("│")]
    text = "".join(cells[0].strip() for cells in columns)
    assert text == CLIENT * 2
    numbers = "".join(cell.strip() for cells in columns for cell in cells if cell.strip().isdigit())
    assert len(numbers) == 9 * len(Counts._fields)


def test_a_problem_is_said_whole_and_once(shown: Callable[[], str]) -> None:
    halted = outcome(printable(PROBLEM))
    reason = f"the gate: halted_sources = facebook_ads: {printable(PROBLEM)}"
    results.show_ingest([halted])
    results.show_morning([Report(CLIENT, "held", [reason, "another"], None)], [halted])
    text = " ".join(shown().split()) if screen.screen.is_terminal else shown()
    assert text.count("the end") == 1 and PROBLEM in text
    assert f"{CLIENT}: the gate: halted_sources = facebook_ads: as said above" in text
    assert f"{CLIENT}: another" in text
