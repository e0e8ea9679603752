"""Find which of a client's blueprint variables the model that a file makes of it uses."""

import re
from functools import cached_property
from pathlib import Path

from sqlglot import exp, parse_one


class ModelFile:
    """A model's file: its text, the words in it, and the variable that enables it."""

    def __init__(self, path: Path) -> None:
        self.text = path.read_text(encoding="utf-8")

    @cached_property
    def words(self) -> set[str]:
        """All words of the file: the names of the variables that it reads are among them."""
        return set(re.findall(r"\w+", self.text))

    @cached_property
    def switch(self) -> str:
        """`has_rates` of a file with `enabled @has_rates`; nothing if every client has the model."""
        found = re.search(r"^ +enabled\W+@(\w+)", self.text, re.MULTILINE)
        return found[1] if found else ""


class Assignments:
    """One client's variables as SQLMesh reads them, such as `currency := 'EUR'`."""

    def __init__(self, blueprint: str) -> None:
        assignments = parse_one(blueprint, read="duckdb").expressions
        self._assignments = {each.left.name: each for each in assignments}
        self._texts = {name: each.sql("duckdb") for name, each in self._assignments.items()}

    def enable(self, file: ModelFile) -> bool:
        """Return whether the file makes this client a model."""
        switch = self._assignments.get(file.switch)
        return switch is None or switch.right != exp.false()

    def text(self, words: set[str]) -> str:
        """Return the variables that are among some words, as text."""
        return ", ".join(text for name, text in self._texts.items() if name in words)

    def blueprint(self, words: set[str]) -> exp.Tuple:
        """Return the variables that are among some words, as SQLMesh takes a blueprint."""
        return exp.Tuple(
            expressions=[each.copy() for name, each in self._assignments.items() if name in words]
        )


def names_asked_for(macros: Path) -> set[str]:
    """Return the names in `evaluator.blueprint_var("currency")`: all that macros have in quotes."""
    texts = (file.read_text(encoding="utf-8") for file in macros.glob("*.py"))
    return {name for text in texts for name in re.findall(r"""["'](\w+)["']""", text)}
