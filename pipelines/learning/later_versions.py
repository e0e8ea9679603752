"""Set aside what a client's models learnt after a promotion that is rolled back, until the next one.

`lake/acme/_models/markov_order_1/20261127T060000000000.parquet` gets the ending `.set_aside`: whatever
reads versions, a model as it was planned years ago, too, reads those that were in force then.
"""

from datetime import datetime, timezone
from pathlib import Path

from pipelines.home import home, lake_folder
from pipelines.learning.versions import versions

_ENDING = ".set_aside"


def set_aside_later(client: str, at: datetime) -> None:
    """Set aside the versions that were trained after a time, UTC, of models that had older ones then.

    Where all are later, nothing read them then, and nothing does that is planned with none.
    """
    then = at.astimezone(timezone.utc).replace(tzinfo=None)
    for folder in _models(client):
        found = versions(str(home()), client, folder.name)
        if any(each.trained_at <= then for each in found):
            for each in found:
                if each.trained_at > then:
                    each.file.rename(each.file.with_name(each.file.name + _ENDING))


def bring_back_later(client: str) -> None:
    """Bring back what was set aside."""
    for folder in _models(client):
        for file in folder.glob(f"*{_ENDING}"):
            file.rename(file.with_name(file.name.removesuffix(_ENDING)))


def _models(client: str) -> list[Path]:
    return sorted((lake_folder() / client / "_models").glob("*"))
