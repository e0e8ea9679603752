"""Make the tables of published columns from the models' own comments."""

import re
from pathlib import Path

from docs.generator.markdown import table
from pipelines.home import project_folder

HEAD = re.compile(r"^/\* (.*?) \*/", re.DOTALL)
GRAIN = re.compile(r"\bgrain \(?([\w\s,]+?)\)?,\n")
COLUMN = re.compile(r"^  (?:.* AS )?(?:\w+\.)?(\w+),? /\* (.*) \*/$", re.MULTILINE)


def published() -> str:
    """Return a section for each published table: what a row is, its grain, its columns."""
    models = sorted((project_folder() / "models" / "publish").glob("*.sql"))
    return "\n\n".join(_section(model) for model in models)


def column_meanings(model: Path) -> dict[str, str]:
    """Return the comment beside each column that a model returns: those of its last SELECT."""
    return dict(COLUMN.findall(model.read_text().rpartition("\nSELECT")[2]))


def _section(model: Path) -> str:
    text = model.read_text()
    (sentence,), (grain,) = HEAD.findall(text), GRAIN.findall(text)
    rows = [(f"`{name}`", meaning) for name, meaning in column_meanings(model).items()]
    return f"### `{model.stem}`\n\n{sentence} Grain: {' '.join(grain.split())}.\n\n{table(('column', 'meaning'), rows)}"
