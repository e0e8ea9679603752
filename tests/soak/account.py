"""Keep account of the faults that were tried, and of what became of each."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from rich.console import Console
from rich.table import Table

Result = Literal["survived", "lost", "crossed", "unclear"]


class Trial(NamedTuple):
    """One fault, tried once.

    It `survived` if the end is that of an undisturbed twin, or what was delivered was refused by
    name; it is `lost` if something is missing, doubled or wrong without a word, `crossed` if
    another client noticed, and `unclear` if the message names no file or is a traceback.
    """

    fault: str
    case: str
    result: Result
    what: str = ""


def show(trials: Iterable[Trial]) -> None:
    """Print a line for each kind of fault, and whatever did not survive, case by case."""
    trials = list(trials)
    results: list[Result] = ["survived", "lost", "crossed", "unclear"]
    table = Table("fault", "tries", *results)
    for fault in dict.fromkeys(trial.fault for trial in trials):
        of_it = [trial.result for trial in trials if trial.fault == fault]
        table.add_row(fault, str(len(of_it)), *(str(of_it.count(each)) for each in results))
    console = Console(soft_wrap=True, highlight=False)
    console.print(table)
    for trial in failed(trials):
        console.print(f"{trial.result}: {trial.fault}, {trial.case}: {trial.what}", markup=False)


def failed(trials: Iterable[Trial]) -> list[Trial]:
    """Return the trials that did not survive."""
    return [trial for trial in trials if trial.result != "survived"]
