"""Take the demo out: `make demo-clean`.

It removes the demo clients' settings, exports, lake and published tables, and touches nothing of
another client, though they share the lake and the warehouse file. A client is the demo's if it has
a demo client's id, its `name:` begins with "Demo", and all that it reads lies in its own folder of
`exports/`: whoever made one of them a client of their own keeps it.
"""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from sqlmesh.utils.errors import PlanError

from demo.write import CLIENTS
from pipelines.home import home, lake_folder
from pipelines.serving.retirement import RetirementError, retire, with_data
from pipelines.settings.client import Client
from pipelines.settings.exports import Export
from pipelines.settings.reader import files_of, keep, last_settings, read
from pipelines.sources.files.places import matches

console = Console(highlight=False, soft_wrap=True)


def main() -> None:
    """Remove the demo's clients and say what was removed; the second time, nothing is left."""
    demo = [name for name in CLIENTS if _is_demo(name, last_settings(name))]
    shared = {name: reader for name in demo if (reader := _reader_of_exports(name, demo))}
    try:
        removed = _retired(demo)
    except (PlanError, RetirementError) as error:
        sys.exit(f"not everything is removed: {error}; then run `make demo-clean` again")
    for name in demo:
        for folder in (lake_folder() / name, *([] if name in shared else [_exports(name)])):
            removed[name] += _remove(folder)
        console.print(f"{name}: removed {', '.join(removed[name])}")
        if name in shared:
            console.print(f"{name}: exports/{name} stays, as {shared[name]} reads it")
    for name in CLIENTS.keys() - set(demo):
        if remains := [_shown(path) for path in _places(name)]:
            console.print(f"{name}: left as it is, not the demo's: {', '.join(remains)}")
    if not demo:
        console.print("There is no demo client")


def _is_demo(name: str, settings: Client | None) -> bool:
    if not settings or not settings.name.startswith("Demo "):
        return False
    feeds = [feed for _, _, feed in settings.sources.feeds()]
    return all(
        isinstance(feed, Export) and (feed.files or "").startswith(f"exports/{name}/")
        for feed in feeds
    )


def _reader_of_exports(name: str, demo: list[str]) -> str | None:
    """Return another client that reads a demo client's exports."""
    for client in read()[0]:
        if client.id not in demo:
            for file in _files_read_by(client):
                if file.is_relative_to(_exports(name)):
                    return client.id
    return None


def _files_read_by(client: Client) -> Iterator[Path]:
    for _, _, feed in client.sources.feeds():
        if isinstance(feed, Export) and feed.files and not feed.in_bucket:
            yield from matches(feed.files)


def _retired(names: list[str]) -> dict[str, list[str]]:
    """Remove the settings' files, then what is published; return what was removed of each.

    A copy of the settings stays in the lake until the end, so that a second try finds its way.
    """
    removed: dict[str, list[str]] = {name: [] for name in names}
    for client in read()[0]:
        if client.id in names:
            keep(client)
    for name in names:
        for file in files_of(name):
            removed[name] += _remove(file)
    published = with_data().intersection(names)
    retire(published)
    for name in published:
        removed[name].append("what is published of it")
    return removed


def _remove(path: Path) -> list[str]:
    """Remove a file or a folder; return its name if it was there."""
    if not path.exists():
        return []
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    return [_shown(path)]


def _places(name: str) -> list[Path]:
    places = [*files_of(name), _exports(name), lake_folder() / name]
    return [path for path in places if path.exists()]


def _exports(name: str) -> Path:
    return home() / "exports" / name


def _shown(path: Path) -> str:
    return path.relative_to(home()).as_posix()


if __name__ == "__main__":
    main()
