"""Say which part of which page is generated, and put it between its marks.

A generated part is between `<!-- settings: written by make docs -->` and `<!-- end -->`.
"""

import re
from collections.abc import Callable

from docs.generator.column_tables import columns
from docs.generator.decision_index import index
from docs.generator.format_table import downloads
from docs.generator.model_examples import examples
from docs.generator.published_tables import published
from docs.generator.room_picture import picture
from docs.generator.setting_table import settings
from pipelines.home import project_folder

PROJECT = project_folder()
GENERATED: dict[str, dict[str, Callable[[], str]]] = {
    "docs/clients.md": {"settings": settings, "columns": columns},
    "docs/downloads.md": {"downloads": downloads},
    "docs/models.md": {"examples": examples},
    "docs/tables.md": {"tables": published},
    "docs/architecture.md": {"rooms": picture},
    "DECISIONS.md": {"index": index},
}


def filled(page: str, text: str) -> str:
    """Return a page's text with its generated parts as the code has them now."""
    for name, part in GENERATED[page].items():
        begin, end = f"<!-- {name}: written by make docs -->", "<!-- end -->"
        pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        if not pattern.search(text):
            raise ValueError(f"{page} lacks {begin} and {end}; add both where it belongs")
        new = f"{begin}\n\n{part()}\n\n{end}"
        text = pattern.sub(new.replace("\\", r"\\"), text)
    return text
