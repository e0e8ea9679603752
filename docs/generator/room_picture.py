"""Draw the rooms of the code and the arrows between them, from the imports."""

import ast
from collections.abc import Iterator
from pathlib import Path

from pipelines.home import project_folder

ROOMS = ("pipelines", "macros", "models", "reports", "demo")
Arrow = tuple[str, str]


def picture() -> str:
    """Return a Mermaid graph of the rooms; arrows that others lead along already are left out."""
    lines = [f'  {room}["{room}<br/>{sentence}"]' for room, sentence in rooms().items()]
    lines += [f"  {above} --> {below}" for above, below in sorted(direct(arrows()))]
    return "\n".join(["```mermaid", "graph TD", *lines, "```"])


def rooms() -> dict[str, str]:
    """Return what each room is for, by its name: the docstring of the package or module."""
    found = {"models": "The SQL models, one file a table"}
    for file in _files():
        if file.name == "__init__.py" or (file.parent.name == "pipelines"):
            sentence = (ast.get_docstring(ast.parse(file.read_text())) or "").partition("\n")[0]
            found.setdefault(_room(_name(file)), sentence.partition(":")[0].rstrip("."))
    found.pop("pipelines", None)
    return {room: found[room] for room in sorted(found)}


def arrows() -> set[Arrow]:
    """Return (room, room) for every import from another room, those inside functions included.

    SQL models call macros by name, without an import.
    """
    names = {_name(file) for file in _files()} - {"pipelines"}
    imports = {
        (_room(_name(file)), _room(module))
        for file in _files()
        for module in _imports(file)
        if module in names
    }
    return {(above, below) for above, below in imports | {("models", "macros")} if above != below}


def direct(all_arrows: set[Arrow]) -> set[Arrow]:
    """Return the arrows without those that a longer way of arrows makes, too."""
    return {
        (above, below)
        for above, below in all_arrows
        if below not in _below(all_arrows - {(above, below)}, above)
    }


def _below(all_arrows: set[Arrow], start: str) -> set[str]:
    """Return every room that arrows lead to."""
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        here = waiting.pop()
        new = {below for above, below in all_arrows if above == here} - reached
        reached |= new
        waiting += new
    return reached


def _files() -> Iterator[Path]:
    for room in ROOMS:
        yield from sorted((project_folder() / room).rglob("*.py"))


def _name(file: Path) -> str:
    """Return a file as it is imported."""
    return ".".join(file.relative_to(project_folder()).with_suffix("").parts).removesuffix(
        ".__init__"
    )


def _room(module: str) -> str:
    """Return the room of a module: a package or module of `pipelines`, or a folder at the top."""
    top, *rest = module.split(".")
    return rest[0] if top == "pipelines" and rest else top


def _imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
