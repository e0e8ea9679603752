"""Make the index of DECISIONS.md: the sections, and what each paragraph decides."""

import re

from pipelines.home import project_folder

SECTION = re.compile(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", re.DOTALL | re.MULTILINE)
DECISION = re.compile(r"^\*\*(.+?)\*\*", re.MULTILINE)


def index() -> str:
    """Return a line for each section, with a link to it."""
    text = (project_folder() / "DECISIONS.md").read_text()
    return "\n".join(_line(name, body) for name, body in SECTION.findall(text))


def _line(name: str, body: str) -> str:
    decisions = "; ".join(title.rstrip(".") for title in DECISION.findall(body))
    return f"- [{name}](#{name.lower().replace(' ', '-')}): {decisions}."
