"""What a column means that several models have: written once, in `columns.yaml`.

`python -m linter.columns` writes it beside the column in every model, as `make format` does; the lint
rule `NoOtherColumnMeaning` refuses any other comment. A column that means different things in
different models is not listed.
"""

import re
from functools import cache
from pathlib import Path

import yaml

FOLDER = Path(__file__).parent
COMMENT = re.compile(r"^(  .*?\b(\w+),? /\* )(?!such as )(.*)( \*/)$", re.MULTILINE)


@cache
def meanings() -> dict[str, str]:
    """Return the meaning of each listed column."""
    return yaml.safe_load((FOLDER / "columns.yaml").read_text(encoding="utf-8"))


def with_meanings(sql: str) -> str:
    """Return a model's text with its meaning beside each listed column.

    `revenue, /* Money */` stays as it is, if `revenue` is not listed; so does an example of what a
    piece of SQL is: `@SQL(@event_types) AS conversion_type, /* such as CASE … */`.
    """
    return COMMENT.sub(
        lambda found: found[1] + meanings().get(found[2], found[3]) + found[4],
        sql,
    )


def main() -> None:
    """Write the meanings into all models; name each file that changes."""
    for file in sorted((FOLDER.parent / "models").glob("*/*.sql")):
        sql = file.read_text(encoding="utf-8")
        if (new := with_meanings(sql)) != sql:
            file.write_text(new, encoding="utf-8")
            print(file.relative_to(FOLDER.parent))


if __name__ == "__main__":
    main()
