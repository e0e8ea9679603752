"""The tests' own rules."""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


def imports(file: Path) -> list[str]:
    """Return the modules that a file imports, also in the text of a program that it starts."""
    names = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [f"{node.module}.{name.name}" for name in node.names]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names += re.findall(r"^(?:from|import) (tests[\w.]*)", node.value, re.MULTILINE)
    return names


@pytest.mark.parametrize("file", sorted(TESTS.rglob("*.py")), ids=lambda file: file.stem)
def test_no_module_imports_from_a_test(file: Path) -> None:
    """What several tests share is a builder, an oracle, or a fixture of `conftest`."""
    parts = [name for name in imports(file) if re.search(r"(^|\.)test_", name)]
    assert parts == []


@pytest.mark.parametrize("file", sorted(TESTS.rglob("*.py")), ids=lambda file: file.stem)
def test_no_test_reaches_into_the_warehouse(file: Path) -> None:
    """`Warehouse.models` has the models; SQLMesh's context is the warehouse's own."""
    attributes = [
        node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Attribute)
    ]
    assert "_context" not in {node.attr for node in attributes}
