"""Explain a client's blueprint: what each variable means, which files read it, and its value."""

import re
from collections.abc import Iterator
from textwrap import fill, indent

import sqlglot
from sqlglot.errors import SqlglotError

from pipelines.blueprints.blueprint import groups
from pipelines.blueprints.variables import Value
from pipelines.home import project_folder
from pipelines.settings.client import Client

SHORT = 70  # characters of SQL that stay on one line


def explain(client: Client) -> Iterator[str]:
    """Yield a heading for each group of a client's variables, and a paragraph for each in it."""
    files = _files()
    for group in groups(client):
        yield f"# {type(group).__doc__}"
        descriptions, pieces = group.descriptions(), group.sql()
        for name, value in group.variables().items():
            shown = _laid_out(str(value)) if name in pieces else _shown(value)
            readers = f"Read by {', '.join(_readers(name, files))}."
            yield _paragraph(name, shown, descriptions[name], readers)


def _paragraph(name: str, value: str, *sentences: str) -> str:
    """Return a name with its value, if that is one line, and sentences; a long value goes below."""
    texts = [fill(each, 100, initial_indent="  ", subsequent_indent="  ") for each in sentences]
    if "\n" not in value:
        return "\n".join((f"{name} = {value}", *texts))
    return "\n".join((name, *texts, indent(value, "    ")))


def _readers(name: str, files: dict[str, str]) -> list[str]:
    """Return the models and macros that read a variable: `paths`, `@money`."""
    reads = re.compile(rf"@{name}\b|@{{{name}}}|blueprint_var\(\"{name}\"\)")
    return [reader for reader, text in files.items() if reads.search(text)]


def _files() -> dict[str, str]:
    """Return the text of each model, and of each macro without its docstrings."""
    models = sorted((project_folder() / "models").rglob("*.*"))
    macros = sorted((project_folder() / "macros").glob("*.py"))
    texts = {f.stem: f.read_text(encoding="utf-8") for f in models if f.suffix in (".sql", ".py")}
    for file in macros:
        code = re.sub(r'""".*?"""', "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
        texts[f"@{file.stem}"] = code
    return texts


def _shown(value: Value) -> str:
    return f"'{value}'" if isinstance(value, str) else str(value).lower()


def _laid_out(sql: str) -> str:
    """Return a piece of SQL on lines of its own, as a reader would write it; a short one as it is."""
    if len(sql) <= SHORT:
        return sql or "nothing"
    is_branches = sql.startswith("WHEN ")  # of a CASE
    try:
        tree = sqlglot.parse_one(f"CASE {sql} END" if is_branches else sql, read="duckdb")
    except SqlglotError:
        return sql
    text = tree.sql("duckdb", pretty=True)
    return text.removeprefix("CASE\n").removesuffix("\nEND") if is_branches else text
