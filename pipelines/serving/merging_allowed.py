"""Say of which clients small files may be merged: of those whose models in force read merged files.

A model that was planned before there were merged files keeps its macros, and would pass over them. So a
client's run notes whether `daily` and `prod` have its models as the code has them now; while an edit waits for
its promotion, or a rollback has older models in force, nothing is merged.
"""

from pathlib import Path

from pipelines.home import lake_folder
from pipelines.lake.merged_files import RECORD
from pipelines.lake.merging import FEW, folders

_FORMAT = "1"  # of the record of merged files; with another one, models are to be promoted first


def allow_merging(client: str, is_allowed: bool) -> None:
    """Note whether every model in force of a client reads merged files."""
    if not is_allowed:
        _note(client).unlink(missing_ok=True)
    elif not may_merge(client) and (lake_folder() / client).exists():
        _note(client).parent.mkdir(exist_ok=True)
        _note(client).write_text(_FORMAT, encoding="utf-8")


def may_merge(client: str) -> bool:
    """Return whether small files of a client may be merged."""
    return _note(client).exists() and _note(client).read_text(encoding="utf-8") == _FORMAT


def is_merged(client: str) -> bool:
    """Return whether files of a client's lake were ever merged."""
    return any((lake_folder() / client).glob(f"*/*/{RECORD}"))


def not_merged_line(client: str) -> list[str]:
    """Return, of a client whose small files wait for a promotion to be merged, how many they are, in a line."""
    if may_merge(client):
        return []
    sources = (each for each in (lake_folder() / client).glob("[a-z]*") if each.is_dir())
    small = ([*each.glob("*.[pj]*")] for source in sources for each in folders(source))
    files = sum(len(each) for each in small if len(each) >= FEW)
    return [
        f"{files} small files of its lake are not merged before make promote CLIENT={client}"
    ] * bool(files)


def _note(client: str) -> Path:
    return lake_folder() / client / "_settings" / "merging"
