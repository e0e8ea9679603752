"""Say which part of which page is generated, and put it between its marks.

A generated part stands between `<!-- settings: written by make docs -->` and `<!-- end -->`.
"""

import re
from collections.abc import Callable
from pathlib import Path

from docs.column_tables import columns
from docs.model_examples import examples
from docs.published_tables import published
from docs.room_picture import picture
from docs.setting_table import settings

PAGES = Path(__file__).parent
GENERATED: dict[str, dict[str, Callable[[], str]]] = {
    "clients.md": {"settings": settings, "columns": columns},
    "models.md": {"examples": examples},
    "tables.md": {"tables": published},
    "architecture.md": {"rooms": picture},
}


def filled(page: str, text: str) -> str:
    """Return a page's text with its generated parts as the code has them now."""
    for name, part in GENERATED[page].items():
        begin, end = f"<!-- {name}: written by make docs -->", "<!-- end -->"
        pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        if not pattern.search(text):
            raise ValueError(f"docs/{page} lacks {begin} and {end}; add both where it belongs")
        text = pattern.sub(lambda _, new=f"{begin}\n\n{part()}\n\n{end}": new, text)
    return text
